//! A payment: the fact that a counter took money for a code, proved by a verified notification.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::amount::Amount;
use super::channel::Channel;
use super::digest::{self, Digest};
use super::ids::{InvoiceNumber, PaymentCode};

/// One payment, as the ledger keeps it. Its identity, not its content, makes it one (reconciliation rules, 1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What makes it this payment and no other.
    pub identity: Digest,
    /// The same for every way its message may be written; its identity, where that is not known.
    pub canonical: Digest,
    /// The invoice number the notification names (on the wire: a re-issued bill's carries a suffix).
    pub invoice_number: InvoiceNumber,
    /// The code that was paid.
    pub payment_code: PaymentCode,
    /// Where.
    pub channel: Channel,
    /// How much, in rupiah.
    pub amount: Amount,
    /// When, by `transaction.date` (UTC).
    pub paid_at: Timestamp,
    /// When the notification arrived (UTC), if the log says so.
    pub received_at: Option<Timestamp>,
    /// SHA-256 of the raw log line that proves it.
    pub line_digest: Digest,
}

impl Payment {
    /// What tells it from other payments, however its message was written.
    #[must_use]
    pub fn sameness(&self) -> Sameness {
        let (code, number) = (self.payment_code.as_str(), self.invoice_number.as_str());
        Sameness::of(
            self.identity,
            self.canonical,
            &PaymentContent { channel: self.channel, code, number, amount: self.amount, paid_at: self.paid_at },
        )
    }
}

/// What is known of every payment, whether or not the store's own number of it is.
#[derive(Clone, Copy, Debug)]
pub struct PaymentContent<'a> {
    /// Where.
    pub channel: Channel,
    /// The code that was paid.
    pub code: &'a str,
    /// The invoice number it was paid under.
    pub number: &'a str,
    /// How much, in rupiah.
    pub amount: Amount,
    /// When (UTC).
    pub paid_at: Timestamp,
}

/// What two messages must have in common to tell of one payment: redeliveries vary in how they are written (borders, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sameness {
    /// What makes it this payment, as the first message of it was written.
    pub identity: Digest,
    /// The identity with its ids evened out: equal for equal transactions, whatever their case and outer spaces.
    pub canonical: Digest,
    /// What it would be called by a message without the store's number.
    pub dated: Digest,
    /// Equal for equal channel, code, invoice, amount and second; only ever compared within one run.
    pub moment: u64,
    /// Whether a message without the store's number gave it its identity.
    pub is_dated: bool,
    /// Whether the store's own number of it is known.
    pub is_numbered: bool,
}

impl Sameness {
    /// Of a payment that is called `identity`, or `canonical` however it is written.
    #[must_use]
    pub fn of(identity: Digest, canonical: Digest, facts: &PaymentContent<'_>) -> Self {
        let &PaymentContent { channel, code, number, amount, paid_at } = facts;
        let dated = evened_by_date(channel, code, number, paid_at);
        let by_date = [dated, identity_by_date(channel, code, number, paid_at)];
        let is_numbered = !by_date.contains(&canonical);
        Self {
            identity,
            canonical: if is_numbered { canonical } else { dated },
            dated,
            moment: moment(channel, code, number, amount.get(), paid_at),
            is_dated: by_date.contains(&identity),
            is_numbered,
        }
    }

    /// Whether both are certainly of one payment: by the store's number, or by one way of writing it.
    fn is(&self, other: &Self) -> bool {
        let are_written_alike = !self.is_dated && self.identity == other.identity;
        let lack_a_number = !(self.is_numbered && other.is_numbered);
        self.canonical == other.canonical
            || are_written_alike
            || self.is_dated && other.is_dated && self.dated == other.dated && lack_a_number
    }

    /// Whether both are of one payment as far as can be told: a message that leaves the store's number out agrees in everything else.
    fn may_be(&self, other: &Self) -> bool {
        self.moment == other.moment && !(self.is_numbered && other.is_numbered)
    }

    /// Whether both are of one payment, as long as nothing else is known. Two numbers that are both there and differ are two payments.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.is(other) || self.may_be(other)
    }

    /// Another message of the same payment was heard. Once its number is known, another number is another payment.
    const fn hear(&mut self, other: &Self) {
        if other.is_numbered {
            self.canonical = other.canonical;
            self.is_numbered = true;
        }
    }
}

