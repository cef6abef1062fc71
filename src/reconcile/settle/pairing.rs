//! Rows ↔ payments: within one subject, day by day. Amounts only tell apart what subject and day have brought together.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::sought_row::SoughtRow;
use super::subjects::{Notified, NotifiedPayment, Subject, ToldIn};
use crate::books::item::ItemId;
use crate::domain::classify::{Class, Settles};
use crate::domain::reason::{Candidates, Ids};
use crate::domain::settlement::SettlementRow;
use crate::reconcile::inputs::Inputs;

/// Which row settles which payment. The rows of this run's files come first, in their order, and after them those of earlier months that wait.
#[derive(Debug, Default)]
pub(in crate::reconcile) struct Paired {
    /// Of each row: what it leads to.
    pub(super) settles: Vec<Settles>,
    /// Of each row: its subject, if it has just one.
    pub(super) subjects: Vec<Option<Subject>>,
    /// Of each row: the payment it settles.
    pub(super) payment_of_row: Vec<Option<ToldIn>>,
    /// Of each payment of the evidence: the row that settles it.
    pub(super) row_of_payment: Vec<Option<u32>>,
    /// Of each row: whether the very same row stands elsewhere already.
    pub(super) repeated: Vec<bool>,
    /// Of each row: whether its batch has the same row in an earlier or later statement: held, or with something corrected.
    pub(super) beside: Vec<bool>,
    /// Of rows that could mean several payments: the ids of those.
    pub(super) candidates: HashMap<u32, Candidates>,
}

impl Paired {
    /// Whether what a row tells of stands in its batch already.
    pub(super) fn stands_twice(&self, row: usize) -> bool {
        [&self.repeated, &self.beside].into_iter().any(|twice| twice.get(row).copied().unwrap_or(false))
    }

