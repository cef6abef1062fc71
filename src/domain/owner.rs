//! Whose a payment is: which bill it pays, and by which of the codes that bill has or had.
//!
//! The code decides first, the invoice number second; the channel, and then the present order before earlier ones, decide what
//! these two leave open. One rule for whoever asks: the plan, the server, `sync`, the ledger's own count, reconciling.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::channel::Channel;
use super::check_status::FoundPayment;
use super::ids::{InvoiceNumber, PaymentCode};
use super::lifecycle::{BillState, Order};
use super::payment::Payment;

/// What a payment names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Where it was made.
    pub channel: Channel,
    /// The code that was paid.
    pub payment_code: &'a PaymentCode,
    /// The number on the wire.
    pub invoice_number: &'a InvoiceNumber,
}

impl<'a> From<&'a Payment> for Named<'a> {
    fn from(payment: &'a Payment) -> Self {
        Self { channel: payment.channel, payment_code: &payment.payment_code, invoice_number: &payment.invoice_number }
    }
}

impl<'a> From<&'a FoundPayment> for Named<'a> {
    fn from(payment: &'a FoundPayment) -> Self {
        Self { channel: payment.channel, payment_code: &payment.payment_code, invoice_number: &payment.invoice_number }
    }
}

/// By which of its codes a bill is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Paid {
    /// By one it has lost, or by one nobody knows: whatever code it holds now would take the money a second time.
    ByEarlierCode,
    /// By the code it holds, or held last.
    ByItsCode,
}

/// How well a payment fits a bill; the greater fits better: whether code, number, channel and the present order are the bill's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit([bool; 4]);

/// How well `named` fits the bill; `None` where neither code nor number is the bill's.
#[must_use]
pub fn fit(state: &BillState, named: Named<'_>) -> Option<Fit> {
    let number = has_number(state, named.invoice_number);
    let coded = || state.orders().filter(|order| order.payment_code == Some(named.payment_code));
    let code = coded().next().is_some();
    let channel = coded().any(|order| order.channel == named.channel);
    (code || number).then(|| Fit([code, number, channel, which(state, named) == Paid::ByItsCode]))
}

/// The bills among `candidates` that a payment is of: one, unless two fit it equally well. Nothing is picked then, because
/// taking a bill for unpaid would ask for its money again.
#[must_use]
pub fn owners<'a>(candidates: impl IntoIterator<Item = &'a BillState>, named: Named<'_>) -> Vec<&'a BillState> {
    let mut best = Best::default();
    for state in candidates {
        best.take(state, named);
    }
    best.bills
}

/// The best fits so far.
#[derive(Default)]
struct Best<'a> {
    fit: Option<Fit>,
    bills: Vec<&'a BillState>,
}

impl<'a> Best<'a> {
    fn take(&mut self, state: &'a BillState, named: Named<'_>) {
        let Some(fit) = fit(state, named) else { return };
        if Some(fit) > self.fit {
            self.fit = Some(fit);
            self.bills.clear();
        }
        if Some(fit) == self.fit && self.bills.iter().all(|known| known.invoice_number != state.invoice_number) {
            self.bills.push(state);
        }
    }
}

