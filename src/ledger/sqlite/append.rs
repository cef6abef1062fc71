//! Appending inside one transaction: events, the view they change, and what lies beside them.

use jiff::Timestamp;
use rusqlite::{CachedStatement, OptionalExtension as _, params};

use super::db::Db;
use super::folded::Folded;
use super::{chain, customers, names, paid, payments, read, rows, terms, totals, tree, write};
use crate::domain::bill::{Customer, RecordedTerms, Salt};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::TermsDigest;
use crate::domain::owner;
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::domain::revocation::Revocation;
use crate::ledger::chain::{Covered, Kind, NumberRecord, Origin, PaymentRecord, payment_event_at, truncated_payment};
use crate::ledger::rules::{Fate, Refusal, beside, fates, folded, live_payment_code, microseconds, number_to_claim, truncated};
use crate::ledger::sql::cells::signed;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Kept, Row, names_of};
use crate::ledger::sql::standing::{Standing, may_change};
use crate::ledger::sql::totals::Changes;
use crate::ledger::terms::{TermsText, event_text};
use crate::ledger::{AppliedPayments, LedgerHead, Names, NewEvent};

/// A write transaction at the end of the chain. Whoever makes one commits or rolls back.
pub(super) struct Appender<'c> {
    connection: &'c Db,
    origin: &'c Origin,
    folded: &'c mut Folded,
    /// Where the chain ended when the transaction began.
    began: LedgerHead,
    head: LedgerHead,
    totals: Changes,
    /// The highest id of a bill, once it is known.
    last_bill: Option<i64>,
    /// Events appended so far.
    pub(super) appended: usize,
}

impl<'c> Appender<'c> {
    /// Takes the write lock, finds the head, and forgets what is `folded` if it may be out of date.
    pub(super) fn begin(connection: &'c Db, origin: &'c Origin, folded: &'c mut Folded) -> Result<Self, Fault> {
        run(connection, "BEGIN IMMEDIATE")?;
        match folded.refresh(connection).map_err(Fault::Sql).and_then(|()| chain::head(connection)) {
            Ok(began) => {
                Ok(Self { connection, origin, folded, began, head: began, totals: Changes::default(), last_bill: None, appended: 0 })
            }
            Err(fault) => {
                drop(run(connection, "ROLLBACK"));
                Err(fault)
            }
        }
    }

    /// Makes everything durable.
    pub(super) fn commit(mut self) -> Result<(), Fault> {
        let committed = self.seal().and_then(|()| run(self.connection, "COMMIT"));
        if committed.is_err() {
            self.roll_back();
        }
        committed
    }

    /// Counts and seals what has changed.
    fn seal(&mut self) -> Result<(), Fault> {
        let totals = totals::write(&mut self.totals, self.connection)?;
        if self.head == self.began && self.connection.growth().is_empty() {
            return Ok(());
        }
        tree::write(self.connection, &self.began, &self.head, totals)
    }

    /// Forgets everything.
    pub(super) fn roll_back(self) {
        self.folded.clear();
        drop(self.connection.take_growth());
        drop(run(self.connection, "ROLLBACK"));
    }