    pub(super) fn of(inputs: &Inputs, notified: &Notified<'_>) -> Self {
        let listed = inputs.settlement.as_ref().map_or(&[][..], |input| &input.files.rows);
        let waiting = &inputs.waiting_rows;
        let rows: Vec<SoughtRow<'_>> = listed.iter().map(SoughtRow::Listed).chain(waiting.apart.iter().map(SoughtRow::Waiting)).collect();
        let payments = notified
            .payments
            .iter()
            .filter_map(|one| if let ToldIn::Here(payment) = one.payment { Some(payment) } else { None })
            .max()
            .map_or(0, |last| place(last).saturating_add(1));
        let mut repeated = repeated(listed);
        repeated.resize(rows.len(), false);
        let mut paired = Self {
            settles: vec![Settles::NotSought; rows.len()],
            subjects: vec![None; rows.len()],
            payment_of_row: vec![None; rows.len()],
            row_of_payment: vec![None; payments],
            repeated,
            beside: vec![false; rows.len()],
            candidates: HashMap::new(),
        };
        let mut sought = paired.sort_by_subject(&rows, inputs, notified);
        // What was paid out first is the settlement, and what comes later is money again; equal rows do not occur any more.
        sought.sort_by_cached_key(|&(subject, at)| {
            let found = rows.get(place(at)).map(|row| {
                let is_known = !waiting.is_empty() && waiting.has(row.id());
                (row.day(), row.amount(), row.paid_out_on(), row.precedence(is_known))
            });
            (subject, found)
        });
        for run in sought.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(subject, _)) = run.first() else { continue };
            let reusable = matches!(subject, Subject::Bill(bill) if inputs.bills.get(bill).is_some_and(super::super::bill::Bill::reusable));
            let rows = run.iter().filter_map(|&(_, at)| Some((at, *rows.get(place(at))?))).collect();
            let payments = notified.of_subject(subject).to_vec();
            let days_notified = payments.iter().map(|payment: &NotifiedPayment<'_>| payment.day).collect();
            let (days_left, again) = Default::default();
            OneSubject { rows, payments, days_notified, days_left, again, reusable, paired: &mut paired }.pair();
        }
        paired
    }

    /// The rows that waited and have found their payment: the place of each among those in no file of this run.
    pub(in crate::reconcile) fn claimed(&self, listed: usize) -> impl Iterator<Item = (usize, ToldIn)> + '_ {
        let waiting = self.payment_of_row.iter().skip(listed).enumerate();
        waiting.filter_map(|(at, payment)| Some((at, (*payment)?)))
    }

    /// What rows are called for which no money was found, where that is more than that: they could mean several payments, come twice, or
    /// are of a payment whose amount nobody can read.
    pub(in crate::reconcile) fn called(&self, inputs: &Inputs) -> HashMap<ItemId, Class> {
        let listed = inputs.settlement.iter().flat_map(|input| &input.files.rows).map(SoughtRow::Listed);
        let rows = listed.chain(inputs.waiting_rows.apart.iter().map(SoughtRow::Waiting));
        let called = |settles: &Settles| match settles {
            Settles::Several => Some(Class::S13),
            Settles::SettledBefore => Some(Class::S07),
            Settles::Payment(None) => Some(Class::S03),
            Settles::Payment(Some(_)) | Settles::Nothing | Settles::NotSought | Settles::Repeated | Settles::HeldBeside => None,
        };
        rows.zip(&self.settles).filter_map(|(row, settles)| called(settles).map(|class| (row.id(), class))).collect()
    }

    /// The rows whose payment is looked for, with their subjects.
    fn sort_by_subject(&mut self, rows: &[SoughtRow<'_>], inputs: &Inputs, notified: &Notified<'_>) -> Vec<(Subject, u32)> {
        let mut unknown: HashMap<[&str; 3], u32> = HashMap::new();
        let mut sought = Vec::new();
        for (at, row) in (0_u32..).zip(rows) {
            if let SoughtRow::Listed(listed) = row
                && inputs.settlement.as_ref().is_none_or(|input| input.terms.ours(&listed.channel_name).is_none())
            {
                continue;
            }
            let subjects = notified.subjects(inputs, *row);
            if let ([subject], Some(slot)) = (&*subjects, self.subjects.get_mut(place(at))) {
                *slot = Some(*subject);
            }
            let settles = match *subjects {
                _ if self.repeated.get(place(at)) == Some(&true) => Settles::Repeated,
                _ if matches!(row, SoughtRow::Listed(row) if !row.is_purchase()) => Settles::NotSought,
                [_, _, ..] => {
                    let names = subjects.iter().map(|&subject| notified.names(inputs, subject));
                    let ids = |(number, code): (&str, &str)| Ids { invoice_number: number.to_owned(), payment_code: code.to_owned() };
                    self.candidates.insert(at, Candidates::Bills(names.map(ids).collect()));
                    Settles::Several
                }
                [subject] => {
                    sought.push((subject, at));
                    Settles::Nothing
                }
                [] => {
                    let next = u32::try_from(unknown.len()).unwrap_or(u32::MAX);
                    let [report_code, recon_code] = row.codes();
                    let subject = *unknown.entry([row.invoice_number(), report_code, recon_code]).or_insert(next);
                    sought.push((Subject::RowOnly(subject), at));
                    Settles::Nothing
                }
            };
            self.set(at, settles);
        }
        sought
    }

    fn set(&mut self, row: u32, settles: Settles) {
        if let Some(slot) = self.settles.get_mut(place(row)) {
            *slot = settles;
        }
    }

    /// Whether nothing has been found for a row yet.
    fn is_open(&self, row: u32) -> bool {
        self.settles.get(place(row)) == Some(&Settles::Nothing)
    }

    fn is_held_beside(&self, row: u32) -> bool {
        self.settles.get(place(row)) == Some(&Settles::HeldBeside)
    }

    fn pair(&mut self, row: u32, payment: &NotifiedPayment<'_>) {
        self.set(row, Settles::Payment(payment.amount));
        if let Some(slot) = self.payment_of_row.get_mut(place(row)) {
            *slot = Some(payment.payment);
        }
        if let ToldIn::Here(number) = payment.payment
            && let Some(slot) = self.row_of_payment.get_mut(place(number))
        {
            *slot = Some(row);
        }
    }
}

