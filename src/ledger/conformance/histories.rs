//! Random legal histories, lived through in every store.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::lifecycle::HoldCause;

/// A random step: which bill, which of the events legal for it, how many seconds later.
type Step = (usize, prop::sample::Index, i64);

const BILLS: [&str; 4] = ["INV-1", "INV-2", "INV-3", "INV-4"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..BILLS.len(), any::<prop::sample::Index>(), 0..5_i64), 1..60)
}

/// Turns random steps into a legal history, folded beside it by hand.
fn history_of(steps: &[Step]) -> (Vec<NewEvent>, Vec<Payment>, BTreeMap<InvoiceNumber, BillState>) {
    let (mut entries, mut payments, mut states) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut second = 0;
    for (count, (bill, choice, pause)) in steps.iter().enumerate() {
        second += pause;
        let (invoice, before) = (BILLS[*bill], states.get(&number(BILLS[*bill])).cloned());
        if choice.index(5) == 0 {
            let identity = u8::try_from(payments.len() / 2).unwrap();
            let code = before.as_ref().and_then(|state: &BillState| state.code.as_ref());
            let code = code.map_or_else(|| "1".to_owned(), |code| code.answer.payment_code.as_str().to_owned());
            // A code is part of what makes a payment this one.
            let identity_of = digest::of_parts(&[&[identity], code.as_bytes()]);
            payments.push(Payment { identity: identity_of, canonical: identity_of, ..payment(identity, invoice, &code, second) });
        }
        let current = before.as_ref().map(|state| state.status);
        let refused = before.as_ref().and_then(|state| state.refusal.as_ref()).filter(|refusal| refusal.provisional.is_some());
        let may_reopen = |kind: &EventKind| match kind {
            EventKind::Reopened(operation) => refused.is_some_and(|refusal| refusal.operation == *operation),
            _ => true,
        };
        let legal: Vec<EventKind> =
            EventKind::ALL.into_iter().filter(|kind| next_status(current, *kind).is_some() && may_reopen(kind)).collect();
        if legal.is_empty() {
            continue;
        }
        let kind = legal[choice.index(legal.len())];
        let entry = entry_of(kind, invoice, second, count);
        let folded_at = Timestamp::from_microsecond(entry.at.as_microsecond()).unwrap();
        let state = BillState::apply(before, &entry.invoice_number, folded_at, &entry.event).unwrap();
        states.insert(entry.invoice_number.clone(), state);
        entries.push(entry);
    }
    (entries, payments, states)
}

fn entry_of(kind: EventKind, invoice: &str, second: i64, count: usize) -> NewEvent {
    let terms = RecordedTerms { reusable: count.is_multiple_of(3), ..terms(1_000 + u64::try_from(count).unwrap()) };
    let code = answer(&format!("9{count:04}"), (!count.is_multiple_of(4)).then(|| at(second + 20)));
    let reason = "because".to_owned();
    let event = match kind {
        EventKind::Intended(operation) => {
            return intended(invoice, second + i64::try_from(count).unwrap() * 1_000_000, operation, terms).with_at(second);
        }
        EventKind::Planned => Event::Planned { terms },
        EventKind::Adopted => Event::Adopted { terms, answer: code, wire_invoice_number: None },
        EventKind::NotSent => Event::NotSent { reason },
        EventKind::Accepted => {
            // An order may be of another amount than was asked for.
            let amount = count.is_multiple_of(3).then(|| Amount::new(7_000 + u64::try_from(count).unwrap()).unwrap());
            Event::Accepted { answer: code, replayed: false, amount, remark: None }
        }
        EventKind::Rejected => Event::Rejected { code: "E".into(), reason, provisional: count.is_multiple_of(2) },
        EventKind::Doubted => {
            Event::Doubted { reason, answered: count.is_multiple_of(2), refusal: count.is_multiple_of(3).then(|| "E".into()) }
        }
        EventKind::DoubtEnded(verdict) => {
            let answer = (verdict == DoubtVerdict::Done && count.is_multiple_of(2)).then_some(code);
            Event::DoubtEnded { verdict, answer, by: "status".into(), reason, unsettled_since: None }
        }
        EventKind::Retired => Event::Retired { reason },
        EventKind::Noted => Event::Noted { terms },
        EventKind::Checked => {
            let identity = u8::try_from(count % 5).unwrap();
            let request_id = RequestId::from_digest(&digest::of_parts(&[invoice.as_bytes(), &[identity]]));
            let payment = count.is_multiple_of(2).then(|| FoundPayment { request_id, ..found(identity, invoice, second) });
            let order = number(&format!("{invoice}-R{}", count % 3));
            let body = payment.as_ref().map(|found| (found.request_id, b"answer".to_vec()));
            let event =
                Event::Checked { order, word: Word::Success, chosen: count.is_multiple_of(3), payment, details: StatusDetails::default() };
            return NewEvent { private: Private { body, customer: None }, ..entry(invoice, second, event) };
        }
        EventKind::Repeated => Event::Repeated,
        EventKind::Reopened(operation) => Event::Reopened { operation, reason },
        EventKind::Held => Event::Held { cause: HoldCause::NotUnderstood, reason, evidence: String::new() },
        EventKind::Released => Event::Released { by: "person".into(), reason },
        EventKind::Aliased => Event::Aliased { number: number(&format!("{invoice}-I{count}")) },
        EventKind::Registered(operation) => Event::Registered { operation, terms, answer: code },
    };
    entry(invoice, second, event)
}

