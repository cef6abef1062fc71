//! What must hold between a ledger and the record of the one it spoke to.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Difference, Invariant};
use super::ledger::{Bill, End, Operation, Told};
use super::record::{Change, Order, Record};

/// Everything that does not hold.
pub(super) fn differences(ledger: &Told, record: &Record) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let carried_out = found.changes(ledger, record);
    let mut orders: BTreeMap<&str, &Change> = BTreeMap::new();
    for change in &record.changes {
        orders.insert(&change.order.invoice_number, change);
    }
    for (invoice_number, bill) in &ledger.bills {
        // What did not leave at first is meant again under the same id; the last says how it ended.
        let last: BTreeMap<&str, &Operation> = bill.operations.iter().map(|operation| (operation.request_id.as_str(), operation)).collect();
        for operation in last.into_values() {
            let order = orders.get(operation.wire_invoice_number.as_str()).map(|change| &change.order);
            // Unpayable is all that a cancellation wants: whose order was found at its end is done, whoever ended it.
            let has_found_expired = order.is_some_and(|order| operation.has_found_expired(order.expires_at));
            // And what Check Status shows may have been done under the id it was meant under before.
            let before = operation.before.as_deref().filter(|_| operation.asked_at.is_some());
            let was_done_before = before.is_some_and(|before| carried_out.contains_key(before));
            let has_found_paid = order.is_some_and(|order| operation.has_found_paid() && order.is_paid());
            match carried_out.get(operation.request_id.as_str()) {
                None if has_found_expired || was_done_before => {}
                Some(_) if has_found_paid => {}
                change => found.operation(invoice_number, operation, change.copied()),
            }
        }
    }
    for (wire, change) in &orders {
        if let Some((invoice_number, bill)) = ledger.wires.get(*wire).and_then(|number| ledger.bills.get_key_value(number)) {
            found.order(invoice_number, bill, &change.order);
        }
    }
    for (invoice_number, bill) in &ledger.bills {
        found.live(invoice_number, bill, &orders);
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, invariant: Invariant, invoice_number: &str, what: String) {
        self.0.push(Difference { invariant, invoice_number: invoice_number.to_owned(), what });
    }

    /// Each change by the `Request-Id` that asked for it; and what must hold while they happen.
    fn changes<'r>(&mut self, ledger: &Told, record: &'r Record) -> BTreeMap<&'r str, &'r Change> {
        let mut carried_out: BTreeMap<&str, &Change> = BTreeMap::new();
        let mut orders: BTreeMap<&str, &Order> = BTreeMap::new();
        let mut of_bill: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut of_code: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for change in &record.changes {
            let order = &change.order;
            let Order { invoice_number, payment_code, created_at, .. } = order;
            let Some(call) = &change.call else {
                orders.insert(invoice_number, order);
                continue;
            };
            let bill = ledger.sent.get(&call.request_id);
            // What was adopted was made before the ledger, by whomever.
            if bill.is_none() && !ledger.is_adopted(invoice_number) {
                let what = format!("{} {} was carried out, and the ledger never meant to send it", call.method, call.request_id);
                self.add(Invariant(1), invoice_number, what);
            }
            if carried_out.insert(&call.request_id, change).is_some() {
                self.add(Invariant(4), invoice_number, format!("{} was carried out twice", call.request_id));
            }
            let is_made = call.method == "POST";
            if is_made && orders.contains_key(invoice_number.as_str()) {
                self.add(Invariant(3), invoice_number, "was made twice".to_owned());
            }
            let others = bill.map(|bill| of_bill.entry(bill).or_default());
            let live = |other: &&&str| **other != invoice_number && orders.get(**other).is_some_and(|other| other.is_live(*created_at));
            for other in others.iter().flat_map(|others| others.iter()).filter(live).filter(|_| is_made) {
                self.add(Invariant(3), invoice_number, format!("was made while {other} of the same bill could be paid"));
            }
            let with_code = of_code.entry(payment_code).or_default();
            for other in with_code.iter().filter(live).filter(|_| is_made) {
                self.add(Invariant(11), invoice_number, format!("has the code {payment_code} while {other} has it"));
            }
            with_code.insert(invoice_number);
            if let Some(others) = others {
                others.insert(invoice_number);
            }
            orders.insert(invoice_number, order);
        }
        carried_out
    }

    /// What the ledger says of an operation, and whether it was carried out.
    fn operation(&mut self, invoice_number: &str, operation: &Operation, change: Option<&Change>) {
        let Operation { request_id, kind, wire_invoice_number, end, payment_code, .. } = operation;
        match (end, change) {
            (End::Done, None) => {
                self.add(Invariant(24), invoice_number, format!("the ledger has its {kind} {request_id} as done, and nothing was"));
            }
            (End::NotDone, Some(_)) => {
                self.add(
                    Invariant(24),
                    invoice_number,
                    format!("the ledger has its {kind} {request_id} as not done, and it was carried out"),
                );
            }
            (End::Open | End::NotDone | End::Over, None) | (End::Done | End::Open | End::Over, Some(_)) => {}
        }
        let Some(Change { order, .. }) = change else { return };
        if order.invoice_number != *wire_invoice_number {
            let what = format!("{request_id} was meant for {wire_invoice_number}, and {} was changed", order.invoice_number);
            self.add(Invariant(10), invoice_number, what);
        }
        if let Some(code) = payment_code.as_ref().filter(|code| **code != order.payment_code) {
            self.add(
                Invariant(10),
                invoice_number,
                format!("the ledger has the code {code} from {request_id}, and it made {}", order.payment_code),
            );
        }
    }

    /// Whether the ledger knows the code of an order, or will.
    fn order(&mut self, invoice_number: &str, bill: &Bill, order: &Order) {
        let is_asked = bill.open().is_some_and(|open| open.kind == "issue" && open.wire_invoice_number == order.invoice_number);
        let is_over = |one: &Operation| one.wire_invoice_number == order.invoice_number && one.end == End::Over;
        let is_over = order.payments.is_empty() && bill.operations.iter().any(is_over);
        if !bill.codes.contains(&order.payment_code) && !is_asked && !is_over {
            self.add(Invariant(7), invoice_number, format!("its code {} ({}) is lost", order.payment_code, order.invoice_number));
        }
    }

    /// Whether what asks for money at the one asks for the same at the other. While an operation is open nobody can say.
    fn live(&mut self, invoice_number: &str, bill: &Bill, orders: &BTreeMap<&str, &Change>) {
        if bill.open().is_some() {
            return;
        }
        let order = |wire: &str| orders.get(wire).map(|change| &change.order);
        if let Some(live) = &bill.live {
            let Some(order) = order(&live.wire_invoice_number) else {
                // Of what was sent and called done, its operation tells that.
                if bill.adopted_as.as_ref() == Some(&live.wire_invoice_number) {
                    self.add(Invariant(10), invoice_number, format!("its adopted code {} is of no order at DOKU", live.payment_code));
                }
                return;
            };
            let expires_at = live.expires_at.unwrap_or(order.expires_at);
            let is_paid_anyway = order.is_paid() && bill.operations.last().is_some_and(Operation::has_found_paid);
            let state = if is_paid_anyway { "live" } else { &order.state };
            let kind = |is_reusable: bool| if is_reusable { "any number of times" } else { "once" }.to_owned();
            for (what, ledger, doku) in [
                ("its code", live.payment_code.clone(), order.payment_code.clone()),
                ("rupiah", live.terms.amount.to_string(), order.amount.to_string()),
                ("where it is paid", live.terms.channel.clone(), order.channel.clone()),
                ("how often it is paid", kind(live.terms.reusable), kind(order.reusable)),
                ("its state", "live".to_owned(), state.to_owned()),
                ("its end", expires_at.to_string(), order.expires_at.to_string()),
            ] {
                if ledger != doku {
                    self.add(Invariant(2), invoice_number, format!("{what}: {ledger} in the ledger, {doku} at DOKU"));
                }
            }
        }
        let last = bill.operations.iter().rev().find(|operation| operation.end == End::Done).filter(|_| bill.is_cancelled);
        let last = last.and_then(|last| order(&last.wire_invoice_number).filter(|order| !last.has_found_expired(order.expires_at)));
        if let Some(order) = last.filter(|order| order.state == "live") {
            self.add(Invariant(2), invoice_number, format!("cancelled in the ledger, and {} is live at DOKU", order.invoice_number));
        }
    }
}
