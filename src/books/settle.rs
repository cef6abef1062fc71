//! What DOKU pays out: settlement rows, and the batches they stand in.
//!
//! A row of ours moves its amount from where it stood (its payment, or suspense) to its batch on `clearing`, fees as charged. A batch
//! moves what DOKU pays for it, by the files' own word, to `payouts`. So what is left on `clearing` is what nobody has explained yet.

use jiff::civil::Date;

use super::account::Account;
use super::book::{Book, BooksError, Cause};
use super::fact::{BatchFact, PaymentFact, RowFact, RowKind};
use super::item::{BooksSubject, ItemId};
use super::known::{BatchDay, BookedRow, Payout, RowState, Unposted};
use super::movement::Movement;
use super::pair::Leg;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::fee::vat_contained;

fn rupiah(amount: i64) -> Rupiah {
    Rupiah::new(amount.into())
}

/// What is kept of a row: of one that seems to come twice also what it would have posted.
fn booked(row: &RowFact, paid_out_on: Date, gross: Rupiah, state: RowState) -> BookedRow {
    let RowFact { batch, kind, bill, paid_on, fee, discount, shares, .. } = *row;
    let is_again = state == RowState::Twice && matches!(kind, RowKind::Again(_));
    let unposted = is_again.then_some(Unposted { fee, discount, shares });
    let (number, invoice_number, listed_as) = (row.number.clone(), row.invoice_number.clone(), row.listed_as.clone());
    let codes = row.codes.clone();
    BookedRow { batch, number, invoice_number, codes, paid_on, bill, listed_as, paid_out_on, kind, gross, state, unposted }
}