impl NewEvent {
    fn with_at(self, second: i64) -> Self {
        Self { at: at(second), ..self }
    }
}

/// Scope by the words of the trait, without the stores' own rule.
fn counted_by_hand(
    states: &BTreeMap<InvoiceNumber, BillState>,
    payments: &[Payment],
    from: Timestamp,
    as_of: Timestamp,
    grace: i64,
) -> (u64, i128) {
    let mut totals = (0, 0);
    for state in states.values() {
        let code = state.code.as_ref();
        let own = |payment: &&Payment| {
            let had = state.former.iter().any(|order| order.payment_code.as_ref() == Some(&payment.payment_code));
            payment.invoice_number == state.invoice_number
                && code.is_none_or(|code| had || code.answer.payment_code == payment.payment_code)
        };
        let first_paid = payments.iter().filter(own).map(|payment| payment.paid_at).min();
        // While another code is being asked for, when it expires is not known yet.
        let asked_anew = matches!(state.status, Status::Requested | Status::InDoubt(OperationKind::Issue));
        let expires_at = code.filter(|_| !asked_anew).and_then(|code| code.answer.expires_at);
        let expiry = expires_at.map(|expiry| expiry + SignedDuration::from_mins(grace));
        let closed = [state.cancelled_at, expiry, first_paid.filter(|_| !state.terms.reusable)];
        let as_kept = |at: Timestamp| at.as_microsecond();
        if as_kept(state.planned_at) <= as_kept(as_of) && closed.into_iter().flatten().all(|closed| as_kept(closed) >= as_kept(from)) {
            totals.0 += 1;
            totals.1 += i128::from(state.terms.amount.get());
        }
    }
    totals
}

/// Feeds a history in calls of varying size, payments in between, and checks what the trait lets us see.
fn lives_through(ledger: &impl Ledger, steps: &[Step]) -> LedgerHead {
    let (entries, payments, states) = history_of(steps);
    let mut known = std::collections::HashSet::new();
    let unique: Vec<Payment> = payments.iter().filter(|payment| known.insert(payment.identity)).cloned().collect();
    let half = payments.len() / 2;
    wait(ledger.apply_payments(&payments[..half])).unwrap();
    for part in entries.chunks(3) {
        let folded = wait(ledger.record(part.to_vec())).unwrap();
        assert_eq!(folded.len(), part.len());
    }
    let applied = wait(ledger.apply_payments(&payments[half..])).unwrap();
    assert!(usize::try_from(applied.new).unwrap() <= unique.len());
    let snapshot = whole(ledger);
    // Where its last event stands is the store's to say, and not the fold's.
    let folded = |(number, state)| (number, BillState { last_event: 0, ..state });
    assert_eq!(snapshot.bills.clone().into_iter().map(folded).collect::<BTreeMap<_, _>>(), states);
    assert_eq!(snapshot.payments.len(), unique.len());
    assert_eq!(usize::try_from(snapshot.head.sequence).unwrap(), entries.len() + unique.len());
    let told: u64 = states.values().flat_map(|state| &state.checks).map(|checks| u64::try_from(checks.found.len()).unwrap()).sum();
    assert_eq!(ask!(ledger, totals(at(1000))).told, Sum { count: told, rupiah: Rupiah::new(150_000 * i128::from(told)) });
    for (from, as_of, grace) in [(0, 1000, 0), (30, 1000, 0), (90, 100, 1), (40, 20, 0), (100, 1000, 1)] {
        let totals = ask!(ledger, scope_totals(at(from), at(as_of), grace));
        assert_eq!((totals.count, totals.rupiah.get()), counted_by_hand(&states, &unique, at(from), at(as_of), grace), "from {from}");
    }
    snapshot.head
}

