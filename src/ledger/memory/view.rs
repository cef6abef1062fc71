//! Questions of the ledger in memory. Each is answered by looking at everything, which is what the stores are held against.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::Durable;
use crate::domain::amount::Rupiah;
use crate::domain::bill::Customer;
use crate::domain::check_status;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event, Status};
use crate::domain::mark::{BillMark, BillWithCode};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::ledger::rules::Span;
use crate::ledger::{BillHappening, Lapses, LedgerError, LedgerHead, LedgerTotals, LedgerView, Names, Noted};

/// All it had.
#[derive(Debug)]
pub struct MemoryView(pub(super) Arc<Durable>);

impl MemoryView {
    fn sorted(&self, fits: impl Fn(&BillState) -> bool) -> Vec<BillState> {
        let mut bills: Vec<BillState> = self.0.bills.values().filter(|state| fits(state)).cloned().collect();
        bills.sort_by(|a, b| a.invoice_number.cmp(&b.invoice_number));
        bills
    }

    fn notified(&self) -> HashMap<InvoiceNumber, Paid> {
        owner::notified(self.0.bills.values(), &self.0.payments)
    }

    fn codes(&self) -> impl Iterator<Item = &PaymentCode> {
        let held = self.0.bills.values().flat_map(BillState::payment_codes);
        held.chain(self.0.payments.iter().map(|payment| &payment.payment_code))
    }
}

impl LedgerView for MemoryView {
    async fn head(&self) -> Result<LedgerHead, LedgerError> {
        Ok(self.0.head.unwrap_or(LedgerHead::EMPTY))
    }

    async fn marks(&self, numbers: &[&InvoiceNumber]) -> Result<Vec<Option<BillMark>>, LedgerError> {
        let paid = self.notified();
        let mark = |number: &&InvoiceNumber| {
            let state = self.0.bills.get(*number)?;
            Some(BillMark::of(state, paid.get(*number).copied()).map_err(|reason| LedgerError::Damaged { path: "memory".into(), reason }))
        };
        numbers.iter().map(|number| mark(number).transpose()).collect()
    }

    async fn held(&self, numbers: &[&InvoiceNumber]) -> Result<Vec<Option<BillWithCode>>, LedgerError> {
        Ok(numbers.iter().map(|number| self.0.bills.get(*number).cloned().map(BillWithCode::from)).collect())
    }

    async fn bills(&self, numbers: &[InvoiceNumber]) -> Result<Vec<BillState>, LedgerError> {
        Ok(numbers.iter().filter_map(|number| self.0.bills.get(number).cloned()).collect())
    }