impl Book<'_> {
    /// Posts rows: of several rows of a payment the first paid out settles it; on one day, the one with its amount.
    pub(super) fn settle(&mut self, rows: &[RowFact]) -> Result<(), BooksError> {
        let mut paid_out: Vec<(Date, bool, &RowFact)> = Vec::new();
        for row in rows {
            match row.paid_out_on {
                None => drop(self.aside.held_rows.insert(row.id)),
                Some(on) if on > self.period.to => drop(self.aside.later.insert(row.id)),
                Some(on) => paid_out.push((on, !self.is_exact(row), row)),
            }
        }
        if rows.iter().any(|row| matches!(row.kind, RowKind::Unclaimed(_) | RowKind::Refund(_))) {
            let listed = self.known.rows.iter().filter(|(_, row)| row.state == RowState::Suspense && !row.listed_as.is_empty());
            self.unclaimed = listed.map(|(id, row)| (row.listed_as.clone(), *id)).collect();
        }
        paid_out.sort_by_key(|(on, differs, row)| (*on, *differs, row.id));
        paid_out.into_iter().try_for_each(|(on, _, row)| self.settle_one(row, on))
    }

    fn is_exact(&self, row: &RowFact) -> bool {
        let RowKind::Of(_, payment) = row.kind else { return false };
        self.known.payments.get(&self.known.payment_id(payment)).is_some_and(|payment| payment.amount == rupiah(row.amount))
    }

    /// Whether a row is of a payment that no row has settled.
    fn is_unsettled(&self, kind: RowKind) -> bool {
        let RowKind::Of(_, payment) = kind else { return false };
        self.known.payments.get(&self.known.payment_id(payment)).is_some_and(|payment| payment.row.is_none())
    }

    /// Whether the same row of the same batch was posted with other content: a file that was sent again, corrected. What was posted stands, and
    /// DOKU pays nothing twice.
    fn is_restated(&self, row: &RowFact) -> bool {
        let is_same = |known: &BookedRow| known.batch == row.batch && known.number == row.number && !row.number.is_empty();
        match row.kind {
            RowKind::Of(_, payment) => {
                let settled_by = self.known.payments.get(&self.known.payment_id(payment)).and_then(|payment| payment.row);
                settled_by.and_then(|id| self.known.rows.get(&id)).is_some_and(is_same)
            }
            RowKind::Unclaimed(_) | RowKind::Refund(_) if !row.listed_as.is_empty() => {
                let known = self.unclaimed.get(&row.listed_as).and_then(|id| self.known.rows.get(id));
                known.is_some_and(|known| is_same(known) && known.kind == row.kind)
            }
            _ => false,
        }
    }

    fn settle_one(&mut self, row: &RowFact, on: Date) -> Result<(), BooksError> {
        let cause = Cause { id: row.id, on };
        let before = self.known.rows.get(&row.id).map(|known| known.state);
        match before {
            None if self.is_restated(row) => {
                self.aside.conflicting.insert(row.id);
                return Ok(());
            }
            None => {
                let day = self.known.batches.entry(row.batch).or_default().days.entry(on).or_default();
                day.add(&BatchDay { column: rupiah(row.paid_out), ..BatchDay::default() });
                self.touched.insert(row.batch);
            }
            Some(RowState::Suspense) => return self.claim(row, cause),
            // Settings or a mended file may say now what it is; and what seemed to come twice may prove to be the only one that came.
            Some(RowState::Unreadable) if row.kind != RowKind::Unreadable => {}
            Some(RowState::Twice) if self.is_unsettled(row.kind) => {}
            Some(RowState::Settled | RowState::Twice | RowState::Other | RowState::Unreadable) => {
                self.aside.copies.insert(row.id);
                return Ok(());
            }
        }
        let clearing = Leg::of(Account::Clearing, row.batch);
        let mut gross = rupiah(row.amount);
        let of_row = Leg::of(Account::Suspense, row.id);
        let state = match row.kind {
            RowKind::Of(channel, payment) => {
                let id = self.known.payment_id(payment);
                match self.known.payments.get_mut(&id) {
                    Some(payment) if payment.row.is_some() => RowState::Twice,
                    Some(payment) => {
                        payment.row = Some(row.id);
                        let own = Leg::of(payment.account, id);
                        self.take_on_late(id)?;
                        self.charge(row, own, channel, gross, Movement::Settled, cause)?;
                        RowState::Settled
                    }
                    None => {
                        self.charge(row, of_row, channel, gross, Movement::Unsettled, cause)?;
                        RowState::Suspense
                    }
                }
            }
            RowKind::Unclaimed(channel) => {
                self.charge(row, of_row, channel, gross, Movement::Unsettled, cause)?;
                RowState::Suspense
            }
            RowKind::Refund(channel) => {
                gross = gross.min(Rupiah::ZERO.minus(gross));
                self.charge(row, of_row, channel, gross, Movement::TakenBack, cause)?;
                RowState::Suspense
            }
            RowKind::Other => {
                self.move_to(clearing, Leg::total(Account::OtherProducts), rupiah(row.paid_out), Movement::OtherProduct, cause)?;
                RowState::Other
            }
            RowKind::Repeated | RowKind::Again(_) => RowState::Twice,
            RowKind::Unreadable => RowState::Unreadable,
        };
        // Whatever the row is of, DOKU pays us the less by what others get of it; of one known as unreadable that was said before.
        if state != RowState::Twice && before != Some(RowState::Unreadable) {
            self.share(row, cause)?;
        }
        self.known.rows.insert(row.id, booked(row, on, gross, state));
        Ok(())
    }

    /// What of a row others get.
    fn share(&mut self, row: &RowFact, cause: Cause) -> Result<(), BooksError> {
        let shared = rupiah(row.shares);
        self.move_to(Leg::total(Account::Shares), Leg::of(Account::Clearing, row.batch), shared, Movement::Shared, cause)?;
        let day = self.known.batches.entry(row.batch).or_default().days.entry(cause.on).or_default();
        day.add(&BatchDay { shared, ..BatchDay::default() });
        self.touched.insert(row.batch);
        Ok(())
    }

    /// Moves the gross amount off `from`: the net to the batch, the rest to fees, VAT and discounts, as charged.
    fn charge(
        &mut self,
        row: &RowFact,
        from: Leg,
        channel: Channel,
        gross: Rupiah,
        movement: Movement,
        cause: Cause,
    ) -> Result<(), BooksError> {
        let (fee, discount) = (rupiah(row.fee), rupiah(row.discount));
        let vat = vat_contained(row.fee, self.settings.vat_percent_of(channel));
        let net = gross.minus(fee).minus(discount);
        self.move_to(Leg::of(Account::Clearing, row.batch), from, net, movement, cause)?;
        self.move_to(Leg::total(Account::Fees), from, fee.minus(rupiah(vat)), movement, cause)?;
        self.move_to(Leg::total(Account::Vat), from, rupiah(vat), movement, cause)?;
        self.move_to(Leg::total(Account::Discounts), from, discount, movement, cause)
    }

    /// A row in suspense whose payment is known now, and was notified before the row could be told to be its: both are settled.
    fn claim(&mut self, row: &RowFact, cause: Cause) -> Result<(), BooksError> {
        self.aside.copies.insert(row.id);
        let RowKind::Of(_, payment) = row.kind else { return Ok(()) };
        let id = self.known.payment_id(payment);
        let held = Leg::of(Account::Suspense, row.id);
        let gross = self.known.rows.get(&row.id).map_or(Rupiah::ZERO, |row| row.gross);
        let is_whole = self.known.held(held) == gross && !self.is_decided(held);
        let Some(payment) = self.known.payments.get_mut(&id).filter(|payment| payment.row.is_none() && is_whole) else { return Ok(()) };
        payment.row = Some(row.id);
        let own = Leg::of(payment.account, id);
        if let Some(row) = self.known.rows.get_mut(&row.id) {
            row.state = RowState::Settled;
        }
        let on = cause.on.max(self.period.from);
        self.move_to(held, own, gross, Movement::Settled, Cause::concluded("claimed", &[row.id, id], on))
    }

    /// The row in suspense that is this payment's, now that it is known: of several the one that would have settled it.
    pub(super) fn waiting_row(&self, id: ItemId, fact: &PaymentFact) -> Option<ItemId> {
        let rows = std::iter::once(&id).chain(&fact.aliases).filter_map(|id| self.claims.get(id)).flatten();
        let order = |row: &ItemId| {
            let known = self.known.rows.get(row).filter(|known| known.state == RowState::Suspense)?;
            Some((known.paid_out_on, known.gross != fact.amount.into(), *row))
        };
        rows.filter_map(order).min().map(|(_, _, row)| row)
    }

    /// Which rows in suspense these facts know the payments of.
    pub(super) fn claims_of(&mut self, rows: &[RowFact]) {
        for row in rows {
            if let RowKind::Of(_, payment) = row.kind
                && self.known.rows.get(&row.id).is_some_and(|known| known.state == RowState::Suspense)
            {
                self.claims.entry(payment).or_default().insert(row.id);
            }
        }
    }

    /// Takes what the files state of batches, and which batches have rows that are still to be paid out.
    pub(super) fn state_totals(&mut self, batches: &[BatchFact], rows: &[RowFact]) {
        let is_waiting = |row: &&RowFact| row.paid_out_on.is_none_or(|on| on > self.period.to);
        let waiting: Vec<ItemId> = rows.iter().filter(is_waiting).map(|row| row.batch).collect();
        self.waiting.extend(waiting);
        for fact in batches {
            let batch = self.known.batches.entry(fact.id).or_default();
            batch.name.clone_from(&fact.name);
            let told = fact.total().map(rupiah);
            if fact.total().is_none() && !fact.stated.is_empty() || batch.stated.is_some() && told.is_some() && batch.stated != told {
                self.aside.differing_totals.insert(fact.id);
            }
            batch.stated = batch.stated.or(told);
            self.touched.insert(fact.id);
        }
    }

    /// Posts what DOKU pays us for each batch: what its files state, else the column, less what others get of it. A total that covers rows
    /// which are not paid out yet cannot be told apart from theirs; then, too, the column counts.
    pub(super) fn pay_out(&mut self) -> Result<(), BooksError> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().try_for_each(|batch| self.pay_out_batch(batch, self.waiting.contains(&batch)))
    }

    fn pay_out_batch(&mut self, id: ItemId, is_waiting: bool) -> Result<(), BooksError> {
        let Some(batch) = self.known.batches.get_mut(&id) else { return Ok(()) };
        let column: Rupiah = batch.days.values().map(|day| day.column).sum();
        let is_tied = !is_waiting && !self.aside.differing_totals.contains(&id);
        let unread = batch.stated.filter(|_| is_tied).map_or(Rupiah::ZERO, |stated| stated.minus(column));
        let last = batch.days.keys().next_back().copied();
        let mut announced = Vec::new();
        for (on, day) in &mut batch.days {
            let column = day.column.minus(day.shared);
            let target = if Some(*on) == last { column.plus(unread) } else { column };
            announced.push((*on, day.posted, target.minus(day.posted)));
            day.posted = target;
        }
        for (on, before, amount) in announced {
            let payout = ItemId::of(BooksSubject::Payout, &[id.key(), on.to_string().as_bytes()]);
            self.known.payouts.insert(payout, Payout { batch: id, on });
            let cause = if before == Rupiah::ZERO {
                Cause { id: payout, on }
            } else {
                Cause { on, ..Cause::concluded("further", &[payout], self.period.from) }
            };
            let announced = Leg::of(Account::Payouts, payout);
            self.move_to(announced, Leg::of(Account::Clearing, id), amount, Movement::PaidOut, cause)?;
            if !self.settings.bank_statement {
                self.move_to(Leg::total(Account::Bank), announced, amount, Movement::Banked, cause)?;
            }
        }
        Ok(())
    }
}
