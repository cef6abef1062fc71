//! The judge: what must be so, told from DOKU's own books and from what was really paid, not from what the jobs say of themselves.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use tagih::domain::bill::Bill;
use tagih::domain::channel::IssuanceMethod;
use tagih::domain::ids::InvoiceNumber;
use tagih::domain::lifecycle::{BillState, Event, OperationKind, Status};
use tagih::domain::row_end::{Bucket, End};
use tagih::ledger::memory::MemoryLedger;
use tagih::ledger::{Ledger as _, LedgerView as _};
use tagih::sandbox::record::{Call, Handling, Order, OrderState};
use tagih::witness::{self, Change, Difference, Told, compare};

use super::merchant::{BURST, RATE_PER_SECOND, Reported};
use super::world::{Paid, SECRET, World};
use crate::support::bills::{self, CUSTOMER_FIRST_NAME, now};

/// The bill an order is about: its number without what a re-issue adds.
fn bill_of(order_number: &str) -> &str {
    order_number.split_once("-R").map_or(order_number, |(bill, _)| bill)
}

/// Whether `one` is another order of the same bill.
fn is_earlier(one: &Order, order: &Order) -> bool {
    one.invoice_number != order.invoice_number && bill_of(one.invoice_number.as_str()) == bill_of(order.invoice_number.as_str())
}

impl World {
    /// DOKU has just handled a request: no bill has two codes that counters take, and no code stands for two orders.
    pub fn called(&self) {
        let (model, now) = (self.model(), self.time.now());
        let mut judged = self.calls_judged.lock().unwrap();
        let new = &model.calls()[*judged..];
        *judged = model.calls().len();
        let mut bodies = self.bodies.lock().unwrap();
        for call in new {
            let first = bodies.entry(call.request_id.clone()).or_insert_with(|| call.body_digest.clone());
            assert_eq!(*first, call.body_digest, "{}: one Request-Id with two bodies (I4)", self.context());
            assert_ne!(call.handling, Handling::IdReused, "{}: (I4)", self.context());
        }
        let processed: Vec<&Call> = new.iter().filter(|call| call.handling == Handling::Processed).collect();
        if processed.is_empty() {
            return;
        }
        let mut record = self.record.lock().unwrap();
        for call in processed {
            let order = call.invoice_number.as_ref().and_then(|number| model.order(number.as_str())).unwrap();
            let earlier = model.orders().iter().filter(|one| is_earlier(one, order));
            let mut paid = earlier.flat_map(|one| one.payments.iter().map(move |payment| (one, payment)));
            // After its end no counter should have taken it.
            let paid = paid.find(|(one, payment)| payment.paid_at < one.expires_at);
            assert!(paid.is_none() || call.method != "POST", "{}: {} was made anew, paid: {paid:?}", self.context(), order.invoice_number);
            record.changes.push(change(Some(call), order));
        }
        drop(record);
        let (mut of_bill, mut of_code) = (HashMap::new(), HashMap::new());
        for order in model.orders().iter().filter(|order| order.is_payable(now)) {
            let (number, code) = (order.invoice_number.as_str(), order.payment_code.as_str());
            let other = of_bill.insert(bill_of(number), number);
            assert_eq!(other, None, "{}: {number} is payable beside another order of the same bill (I3)", self.context());
            let other = of_code.insert(code, number);
            assert_eq!(other, None, "{}: code {code} can be paid for {number} too (I11)", self.context());
        }
    }
}

/// A line of the record.
pub fn change(call: Option<&Call>, order: &Order) -> Change {
    let state = if order.state == OrderState::Live { "live" } else { "cancelled" };
    Change {
        call: call.map(|call| witness::Call { method: call.method.clone(), request_id: call.request_id.clone() }),
        order: witness::Order {
            invoice_number: order.invoice_number.to_string(),
            payment_code: order.payment_code.to_string(),
            channel: order.channel.name().to_owned(),
            amount: order.amount.get(),
            state: state.to_owned(),
            created_at: order.created_at,
            expires_at: order.expires_at,
            reusable: order.reusable,
            payments: order.payments.iter().map(|payment| witness::Payment { status: payment.status.clone() }).collect(),
        },
    }
}

