//! Appending inside one transaction: everything is decided on what the [`World`] has, and written in sets at its end.
//!
//! Belongs here: the order of deciding, and what follows from an entry. Must not be here: when transactions begin and end (`writer`).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::operations::Operations;
use super::session::Session;
use super::tree;
use super::unwritten::Unwritten;
use super::world::World;
use crate::domain::bill::{RecordedTerms, Salt};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::TermsDigest;
use crate::domain::owner;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::ledger::chain::{Covered, Kind, NumberRecord, Origin, PaymentRecord, payment_event_at, truncated_payment};
use crate::ledger::rules::{Fate, Refusal, beside, fates, folded, live_payment_code, microseconds, number_to_claim, truncated};
use crate::ledger::sql::cells::{Value, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Kept, Row};
use crate::ledger::sql::standing::{Standing, may_change};
use crate::ledger::terms::{TermsText, event_text};
use crate::ledger::{AppliedPayments, Basis, LedgerHead, Names, NewEvent};

/// The last of everything that is counted up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) head: LedgerHead,
    pub(super) bill: i64,
    pub(super) terms: i64,
}

/// A transaction at the end of the chain, which holds the turn to write.
pub(super) struct Appender<'s> {
    session: &'s Session,
    origin: &'s Origin,
    world: &'s mut World,
    pub(super) ends: Ends,
    /// Where the chain ended when everything was sealed last.
    sealed: LedgerHead,
    /// The number of the lease that everything is written under, if there is one.
    fence: Option<i64>,
    operations: Operations,
    pub(super) unwritten: Unwritten,
}

impl<'s> Appender<'s> {
    /// In a transaction of `session` that holds the turn and has found `ends`.
    pub(super) fn new(
        session: &'s Session,
        origin: &'s Origin,
        world: &'s mut World,
        ends: Ends,
        fence: Option<i64>,
        lasts: Duration,
    ) -> Self {
        let operations = Operations::new(fence, lasts);
        Self { session, origin, world, ends, sealed: ends.head, fence, operations, unwritten: Unwritten::default() }
    }

    /// Bills' events in order, all of them or none.
    pub(super) async fn entries(&mut self, entries: &[NewEvent]) -> Result<Vec<BillState>, Fault> {
        let (ends, mark, began_at) = (self.ends, self.unwritten.mark(), self.ends.head.sequence);
        let mut states = Vec::with_capacity(entries.len());
        for entry in entries {
            match self.entry(entry, began_at).await {
                Ok(state) => states.push(state),
                Err(fault) => {
                    // What is refused has done nothing. What the call did before is forgotten with all the rest of the world, so what
                    // came before the call must be there to be read.
                    if !(states.is_empty() && fault.is_refusal()) {
                        self.unwritten.back_to(mark);
                        self.ends = ends;
                        self.write().await?;
                        *self.world = World::default();
                        self.operations.forget();
                    }
                    return Err(fault);
                }
            }
        }
        Ok(states)
    }

    /// Looks at everything that `entries` will be decided on, in as few questions as there are steps to it.
    pub(super) async fn look_ahead(&mut self, entries: &[&NewEvent]) -> Result<(), Fault> {
        let mut names = Names::default();
        for entry in entries {
            names.numbers.insert(entry.invoice_number.clone());
            names.numbers.extend(number_to_claim(true, &entry.invoice_number, &entry.event).cloned());
        }
        self.world.learn(self.session, names).await?;
        let (mut states, mut names, mut texts, mut owed, mut open) =
            (HashMap::<&InvoiceNumber, BillState>::new(), Names::default(), BTreeSet::new(), Vec::new(), Vec::new());
        for entry in entries {
            let number = &entry.invoice_number;
            let row = self.world.bill(number);
            owed.extend(row.filter(|_| entry.private.customer.is_some()).map(|row| row.id));
            let before = states.remove(number).or_else(|| row.map(|row| row.state.clone()));
            // What cannot be is refused when its turn comes.
            let Ok(state) = BillState::apply(before, number, truncated(entry.at), &entry.event) else { continue };
            open.extend(row.filter(|row| row.state.open.is_some()).map(|row| row.id));
            names.add(&state);
            for terms in entry.event.terms().into_iter().chain([&state.terms]) {
                texts.insert(TermsText::of(terms).map_err(Fault::Failed)?.text);
            }
            states.insert(number, state);
        }
        self.operations.learn(self.session, &open).await?;
        self.world.learn_customers(self.session, &owed).await?;
        self.world.learn_terms(self.session, texts).await?;
        self.learn_owners(names).await
    }

