//! Two hosts, one bill, one database, one DOKU: an operation and the lease it is done under (I20, I30), over every order of steps in which a
//! host may stop anywhere and go on later, be taken for dead, and what it sent may arrive whenever it will.
//!
//! Written from the contract and not from the code: what the code does is attacked by the simulated worlds and `several_hosts`.

use super::{Model, visit};

/// Ticks for which a lease lasts.
const LEASE: u8 = 1;
/// Ticks after the last sending from which "not found" proves that nothing was carried out.
const PATIENCE: u8 = 3;
/// How often anybody may begin anew: the model has an end.
const IDS: u8 = 2;

/// Requests that are under way at once: a third of the same bytes says nothing that two do not.
const ON_THE_WAY_MAX: usize = 2;

struct Hosts {
    /// How many ticks a request can be held up, from the last look at the lease to DOKU's door.
    late_max: u8,
    /// Whether what a host writes needs its lease.
    is_fenced: bool,
    /// Whether whoever takes an operation over goes on under its Request-Id.
    keeps_id: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Doing {
    Nothing,
    /// It has looked, and is about to send; so long ago.
    Sends(u8, u8),
    Waits(u8),
    /// It was answered: made, or turned down because the number is taken.
    Heard(u8, bool),
    /// It waited in vain.
    Doubts(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Open,
    Done,
    NotDone,
    /// DOKU has an order of this number that is not this operation's: only a person can tell.
    ForAPerson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Operation {
    id: u8,
    /// Whose it is.
    host: usize,
    end: End,
    /// Ticks since it was sent, or was to be.
    quiet: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// The leases in the database: ticks until each lapses, none if there is no row.
    leases: [Option<u8>; 2],
    /// Whether the host believes that it has one.
    is_leased: [bool; 2],
    doing: [Doing; 2],
    operation: Option<Operation>,
    /// Requests on their way, and how long ago their host looked.
    on_the_way: Vec<(u8, u8)>,
    /// By which request DOKU made the order.
    made_by: Option<u8>,
    /// Whether an end was overwritten by somebody whose lease was gone.
    is_overwritten: bool,
}

#[derive(Clone, Debug)]
#[allow(dead_code, reason = "shown where something is found")]
enum Step {
    Leases(usize),
    Beats(usize),
    Begins(usize),
    Sends(usize),
    Arrives { answer_is_heard: bool },
    GivesUp(usize),
    Records(usize),
    AsksDoku(usize),
    Tick,
}

impl World {
    fn has_lease(&self, host: usize) -> bool {
        self.leases[host].is_some()
    }

    /// The host finds that its lease is gone, and stops.
    fn stops(&mut self, host: usize) {
        (self.is_leased[host], self.doing[host]) = (false, Doing::Nothing);
    }

    /// Writes how an operation ended, if that is for `host` to say.
    fn ends(&mut self, hosts: &Hosts, host: usize, id: u8, end: End) {
        if hosts.is_fenced && !self.has_lease(host) {
            return self.stops(host);
        }
        self.doing[host] = Doing::Nothing;
        let Some(operation) = &mut self.operation else { return };
        if operation.end != End::Open {
            self.is_overwritten |= operation.end != end || operation.id != id;
        } else if operation.id == id && (operation.host == host || !hosts.is_fenced) {
            operation.end = end;
        }
    }

    /// Begins an operation, or goes on with one that is open and nobody's.
    fn begins(&mut self, hosts: &Hosts, host: usize) -> bool {
        if !self.has_lease(host) {
            self.stops(host);
            return true;
        }
        let fresh = |id: u8| Operation { id, host, end: End::Open, quiet: 0 };
        let (operation, is_sent) = match self.operation {
            None => (fresh(0), true),
            Some(before) if before.end == End::NotDone && before.id + 1 < IDS => (fresh(before.id + 1), true),
            // That it is sent again is written first: from then on "not found" has to wait anew.
            Some(open) if open.end == End::Open && open.host == host => (Operation { quiet: 0, ..open }, true),
            Some(open) if open.end == End::Open && !self.has_lease(open.host) => {
                if hosts.keeps_id {
                    // What became of it is DOKU's to say: it is asked, or sent again, by whoever has it now.
                    (Operation { host, ..open }, false)
                } else if open.id + 1 < IDS {
                    (fresh(open.id + 1), true)
                } else {
                    return false;
                }
            }
            Some(_) => return false,
        };
        self.operation = Some(operation);
        self.doing[host] = if is_sent { Doing::Sends(operation.id, 0) } else { Doing::Doubts(operation.id) };
        true
    }
}

impl Hosts {
    fn changes(&self, world: &World) -> Vec<(Step, World)> {
        let mut steps = Vec::new();
        let mut add = |step: Step, change: &mut dyn FnMut(&mut World) -> bool| {
            let mut next = world.clone();
            if change(&mut next) {
                steps.push((step, next));
            }
        };
        for host in 0..2 {
            let other = 1 - host;
            if !world.is_leased[host] {
                add(Step::Leases(host), &mut |world| {
                    (world.leases[host], world.is_leased[host]) = (Some(LEASE), true);
                    true
                });
                continue;
            }
            add(Step::Beats(host), &mut |world| {
                if world.leases[other] == Some(0) {
                    world.leases[other] = None;
                }
                if world.has_lease(host) {
                    world.leases[host] = Some(LEASE);
                } else {
                    world.stops(host);
                }
                true
            });
            match world.doing[host] {
                Doing::Nothing => add(Step::Begins(host), &mut |world| world.begins(self, host)),
                Doing::Sends(id, age) => add(Step::Sends(host), &mut |world| {
                    if world.on_the_way.len() == ON_THE_WAY_MAX {
                        return false;
                    }
                    world.on_the_way.push((id, age));
                    world.on_the_way.sort_unstable();
                    world.doing[host] = Doing::Waits(id);
                    true
                }),
                Doing::Waits(id) => add(Step::GivesUp(host), &mut |world| {
                    world.doing[host] = Doing::Doubts(id);
                    true
                }),
                Doing::Heard(id, is_made) => add(Step::Records(host), &mut |world| {
                    world.ends(self, host, id, if is_made { End::Done } else { End::ForAPerson });
                    true
                }),
                Doing::Doubts(id) => add(Step::AsksDoku(host), &mut |world| {
                    let Some(operation) = &mut world.operation else { return false };
                    match world.made_by {
                        None if operation.quiet < PATIENCE => return false,
                        None => world.ends(self, host, id, End::NotDone),
                        // The code itself only a repetition tells.
                        Some(_) => {
                            operation.quiet = 0;
                            world.doing[host] = Doing::Sends(id, 0);
                        }
                    }
                    true
                }),
            }
        }
        steps
    }
}

impl Model for Hosts {
    type State = World;
    type Step = Step;

    fn start(&self) -> World {
        World {
            leases: [None; 2],
            is_leased: [false; 2],
            doing: [Doing::Nothing; 2],
            operation: None,
            on_the_way: Vec::new(),
            made_by: None,
            is_overwritten: false,
        }
    }

    fn steps(&self, world: &World) -> Vec<(Step, World)> {
        let mut steps = self.changes(world);
        for (at, (id, _)) in world.on_the_way.iter().enumerate() {
            for answer_is_heard in [true, false] {
                let mut next = world.clone();
                next.on_the_way.remove(at);
                let is_made = *next.made_by.get_or_insert(*id) == *id;
                for doing in next.doing.iter_mut().filter(|doing| answer_is_heard && **doing == Doing::Waits(*id)) {
                    *doing = Doing::Heard(*id, is_made);
                }
                steps.push((Step::Arrives { answer_is_heard }, next));
            }
        }
        let ages = world.on_the_way.iter().map(|(_, age)| *age);
        let sending = world.doing.iter().filter_map(|doing| if let Doing::Sends(_, age) = doing { Some(*age) } else { None });
        // Nothing is held up for longer than is assumed.
        if ages.chain(sending).all(|age| age < self.late_max) {
            let mut next = world.clone();
            next.leases = next.leases.map(|left| left.map(|left: u8| left.saturating_sub(1)));
            next.on_the_way.iter_mut().for_each(|(_, age)| *age += 1);
            for doing in &mut next.doing {
                if let Doing::Sends(_, age) = doing {
                    *age += 1;
                }
            }
            next.operation.iter_mut().for_each(|operation| operation.quiet = (operation.quiet + 1).min(PATIENCE));
            steps.push((Step::Tick, next));
        }
        steps
    }

    fn holds(&self, world: &World) -> Result<(), String> {
        if world.is_overwritten {
            return Err("an end was written by somebody whose lease was gone".into());
        }
        let Some(operation) = world.operation else { return Ok(()) };
        match (operation.end, world.made_by) {
            (End::Done, made) if made != Some(operation.id) => Err("called done by an order that is not its own".into()),
            (End::NotDone, Some(_)) => Err("called not done, and a code exists".into()),
            (End::ForAPerson, _) => Err("DOKU has an order that no operation of ours is known to have made".into()),
            _ => Ok(()),
        }
    }
}

const SOUND: Hosts = Hosts { late_max: PATIENCE - 1, is_fenced: true, keeps_id: true };

#[test]
fn whoever_stops_and_whatever_arrives_late_the_ledger_ends_as_doku_does() {
    let visited = visit(&SOUND).unwrap_or_else(|found| panic!("{found}"));
    println!("two hosts, one bill: {visited:?}");
    assert!(visited.states > 1_000 && visited.steps > visited.states, "{visited:?}");
}

#[test]
fn each_rule_is_needed() {
    for (left_out, without) in [
        ("nothing is held up for as long as \"not found\" needs to be a proof", Hosts { late_max: PATIENCE + 1, ..SOUND }),
        ("whoever takes over goes on under the same Request-Id", Hosts { keeps_id: false, ..SOUND }),
        ("what is written needs its lease", Hosts { is_fenced: false, ..SOUND }),
    ] {
        let found = visit(&without).err();
        assert!(found.is_some(), "nothing goes wrong without the rule that {left_out}");
    }
}
