//! Bills, their terms, and what becomes of them, as plain as can be: a test names only what it is about, and takes the rest from here.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use tagih::domain::amount::Amount;
use tagih::domain::bill::{Customer, Expiry, Policy, RecordedTerms, Terms};
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::digest;
use tagih::domain::doubt::{NotFound, Patience};
use tagih::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use tagih::domain::lifecycle::{BillState, CodeAnswer, Event, OperationKind};
use tagih::domain::personal::Personal;
use tagih::ledger::memory::MemoryLedger;
use tagih::ledger::{Binding, Create, Ledger as _, LedgerView as _, Seals, SqliteLedger};
use tagih::random::MachineRandomness;
use tagih::sandbox::record::Call;

/// What every request said, as far as these ledgers know.
pub const BODY: &[u8] = b"{}";
/// Of every customer, written small: their names are to stand nowhere.
pub const CUSTOMER_FIRST_NAME: &str = "kenari";

pub fn invoice(number: &str) -> InvoiceNumber {
    InvoiceNumber::new(number).unwrap()
}

pub fn code(code: &str) -> PaymentCode {
    PaymentCode::new(code).unwrap()
}

/// A code of DOKU's making for Alfa, for a day.
pub fn terms(rupiah: u64) -> Terms {
    Terms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(rupiah).unwrap(),
        expiry: Expiry::Minutes(1_440),
        reusable: false,
        customer: Customer { name: Personal::new("Kenari Rahma"), email: None, account_name: None },
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    }
}

/// The same as a ledger has it, of somebody whose name nobody knows.
pub fn recorded(rupiah: u64) -> RecordedTerms {
    let Terms { channel, method, payment_code, amount, expiry, reusable, policy, .. } = terms(rupiah);
    RecordedTerms {
        channel,
        method,
        payment_code,
        amount,
        expiry,
        reusable,
        name_digest: "n".into(),
        email_digest: String::new(),
        account_name_digest: String::new(),
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy,
        bill_group: None,
        additional: None,
    }
}

/// What DOKU says of a code, times apart.
pub fn answer(payment_code: &str) -> CodeAnswer {
    CodeAnswer { payment_code: code(payment_code), created_at: None, expires_at: None, how_to_pay_page: None, how_to_pay_api: None }
}

/// A call is about to leave, under an id that is made of `seed`.
pub fn intended(operation: OperationKind, terms: &RecordedTerms, number: &str, seed: &str) -> Event {
    Event::Intended {
        operation,
        terms: terms.clone(),
        request_id: RequestId::from_digest(&digest::of_bytes(seed.as_bytes())),
        wire_invoice_number: invoice(number),
        body_digest: digest::hex(&digest::of_bytes(BODY)),
    }
}

/// DOKU has done it.
pub fn accepted(answer: CodeAnswer) -> Event {
    Event::Accepted { answer, replayed: false, amount: None, remark: None }
}

/// How long a doubt is waited out, by default.
pub fn patience() -> Patience {
    Patience {
        not_found: NotFound::WithControl,
        not_found_minutes: 1_440,
        unchanged_minutes: 60,
        grace_minutes: 60,
        cancelled_words: Vec::new(),
    }
}

/// The ledger in a file, made if there is none.
pub fn ledger(path: &Path, client: &str) -> SqliteLedger {
    SqliteLedger::open(path, &binding(client), Create::IfMissing, &MachineRandomness).unwrap()
}

/// A ledger of this client's for DOKU's sandbox.
pub fn binding(client: &str) -> Binding {
    Binding { environment: "sandbox".into(), client_id: client.into(), seals: Seals::UNKEYED }
}

/// Waits for a store to answer.
pub fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

/// The answer of a store that never lets one wait.
pub fn now<T>(answer: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(answer).unwrap()
}

/// Every bill, as no job may ask for them.
pub fn all_of(ledger: &MemoryLedger) -> BTreeMap<InvoiceNumber, BillState> {
    let mut bills = BTreeMap::new();
    now(now(ledger.view()).unwrap().visit_bills(|state| drop(bills.insert(state.invoice_number.clone(), state)))).unwrap();
    bills
}

/// DOKU has seen nothing that the ledger did not have before (I1).
#[track_caller]
pub fn are_intended(calls: &[Call], ledger: &MemoryLedger, context: &str) {
    let id =
        |(_, _, event): (_, _, Event)| if let Event::Intended { request_id, .. } = event { Some(request_id.to_string()) } else { None };
    let intents: HashSet<String> = ledger.events().into_iter().filter_map(id).collect();
    for call in calls {
        assert!(intents.contains(&call.request_id), "{context}: DOKU saw {} without a durable intent (I1)", call.request_id);
    }
}