/// Of which payment each of `told`, the earliest first, is: its place among `known`, to which payments that nobody knew are added. What
/// is certain goes before what may be, and numbers before what lacks one: so that in whatever pieces messages are read, they come to
/// as many payments.
pub fn join(known: &mut Vec<Sameness>, told: &[Sameness]) -> Vec<usize> {
    type Test = fn(&Sameness, &Sameness) -> bool;
    const CERTAIN: [Test; 2] = [|known, one| known.canonical == one.canonical, Sameness::is];
    fn find(known: &mut [Sameness], one: &Sameness, tests: &[Test]) -> Option<usize> {
        let at = tests.iter().find_map(|test| known.iter().position(|known| test(known, one)))?;
        known.get_mut(at)?.hear(one);
        Some(at)
    }
    let certain: Vec<Option<usize>> = told.iter().map(|one| find(known, one, &CERTAIN)).collect();
    let mut places: Vec<(&Sameness, Option<usize>)> = told.iter().zip(certain).collect();
    for is_numbered in [true, false] {
        for (one, place) in places.iter_mut().filter(|(one, place)| place.is_none() && one.is_numbered == is_numbered) {
            let found = find(known, one, &CERTAIN).or_else(|| find(known, one, &[Sameness::may_be]));
            *place = Some(found.unwrap_or_else(|| {
                // A number that came with what is another payment's already.
                let is_taken = known.iter().any(|known| known.identity == one.identity);
                known.push(if is_taken { Sameness { identity: one.canonical, is_dated: false, ..**one } } else { **one });
                known.len().saturating_sub(1)
            }));
        }
    }
    places.into_iter().filter_map(|(_, place)| place).collect()
}

/// Where a payment was made, by the store's own words; each empty where it was not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentIds<'a> {
    /// The chain.
    pub agent: &'a str,
    /// The store.
    pub store: &'a str,
    /// The store's own number of the payment.
    pub transaction: &'a str,
}

impl AgentIds<'_> {
    /// Whether the payment has a number of the store's own; spaces are none.
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        !self.transaction.trim().is_empty()
    }
}

/// What makes a payment this one and no other, as its message was written (reconciliation rules, 1.3).
#[must_use]
pub fn identity(channel: Channel, payment_code: &str, invoice_number: &str, paid_at: Timestamp, ids: AgentIds<'_>) -> Digest {
    if !ids.has_transaction() {
        return identity_by_date(channel, payment_code, invoice_number, paid_at);
    }
    identity_by_transaction(channel, payment_code, ids.agent, ids.store, ids.transaction)
}

/// The identity of a payment as it would be if every message were written alike: ids in capitals without outer spaces, instants in whole
/// seconds.
#[must_use]
pub fn canonical(channel: Channel, payment_code: &str, invoice_number: &str, paid_at: Timestamp, ids: AgentIds<'_>) -> Digest {
    if !ids.has_transaction() {
        return evened_by_date(channel, payment_code, invoice_number, paid_at);
    }
    let [agent, store, transaction] = [ids.agent, ids.store, ids.transaction].map(|id| id.trim().to_uppercase());
    identity_by_transaction(channel, payment_code, &agent, &store, &transaction)
}

fn evened_by_date(channel: Channel, payment_code: &str, invoice_number: &str, paid_at: Timestamp) -> Digest {
    identity_by_date(channel, payment_code, invoice_number, whole_second(paid_at))
}

/// Its second, as messages vary in fractions.
#[must_use]
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_microsecond().div_euclid(1_000_000)).unwrap_or(at)
}

/// Equal for equal channel, code, invoice, amount (rupiah) and second; only ever compared within one run.
#[must_use]
pub fn moment(channel: Channel, payment_code: &str, invoice_number: &str, amount: u64, paid_at: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (channel.name(), payment_code, invoice_number, amount, whole_second(paid_at).as_second()).hash(&mut hasher);
    hasher.finish()
}

/// The identity of a payment that names the store's own number of it (reconciliation rules, 1.3).
#[must_use]
pub fn identity_by_transaction(channel: Channel, payment_code: &str, agent_id: &str, store_id: &str, transaction_id: &str) -> Digest {
    let (channel, code) = (channel.name().as_bytes(), payment_code.as_bytes());
    digest::of_parts(&[b"trx", channel, code, agent_id.as_bytes(), store_id.as_bytes(), transaction_id.as_bytes()])
}

