//! What the books of a report know of a bill, a code or an item: also for bills of another system, and for months that are closed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::carry::{CarryError, Head};
use crate::books::fact::{Change, Hold};
use crate::books::known::{Decided, Known};
use crate::books::{Account, Action, ItemId, Leg, Refusal, Subject};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::{end_of_wib_day, start_of_wib_day};
use crate::domain::channel::Channel;
use crate::report::books::read_carry;

/// Why the books of a folder cannot be asked (exit 7).
#[derive(Debug, thiserror::Error)]
#[error("E0857: the books in `{}` cannot be read: {reason}\nhint: name the output folder of a `tagih reconcile`, whole", path.display())]
pub struct BooksError {
    /// Which folder.
    pub path: PathBuf,
    /// What was found.
    pub reason: CarryError,
}

/// What happened, by the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// To a bill with this invoice number.
    Bill(Box<str>, Change),
    /// Money came.
    Paid {
        /// How much.
        amount: Rupiah,
        /// Where.
        channel: Channel,
        /// Why it waits although its bill is known.
        hold: Option<Hold>,
        /// Whether nobody's bill is known for it.
        is_orphan: bool,
    },
    /// DOKU paid it out.
    PaidOut(Rupiah),
    /// Somebody decided.
    Decided {
        /// What.
        action: Action,
        /// How much it moved.
        moved: Rupiah,
        /// Why it moved nothing.
        refused: Option<Refusal>,
        /// Whether it was taken back.
        is_taken_back: bool,
    },
}

/// The part of the books that is about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBooks {
    /// The first day of the month they are of.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Invoice numbers of the debt, sorted.
    pub invoice_numbers: Vec<String>,
    /// Codes, sorted.
    pub payment_codes: Vec<String>,
    /// What happened, oldest first; the end of a day where only the day is known.
    pub told: Vec<(Timestamp, Entry)>,
    /// What is open at the end: debit +, credit −.
    pub open: Vec<(Account, Rupiah)>,
}

/// The books of the report in `folder`.
///
/// # Errors
/// [`BooksError`] when they cannot be read.
pub fn read(folder: &Path) -> Result<(Head, Known), BooksError> {
    read_carry(folder).map_err(|reason| BooksError { path: folder.to_path_buf(), reason })
}

/// What books know of `name`: an invoice number, a code, or an item's id; `None`: nothing.
#[must_use]
pub fn in_books((head, known): &(Head, Known), name: &str) -> Option<InBooks> {
    let about = About::of(known, name);
    if about.debts.is_empty() && about.payments.is_empty() && about.rows.is_empty() {
        return None;
    }
    let names = |of: fn(&str) -> &str| -> BTreeSet<String> {
        about.bills(known).flat_map(|bill| &bill.names).map(|name| of(name).to_owned()).collect()
    };
    Some(InBooks {
        from: head.from,
        to: head.to,
        invoice_numbers: about.bills(known).map(|bill| bill.invoice_number.to_string()).collect::<BTreeSet<_>>().into_iter().collect(),
        payment_codes: names(|name| name.split_once('/').map_or(name, |(_, code)| code)).into_iter().collect(),
        told: about.told(known),
        open: about.open(known),
    })
}

/// What a name leads to.
#[derive(Debug, Default)]
struct About {
    debts: BTreeSet<ItemId>,
    payments: BTreeSet<ItemId>,
    rows: BTreeSet<ItemId>,
}

