//! What is decided about bills before anything is sent, and its record: a run that is killed later finds it in the ledger.

use std::collections::HashMap;

use super::issuing::Issuing;
use crate::domain::bill::{Bill, Salt, Wanted};
use crate::domain::codes;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::plan::{self, Step, Unchanged};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::portion::{self, Portion};
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _, NewEvent, Private, asked_again};

/// A bill's step, with the state it was planned from.
pub(super) struct Planned {
    pub(super) step: Step,
    /// Whether the ledger knew the bill.
    is_known: bool,
    /// The bill's last event when it was planned, and then the one that was recorded with the plan; 0 for none.
    pub(super) last_event: u64,
    /// Whether another run changed the bill before anything was recorded: nothing was, and it is planned again.
    pub(super) is_overtaken: bool,
    /// Its state then, where the step needs it.
    pub(super) state: Option<Box<BillState>>,
    /// Whether the row brings a name that the ledger lacks.
    lacks_name: bool,
}

/// Bills with their steps, and what of those is to be recorded before anything is sent.
pub(super) struct Decided {
    pub(super) bills: Vec<(usize, Bill)>,
    pub(super) planned: Vec<Planned>,
    entries: Vec<NewEvent>,
    /// Of each entry, which of the bills it is about.
    places: Vec<usize>,
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// The steps of bills, in their order, from the ledger as it is now.
    pub(super) async fn plan(&self, bills: &[(usize, Bill)]) -> Result<Vec<Planned>, LedgerError> {
        asked_again(move || self.planned(bills)).await
    }

    async fn planned(&self, bills: &[(usize, Bill)]) -> Result<Vec<Planned>, LedgerError> {
        let (now, rules, salts) = ((self.clock)(), &self.settings.rules, self.ledger.salts());
        let view = self.ledger.view().await?;
        let left = portion::left_alone(&view, bills.iter().map(|(_, bill)| bill), salts, now).await?;
        let rest = bills.iter().zip(&left).filter(|(_, left)| left.is_none()).map(|((_, bill), _)| bill);
        let mut portion = Portion::of(&view, rest, &rules.reissue_suffix).await?;
        let steps: Vec<Step> = {
            let map = portion.view();
            let step = |((_, bill), left): (&(usize, Bill), &Option<Unchanged>)| {
                left.map_or_else(|| plan::step(bill, &map, salts, now, rules), Step::Unchanged)
            };
            bills.iter().zip(&left).map(step).collect()
        };
        let begins = |(step, (_, bill)): (&Step, &(usize, Bill))| {
            let is_new = matches!(bill.wanted, Wanted::Live(_)) && portion.bill(&bill.invoice_number).is_none();
            is_new || matches!(step, Step::Issue { .. } | Step::Register(_))
        };
        if steps.iter().zip(bills).zip(&left).any(|(planned, left)| left.is_none() && begins(planned)) {
            // That a bill, a number or a code is new is only as sure as that all is there, and found where it is.
            self.looked_over.get_or_try_init(|| view.whole()).await?;
        }
        let mut planned = Vec::with_capacity(steps.len());
        for ((step, (_, bill)), left) in steps.into_iter().zip(bills).zip(left) {
            let state = portion.take(&bill.invoice_number);
            let lacks_name = match &state {
                // An adopted code comes without a name, and a cancellation needs one.
                Some(state) if step == Step::Unchanged(Unchanged::Live) && state.terms.is_adopted() => {
                    view.customer(&bill.invoice_number).await?.is_none()
                }
                Some(_) | None => false,
            };
            let (is_known, last_event) = (state.is_some() || left.is_some(), state.as_ref().map_or(0, |state| state.last_event));
            planned.push(Planned { step, is_known, last_event, is_overtaken: false, state: state.map(Box::new), lacks_name });
        }
        Ok(planned)
    }

    /// Plans bills, and makes what is decided about them into entries.
    pub(super) async fn decide(&self, bills: Vec<(usize, Bill)>) -> Result<Decided, LedgerError> {
        let planned = self.plan(&bills).await?;
        let mut decided = Decided { bills, planned, entries: Vec::new(), places: Vec::new() };
        self.make_entries(&mut decided);
        Ok(decided)
    }

    /// What is decided about bills enters the ledger, with a new bill's code if it is of our making, so that a killed run's rest is
    /// known to be unissued and gets the same codes. What needs no call is done with it. A bill that another writer was quicker with is
    /// left out.
    pub(super) async fn record_decided(&self, decided: &mut Decided) -> Result<(), LedgerError> {
        loop {
            let entries = std::mem::take(&mut decided.entries);
            if entries.is_empty() {
                return Ok(());
            }
            let overtaken = match self.ledger.record(entries).await {
                Ok(states) => {
                    for (place, state) in decided.places.iter().zip(states) {
                        if let Some(planned) = decided.planned.get_mut(*place) {
                            planned.last_event = state.last_event;
                        }
                    }
                    return Ok(());
                }
                // Its code or number became another bill's since it was planned, which the next plan sees and says.
                Err(
                    LedgerError::Lost { invoice_number }
                    | LedgerError::Busy { invoice_number, .. }
                    | LedgerError::CodeTaken { invoice_number, .. }
                    | LedgerError::NumberTaken { invoice_number, .. },
                ) => invoice_number,
                Err(error) => return Err(error),
            };
            self.mark_overtaken(decided, &overtaken).await?;
            self.make_entries(decided);
        }
    }