/// Every question, answered by `ledger`, in words.
fn answers(ledger: &impl Ledger) -> Vec<String> {
    wait(async {
        let view = ledger.view().await.unwrap();
        let numbers: Vec<InvoiceNumber> = BILLS.iter().map(|bill| number(bill)).chain([number("INV-1-R1")]).collect();
        let paid: BTreeMap<_, _> = view.paid(&numbers).await.unwrap().into_iter().collect();
        let (mut silent, mut unpaid) = (Vec::new(), Vec::new());
        view.visit_silent(at(40), |state| silent.push(state.invoice_number)).await.unwrap();
        view.visit_unpaid(|state| {
            unpaid.push(state.invoice_number);
            true
        })
        .await
        .unwrap();
        silent.sort();
        unpaid.sort();
        let mut found = vec![
            format!("{:?}", view.head().await.unwrap()),
            format!("{:?}", view.totals(at(40)).await.unwrap()),
            format!("{paid:?} {silent:?} {unpaid:?}"),
            format!("{:?}", view.marks(&numbers.iter().collect::<Vec<_>>()).await.unwrap()),
            format!("{:?}", view.held(&numbers.iter().collect::<Vec<_>>()).await.unwrap()),
            format!("{:?}", view.open_bills().await.unwrap()),
            format!("{:?}", view.oldest_doubt().await.unwrap()),
            format!("{:?}", view.remarkable().await.unwrap()),
            format!("{:?}", view.highest_code("", 1).await.unwrap()),
        ];
        for bill in BILLS {
            let state = view.bill(&number(bill)).await.unwrap();
            let names = state.as_ref().map(Names::of).unwrap_or_default();
            found.push(format!("{:?}", view.bills_about(&names).await.unwrap()));
            found.push(format!("{:?}", view.payments_about(&names).await.unwrap()));
            found.push(format!("{:?}", view.bills_beginning(bill).await.unwrap()));
        }
        found
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_legal_history_folds_alike_in_every_store_and_verifies(steps in steps()) {
        let (folder, sqlite) = new_sqlite();
        let memory = MemoryLedger::bound_to(&binding());
        let head = lives_through(&sqlite, &steps);
        prop_assert_eq!(head, lives_through(&memory, &steps));
        prop_assert_eq!(answers(&sqlite), answers(&memory));

        let mut exported = Vec::new();
        prop_assert_eq!(sqlite.export(&mut exported).unwrap(), head);
        prop_assert_eq!(refolded(&exported), whole(&sqlite).bills.into_iter().collect::<BTreeMap<_, _>>());
        let report = SqliteLedger::verify_against(&folder.path().join("ledger.db"), &Seals::UNKEYED, &head).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.findings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_legal_history_is_the_same_ledger_in_a_file_and_in_a_database(steps in steps()) {
        let (_folder, sqlite) = new_sqlite();
        let (_url, postgres) = new_postgres();
        let head = lives_through(&postgres, &steps);
        prop_assert_eq!(head, lives_through(&sqlite, &steps));
        prop_assert_eq!(answers(&postgres), answers(&sqlite));

        let (mut of_file, mut of_database) = (Vec::new(), Vec::new());
        prop_assert_eq!(sqlite.export(&mut of_file).unwrap(), head);
        prop_assert_eq!(wait(postgres.export(&mut of_database)).unwrap(), head);
        prop_assert!(of_file == of_database);
        let report = wait(postgres.verify(Some(&head))).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.findings);
    }
}

/// The fold of an export's lines.
fn refolded(exported: &[u8]) -> BTreeMap<InvoiceNumber, BillState> {
    let mut states = BTreeMap::new();
    for line in std::str::from_utf8(exported).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "bill" {
            let invoice = number(line["invoice_number"].as_str().unwrap());
            let event: Event = serde_json::from_value(line["event"].clone()).unwrap();
            let state = BillState::apply(states.remove(&invoice), &invoice, line["at"].as_str().unwrap().parse().unwrap(), &event).unwrap();
            states.insert(invoice, BillState { last_event: line["sequence"].as_u64().unwrap(), ..state });
        }
    }
    states
}