    /// Everything about `names`, and about whatever the payments that name them name.
    async fn learn_owners(&mut self, names: Names) -> Result<(), Fault> {
        self.world.learn(self.session, names.clone()).await?;
        let payments = self.world.payments_about(&names);
        self.world.learn(self.session, Names::of_payments(&payments)).await
    }

    async fn entry(&mut self, entry: &NewEvent, began_at: u64) -> Result<BillState, Fault> {
        let number = &entry.invoice_number;
        self.world.learn(self.session, Names { numbers: [number.clone()].into(), ..Names::default() }).await?;
        let before = self.world.bill(number).cloned();
        if let Some(claimed) = number_to_claim(before.is_none(), number, &entry.event) {
            let names = Names { numbers: [claimed.clone()].into(), ..Names::default() };
            self.world.learn(self.session, names.clone()).await?;
            if let Some(other) = self.world.about(&names).into_iter().find(|row| row.state.invoice_number != *number) {
                return Err(Fault::NumberTaken(number.clone(), claimed.clone(), other.state.invoice_number.clone()));
            }
        }
        let sequence = self.ends.head.sequence.checked_add(1).ok_or_else(Fault::absurd)?;
        let known = before.as_ref().map(|row| row.state.clone());
        let state = folded(known, entry, began_at, sequence).map_err(|refusal| match refusal {
            Refusal::Lost => Fault::Lost(number.clone()),
            Refusal::Illegal(illegal) => Fault::Illegal(illegal),
        })?;
        let was_open = before.as_ref().filter(|row| row.state.open.is_some()).map(|row| row.id);
        // What is true whatever else happened may be said by anybody.
        let is_fact = entry.basis == Basis::Any;
        if let Some(id) = was_open.filter(|_| !is_fact)
            && let Some(holder) = self.operations.other(self.session, id).await?
        {
            return Err(Fault::Busy(number.clone(), holder));
        }
        self.learn_owners(Names::of(&state)).await?;
        self.refuse_taken_code(before.as_ref(), &state)?;
        let terms = self.terms(before.as_ref(), &state, &entry.event).await?;
        let standing = before.as_ref().map_or_else(Standing::default, |row| Standing::of(&row.kept));
        let changes = may_change(before.as_ref().map(|row| &row.state), &state);
        let (Standing { first_paid_at, paid }, others) = if changes { self.standing(&state) } else { (standing, Vec::new()) };
        let (terms_of_bill, terms_digest) = terms.of_bill;
        let purged_by = before.as_ref().and_then(|row| row.kept.purged_by);
        let kept = Kept { terms: terms_of_bill, terms_digest, first_paid_at, paid, purged_by };
        let given = entry.private.customer.as_ref();
        let beside = beside(self.customer_of(before.as_ref(), given.is_some()).await?.as_ref(), given);
        let previous = before.as_ref().map(|row| signed(row.state.last_event)).transpose()?;
        let event = Covered::new(microseconds(entry.at), Kind::Bill, number.as_str(), &terms.event);
        self.event(&Covered { beside: beside.as_ref().map(|digest| &digest[..]), ..event }, terms.of_event, previous)?;
        let id = match &before {
            Some(row) => row.id,
            None => self.next_bill()?,
        };
        self.unwritten.operations.extend(self.operations.follow(id, was_open.is_some(), state.open.is_some(), is_fact));
        if let Some((request_id, body)) = &entry.private.body {
            self.unwritten.bodies.push((id, request_id.to_string(), body.clone()));
        }
        if let Some((customer, _)) = given.filter(|_| beside.is_some()) {
            self.world.owe(id, customer.clone());
            self.unwritten.customers.push((id, customer.clone()));
        }
        self.put(before, Row { id, state: state.clone(), kept, last_hash: self.ends.head.hash })?;
        for other in others {
            // It shares payments with one that has changed: they may be the other's now, or its own again.
            self.learn_owners(Names::of(&other.state)).await?;
            let (standing, _) = self.standing(&other.state);
            self.stand(other, standing)?;
        }
        Ok(state)
    }