    async fn bills_about(&self, names: &Names) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| {
            let own = Names::of(state);
            !own.numbers.is_disjoint(&names.numbers) || !own.codes.is_disjoint(&names.codes)
        }))
    }

    async fn bills_beginning(&self, prefix: &str) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| Names::of(state).numbers.iter().any(|number| number.as_str().starts_with(prefix))))
    }

    async fn payments_about(&self, names: &Names) -> Result<Vec<Payment>, LedgerError> {
        let is_about = |payment: &&Payment| names.numbers.contains(&payment.invoice_number) || names.codes.contains(&payment.payment_code);
        Ok(self.0.payments.iter().filter(is_about).cloned().collect())
    }

    async fn paid(&self, numbers: &[InvoiceNumber]) -> Result<HashMap<InvoiceNumber, Paid>, LedgerError> {
        let mut paid = self.notified();
        paid.retain(|number, _| numbers.contains(number));
        Ok(paid)
    }

    async fn body(&self, _: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.bodies.get(&request_id).cloned())
    }

    async fn customer(&self, number: &InvoiceNumber) -> Result<Option<Customer>, LedgerError> {
        Ok(self.0.customers.get(number).map(|(customer, _)| customer.clone()))
    }

    async fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> Result<bool, LedgerError> {
        let is_it = |event: &Event| matches!(event, Event::Held { evidence: known, .. } if known == evidence);
        Ok(self.0.events.iter().any(|(_, of, event)| of == number && is_it(event)))
    }

    async fn history(&self, number: &InvoiceNumber) -> Result<Vec<(Timestamp, BillHappening)>, LedgerError> {
        let own = self.0.events.iter().filter(|(_, of, _)| of == number);
        let events = own.map(|(at, _, event)| (*at, BillHappening::Event(Box::new(event.clone()))));
        let numbers = self.0.bills.get(number).map(|state| Names::of(state).numbers).unwrap_or_default();
        let named = |payment: &&Payment| payment.invoice_number == *number || numbers.contains(&payment.invoice_number);
        let payments = self.0.payments.iter().filter(named);
        Ok(events.chain(payments.map(|payment| (payment.paid_at, BillHappening::Payment(payment.clone())))).collect())
    }

    async fn open_bills(&self) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| state.open.is_some()))
    }

    async fn oldest_doubt(&self) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.0.bills.values().filter_map(|state| state.in_doubt_since).min())
    }

    async fn remarkable(&self) -> Result<Vec<Noted>, LedgerError> {
        let mut paid = self.notified();
        let is_told = |state: &BillState| state.checks.as_ref().is_some_and(|checks| !checks.found.is_empty());
        let by_earlier = |state: &BillState| paid.get(&state.invoice_number) == Some(&Paid::ByEarlierCode);
        let found = self.sorted(|state| state.hold.is_some() || is_told(state) || by_earlier(state));
        Ok(found.into_iter().map(|state| (state.clone(), paid.remove(&state.invoice_number))).collect())
    }

    async fn visit_silent(&self, to: Timestamp, visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        let paid = self.notified();
        let has_ended = |state: &BillState| check_status::ends_at(state).is_some_and(|at| at <= to);
        let is_paid = |state: &BillState| paid.get(&state.invoice_number) == Some(&Paid::ByItsCode);
        self.sorted(|state| check_status::may_tell(state) && has_ended(state) && !is_paid(state)).into_iter().for_each(visit);
        Ok(())
    }

    async fn visit_unpaid(&self, mut visit: impl FnMut(BillState) -> bool + Send) -> Result<(), LedgerError> {
        let paid = self.notified();
        for state in self.sorted(|state| state.status == Status::Active && !paid.contains_key(&state.invoice_number)) {
            if !visit(state) {
                break;
            }
        }
        Ok(())
    }

    async fn visit_bills(&self, visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        self.sorted(|_| true).into_iter().for_each(visit);
        Ok(())
    }

    async fn visit_customers(&self, mut visit: impl FnMut(InvoiceNumber, Customer) + Send) -> Result<(), LedgerError> {
        self.0.customers.iter().for_each(|(number, (customer, _))| visit(number.clone(), customer.clone()));
        Ok(())
    }

    async fn visit_payments(&self, visit: impl FnMut(Payment) + Send) -> Result<(), LedgerError> {
        self.0.payments.iter().cloned().for_each(visit);
        Ok(())
    }

    async fn highest_code(&self, prefix: &str, length: usize) -> Result<Option<PaymentCode>, LedgerError> {
        Ok(self.codes().filter(|code| code.as_str().starts_with(prefix) && code.as_str().len() == length).max().cloned())
    }

    async fn visit_codes(&self, prefix: &str, length: usize, visit: impl FnMut(&PaymentCode) + Send) -> Result<(), LedgerError> {
        self.codes().filter(|code| code.as_str().starts_with(prefix) && code.as_str().len() == length).for_each(visit);
        Ok(())
    }

    async fn whole(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn totals(&self, now: Timestamp) -> Result<LedgerTotals, LedgerError> {
        let paid = self.notified();
        let mut totals = LedgerTotals::default();
        let mut by_status: BTreeMap<&'static str, Sum> = BTreeMap::new();
        for state in self.0.bills.values() {
            let (amount, is_paid) = (Rupiah::from(state.terms.amount), paid.contains_key(&state.invoice_number));
            by_status.entry(state.status.name()).or_default().add(amount);
            if is_paid {
                totals.paid.add(amount);
            }
            if state.hold.is_some() {
                totals.held.add(amount);
            }
            if state.status == Status::Active && !is_paid {
                let is_over = check_status::ends_at(state).is_some_and(|at| at <= now);
                if is_over { &mut totals.expired } else { &mut totals.payable }.add(amount);
            }
            state.checks.iter().flat_map(|checks| &checks.found).for_each(|found| totals.told.add(found.payment.amount.into()));
        }
        self.0.payments.iter().for_each(|payment| totals.payments.add(payment.amount.into()));
        totals.by_status = by_status.into_iter().collect();
        Ok(totals)
    }

    /// Nobody can say anything here about a key.
    async fn revocations(&self) -> Result<Vec<(Timestamp, Revocation)>, LedgerError> {
        Ok(Vec::new())
    }

    async fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Result<Sum, LedgerError> {
        let span = Span::new(from, as_of, expiry_grace_minutes);
        let mut totals = Sum::default();
        for state in self.0.bills.values().filter(|state| span.holds(state, self.0.first_paid_at(state))) {
            totals.add(state.terms.amount.into());
        }
        Ok(totals)
    }

    async fn lapses(&self, is_lapsed: impl Fn(&str) -> bool + Send) -> Result<Lapses, LedgerError> {
        let mut lapses = Lapses::new();
        for (at, invoice_number, event) in &self.0.events {
            if let Some(terms) = event.terms() {
                let is_so = terms.policy.status.as_deref().is_some_and(&is_lapsed);
                match lapses.get_mut(invoice_number) {
                    Some(states) => states.push((*at, is_so)),
                    None if is_so => drop(lapses.insert(invoice_number.clone(), vec![(*at, is_so)])),
                    None => {}
                }
            }
        }
        Ok(lapses)
    }
}