    /// Where another writer was quicker with one bill, it may have been with many of them: another host with the same file.
    async fn mark_overtaken(&self, decided: &mut Decided, overtaken: &InvoiceNumber) -> Result<(), LedgerError> {
        let Decided { bills, planned, places, .. } = decided;
        let numbers: Vec<InvoiceNumber> =
            places.iter().filter_map(|place| bills.get(*place)).map(|(_, bill)| bill.invoice_number.clone()).collect();
        let states = asked_again(|| async { self.ledger.view().await?.bills(&numbers).await }).await?;
        let now: HashMap<&InvoiceNumber, u64> = states.iter().map(|state| (&state.invoice_number, state.last_event)).collect();
        for place in places {
            if let (Some((_, bill)), Some(planned)) = (bills.get(*place), planned.get_mut(*place)) {
                let last_event = now.get(&bill.invoice_number).copied().unwrap_or_default();
                planned.is_overtaken |= bill.invoice_number == *overtaken || last_event != planned.last_event;
            }
        }
        Ok(())
    }

    fn make_entries(&self, decided: &mut Decided) {
        let Decided { bills, planned, .. } = decided;
        let (mut entries, mut places): (Vec<NewEvent>, Vec<usize>) = (Vec::new(), Vec::new());
        for ((place, planned), (_, bill)) in planned.iter().enumerate().zip(bills).filter(|((_, planned), _)| !planned.is_overtaken) {
            for entry in [self.planned_entry(bill, planned), self.registered_entry(bill, planned)].into_iter().flatten() {
                entries.push(entry);
                places.push(place);
            }
        }
        (decided.entries, decided.places) = (entries, places);
    }

    fn planned_entry(&self, bill: &Bill, planned: &Planned) -> Option<NewEvent> {
        let Wanted::Live(terms) = &bill.wanted else { return None };
        if planned.is_known && planned.state.is_none() {
            return None;
        }
        let salt = self.salt(bill, planned.state.as_deref());
        let recorded = terms.recorded(&salt);
        let event = match (planned.state.as_deref(), &planned.step) {
            // Its number is another bill's, and two bills of one number would never come apart again.
            (None, Step::Refused { code, .. }) if *code == codes::NUMBER_TAKEN => return None,
            // One event says it all.
            (None, Step::Register(_)) => return None,
            (None, _) => Event::Planned { terms: recorded },
            (Some(state), Step::Issue { .. } | Step::Register(OperationKind::Issue)) if state.status == Status::Rejected => {
                Event::Planned { terms: recorded }
            }
            (Some(state), Step::Issue { .. }) if state.status == Status::Planned && state.terms != recorded => {
                Event::Planned { terms: recorded }
            }
            (Some(_), Step::Note) => Event::Noted { terms: recorded },
            (Some(state), Step::Unchanged(Unchanged::Live)) if planned.lacks_name => Event::Noted { terms: state.terms.clone() },
            (Some(_), _) => return None,
        };
        let private = Private { body: None, customer: Some((terms.customer.clone(), salt)) };
        let basis = Basis::Since(planned.last_event);
        Some(NewEvent { invoice_number: bill.invoice_number.clone(), at: (self.clock)(), event, basis, private })
    }

    /// The salt of what is recorded of a bill's customer.
    pub(super) fn salt(&self, bill: &Bill, state: Option<&BillState>) -> Salt {
        self.ledger.salts().of(&bill.invoice_number, state.and_then(|state| state.salt))
    }

    /// The whole of an operation that DOKU is not told of.
    fn registered_entry(&self, bill: &Bill, planned: &Planned) -> Option<NewEvent> {
        let Step::Register(operation) = planned.step else { return None };
        let state = planned.state.as_deref();
        let (terms, customer) = match &bill.wanted {
            Wanted::Live(terms) => {
                let salt = self.salt(bill, state);
                (terms.recorded(&salt), Some((terms.customer.clone(), salt)))
            }
            Wanted::Cancelled => (state?.terms.clone(), None),
        };
        let at = (self.clock)();
        let answer = plan::registered_answer(operation, &terms, state, at)?;
        let event = Event::Registered { operation, terms, answer };
        let (basis, private) = (Basis::Since(planned.last_event), Private { body: None, customer });
        Some(NewEvent { invoice_number: bill.invoice_number.clone(), at, event, basis, private })
    }
}