    /// I11.
    fn refuse_taken_code(&self, before: Option<&Row>, state: &BillState) -> Result<(), Fault> {
        let Some(code) = live_payment_code(state) else { return Ok(()) };
        if before.and_then(|row| live_payment_code(&row.state)) == Some(code) {
            return Ok(());
        }
        let about = self.world.about(&Names { codes: [code.clone()].into(), ..Names::default() });
        let is_other = |row: &&Row| row.state.invoice_number != state.invoice_number && live_payment_code(&row.state) == Some(code);
        match about.into_iter().find(is_other) {
            Some(other) => Err(Fault::CodeTaken(state.invoice_number.clone(), other.state.invoice_number.clone())),
            None => Ok(()),
        }
    }

    /// What all payments say of `state`, and the other bills that share a payment with it. Everything about it was learnt.
    fn standing(&self, state: &BillState) -> (Standing, Vec<Row>) {
        let payments = self.world.payments_about(&Names::of(state));
        let about = self.world.about(&Names::of_payments(&payments));
        let others: Vec<Row> = about.into_iter().filter(|row| row.state.invoice_number != state.invoice_number).cloned().collect();
        let mut standing = Standing::default();
        for payment in &payments {
            let owners = owner::owners(others.iter().map(|row| &row.state).chain([state]), payment.into());
            standing = standing.with(state, payment, &owners);
        }
        (standing, others)
    }

    fn stand(&mut self, row: Row, standing: Standing) -> Result<(), Fault> {
        if Standing::of(&row.kept) == standing {
            return Ok(());
        }
        let kept = Kept { first_paid_at: standing.first_paid_at, paid: standing.paid, ..row.kept };
        self.put(Some(row.clone()), Row { kept, ..row })
    }

    /// A bill's row is `after` from now on.
    pub(super) fn put(&mut self, before: Option<Row>, after: Row) -> Result<(), Fault> {
        self.unwritten.bill(before, after.clone())?;
        self.world.put(after);
        Ok(())
    }

    /// Where the terms of an event and of its bill stand, and the event's text without them.
    async fn terms(&mut self, before: Option<&Row>, state: &BillState, event: &Event) -> Result<Placed, Fault> {
        let (text, of_text) = event_text(event).map_err(Fault::Failed)?;
        let of_event = match event.terms() {
            Some(wanted) => Some(self.terms_id(before, wanted, of_text).await?),
            None => None,
        };
        let of_bill = match (event.terms(), of_event) {
            (Some(wanted), Some(id)) if *wanted == state.terms => id,
            _ => self.terms_id(before, &state.terms, None).await?,
        };
        Ok(Placed { event: text, of_event: of_event.map(|(id, _)| id), of_bill })
    }

    async fn terms_id(
        &mut self,
        before: Option<&Row>,
        wanted: &RecordedTerms,
        text: Option<TermsText>,
    ) -> Result<(i64, TermsDigest), Fault> {
        if let Some(row) = before.filter(|row| row.state.terms == *wanted) {
            return Ok((row.kept.terms, row.kept.terms_digest));
        }
        let text = text.map_or_else(|| TermsText::of(wanted), Ok).map_err(Fault::Failed)?;
        self.world.learn_terms(self.session, [text.text.clone()].into()).await?;
        if let Some(id) = self.world.terms(&text.text) {
            return Ok((id, text.digest));
        }
        self.ends.terms = self.ends.terms.checked_add(1).ok_or_else(Fault::absurd)?;
        self.world.keep_terms(&text.text, self.ends.terms);
        self.unwritten.terms.push((self.ends.terms, text.text));
        Ok((self.ends.terms, text.digest))
    }

    /// The customer that is kept of a bill, if one `is_given`.
    async fn customer_of(&mut self, bill: Option<&Row>, is_given: bool) -> Result<Option<(crate::domain::bill::Customer, Salt)>, Fault> {
        let kept = bill.filter(|_| is_given).and_then(|row| Some((row.id, row.state.salt?)));
        let Some((id, salt)) = kept else { return Ok(None) };
        self.world.learn_customers(self.session, &[id]).await?;
        Ok(self.world.customer(id).map(|customer| (customer.clone(), salt)))
    }

    /// Appends one event to the chain.
    pub(super) fn event(&mut self, event: &Covered<'_>, terms: Option<i64>, previous: Option<i64>) -> Result<i64, Fault> {
        let event = Covered { fence: self.fence, ..*event };
        self.ends.head = self.ends.head.then(self.origin, &event).ok_or_else(Fault::absurd)?;
        let sequence = signed(self.ends.head.sequence)?;
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
        self.unwritten.events.push(vec![
            Value::Integer(sequence),
            Value::Integer(event.at),
            Value::Text(event.kind.into()),
            Value::Text(event.invoice_number.into()),
            Value::Text(event.json.into()),
            Value::Blob(self.ends.head.hash.to_vec()),
            number(terms),
            number(previous),
            event.beside.map_or(Value::Null, |digest| Value::Blob(digest.to_vec())),
            number(event.fence),
        ]);
        Ok(sequence)
    }