/// By which of its codes a payment that is the bill's was made: an order that it names whole, or else one whose code it names;
/// where it names none, the order whose code nobody has heard.
#[must_use]
pub fn which(state: &BillState, named: Named<'_>) -> Paid {
    let has_code = |order: &Order<'_>| order.payment_code == Some(named.payment_code);
    let is_whole = |order: &Order<'_>| has_code(order) && order.wire_invoice_number == named.invoice_number;
    let is_unheard = |order: &Order<'_>| order.payment_code.is_none() && order.wire_invoice_number == named.invoice_number;
    let tests: [&dyn Fn(&Order<'_>) -> bool; 3] = [&is_whole, &has_code, &is_unheard];
    // The present order comes first, so that it is found before an earlier one of the same code.
    let found = tests.into_iter().find_map(|test| state.orders().find(test));
    match found {
        Some(order) if order.is_present => Paid::ByItsCode,
        None if state.orders().next().is_none() => Paid::ByItsCode,
        Some(_) | None => Paid::ByEarlierCode,
    }
}

/// Whether `number` is the bill's own or one DOKU knows or knew it by.
#[must_use]
pub fn has_number(state: &BillState, number: &InvoiceNumber) -> bool {
    *number == state.invoice_number || state.orders().any(|order| order.wire_invoice_number == number)
}

/// Which bills are paid, and by which of their codes, as far as verified payments and Check Status tell.
#[must_use]
pub fn paid<S: BuildHasher>(bills: &HashMap<InvoiceNumber, BillState, S>, payments: &[Payment]) -> HashMap<InvoiceNumber, Paid> {
    let told = bills.values().filter_map(|state| Some((state.invoice_number.clone(), told_paid(state)?)));
    let mut paid = notified(bills.values(), payments);
    for (number, by) in told {
        let known = paid.entry(number).or_insert(by);
        *known = by.max(*known);
    }
    paid
}

/// The same from verified payments alone.
#[must_use]
pub fn notified<'a>(states: impl Iterator<Item = &'a BillState>, payments: &[Payment]) -> HashMap<InvoiceNumber, Paid> {
    let mut by_code: HashMap<&PaymentCode, Vec<usize>> = HashMap::new();
    let mut by_number: HashMap<&InvoiceNumber, Vec<usize>> = HashMap::new();
    for (at, payment) in (0..).zip(payments) {
        by_code.entry(&payment.payment_code).or_default().push(at);
        by_number.entry(&payment.invoice_number).or_default().push(at);
    }
    let mut best: Vec<Best<'a>> = payments.iter().map(|_| Best::default()).collect();
    for state in states {
        let coded = state.orders().filter_map(|order| by_code.get(order.payment_code?));
        let wired = state.orders().filter_map(|order| by_number.get(order.wire_invoice_number));
        for &at in coded.chain(wired).chain(by_number.get(&state.invoice_number)).flatten() {
            if let (Some(best), Some(payment)) = (best.get_mut(at), payments.get(at)) {
                best.take(state, payment.into());
            }
        }
    }
    let mut paid = HashMap::new();
    for (best, payment) in best.iter().zip(payments) {
        // A bill that is not known yet is paid under the number it will have.
        let unknown = best.bills.is_empty().then_some((&payment.invoice_number, Paid::ByItsCode));
        let owners = best.bills.iter().map(|state| (&state.invoice_number, which(state, payment.into())));
        for (number, by) in owners.chain(unknown) {
            let known = paid.entry(number.clone()).or_insert(by);
            *known = by.max(*known);
        }
    }
    paid
}

/// What Check Status told of a bill's payment: no proof of one, and a reason not to ask for its money again.
#[must_use]
pub fn told_paid(state: &BillState) -> Option<Paid> {
    let found = state.checks.iter().flat_map(|checks| &checks.found);
    found.map(|found| which(state, (&found.payment).into())).max()
}

/// Whether a payment and the bill are a pair: it names the bill, or a number DOKU knows or knew it by, and is for a code that the
/// bill holds or held, if any is known. This is what the ledger counts by.
#[must_use]
pub fn is_pair(state: &BillState, named: Named<'_>) -> bool {
    let Some(code) = &state.code else { return *named.invoice_number == state.invoice_number };
    let held = std::iter::once((&code.wire_invoice_number, Some(&code.answer.payment_code)));
    let former = state.former.iter().map(|order| (&order.wire_invoice_number, order.payment_code.as_ref()));
    let names_it = *named.invoice_number == state.invoice_number
        || held.clone().chain(former.clone()).any(|(number, _)| number == named.invoice_number);
    names_it && held.chain(former).any(|(_, code)| code == Some(named.payment_code))
}

#[cfg(test)]
mod tests;