    /// One caller's part of several writes: all of it or none, without harm to the others' parts. After an error that
    /// [`Fault::spoils_transaction`], only [`Appender::roll_back`] may follow.
    fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        run(self.connection, "SAVEPOINT part")?;
        let (head, changes, growth) = (self.head, self.totals.clone(), self.connection.growth_now());
        let result = work(self);
        if result.is_err() {
            self.folded.clear();
            run(self.connection, "ROLLBACK TO part")?;
            (self.head, self.totals, self.last_bill) = (head, changes, None);
            *self.connection.growth() = growth;
        }
        run(self.connection, "RELEASE part")?;
        result
    }

    /// Appends bills' events in order, all of them or none. A single one, as sending makes them, needs no savepoint, which
    /// would copy every page it touches.
    pub(super) fn entries(&mut self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, Fault> {
        let is_single = entries.len() == 1;
        let began_at = self.head.sequence;
        let all = |appender: &mut Self| entries.into_iter().map(|entry| appender.entry(entry, began_at)).collect();
        if is_single { all(self) } else { self.part(all) }
    }

    /// Whatever can be refused is refused before anything is written.
    fn entry(&mut self, entry: NewEvent, began_at: u64) -> Result<BillState, Fault> {
        let at = truncated(entry.at);
        let before = match self.folded.take(&entry.invoice_number) {
            Some(row) => Some(row),
            None => rows::load(self.connection, &entry.invoice_number)?,
        };
        if let Some(number) = number_to_claim(before.is_none(), &entry.invoice_number, &entry.event)
            && let Some(other) = names::other(self.connection, number, &entry.invoice_number)?
        {
            return Err(Fault::NumberTaken(entry.invoice_number.clone(), number.clone(), other));
        }
        let known = before.as_ref().map(|row| row.state.clone());
        let sequence = self.head.sequence.checked_add(1).ok_or_else(Fault::absurd)?;
        let state = folded(known, &entry, began_at, sequence).map_err(|refusal| match refusal {
            Refusal::Lost => Fault::Lost(entry.invoice_number.clone()),
            Refusal::Illegal(illegal) => Fault::Illegal(illegal),
        })?;
        if before.as_ref().and_then(|row| live_payment_code(&row.state)) != live_payment_code(&state)
            && let Some(taken) = write::code_taken(self.connection, &state)?
        {
            return Err(taken);
        }
        let new_body = match entry.private.body {
            Some((request_id, body)) if !self.is_kept(before.as_ref(), request_id, &body)? => Some((request_id, body)),
            Some(_) | None => None,
        };
        let terms = self.terms(before.as_ref(), &state, &entry.event)?;
        let (standing, others) = if may_change(before.as_ref().map(|row| &row.state), &state) {
            paid::standing(self.connection, &state)?
        } else {
            (before.as_ref().map_or_else(Standing::default, |row| Standing::of(&row.kept)), Vec::new())
        };
        let (terms_of_bill, terms_digest) = terms.of_bill;
        let Standing { first_paid_at, paid } = standing;
        let purged_by = before.as_ref().and_then(|row| row.kept.purged_by);
        let kept = Kept { terms: terms_of_bill, terms_digest, first_paid_at, paid, purged_by };
        let kept_customer = self.customer_of(before.as_ref())?;
        let beside = beside(kept_customer.as_ref(), entry.private.customer.as_ref());
        // The event goes first: its row is what the bill's row refers to, and with a reference that is to be made good later SQLite
        // would look through all bills at each event.
        let link = EventRow { terms: terms.of_event, previous: before.as_ref().map(|row| signed(row.state.last_event)).transpose()? };
        let event = Covered::new(microseconds(at), Kind::Bill, entry.invoice_number.as_str(), &terms.event);
        self.event(&Covered { beside: beside.as_ref().map(|digest| &digest[..]), ..event }, link)?;
        let last_hash = self.head.hash;
        let id = if let Some(row) = &before {
            write::update(self.connection, row, &state, &kept, &last_hash)?;
            row.id
        } else {
            let id = self.next_bill()?;
            write::insert(self.connection, id, &state, &kept, &last_hash)?;
            id
        };
        let names_before = before.as_ref().map(|row| names_of(&row.state)).unwrap_or_default();
        names::store(self.connection, id, &names_before, &names_of(&state))?;
        self.totals.bill(before.as_ref(), &state, kept.paid.is_some())?;
        for other in others {
            self.stand_anew(&other)?;
        }
        if let Some((request_id, body)) = new_body {
            let sql = "INSERT INTO bodies (bill, request_id, body) VALUES (?1, ?2, ?3)";
            self.prepared(sql)?.execute(params![id, request_id.to_string(), body])?;
        }
        if let Some((customer, _)) = entry.private.customer.filter(|_| beside.is_some()) {
            self.customer(id, &customer)?;
        }
        let row = Row { id, state, kept, last_hash };
        self.folded.keep(&row);
        Ok(row.state)
    }

    /// A bill that shares payments with one that has changed: they may be the other's now, or its own again.
    fn stand_anew(&mut self, row: &Row) -> Result<(), Fault> {
        let (standing, _) = paid::standing(self.connection, &row.state)?;
        self.stand(row, standing)
    }

    fn stand(&mut self, row: &Row, standing: Standing) -> Result<(), Fault> {
        if Standing::of(&row.kept) == standing {
            return Ok(());
        }
        let kept = Kept { first_paid_at: standing.first_paid_at, paid: standing.paid, ..row.kept };
        write::update(self.connection, row, &row.state, &kept, &row.last_hash)?;
        self.totals.bill(Some(row), &row.state, kept.paid.is_some())?;
        self.folded.forget(&row.state.invoice_number);
        Ok(())
    }

    /// Where the terms of an event and of its bill stand, and the event's text without them.
    fn terms(&self, before: Option<&Row>, state: &BillState, event: &Event) -> Result<Placed, Fault> {
        let (text, of_text) = event_text(event).map_err(Fault::Failed)?;
        let id_of = |wanted: &RecordedTerms, text: Option<&TermsText>| {
            if let Some(row) = before.filter(|row| row.state.terms == *wanted) {
                return Ok((row.kept.terms, row.kept.terms_digest));
            }
            let known = before.map(|row| read::terms_of_events(self.connection, row.state.last_event)).transpose()?;
            let text = text.map_or_else(|| TermsText::of(wanted), |text| Ok(text.clone())).map_err(Fault::Failed)?;
            Ok::<_, Fault>((terms::id_of(self.connection, &text, &known.unwrap_or_default())?, text.digest))
        };
        let of_event = event.terms().map(|wanted| id_of(wanted, of_text.as_ref())).transpose()?;
        let of_bill = match (event.terms(), of_event) {
            (Some(wanted), Some(id)) if *wanted == state.terms => id,
            _ => id_of(&state.terms, None)?,
        };
        Ok(Placed { event: text, of_event: of_event.map(|(id, _)| id), of_bill })
    }

    /// Appends one event to the chain.
    pub(super) fn event(&mut self, event: &Covered<'_>, row: EventRow) -> Result<i64, Fault> {
        let head = self.head.then(self.origin, event).ok_or_else(Fault::absurd)?;
        keep_event(self.connection, &head, event, row)?;
        self.head = head;
        self.appended = self.appended.saturating_add(1);
        signed(head.sequence)
    }

    /// The id of a new bill.
    fn next_bill(&mut self) -> Result<i64, Fault> {
        let last = self.last_bill.map_or_else(|| write::last_bill(self.connection), Ok)?;
        let next = last.checked_add(1).ok_or_else(Fault::absurd)?;
        self.last_bill = Some(next);
        Ok(next)
    }

    /// The customer that is kept of a bill.
    fn customer_of(&self, bill: Option<&Row>) -> Result<Option<(Customer, Salt)>, Fault> {
        let Some((row, salt)) = bill.and_then(|row| Some((row, row.state.salt?))) else { return Ok(None) };
        Ok(customers::customer(self.connection, row.id)?.map(|customer| (customer, salt)))
    }

    /// Whether an operation's body is kept already; another body under the same id would break I4.
    fn is_kept(&self, bill: Option<&Row>, request_id: RequestId, body: &[u8]) -> Result<bool, Fault> {
        let Some(bill) = bill else { return Ok(false) };
        let id = request_id.to_string();
        let kept = self
            .prepared("SELECT body = ?3 FROM bodies WHERE bill = ?1 AND request_id = ?2")?
            .query_row(params![bill.id, id, body], |row| row.get(0))
            .optional()?;
        match kept {
            Some(false) => Err(Fault::Damaged(format!("request id `{id}` would stand for two different bodies"))),
            same => Ok(same.unwrap_or(false)),
        }
    }

    fn customer(&self, bill: i64, customer: &Customer) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO customers (bill, name, email, account_name) VALUES (?1, ?2, ?3, ?4)";
        let [email, account_name] = [&customer.email, &customer.account_name].map(|part| part.as_ref().map(Personal::reveal));
        self.prepared(sql)?.execute(params![bill, customer.name.reveal(), email, account_name])?;
        Ok(())
    }

    /// Adds the payments that are new, and the numbers of those that lacked them.
    pub(super) fn payments(&mut self, payments: &[Payment]) -> Result<AppliedPayments, Fault> {
        let mut applied = AppliedPayments::default();
        let payments: Vec<Payment> = payments.iter().map(truncated_payment).collect();
        for (payment, fate) in payments.iter().zip(fates(&payments, |code| payments::payments_for(self.connection, code))?) {
            match fate {
                Fate::New(new) => {
                    self.payment(&new)?;
                    applied.new = applied.new.saturating_add(1);
                    continue;
                }
                Fate::Numbered(kept) => self.number(&kept, payment_event_at(payment))?,
                Fate::Known => {}
            }
            applied.known = applied.known.saturating_add(1);
        }
        Ok(applied)
    }

    /// Adds what a person said about one of DOKU's keys.
    pub(super) fn revocation(&mut self, revocation: &Revocation, now: Timestamp) -> Result<(), Fault> {
        let json = serde_json::to_string(revocation).map_err(|error| Fault::Failed(error.to_string()))?;
        let sequence = self.event(&Covered::new(microseconds(now), Kind::Key, "", &json), EventRow::default())?;
        self.totals.revocation(sequence)
    }

    fn number(&mut self, payment: &Payment, at: i64) -> Result<(), Fault> {
        let json = serde_json::to_string(&NumberRecord::of(payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        self.event(&Covered::new(at, Kind::Payment, payment.invoice_number.as_str(), &json), EventRow::default())?;
        write::number(self.connection, payment)
    }

    fn payment(&mut self, payment: &Payment) -> Result<(), Fault> {
        let json = serde_json::to_string(&PaymentRecord::of(payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        let invoice_number = payment.invoice_number.as_str();
        let event = Covered::new(payment_event_at(payment), Kind::Payment, invoice_number, &json);
        let sequence = self.event(&event, EventRow::default())?;
        write::payment(self.connection, sequence, payment)?;
        self.totals.payment(payment.amount.get())?;
        self.settle_owners(payment)
    }

    /// Keeps with its bills that `payment` is theirs.
    fn settle_owners(&mut self, payment: &Payment) -> Result<(), Fault> {
        if let Some(plain) = paid::plain_owner(self.connection, payment)? {
            let standing = plain.paid_by(payment);
            write::write_columns(self.connection, plain.id, &standing.columns(), true)?;
            self.folded.forget(&payment.invoice_number);
            return totals::plainly_paid(&mut self.totals, &plain);
        }
        let candidates = names::bills_about(self.connection, &Names::of_payments([payment]))?;
        let owners = owner::owners(candidates.iter().map(|row| &row.state), payment.into());
        let standings: Vec<Standing> = candidates.iter().map(|row| Standing::of(&row.kept).with(&row.state, payment, &owners)).collect();
        for (row, standing) in candidates.iter().zip(standings) {
            self.stand(row, standing)?;
        }
        Ok(())
    }

    fn prepared(&self, sql: &str) -> Result<CachedStatement<'c>, Fault> {
        Ok(self.connection.prepare_cached(sql)?)
    }
}

/// Writes the row of an event, with which the chain ends at `head`.
pub(super) fn keep_event(connection: &Db, head: &LedgerHead, event: &Covered<'_>, row: EventRow) -> Result<(), Fault> {
    let sql = "INSERT INTO events (sequence, at, kind, invoice_number, event, hash, terms, previous, beside, fence) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let (Covered { at, kind, invoice_number, json, beside, fence }, EventRow { terms, previous }) = (event, row);
    let values = params![signed(head.sequence)?, at, kind, invoice_number, json, head.hash, terms, previous, beside, fence];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn run(connection: &Db, sql: &str) -> Result<(), Fault> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// What an event's row says beside the chain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EventRow {
    /// Where its terms are.
    pub(super) terms: Option<i64>,
    /// The event of the same bill before it.
    pub(super) previous: Option<i64>,
}

/// An event's text without its terms, and where those and the bill's are.
struct Placed {
    event: String,
    of_event: Option<i64>,
    of_bill: (i64, TermsDigest),
}