/// The same by somebody who shares no code with the jobs: what the ledger says, beside what DOKU recorded.
fn two_accounts(world: &World, ledger: &MemoryLedger, is_excused: impl Fn(&Difference) -> bool) {
    let line = |(at, number, event): (Timestamp, InvoiceNumber, Event)| {
        let at = at.checked_sub(SignedDuration::from_secs(world.skew_seconds)).unwrap();
        serde_json::json!({"kind": "bill", "invoice_number": number, "at": at, "event": event}).to_string()
    };
    let lines: Vec<String> = ledger.events().into_iter().map(line).collect();
    for line in &lines {
        names_nobody(world, line);
    }
    let compared = compare(&Told::read(lines.join("\n").as_bytes()).unwrap(), &world.record.lock().unwrap());
    let differences: Vec<&Difference> = compared.differences.iter().filter(|one| !is_excused(one)).collect();
    assert!(differences.is_empty(), "{}: {differences:#?}", world.context());
}

/// No event and no reason has a customer's name, whoever has shown it to us, or our key.
fn names_nobody(world: &World, text: &str) {
    let is_clean = !text.to_lowercase().contains(CUSTOMER_FIRST_NAME) && !text.contains(SECRET);
    assert!(is_clean, "{}: (I22) {text}", world.context());
}

/// What must be so whenever no process of ours runs, however it ended.
pub fn at_rest(world: &World, ledger: &MemoryLedger) {
    let context = world.context();
    let model = world.model();
    bills::are_intended(model.calls(), ledger, &context);
    let known = bills::all_of(ledger);
    for order in model.orders() {
        let bill = bill_of(order.invoice_number.as_str());
        assert!(known.keys().any(|number| number.as_str() == bill), "{context}: order {} is of no bill (I7)", order.invoice_number);
    }
    // The rate, as DOKU's front door would see it.
    let mut left_us = world.left_us.lock().unwrap();
    let window_us = 1_000_000;
    for (at, begins_us) in left_us.iter().enumerate() {
        let within = left_us[at..].iter().take_while(|left| **left < begins_us + window_us).count() as u64;
        assert!(within <= BURST + RATE_PER_SECOND, "{context}: {within} requests left in one second (I18)");
    }
    left_us.clear();
}

/// What a run has reported is durable, and each of its rows ended once.
pub fn reported(world: &World, ledger: &MemoryLedger, bills: &[Bill], reported: &Reported, hosts: u64) {
    let (context, known) = (world.context(), bills::all_of(ledger));
    let rows = reported.rows.lock().unwrap();
    let distinct: HashSet<usize> = rows.iter().map(|(row, _)| *row).collect();
    assert_eq!(distinct.len(), rows.len(), "{context}: a row ended twice (I13)");
    if let Some(ends) = &*reported.ends.lock().unwrap() {
        assert_eq!((ends.len(), rows.len()), (bills.len(), bills.len()), "{context}: (I13)");
    }
    for (row, end) in rows.iter() {
        names_nobody(world, &end.reason);
        let number = &bills[*row].invoice_number;
        let status = known.get(number).map(|state| state.status);
        // Expired since, another host may have begun to issue it anew.
        let is_anew = |state: &BillState| {
            let (Some(open), Some(code)) = (&state.open, &state.code) else { return false };
            hosts > 1 && open.operation == OperationKind::Issue && open.wire_invoice_number != code.wire_invoice_number
        };
        let is_so = match end.bucket {
            Bucket::Issued | Bucket::Amended if known.get(number).is_some_and(is_anew) => true,
            // Paid meanwhile, its code may be another bill's already.
            Bucket::Issued | Bucket::Amended => matches!(status, Some(Status::Active | Status::Retired)),
            Bucket::Cancelled => status == Some(Status::Cancelled),
            _ => true,
        };
        assert!(is_so, "{context}: {number} was reported as {:?} and is {status:?} (I2)", end.bucket);
    }
}

