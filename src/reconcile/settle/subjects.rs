//! What rows and payments have in common: a bill, or the ids they name where no bill is known.

use std::collections::HashMap;

use jiff::civil::Date;

use super::super::judge::JudgedPayment;
use super::sought_row::SoughtRow;
use crate::domain::calendar::wib_date;
use crate::domain::digest::Digest;
use crate::domain::line::NO_BILL;
use crate::reconcile::inputs::Inputs;
use crate::reconcile::item_names::payment_id;
use crate::reconcile::paid_out_before::PaidOut;
use crate::reconcile::waiting_rows::WaitingRow;

/// What a payment, or a row, is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    /// This bill.
    Bill(u32),
    /// An invoice number and a code of a payment that is no bill's.
    Ids(u32),
    /// Ids that only rows name.
    RowOnly(u32),
}

/// A payment that was notified, now or earlier.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotifiedPayment<'a> {
    pub(super) subject: Subject,
    /// Its WIB day.
    pub(super) day: Date,
    /// Rupiah; `None` when unusable.
    pub(super) amount: Option<u64>,
    /// Which.
    pub(super) payment: ToldIn,
    /// How an earlier month settled it, if one did.
    pub(super) paid_out: Option<&'a PaidOut>,
}

/// Where a payment is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldIn {
    /// In this evidence: its place in `Outcome::judged`.
    Here(u32),
    /// By the ledger or an earlier month: its place in `Inputs::known`.
    Before(u32),
    /// By an earlier month, without a bill: its place in `Inputs::orphans`.
    Orphan(u32),
}

