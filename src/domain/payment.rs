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
        sameness(self.canonical, self.channel, code, number, self.amount, self.paid_at)
    }
}

/// What tells a payment of these parts from others.
#[must_use]
pub fn sameness(
    canonical: Digest,
    channel: Channel,
    payment_code: &str,
    invoice_number: &str,
    amount: Amount,
    paid_at: Timestamp,
) -> Sameness {
    let by_date = [evened_by_date, identity_by_date].map(|identity| identity(channel, payment_code, invoice_number, paid_at));
    let moment = moment(channel, payment_code, invoice_number, amount.get(), paid_at);
    Sameness { canonical, moment, has_transaction: !by_date.contains(&canonical) }
}

/// What two messages must have in common to tell of one payment: redeliveries vary in how they are written (borders, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sameness {
    /// The identity with its ids evened out: equal for equal transactions, whatever their case and outer spaces.
    pub canonical: Digest,
    /// Equal for equal channel, code, invoice, amount and second; only ever compared within one run.
    pub moment: u64,
    /// Whether the store's own number of the payment is known.
    pub has_transaction: bool,
}

impl Sameness {
    /// Whether both are of one payment. A message that leaves the store's number out joins what agrees with it in everything else;
    /// two numbers that are both there and differ are two payments.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.canonical == other.canonical || self.moment == other.moment && !(self.has_transaction && other.has_transaction)
    }
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(ids: [&str; 3], amount: u64, paid_at: &str) -> Sameness {
        let [agent, store, transaction] = ids;
        let ids = AgentIds { agent, store, transaction };
        Sameness {
            canonical: canonical(Channel::Alfa, "77", "A", at(paid_at), ids),
            moment: moment(Channel::Alfa, "77", "A", amount, at(paid_at)),
            has_transaction: ids.has_transaction(),
        }
    }

    #[test]
    fn redeliveries_that_vary_are_one_payment_and_two_numbers_of_a_store_are_two() {
        const NOON: &str = "2026-10-05T12:00:00Z";
        let first = told(["ALFAMART", "S1", "T1"], 5000, NOON);
        let table: [([&str; 3], u64, &str, bool); 12] = [
            (["ALFAMART", "S1", "T1"], 5000, NOON, true),
            (["Alfamart", "s1", "t1"], 5000, NOON, true),
            ([" ALFAMART", "S1 ", " T1 "], 5000, NOON, true),
            (["ALFAMART", "S1", "T1"], 9000, "2026-10-06T12:00:00Z", true),
            (["", "", ""], 5000, NOON, true),
            (["ALFAMART", "S1", ""], 5000, NOON, true),
            (["ALFAMART", "S1", "  "], 5000, "2026-10-05T12:00:00.75Z", true),
            (["", "", ""], 5000, "2026-10-05T19:00:00+07:00", true),
            (["", "", ""], 5001, NOON, false),
            (["", "", ""], 5000, "2026-10-05T12:00:01Z", false),
            (["ALFAMART", "S1", "T2"], 5000, NOON, false),
            (["ALFAMART", "S2", "T1"], 5000, NOON, false),
        ];
        for (ids, amount, paid_at, same) in table {
            let other = told(ids, amount, paid_at);
            assert_eq!((first.is_same(&other), other.is_same(&first)), (same, same), "{ids:?} {amount} {paid_at}");
        }
        let (dated, later) = (told(["", "", ""], 5000, NOON), told(["", "", ""], 9000, "2026-10-05T12:00:00.5Z"));
        assert!(dated.is_same(&later), "an amount is content, not identity");
    }
}