/// What must be so once the weather has been calm for days.
pub fn in_the_end(world: &World, ledger: &MemoryLedger, ends: &[End], bills: &[Bill]) {
    let (context, known, now) = (world.context(), bills::all_of(ledger), world.time.now());
    let (model, paid) = (world.model(), world.paid.lock().unwrap());
    for order in model.orders() {
        let state = &known[bill_of(order.invoice_number.as_str())];
        let has_code = state.payment_codes().any(|code| *code == order.payment_code);
        let is_unknowable = is_unknowable(&paid, order, now) && (order.payments.is_empty() || state.open.is_some());
        let is_known = has_code || is_unknowable || is_paid_when_dead(order, state);
        assert!(is_known, "{context}: code {} of {} is lost (I7); {state:?}", order.payment_code, order.invoice_number);
        if order.is_payable(now) {
            let code = state.code.as_ref().unwrap();
            assert_eq!(code.answer.payment_code, order.payment_code, "{context}: {} (I10)", order.invoice_number);
            assert_eq!(state.status, Status::Active, "{context}: {} can be paid (I3)", order.invoice_number);
            assert_eq!(state.terms.amount, order.amount, "{context}: {} asks for another amount", order.invoice_number);
        }
    }
    let mut holders = HashMap::new();
    for state in known.values().filter(|state| state.status == Status::Active) {
        let code = &state.code.as_ref().unwrap().answer.payment_code;
        let is_live = state.expires_at().is_none_or(|end| end > now);
        let other = is_live.then(|| holders.insert(code.clone(), state.invoice_number.clone())).flatten();
        assert_eq!(other, None, "{context}: code {code} is live for {} as well (I11)", state.invoice_number);
    }
    for (bill, end) in bills.iter().zip(ends) {
        let order = model.orders().iter().rev().find(|order| bill_of(order.invoice_number.as_str()) == bill.invoice_number.as_str());
        let is_open = known.get(&bill.invoice_number).is_some_and(|state| state.open.is_some());
        let is_for_a_person = end.bucket == Bucket::Rejected || order.is_some_and(|order| is_unknowable(&paid, order, now));
        assert!(!is_open || is_for_a_person, "{context}: {} is open after days of calm: {end:?}", bill.invoice_number);
        if let (Some(order), tagih::domain::bill::Wanted::Cancelled) = (order, &bill.wanted) {
            let is_left = order.is_payable(now) && order.method != IssuanceMethod::Inquiry && end.bucket == Bucket::Cancelled;
            assert!(!is_left, "{context}: {} is reported as cancelled and can be paid", bill.invoice_number);
        }
        if end.bucket == Bucket::Cancelled {
            assert!(order.is_none_or(|order| order.state == OrderState::Cancelled || !order.is_payable(now)), "{context}");
        }
    }
    let unknowable: Vec<&str> = model
        .orders()
        .iter()
        .filter(|order| is_unknowable(&paid, order, now) || is_paid_when_dead(order, &known[bill_of(order.invoice_number.as_str())]))
        .map(|order| bill_of(order.invoice_number.as_str()))
        .collect();
    two_accounts(world, ledger, |difference| unknowable.contains(&bill_of(&difference.invoice_number)));
    drop((model, paid));
    rupiah(world, ledger);
}

/// Whether nothing has told its code, and nothing will: Check Status tells no code of one that DOKU made, and if no answer brought it, only
/// the notification of a payment does.
fn is_unknowable(paid: &BTreeMap<String, (Paid, bool)>, order: &Order, now: Timestamp) -> bool {
    let is_told = order.payments.iter().any(|payment| paid.get(&payment.transaction_id).is_some_and(|(_, is_told)| *is_told));
    order.method == IssuanceMethod::Doku && !order.is_payable(now) && !is_told
}

/// Whether its code was never told while it could be paid, and a counter took money for it all the same when the bill had given it up: that
/// is a payment, and nothing to be paid any more.
fn is_paid_when_dead(order: &Order, state: &BillState) -> bool {
    let is_unborn = state.former.iter().any(|former| former.wire_invoice_number == order.invoice_number && former.payment_code.is_none());
    is_unborn && order.payments.iter().all(|payment| payment.paid_at >= order.expires_at)
}

/// Rupiah by rupiah: what a notification that we acknowledged has told of is in the ledger once, and nothing that nobody paid is.
fn rupiah(world: &World, ledger: &MemoryLedger) {
    let context = world.context();
    let mut booked = Vec::new();
    now(now(ledger.view()).unwrap().visit_payments(|payment| booked.push(payment))).unwrap();
    let mut booked: Vec<_> =
        booked.iter().map(|payment| (payment.payment_code.as_str().to_owned(), payment.amount.get(), payment.paid_at)).collect();
    let paid = world.paid.lock().unwrap();
    let mut told: Vec<_> =
        paid.values().filter(|(_, is_told)| *is_told).map(|(paid, _)| (paid.payment_code.clone(), paid.amount, paid.at)).collect();
    booked.sort();
    told.sort();
    assert_eq!(booked, told, "{context}: what is booked (left) is not what was paid and told (right)");
}
