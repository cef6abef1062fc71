//! Payments that Check Status told of: which of them a notification proves too, and the rest as payments of their own kind.

use std::collections::HashMap;

use super::dedupe::Payments;
use super::tally::Tally;
use super::{Bills, Inputs};
use crate::domain::amount::Rupiah;
use crate::domain::check::Found;
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::line::{Line, Lines, Marks, NO_BILL};
use crate::domain::payment::{self, Payment};

/// What a ledger knows from Check Status.
#[derive(Clone, Debug, Default)]
pub struct StatusEvidence {
    /// Payments that no notification proves, as far as the ledger knows.
    found: Vec<Found>,
    /// The others.
    notified: Tally,
    /// All of them, by the ledger's own count.
    pub(super) total: Tally,
}

impl StatusEvidence {
    /// All that Check Status told of.
    pub(super) fn told(mut found: Vec<Found>) -> Self {
        found.sort_by(|a, b| (a.payment.identity, &a.payment.invoice_number).cmp(&(b.payment.identity, &b.payment.invoice_number)));
        Self { found, ..Self::default() }
    }

    /// The numbers and identities by which a payment of the ledger may prove one of them too.
    #[must_use]
    pub fn sought(&self) -> Sought {
        let payments = || self.found.iter().map(|found| &found.payment);
        Sought {
            identities: payments().map(|payment| (payment.identity, false)).collect(),
            by_number: payments().map(|payment| (payment.invoice_number.clone(), Vec::new())).collect(),
        }
    }

    /// Less what the ledger's own payments prove; `total` is the ledger's own count.
    #[must_use]
    pub fn less(mut self, proved: &Sought, total: Tally) -> Self {
        self.total = total;
        let is_proved = |Found { payment, .. }: &Found| {
            let named = proved.by_number.get(&payment.invoice_number).map_or(&[][..], Vec::as_slice);
            proved.identities.get(&payment.identity) == Some(&true) || named.iter().any(|(identity, by_date)| payment.is(identity, by_date))
        };
        let (notified, found): (Vec<Found>, Vec<Found>) = std::mem::take(&mut self.found).into_iter().partition(is_proved);
        self.notified = notified.iter().fold(self.notified, |sum, found| sum.plus(tally(found)));
        self.found = found;
        self
    }
}

/// Payments of the ledger that may prove what Check Status told of, gathered one after another.
#[derive(Debug)]
pub struct Sought {
    /// Whether there is a payment of each identity.
    identities: HashMap<Digest, bool>,
    /// The identities of payments that name each number, with and without the store's number of them.
    by_number: HashMap<InvoiceNumber, Vec<(Digest, Digest)>>,
}

impl Sought {
    /// Takes one more, if it is any of them.
    pub fn take(&mut self, payment: &Payment) {
        if let Some(is_known) = self.identities.get_mut(&payment.identity) {
            *is_known = true;
        }
        if let Some(named) = self.by_number.get_mut(&payment.invoice_number) {
            named.push((payment.identity, payment.identity_by_date()));
        }
    }
}

fn tally(found: &Found) -> Tally {
    Tally { count: 1, amount: Rupiah::from(found.payment.amount) }
}

/// Where the payments went that Check Status told of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Those a notification proves too: one payment, and it is counted there.
    pub(super) notified: Tally,
    /// Those that stand for themselves.
    pub(super) only: Tally,
}

/// Puts those that no line proves among the payments.
pub(super) fn place(inputs: &mut Inputs, payments: &mut Payments) -> Placed {
    let mut placed = Placed { notified: inputs.status.notified, only: Tally::default() };
    if inputs.status.found.is_empty() {
        return placed;
    }
    let by_time = ByTime::of(&inputs.status.found, &inputs.lines, &inputs.bills, payments);
    let mut added: Vec<u32> = Vec::new();
    let mut last: Option<Digest> = None;
    for found in std::mem::take(&mut inputs.status.found) {
        let (identity, by_date) = (found.payment.identity, found.payment.identity_by_date());
        let proved = payments.contains(&inputs.lines, &identity)
            || payments.contains(&inputs.lines, &by_date)
            || by_time.of_instant(&found).iter().any(|(theirs, their_date)| found.payment.is(theirs, their_date));
        // The same payment told of two bills is one payment.
        if proved || last == Some(identity) {
            placed.notified = placed.notified.plus(tally(&found));
            continue;
        }
        last = Some(identity);
        placed.only = placed.only.plus(tally(&found));
        added.push(append(&mut inputs.lines, &found));
    }
    payments.add(&inputs.lines, added);
    placed
}

/// The identities of proved payments, with and without the store's number of them, by the instants Check Status told of: an
/// answer may leave that number out although the notification has it.
struct ByTime(HashMap<i64, Vec<(Digest, Digest)>>);

impl ByTime {
    fn of(found: &[Found], lines: &Lines, bills: &Bills, payments: &Payments) -> Self {
        let mut by_time: HashMap<i64, Vec<(Digest, Digest)>> =
            found.iter().map(|found| (found.payment.paid_at.as_microsecond(), Vec::new())).collect();
        for line in payments.proofs().filter_map(|at| lines.get(at)) {
            if let Some(at_instant) = by_time.get_mut(&line.paid_at_us) {
                let (invoice_number, payment_code) = ids(lines, bills, line);
                let by_date = payment::identity_by_date(line.channel, payment_code, invoice_number, line.paid_at());
                at_instant.push((line.identity, by_date));
            }
        }
        Self(by_time)
    }

    fn of_instant(&self, found: &Found) -> &[(Digest, Digest)] {
        self.0.get(&found.payment.paid_at.as_microsecond()).map_or(&[], Vec::as_slice)
    }
}

/// The ids a line was notified with.
fn ids<'a>(lines: &'a Lines, bills: &'a Bills, line: &Line) -> (&'a str, &'a str) {
    if line.bill == NO_BILL { lines.texts(line) } else { (bills.invoice_number(line.bill), bills.payment_code(line.bill)) }
}

/// Its record among the lines, which only later passes see; where that is.
fn append(lines: &mut Lines, found: &Found) -> u32 {
    let payment = &found.payment;
    let (number, code) = (payment.invoice_number.as_str(), payment.payment_code.as_str());
    let mut line = Line::of_class(Class::N00, payment.answer_digest);
    line.identity = payment.identity;
    line.paid_at_us = payment.paid_at.as_microsecond();
    line.received_at_us = found.at.as_microsecond();
    line.amount = payment.amount.get();
    line.channel = payment.channel;
    line.marks = Marks::VERIFIED.and(Marks::BY_STATUS, true);
    line.file = u32::MAX;
    line.invoice_length = u8::try_from(number.len()).unwrap_or(0);
    line.code_length = u8::try_from(code.len()).unwrap_or(0);
    let at = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    lines.append(vec![line], [number, code].concat().as_bytes(), &crate::domain::store::Stores::default());
    at
}
