//! One rate for all senders (I18 across hosts), by the real rule that divides it (`domain::share::next`): heartbeats that are under way for a
//! while, are not written, or are written and not answered; hosts that stop anywhere, are taken for dead, and come back.

use tagih::domain::share::{RateShare, Sender, next};

use super::{Model, visit};

/// Ticks for which a lease lasts that is not renewed.
const LEASE: u8 = 2;

type Divide = fn(u64, &[Sender]) -> RateShare;

struct Rate<const HOSTS: usize> {
    ceiling: RateShare,
    divide: Divide,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Host {
    /// Its row.
    number: Option<u64>,
    /// What it goes by, and for how many more ticks by its own clock.
    goes_by: (u64, u64),
    sure: u8,
    /// How long its heartbeat has been under way.
    beat: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Row {
    number: u64,
    share: (u64, u64),
    /// Ticks until it lapses; it has, below zero.
    left: i8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World<const HOSTS: usize> {
    hosts: [Host; HOSTS],
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
#[allow(dead_code, reason = "shown where something is found")]
enum Step {
    /// A heartbeat leaves a host, which may be its first.
    Beats(usize),
    /// It has been written, and the host hears so.
    Written(usize),
    /// It has been written, and the host never hears.
    Unheard(usize),
    /// It was not written.
    Lost(usize),
    /// The host ends, and says so.
    Ends(usize),
    Tick,
}

fn pair(share: RateShare) -> (u64, u64) {
    (share.per_1000_seconds, share.burst)
}

fn share((per_1000_seconds, burst): (u64, u64)) -> RateShare {
    RateShare { per_1000_seconds, burst }
}

impl<const HOSTS: usize> Rate<HOSTS> {
    /// A heartbeat reaches the database.
    fn arrives(&self, world: &mut World<HOSTS>, host: usize, is_written: bool, is_heard: bool) {
        let Some(age) = world.hosts[host].beat.take() else { return };
        let known = world.hosts[host].number.filter(|number| world.rows.iter().any(|row| row.number == *number));
        if world.hosts[host].number.is_some() && known.is_none() {
            // It was taken for dead, and is at an end; it may begin anew.
            world.hosts[host] = Host::default();
            return;
        }
        let used = world.rows.iter().map(|row| row.number).chain(world.hosts.iter().filter_map(|host| host.number));
        let number = known.unwrap_or_else(|| used.max().unwrap_or_default() + 1);
        let mut rows: Vec<Row> = world.rows.iter().copied().filter(|row| row.number == number || row.left >= 0).collect();
        if known.is_none() {
            rows.push(Row { number, share: (0, 0), left: 0 });
        }
        let senders: Vec<Sender> =
            rows.iter().map(|row| Sender { number: row.number, ceiling: self.ceiling, share: share(row.share) }).collect();
        let wanted = (self.divide)(number, &senders);
        // Less is gone by before it is said.
        let own = &mut world.hosts[host];
        own.goes_by = pair(share(own.goes_by).least(wanted));
        if !is_written {
            return;
        }
        for row in rows.iter_mut().filter(|row| row.number == number) {
            (row.share, row.left) = (pair(wanted), LEASE as i8);
        }
        world.rows = rows;
        if is_heard {
            *own = Host { number: Some(number), goes_by: pair(wanted), sure: LEASE - age.min(LEASE), beat: None };
        } else if own.number.is_none() {
            // Whoever does not hear of its first has no number, and takes another.
            *own = Host::default();
        }
    }

    /// Numbers by their order alone: otherwise no two states would ever be the same.
    fn renumbered(mut world: World<HOSTS>) -> World<HOSTS> {
        let mut used: Vec<u64> = world.rows.iter().map(|row| row.number).chain(world.hosts.iter().filter_map(|host| host.number)).collect();
        used.sort_unstable();
        used.dedup();
        let rank = |number: u64| used.iter().position(|one| *one == number).unwrap() as u64 + 1;
        world.rows.iter_mut().for_each(|row| row.number = rank(row.number));
        world.hosts.iter_mut().for_each(|host| host.number = host.number.map(rank));
        world.rows.sort_unstable();
        world
    }
}

impl<const HOSTS: usize> Model for Rate<HOSTS> {
    type State = World<HOSTS>;
    type Step = Step;

    fn start(&self) -> World<HOSTS> {
        World { hosts: [Host::default(); HOSTS], rows: Vec::new() }
    }

    fn steps(&self, world: &World<HOSTS>) -> Vec<(Step, World<HOSTS>)> {
        let mut steps = Vec::new();
        let mut add = |step: Step, change: &dyn Fn(&mut World<HOSTS>)| {
            let mut next = world.clone();
            change(&mut next);
            steps.push((step, Self::renumbered(next)));
        };
        for host in 0..HOSTS {
            if world.hosts[host].beat.is_none() {
                add(Step::Beats(host), &|world| world.hosts[host].beat = Some(0));
            } else {
                add(Step::Written(host), &|world| self.arrives(world, host, true, true));
                // A first heartbeat that is not heard leaves a row that nobody has: so many, or the model would have no end.
                if world.hosts[host].number.is_some() || world.rows.len() <= HOSTS {
                    add(Step::Unheard(host), &|world| self.arrives(world, host, true, false));
                }
                add(Step::Lost(host), &|world| self.arrives(world, host, false, false));
            }
            if world.hosts[host].number.is_some() {
                add(Step::Ends(host), &|world| {
                    let number = std::mem::take(&mut world.hosts[host]).number;
                    world.rows.retain(|row| Some(row.number) != number);
                });
            }
        }
        add(Step::Tick, &|world| {
            for host in &mut world.hosts {
                host.sure = host.sure.saturating_sub(1);
                // A heartbeat is given up after a lease's length, and what nobody is sure of is not gone by.
                host.beat = host.beat.map(|age| age + 1).filter(|age| *age <= LEASE);
                if host.sure == 0 {
                    host.goes_by = (0, 0);
                }
            }
            world.rows.iter_mut().for_each(|row| row.left = (row.left - 1).max(-1));
        });
        steps
    }

    fn holds(&self, world: &World<HOSTS>) -> Result<(), String> {
        let sum = world.hosts.iter().fold((0, 0), |(rate, burst), host| (rate + host.goes_by.0, burst + host.goes_by.1));
        if sum.0 > self.ceiling.per_1000_seconds || sum.1 > self.ceiling.burst {
            return Err(format!("all together go by {sum:?} of {:?}", pair(self.ceiling)));
        }
        let world = Self::calm(self, world.clone());
        let count = self.ceiling.burst.min(HOSTS as u64);
        let whole = self.ceiling.per_1000_seconds / count * count;
        let used: u64 = world.hosts.iter().map(|host| host.goes_by.0).sum();
        if used == whole { Ok(()) } else { Err(format!("in calm they come to {used} of {whole}")) }
    }
}

impl<const HOSTS: usize> Rate<HOSTS> {
    /// When everybody lives and everything arrives: what they come to within a lease and a few heartbeats.
    fn calm(&self, mut world: World<HOSTS>) -> World<HOSTS> {
        for _ in 0..=LEASE {
            for (_, next) in self.steps(&world).into_iter().filter(|(step, _)| matches!(step, Step::Tick)) {
                world = next;
            }
        }
        for host in (0..HOSTS).cycle().take(4 * HOSTS) {
            world.hosts[host].beat = Some(0);
            self.arrives(&mut world, host, true, true);
        }
        world
    }
}

fn ceiling(per_1000_seconds: u64, burst: u64) -> RateShare {
    RateShare { per_1000_seconds, burst }
}

#[test]
fn no_order_of_heartbeats_deaths_and_returns_passes_the_one_rate() {
    let two = visit(&Rate::<2> { ceiling: ceiling(5, 4), divide: next }).unwrap_or_else(|found| panic!("{found}"));
    let scarce = visit(&Rate::<2> { ceiling: ceiling(3, 1), divide: next }).unwrap_or_else(|found| panic!("{found}"));
    println!("two hosts: {two:?}; with room for one: {scarce:?}");
    assert!(two.states > 500 && scarce.states > 500, "{two:?} {scarce:?}");
}

#[test]
fn a_rule_that_forgets_what_others_still_go_by_is_found() {
    let equal_parts: Divide = |_, senders| {
        let all = senders.first().map_or(RateShare::NONE, |sender| sender.ceiling);
        let count = senders.len().max(1) as u64;
        RateShare { per_1000_seconds: all.per_1000_seconds / count, burst: all.burst / count }
    };
    let found = visit(&Rate::<2> { ceiling: ceiling(5, 4), divide: equal_parts }).unwrap_err();
    assert!(found.starts_with("all together go by"), "{found}");
}