    /// Adds what a person said about one of DOKU's keys.
    pub(super) fn revocation(&mut self, revocation: &Revocation, now: Timestamp) -> Result<(), Fault> {
        let json = serde_json::to_string(revocation).map_err(|error| Fault::Failed(error.to_string()))?;
        let sequence = self.event(&Covered::new(microseconds(now), Kind::Key, "", &json), None, None)?;
        self.unwritten.revocation(sequence)
    }

    fn next_bill(&mut self) -> Result<i64, Fault> {
        self.ends.bill = self.ends.bill.checked_add(1).ok_or_else(Fault::absurd)?;
        Ok(self.ends.bill)
    }

    /// Adds the payments that are new, and the numbers of those that lacked them.
    pub(super) async fn payments(&mut self, payments: &[Payment]) -> Result<AppliedPayments, Fault> {
        let mut applied = AppliedPayments::default();
        let payments: Vec<Payment> = payments.iter().map(truncated_payment).collect();
        self.learn_owners(Names::of_payments(&payments)).await?;
        let kept_of = |code: &crate::domain::ids::PaymentCode| {
            Ok::<_, Fault>(self.world.payments_about(&Names { codes: [code.clone()].into(), ..Names::default() }))
        };
        for (payment, fate) in payments.iter().zip(fates(&payments, kept_of)?) {
            match fate {
                Fate::New(new) => {
                    self.payment(new).await?;
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

    fn number(&mut self, payment: &Payment, at: i64) -> Result<(), Fault> {
        let json = serde_json::to_string(&NumberRecord::of(payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        self.event(&Covered::new(at, Kind::Payment, payment.invoice_number.as_str(), &json), None, None)?;
        self.world.rename(payment);
        self.unwritten.renamed.push(payment.clone());
        Ok(())
    }

    async fn payment(&mut self, payment: Payment) -> Result<(), Fault> {
        let json = serde_json::to_string(&PaymentRecord::of(&payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        let event = Covered::new(payment_event_at(&payment), Kind::Payment, payment.invoice_number.as_str(), &json);
        let sequence = self.event(&event, None, None)?;
        self.unwritten.payment(sequence, &payment)?;
        let names = Names::of_payments([&payment]);
        self.learn_owners(names.clone()).await?;
        let candidates: Vec<Row> = self.world.about(&names).into_iter().cloned().collect();
        let owners = owner::owners(candidates.iter().map(|row| &row.state), (&payment).into());
        let standings: Vec<Standing> = candidates.iter().map(|row| Standing::of(&row.kept).with(&row.state, &payment, &owners)).collect();
        self.world.pay(self.ends.head.sequence, payment);
        for (row, standing) in candidates.into_iter().zip(standings) {
            self.stand(row, standing)?;
        }
        Ok(())
    }

    /// A row that nothing is counted by is another one from now on; what the world has of its bill is not.
    pub(super) fn replace(&mut self, before: Row, after: Row) {
        self.unwritten.replace(before, after);
    }

    /// Looks at everything anew.
    pub(super) fn forget(&mut self) {
        *self.world = World::default();
    }

    /// Writes what is not written yet, and where everything ends.
    pub(super) async fn write(&mut self) -> Result<(), Fault> {
        let Ends { head, bill, terms } = self.ends;
        let (growth, totals) = std::mem::take(&mut self.unwritten).write(self.session).await?;
        if head != self.sealed || !growth.is_empty() {
            tree::write(self.session, &mut self.world.nodes, (&self.sealed, &head), growth, totals).await?;
            self.sealed = head;
        }
        let parameters: [super::read::Parameter<'_>; 4] = [&signed(head.sequence)?, &head.hash.to_vec(), &bill, &terms];
        self.session.execute("UPDATE head SET sequence = $1, hash = $2, bill = $3, terms = $4", &parameters).await?;
        Ok(())
    }
}

/// An event's text without its terms, and where those and the bill's are.
struct Placed {
    event: String,
    of_event: Option<i64>,
    of_bill: (i64, TermsDigest),
}
