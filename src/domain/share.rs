//! One rate for all who send from one ledger: what each of them may use of it.
//!
//! A sender learns its share when it renews its lease. One that is to have less goes by that before it says so, and one that is to have
//! more only once it is written down; so what all go by together is never above the ceiling, whoever is slow, cut off or dead.

/// Requests that may start: so many in a thousand seconds, and so many at once after a lull.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateShare {
    /// Starts in a thousand seconds.
    pub per_1000_seconds: u64,
    /// Starts at once.
    pub burst: u64,
}

impl RateShare {
    /// Nothing may start.
    pub const NONE: Self = Self { per_1000_seconds: 0, burst: 0 };

    /// What both allow.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        Self { per_1000_seconds: self.per_1000_seconds.min(other.per_1000_seconds), burst: self.burst.min(other.burst) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            per_1000_seconds: self.per_1000_seconds.saturating_add(other.per_1000_seconds),
            burst: self.burst.saturating_add(other.burst),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            per_1000_seconds: self.per_1000_seconds.saturating_sub(other.per_1000_seconds),
            burst: self.burst.saturating_sub(other.burst),
        }
    }

    /// One of `count` equal parts; nothing over is given to anybody.
    fn part(self, count: u64) -> Self {
        let of = |whole: u64| whole.checked_div(count).unwrap_or_default();
        Self { per_1000_seconds: of(self.per_1000_seconds), burst: of(self.burst) }
    }
}

/// A sender as all others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The number of its lease; whoever came first has the lower one.
    pub number: u64,
    /// What it takes for the ceiling of all.
    pub ceiling: RateShare,
    /// What is written down for it.
    pub share: RateShare,
}