/// All of them, findable.
#[derive(Debug, Default)]
pub(super) struct Notified<'a> {
    /// By subject, day, amount, time and identity.
    pub(super) payments: Vec<NotifiedPayment<'a>>,
    ids: Vec<(&'a str, &'a str)>,
    by_invoice: HashMap<&'a str, Vec<u32>>,
    by_code: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Notified<'a> {
    pub(super) fn of(inputs: &'a Inputs, judged: &[JudgedPayment]) -> Self {
        let mut notified = Self::default();
        let mut known_ids: HashMap<(&str, &str), u32> = HashMap::new();
        let mut found = Vec::with_capacity(judged.len());
        let before = &inputs.paid_out_before;
        let paid_out = |identity: &Digest| if before.is_empty() { None } else { before.of_payment(payment_id(identity)) };
        for (payment, judged) in (0_u32..).zip(judged) {
            let Some(line) = inputs.lines.get(judged.line) else { continue };
            let subject = if judged.bill == NO_BILL {
                let ids = inputs.lines.texts(line);
                let subject = *known_ids.entry(ids).or_insert_with(|| notified.add(ids));
                Subject::Ids(subject)
            } else {
                Subject::Bill(judged.bill)
            };
            let amount = line.usable_amount().map(crate::domain::amount::Amount::get);
            let (day, payment, paid_out) = (wib_date(line.paid_at()), ToldIn::Here(payment), paid_out(&line.identity));
            let one = NotifiedPayment { subject, day, amount, payment, paid_out };
            found.push((one, line.paid_at_us, line.identity));
        }
        for (place, known) in (0_u32..).zip(inputs.known.iter()) {
            // A mark in an external ledger is no notification, and what the evidence proves speaks for itself.
            if known.is_mark() || known.is_proved {
                continue;
            }
            let (subject, day) = (Subject::Bill(known.bill), wib_date(known.paid_at));
            let (payment, paid_out) = (ToldIn::Before(place), paid_out(&known.identity));
            let one = NotifiedPayment { subject, day, amount: Some(known.amount), payment, paid_out };
            found.push((one, known.paid_at.as_microsecond(), known.identity));
        }
        for (place, orphan) in (0_u32..).zip(&inputs.orphans).filter(|(_, orphan)| !orphan.is_proved) {
            let ids = (&*orphan.invoice_number, &*orphan.payment_code);
            let subject = Subject::Ids(*known_ids.entry(ids).or_insert_with(|| notified.add(ids)));
            let (payment, paid_out) = (ToldIn::Orphan(place), before.of_payment(orphan.id));
            let one = NotifiedPayment { subject, day: wib_date(orphan.paid_at), amount: Some(orphan.amount), payment, paid_out };
            found.push((one, orphan.paid_at.as_microsecond(), orphan.identity));
        }
        found.sort_unstable_by_key(|(one, at, identity)| (one.subject, one.day, one.amount, *at, *identity));
        // The ledger and an earlier report may both know a payment.
        found.dedup_by(|(later, _, b), (first, _, a)| {
            let is_here = |one: &NotifiedPayment<'_>| matches!(one.payment, ToldIn::Here(_));
            (later.subject, &*b) == (first.subject, &*a) && !is_here(later) && !is_here(first)
        });
        notified.payments = found.into_iter().map(|(one, ..)| one).collect();
        notified
    }

    fn add(&mut self, ids: (&'a str, &'a str)) -> u32 {
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.push(ids);
        self.by_invoice.entry(ids.0).or_default().push(number);
        self.by_code.entry(ids.1).or_default().push(number);
        number
    }

    /// The payments of a subject.
    pub(super) fn of_subject(&self, subject: Subject) -> &[NotifiedPayment<'a>] {
        let start = self.payments.partition_point(|one| one.subject < subject);
        let rest = self.payments.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|one| one.subject == subject)).unwrap_or_default()
    }

    /// What a row may be about: by its invoice number, or else by its codes; of several those whose code, then whose day fits. Of one of which the
    /// books kept nothing of that, the bill it named.
    pub(super) fn subjects(&self, inputs: &Inputs, row: SoughtRow<'_>) -> Vec<Subject> {
        let bills = &inputs.bills;
        let (invoice_number, codes) = (row.invoice_number(), row.codes());
        if let SoughtRow::Waiting(WaitingRow { bill: Some(bill), .. }) = row
            && codes.iter().all(|code| code.is_empty())
        {
            return vec![Subject::Bill(*bill)];
        }
        let mut found: Vec<Subject> = Vec::new();
        if !invoice_number.is_empty() {
            found.extend(bills.numbered(invoice_number).map(Subject::Bill));
            let ids = self.by_invoice.get(invoice_number);
            found.extend(ids.into_iter().flatten().map(|&ids| Subject::Ids(ids)));
        }
        if found.is_empty() {
            for code in codes.into_iter().filter(|code| !code.is_empty()) {
                found.extend(bills.by_code(code).map(Subject::Bill));
                found.extend(self.by_code.get(code).into_iter().flatten().map(|&ids| Subject::Ids(ids)));
            }
        }
        found.sort_unstable();
        found.dedup();
        narrow(&mut found, |subject| codes.iter().any(|code| !code.is_empty() && self.code(inputs, subject) == *code));
        let on_the_day = |subject| self.of_subject(subject).iter().any(|payment| Some(payment.day) == row.day());
        narrow(&mut found, on_the_day);
        found
    }

    fn code<'s>(&'s self, inputs: &'s Inputs, subject: Subject) -> &'s str {
        self.names(inputs, subject).1
    }

    /// Invoice number and code of a subject.
    pub(super) fn names<'s>(&'s self, inputs: &'s Inputs, subject: Subject) -> (&'s str, &'s str) {
        match subject {
            Subject::Bill(bill) => (inputs.bills.invoice_number(bill), inputs.bills.payment_code(bill)),
            Subject::Ids(ids) => usize::try_from(ids).ok().and_then(|at| self.ids.get(at)).copied().unwrap_or_default(),
            Subject::RowOnly(_) => ("", ""),
        }
    }
}

/// Keeps those that fit, if several stand and any of them fits.
fn narrow(found: &mut Vec<Subject>, fits: impl Fn(Subject) -> bool) {
    if found.len() > 1 && found.iter().any(|&subject| fits(subject)) {
        found.retain(|&subject| fits(subject));
    }
}