/// The rows and payments of one subject; both are used up as they find each other.
struct OneSubject<'a, 'p> {
    /// By day, amount and content.
    rows: Vec<(u32, SoughtRow<'a>)>,
    /// By day and amount.
    payments: Vec<NotifiedPayment<'a>>,
    /// The days of its payments, those that earlier months have settled among them.
    days_notified: HashSet<Date>,
    /// The days on which a row was left without a payment.
    days_left: HashSet<Date>,
    /// The rows that are told of as money again.
    again: HashSet<u32>,
    reusable: bool,
    paired: &'p mut Paired,
}

impl OneSubject<'_, '_> {
    fn pair(mut self) {
        let rows = std::mem::take(&mut self.rows);
        self.pair_as_before(&rows);
        self.tell_once(&rows);
        // Those of no known day come first.
        let (undated, dated) = rows.split_at(rows.partition_point(|(_, row)| row.day().is_none()));
        // What is held settles only what nothing that was paid out settles, of its day or of the day beside it: no money has moved by it.
        let mut left: Vec<(u32, SoughtRow<'_>)> = Vec::new();
        for is_held in [false, true] {
            for of_day in dated.chunk_by(|a, b| a.1.day() == b.1.day()) {
                let day = of_day.first().and_then(|(_, row)| row.day());
                left.extend(day.map(|day| self.pair_day(of_day, day, is_held)).unwrap_or_default());
            }
            // Two clocks may put midnight between the same payment; with one of each left there is nothing to choose.
            if let ([(at, row)], [payment]) = (&*left, &*self.payments)
                && row.paid_out_on().is_none() == is_held
                && row.day().is_some_and(|day| is_next_to(day, payment.day))
            {
                self.paired.pair(*at, payment);
                self.payments.clear();
                left.clear();
            }
        }
        self.pair_undated(undated);
    }

    /// Of a row whose day was not kept only the amount is known: with one payment of it left there is nothing to choose.
    fn pair_undated(&mut self, rows: &[(u32, SoughtRow<'_>)]) {
        for (at, row) in rows.iter().filter(|(at, _)| self.paired.is_open(*at)).copied().collect::<Vec<_>>() {
            let (mut same, others): (Vec<_>, Vec<_>) = self.payments.drain(..).partition(|one| row.is_of(one.amount));
            if let [payment] = &*same {
                self.paired.pair(at, payment);
                same.clear();
            }
            self.payments = others.into_iter().chain(same).collect();
        }
    }

    /// What an earlier month settled stays settled by the row that did, told again or not, corrected or not.
    fn pair_as_before(&mut self, rows: &[(u32, SoughtRow<'_>)]) {
        let (mut settled, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.payments).into_iter().partition(|one| one.paid_out.is_some());
        self.payments = open;
        if settled.is_empty() {
            return;
        }
        let ids: HashMap<ItemId, u32> = rows.iter().map(|(at, row)| (row.id(), *at)).collect();
        settled.retain(|payment| {
            let row = payment.paid_out.and_then(|by| ids.get(&by.row)).filter(|at| self.paired.is_open(**at));
            if let Some(at) = row {
                self.paired.pair(*at, payment);
            }
            row.is_none()
        });
        // By its batch and its number there: of several the first that stands.
        let mut places: HashMap<(ItemId, &str), Vec<u32>> = HashMap::new();
        for (at, row) in rows.iter().rev().filter(|(at, row)| !row.number().is_empty() && self.paired.is_open(*at)) {
            places.entry((row.batch_item(), row.number())).or_default().push(*at);
        }
        for payment in settled {
            let place = payment.paid_out.and_then(|by| by.place.as_ref());
            let row = place.and_then(|(batch, number)| places.get_mut(&(*batch, &**number))?.pop());
            if let Some(at) = row {
                self.paired.pair(at, &payment);
            }
        }
    }

    /// Rows that stand in one batch under one number are one row, sent again with something corrected: what an earlier month settled counts, else
    /// what was paid out, of that what has the amount of a payment of its day, else what stands first.
    fn tell_once(&mut self, rows: &[(u32, SoughtRow<'_>)]) {
        if rows.len() < 2 {
            return;
        }
        let is_exact = |row: SoughtRow<'_>| self.payments.iter().any(|one| Some(one.day) == row.day() && row.is_of(one.amount));
        let numbered = rows.iter().filter(|(_, row)| !row.number().is_empty());
        let mut order: Vec<_> = numbered
            .filter_map(|(at, row)| {
                let place_in_batch = (row.batch()?, row.number());
                Some((self.paired.is_open(*at), row.paid_out_on().is_none(), !is_exact(*row), *at, place_in_batch))
            })
            .collect();
        // Those of one order stay in that of the rows: by day, amount and content.
        order.sort_by_key(|(is_open, is_held, differs, ..)| (*is_open, *is_held, *differs));
        let mut told = HashSet::new();
        for (is_open, is_held, _, at, place_in_batch) in order {
            if !told.insert(place_in_batch) && is_open {
                self.paired.set(at, if is_held { Settles::HeldBeside } else { Settles::SettledBefore });
                self.paired.beside.get_mut(place(at)).into_iter().for_each(|beside| *beside = true);
            }
        }
    }

    /// Pairs the rows of one day, those that were paid out or those that are held; gives those for which there is no payment, and leaves payments
    /// without a row.
    fn pair_day<'a>(&mut self, rows: &[(u32, SoughtRow<'a>)], day: Date, is_held: bool) -> Vec<(u32, SoughtRow<'a>)> {
        let (mut today, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.payments).into_iter().partition(|one| one.day == day);
        self.payments = others;
        let of_turn = |(at, row): &(u32, SoughtRow<'_>)| self.paired.is_open(*at) && row.paid_out_on().is_none() == is_held;
        let mut left = self.pair_alike(rows.iter().copied().filter(of_turn).collect(), &mut today, day);
        self.payments.extend(today);
        if self.reusable {
            self.leave_out_held(rows, &mut left);
            return left;
        }
        let was_told = self.days_notified.contains(&day) || self.days_left.contains(&day);
        if !left.is_empty() {
            self.days_left.insert(day);
        }
        // A code that is paid once is settled once a day at most: the rest are the same money again.
        let again = left.split_off(usize::from(!was_told).min(left.len()));
        for &(at, row) in &again {
            self.paired.set(at, if row.paid_out_on().is_some() { Settles::SettledBefore } else { Settles::HeldBeside });
        }
        self.again.extend(again.iter().map(|(at, _)| *at));
        for &(at, row) in &again {
            let is_again = |other: u32| self.again.contains(&other);
            // Held before it was paid out, or sent once more under its number with something corrected.
            let is_same = |other: u32, beside: SoughtRow<'_>| {
                row.paid_out_on().is_none() && !self.paired.is_held_beside(other)
                    || !row.number().is_empty() && row.number() == beside.number() && !is_again(other)
            };
            let stands_twice = rows.iter().any(|(other, beside)| beside.batch() == row.batch() && is_same(*other, *beside));
            if let Some(slot) = self.paired.beside.get_mut(place(at)) {
                *slot = stands_twice;
            }
        }
        left
    }
}

impl OneSubject<'_, '_> {
    /// Of a code that is paid again and again, what was held is the same money as what was paid out for that day and amount, each once.
    fn leave_out_held(&mut self, rows: &[(u32, SoughtRow<'_>)], left: &mut Vec<(u32, SoughtRow<'_>)>) {
        let is_again = |at: &u32| self.paired.settles.get(place(*at)) == Some(&Settles::SettledBefore);
        let paid_out = rows.iter().filter(|(at, row)| row.paid_out_on().is_some() && !is_again(at));
        let mut paid_out: Vec<i64> = paid_out.map(|(_, row)| row.amount()).collect();
        let mut again = Vec::new();
        left.retain(|(at, row)| {
            let same = paid_out.iter().position(|amount| row.paid_out_on().is_none() && *amount == row.amount());
            if let Some(same) = same {
                paid_out.swap_remove(same);
                self.paired.set(*at, Settles::HeldBeside);
                again.push((*at, row.batch()));
            }
            same.is_none()
        });
        // A payment is in its batch once.
        for (at, batch) in again {
            let is_in_batch = rows.iter().any(|(other, row)| row.batch() == batch && !self.paired.is_held_beside(*other));
            self.paired.beside.get_mut(place(at)).into_iter().for_each(|beside| *beside = is_in_batch);
        }
    }

    /// Pairs rows with the payments of their day: by amount, then what is left over if it is one of each. Gives those for which there is
    /// no payment; of several that could be meant, none is taken.
    fn pair_alike<'a>(
        &mut self,
        rows: Vec<(u32, SoughtRow<'a>)>,
        today: &mut Vec<NotifiedPayment<'_>>,
        day: Date,
    ) -> Vec<(u32, SoughtRow<'a>)> {
        let mut left = Vec::new();
        for (at, row) in rows {
            // Equal amounts of one subject and day are interchangeable: which is whose makes no difference to anything.
            match today.iter().position(|one| row.is_of(one.amount)) {
                Some(found) => self.paired.pair(at, &today.remove(found)),
                None => left.push((at, row)),
            }
        }
        match (&*left, &**today) {
            ([(at, _)], [payment]) => self.paired.pair(*at, payment),
            ([_, ..], [_, ..]) => {
                for &(at, row) in &left {
                    let amounts = today.iter().map(|one| one.amount).collect();
                    let candidates = Candidates::Payments { invoice_number: row.invoice_number().to_owned(), on: day, amounts };
                    self.paired.set(at, Settles::Several);
                    self.paired.candidates.insert(at, candidates);
                }
            }
            _ => return left,
        }
        today.clear();
        Vec::new()
    }
}

/// Whether these days are neighbours.
fn is_next_to(a: Date, b: Date) -> bool {
    a.tomorrow().is_ok_and(|next| next == b) || b.tomorrow().is_ok_and(|next| next == a)
}

/// Rows whose content stands elsewhere already; of equal rows the one with the smallest digest is the first.
fn repeated(rows: &[SettlementRow]) -> Vec<bool> {
    let mut order: Vec<u32> = (0_u32..).zip(rows).map(|(at, _)| at).collect();
    order.sort_by_cached_key(|&at| rows.get(place(at)).map(|row| (row.content(), row.digest, row.place)));
    let mut seen = HashSet::with_capacity(rows.len());
    let mut repeated = vec![false; rows.len()];
    for at in order {
        if let (Some(row), Some(slot)) = (rows.get(place(at)), repeated.get_mut(place(at))) {
            *slot = !seen.insert(row.content());
        }
    }
    repeated
}

fn place(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