/// What the sender `number` may have from now on, beside all others in `senders` with what is written down for them.
///
/// All have equal parts of the ceiling, the lowest where they differ on it. As everybody who sends must be allowed one request at once,
/// no more send at a time than the ceiling allows at once; those who came last wait.
#[must_use]
pub fn next(number: u64, senders: &[Sender]) -> RateShare {
    let Some(ceiling) = senders.iter().map(|sender| sender.ceiling).reduce(RateShare::least) else { return RateShare::NONE };
    let before = senders.iter().filter(|sender| sender.number < number).count();
    let count = u64::try_from(senders.len()).unwrap_or(u64::MAX).min(ceiling.burst);
    if u64::try_from(before).unwrap_or(u64::MAX) >= count {
        return RateShare::NONE;
    }
    let others = senders.iter().filter(|sender| sender.number != number).fold(RateShare::NONE, |sum, sender| sum.plus(sender.share));
    let share = ceiling.part(count).least(ceiling.minus(others));
    if share.burst == 0 || share.per_1000_seconds == 0 { RateShare::NONE } else { share }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "test values are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How long a lease lasts that is not renewed.
    const LEASE: u64 = 30;
    const HOSTS: usize = 6;

    /// A host that may be anywhere between its last heartbeat and its death.
    #[derive(Clone, Copy, Debug, Default)]
    struct Host {
        number: Option<u64>,
        /// What it goes by, and until when.
        goes_by: RateShare,
        until: u64,
    }

    #[derive(Clone, Copy, Debug)]
    struct Row {
        sender: Sender,
        until: u64,
    }

    #[derive(Clone, Copy, Debug)]
    enum Came {
        Done,
        /// It was written, but the answer did not come.
        Unanswered,
        /// It was not written.
        Failed,
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// A heartbeat of a host, which may be its first, and takes some time to get there.
        Beat(usize, u64, Came),
        /// It has ended and said so.
        End(usize),
        Pass(u64),
    }

    struct World {
        now: u64,
        ceiling: RateShare,
        hosts: [Host; HOSTS],
        rows: Vec<Row>,
        numbers: u64,
    }

    impl World {
        fn new(ceiling: RateShare) -> Self {
            Self { now: 0, ceiling, hosts: [Host::default(); HOSTS], rows: Vec::new(), numbers: 0 }
        }

        fn beat(&mut self, host: usize, delay: u64, came: Came) {
            let began_at = self.now;
            self.now += delay;
            let now = self.now;
            let is_known = |number: Option<u64>, rows: &[Row]| rows.iter().any(|row| Some(row.sender.number) == number);
            if !is_known(self.hosts[host].number, &self.rows) {
                // A new one, or one that was given up and begins anew.
                self.numbers += 1;
                self.hosts[host] = Host { number: Some(self.numbers), ..Host::default() };
                let sender = Sender { number: self.numbers, ceiling: self.ceiling, share: RateShare::NONE };
                self.rows.push(Row { sender, until: now + LEASE });
            }
            let number = self.hosts[host].number.unwrap();
            let rows: Vec<Row> = self.rows.iter().copied().filter(|row| row.sender.number == number || row.until >= now).collect();
            let share = next(number, &rows.iter().map(|row| row.sender).collect::<Vec<_>>());
            self.hosts[host].goes_by = self.hosts[host].goes_by.least(share);
            if matches!(came, Came::Failed) {
                return;
            }
            self.rows = rows;
            let row = self.rows.iter_mut().find(|row| row.sender.number == number).unwrap();
            (row.sender.share, row.until) = (share, now + LEASE);
            if matches!(came, Came::Done) {
                self.hosts[host] = Host { number: Some(number), goes_by: share, until: began_at + LEASE };
            }
        }

        fn end(&mut self, host: usize) {
            let number = std::mem::take(&mut self.hosts[host]).number;
            self.rows.retain(|row| Some(row.sender.number) != number);
        }

        /// What all go by, also those that are paused or dead and nobody knows it.
        fn in_use(&self) -> RateShare {
            let in_use = |host: &&Host| host.until >= self.now;
            self.hosts.iter().filter(in_use).fold(RateShare::NONE, |sum, host| sum.plus(host.goes_by))
        }
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let came = prop_oneof![6 => Just(Came::Done), 1 => Just(Came::Unanswered), 1 => Just(Came::Failed)];
        let act = prop_oneof![
            8 => (0..HOSTS, 0..4_u64, came).prop_map(|(host, delay, came)| Act::Beat(host, delay, came)),
            1 => (0..HOSTS).prop_map(Act::End),
            4 => (0..15_u64).prop_map(Act::Pass),
        ];
        prop::collection::vec(act, 1..200)
    }

    proptest! {
        #[test]
        fn all_together_never_go_by_more_than_the_ceiling_and_come_to_equal_parts(
            rate in 1..2_000_000_u64, burst in 1..12_u64, acts in acts(),
        ) {
            let ceiling = RateShare { per_1000_seconds: rate, burst };
            let mut world = World::new(ceiling);
            for act in acts {
                match act {
                    Act::Beat(host, delay, came) => world.beat(host, delay, came),
                    Act::End(host) => world.end(host),
                    Act::Pass(time) => world.now += time,
                }
                let in_use = world.in_use();
                prop_assert_eq!(in_use.least(ceiling), in_use, "{:?}", world.hosts);
            }
            // Those who go on beating have the whole before long; the dead are forgotten within one lease.
            world.now += LEASE + 1;
            for host in (0..3).cycle().take(9) {
                world.beat(host, 1, Came::Done);
            }
            let count = burst.min(3);
            prop_assert_eq!(world.in_use().per_1000_seconds, if rate < count { 0 } else { rate / count * count });
        }
    }

    #[test]
    fn a_newcomer_waits_until_the_others_have_given_way() {
        let ceiling = RateShare { per_1000_seconds: 10_000, burst: 4 };
        let mut world = World::new(ceiling);
        world.beat(0, 0, Came::Done);
        assert_eq!(world.hosts[0].goes_by, ceiling);
        world.beat(1, 0, Came::Done);
        assert_eq!(world.hosts[1].goes_by, RateShare::NONE);
        world.beat(0, 0, Came::Done);
        world.beat(1, 0, Came::Done);
        assert_eq!((world.hosts[0].goes_by, world.hosts[1].goes_by), (ceiling.part(2), ceiling.part(2)));
        world.end(0);
        world.beat(1, 0, Came::Done);
        assert_eq!(world.hosts[1].goes_by, ceiling);
    }

    #[test]
    fn where_hosts_differ_on_the_ceiling_the_lowest_counts() {
        let sender = |number, rate| Sender { number, ceiling: RateShare { per_1000_seconds: rate, burst: 2 }, share: RateShare::NONE };
        assert_eq!(next(1, &[sender(1, 9_000), sender(2, 4_000)]), RateShare { per_1000_seconds: 2_000, burst: 1 });
    }
}