/// The identity of a payment that does not.
#[must_use]
pub fn identity_by_date(channel: Channel, payment_code: &str, invoice_number: &str, paid_at: Timestamp) -> Digest {
    let paid_at = paid_at.as_microsecond().to_be_bytes();
    digest::of_parts(&[b"date", channel.name().as_bytes(), payment_code.as_bytes(), invoice_number.as_bytes(), &paid_at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_spaces_is_none_and_two_such_payments_are_two() {
        let blank = |transaction| AgentIds { agent: "ALFAMART", store: "S1", transaction };
        let of = |transaction, paid_at: &str| identity(Channel::Alfa, "77", "A", at(paid_at), blank(transaction));
        for transaction in ["", " ", "\t", "  "] {
            assert_eq!(of(transaction, "2026-10-01T04:00:00Z"), identity_by_date(Channel::Alfa, "77", "A", at("2026-10-01T04:00:00Z")));
            assert_ne!(of(transaction, "2026-10-01T04:00:00Z"), of(transaction, "2026-10-07T04:00:00Z"));
        }
        assert_ne!(of("1", "2026-10-01T04:00:00Z"), of(" ", "2026-10-01T04:00:00Z"));
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(ids: [&str; 3], amount: u64, paid_at: &str) -> Sameness {
        let [agent, store, transaction] = ids;
        let (paid_at, ids) = (at(paid_at), AgentIds { agent, store, transaction });
        let identity = if ids.has_transaction() {
            identity_by_transaction(Channel::Alfa, "77", agent, store, transaction)
        } else {
            identity_by_date(Channel::Alfa, "77", "A", paid_at)
        };
        let facts = PaymentContent { channel: Channel::Alfa, code: "77", number: "A", amount: Amount::new(amount).unwrap(), paid_at };
        Sameness::of(identity, canonical(Channel::Alfa, "77", "A", paid_at, ids), &facts)
    }

    const NOON: &str = "2026-10-05T12:00:00Z";
    const NONE: [&str; 3] = ["", "", ""];

    fn numbered(number: &str) -> Sameness {
        told(["ALFAMART", "S1", number], 5000, NOON)
    }

    #[test]
    fn redeliveries_that_vary_are_one_payment_and_two_numbers_of_a_store_are_two() {
        let first = numbered("T1");
        let table: [([&str; 3], u64, &str, bool); 12] = [
            (["ALFAMART", "S1", "T1"], 5000, NOON, true),
            (["Alfamart", "s1", "t1"], 5000, NOON, true),
            ([" ALFAMART", "S1 ", " T1 "], 5000, NOON, true),
            (["ALFAMART", "S1", "T1"], 9000, "2026-10-06T12:00:00Z", true),
            (NONE, 5000, NOON, true),
            (["ALFAMART", "S1", ""], 5000, NOON, true),
            (["ALFAMART", "S1", "  "], 5000, "2026-10-05T12:00:00.75Z", true),
            (NONE, 5000, "2026-10-05T19:00:00+07:00", true),
            (NONE, 5001, NOON, false),
            (NONE, 5000, "2026-10-05T12:00:01Z", false),
            (["ALFAMART", "S1", "T2"], 5000, NOON, false),
            (["ALFAMART", "S2", "T1"], 5000, NOON, false),
        ];
        for (ids, amount, paid_at, same) in table {
            let other = told(ids, amount, paid_at);
            assert_eq!((first.is_same(&other), other.is_same(&first)), (same, same), "{ids:?} {amount} {paid_at}");
        }
        let (dated, later) = (told(NONE, 5000, NOON), told(NONE, 9000, "2026-10-05T12:00:00.5Z"));
        assert!(dated.is_same(&later), "an amount is content, not identity");
    }

    #[test]
    fn a_payment_that_a_number_has_joined_is_joined_by_no_other_number() {
        // Each inner list is told of together; they follow one another.
        let (dated, fraction, other_amount) = (told(NONE, 5000, NOON), told(NONE, 5000, "2026-10-05T12:00:00.5Z"), told(NONE, 9000, NOON));
        let spoken = told(["Alfamart", "s1", "t1"], 5000, NOON);
        let (one, two) = (numbered("T1"), numbered("T2"));
        // What a log reader makes of a message without a number and one with it, read together.
        let [dated_as_one, dated_as_two] = [one, two].map(|with| Sameness { canonical: with.canonical, is_numbered: true, ..dated });
        let table: [(&[&[Sameness]], usize); 14] = [
            (&[&[dated], &[one]], 1),
            (&[&[dated], &[one], &[two]], 2),
            (&[&[dated], &[one, two]], 2),
            (&[&[dated, two, one]], 2),
            (&[&[two, dated], &[one]], 2),
            (&[&[dated], &[one], &[two], &[dated, fraction, spoken, one, two]], 2),
            (&[&[dated], &[dated_as_one], &[dated_as_two]], 2),
            (&[&[dated], &[dated_as_one], &[dated_as_two], &[two, one, dated]], 2),
            (&[&[dated], &[two, dated_as_one]], 2),
            (&[&[dated], &[dated_as_one, two], &[one]], 2),
            (&[&[one], &[fraction], &[dated]], 1),
            (&[&[one, two], &[fraction]], 2),
            (&[&[dated], &[one], &[other_amount]], 1),
            (&[&[one], &[other_amount]], 2),
        ];
        for (row, (runs, count)) in table.iter().enumerate() {
            let mut known = Vec::new();
            for told in *runs {
                let places = join(&mut known, told);
                assert!(places.len() == told.len() && places.iter().all(|&place| place < known.len()), "row {row}");
            }
            assert_eq!(known.len(), *count, "row {row}: {known:?}");
            let mut identities: Vec<Digest> = known.iter().map(|known| known.identity).collect();
            identities.sort_unstable();
            identities.dedup();
            assert_eq!(identities.len(), *count, "row {row}: every payment has an identity of its own");
        }
    }
}