impl About {
    fn of(known: &Known, name: &str) -> Self {
        let mut about = Self::default();
        let is_named = |id: &ItemId| id.key_text() == name || id.to_string() == name;
        let has_code = |names: &[Box<str>]| names.iter().any(|one| one.split_once('/').is_some_and(|(_, code)| code == name));
        let bills = known.bills.iter().filter(|(id, bill)| &*bill.invoice_number == name || has_code(&bill.names) || is_named(id));
        about.debts.extend(bills.map(|(_, bill)| bill.debt));
        about.debts.extend(known.debts.keys().filter(|id| is_named(id)));
        let notified = |payment: &crate::books::known::Payment| {
            [&payment.notified.invoice_number, &payment.notified.payment_code].into_iter().any(|one| &**one == name)
        };
        let paid = known.payments.iter().filter(|(id, payment)| is_named(id) || notified(payment));
        for (id, payment) in paid {
            about.payments.insert(*id);
            about.debts.extend(payment.debt);
        }
        let rows = known.rows.iter().filter(|(id, row)| is_named(id) || &*row.listed_as == name || &*row.invoice_number == name);
        about.rows.extend(rows.map(|(id, _)| *id));
        let of_debts = about.debts.iter().filter_map(|debt| known.debts.get(debt)).flat_map(|debt| &debt.payments);
        about.payments.extend(of_debts.copied().collect::<Vec<_>>());
        let of_payments = about.payments.iter().filter_map(|payment| known.payments.get(payment)?.row);
        about.rows.extend(of_payments.collect::<Vec<_>>());
        about
    }

    fn bills<'k>(&'k self, known: &'k Known) -> impl Iterator<Item = &'k crate::books::known::Bill> {
        let debts = self.debts.iter().filter_map(|debt| known.debts.get(debt));
        debts.flat_map(|debt| &debt.bills).filter_map(|bill| known.bills.get(bill))
    }

    fn has(&self, item: ItemId) -> bool {
        match item.subject() {
            Subject::Debt => self.debts.contains(&item),
            Subject::Payment => self.payments.contains(&item),
            Subject::Row => self.rows.contains(&item),
            _ => false,
        }
    }

    fn told(&self, known: &Known) -> Vec<(Timestamp, Entry)> {
        let ends = |on: Date| end_of_wib_day(on).unwrap_or(Timestamp::MAX);
        let mut told: Vec<(Timestamp, Entry)> = Vec::new();
        for bill in self.bills(known) {
            let entry = |change: Change| Entry::Bill(bill.invoice_number.clone(), change);
            told.extend(bill.events.iter().map(|event| (event.at.unwrap_or(Timestamp::MAX), entry(event.change))));
        }
        for payment in self.payments.iter().filter_map(|id| known.payments.get(id)) {
            let (amount, channel, hold) = (payment.amount, payment.channel, payment.hold);
            told.push((payment.paid_at, Entry::Paid { amount, channel, hold, is_orphan: payment.debt.is_none() }));
        }
        let rows = self.rows.iter().filter_map(|id| known.rows.get(id));
        told.extend(rows.map(|row| (start_of_wib_day(row.paid_out_on).unwrap_or(Timestamp::MAX), Entry::PaidOut(row.gross))));
        let is_of = |decided: &&Decided| {
            decided.debt.is_some_and(|debt| self.has(debt)) || decided.leg.and_then(|leg| leg.item).is_some_and(|item| self.has(item))
        };
        told.extend(known.decisions.values().filter(is_of).map(|decided| {
            let moved = decided.posted.iter().map(|(_, _, amount)| *amount).sum();
            let (action, refused, is_taken_back) = (decided.action, decided.refused, decided.is_taken_back);
            (ends(decided.on), Entry::Decided { action, moved, refused, is_taken_back })
        }));
        told.sort_by_key(|(at, _)| *at);
        told
    }

    fn open(&self, known: &Known) -> Vec<(Account, Rupiah)> {
        let is_of = |leg: &Leg| leg.item.is_some_and(|item| self.has(item));
        let mut sums: std::collections::BTreeMap<Account, Rupiah> = std::collections::BTreeMap::new();
        for (leg, open) in known.balances.iter().filter(|(leg, _)| is_of(leg)) {
            let sum = sums.entry(leg.account).or_default();
            *sum = sum.plus(open.amount);
        }
        sums.into_iter().filter(|(_, sum)| *sum != Rupiah::ZERO).collect()
    }
}
