//! Operations against a scripted DOKU: what happens beside, between and after the attempts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use super::*;
use crate::doku::answer::{SignaturePolicy, Trust, UnsignedErrors};
use crate::doku::wire::{Answer, Delivery, WireRequest};
use crate::domain::amount::Amount;
use crate::domain::bill::{Customer, Expiry, Policy, Terms, Wanted};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::doubt::{NotFound, Patience};
use crate::domain::ids::{PaymentCode, RequestId};
use crate::domain::lifecycle::{CodeAnswer, DoubtVerdict, Event, OperationKind, Remark, Status};
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::domain::plan::{AmendBase, Minting, Rules};
use crate::gateway::pacing::{Pacer, Rate, RealTime};
use crate::gateway::retry::RetryPolicy;
use crate::jobs::caller::Caller;
use crate::jobs::stop::{Stop, StopReason};
use crate::jobs::watch::Watch;
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Basis, NewEvent, Private};

mod amounts;
mod border;
mod local;
mod numbers;

/// What the scripted DOKU does with the next request.
enum Act {
    /// Answers with this status and body.
    Say(u16, String),
    /// Says nothing in time.
    Silence,
    /// The stop is asked for while this answer is on its way.
    StopThenSay(u16, String),
    /// A notification with this code is ingested by another process before this answer arrives.
    IngestThenSay(&'static str, u16, String),
}

/// DOKU, a ledger and a clock, all in this process.
struct Office {
    ledger: MemoryLedger,
    now: AtomicI64,
    script: Mutex<VecDeque<Act>>,
    seen: Mutex<Vec<WireRequest>>,
    stop: Mutex<std::sync::Arc<Stop>>,
    reissues: bool,
    suffix: &'static str,
}

impl Gateway for Office {
    async fn send(&self, request: &WireRequest) -> Delivery {
        self.seen.lock().unwrap().push(request.clone());
        let act = self.script.lock().unwrap().pop_front();
        let (status, body) = match act.unwrap_or_else(|| panic!("{} was not expected", request.path)) {
            Act::Silence => return Delivery::Unknown("no answer".into()),
            Act::Say(status, body) => (status, body),
            Act::StopThenSay(status, body) => {
                self.stop.lock().unwrap().ask(StopReason::Signal(143));
                (status, body)
            }
            Act::IngestThenSay(code, status, body) => {
                let event = Event::DoubtEnded {
                    verdict: DoubtVerdict::Done,
                    answer: Some(answer(code, None)),
                    by: "notification".into(),
                    reason: String::new(),
                    unsettled_since: None,
                };
                self.ledger.record(vec![entry(self.clock(), event)]).await.unwrap();
                (status, body)
            }
        };
        let asked = request.path.rsplit('/').next().unwrap_or_default();
        let asked = if RequestId::parse(asked).is_some() { "INV/1" } else { asked };
        let body = body.replace(ORDER_ASKED_ABOUT, asked);
        Delivery::Answered(Answer { status, body: body.into(), ..Answer::default() })
    }
}

impl Office {
    fn new() -> Self {
        Self {
            ledger: MemoryLedger::new(),
            now: AtomicI64::new(1_790_000_000),
            script: Mutex::default(),
            seen: Mutex::default(),
            stop: Mutex::default(),
            reissues: false,
            suffix: "-R",
        }
    }

    fn clock(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::Relaxed)).unwrap()
    }

    fn after_minutes(&self, minutes: i64) -> &Self {
        self.now.fetch_add(minutes * 60, Ordering::Relaxed);
        self
    }

    fn state(&self, invoice: &str) -> BillState {
        now(self.ledger.bill(&number(invoice))).unwrap().unwrap()
    }

    /// Runs `bills` while DOKU does as `script` says, to its last word.
    fn run(&self, bills: &[Bill], script: Vec<Act>) -> Result<Vec<End>, RunError<Infallible>> {
        *self.script.lock().unwrap() = script.into();
        let stop = std::sync::Arc::new(Stop::default());
        *self.stop.lock().unwrap() = stop.clone();
        let mut settings = settings();
        settings.rules.reissue_expired = self.reissues;
        settings.rules.reissue_suffix = self.suffix.into();
        let rate = Rate { per_second: 100_000.try_into().unwrap(), burst: 1_000.try_into().unwrap() };
        let (pacer, watch) = (Pacer::new(rate, RealTime::default()), Watch::new(0));
        let retry = RetryPolicy { attempts_max: 2, base_ms: 0, cap_ms: 0, pause_max_seconds: 300 };
        let issuing = Issuing {
            ledger: &self.ledger,
            caller: Caller {
                gateway: self,
                pacer: &pacer,
                watch: &watch,
                stop: &stop,
                retry,
                randomness: &crate::random::MachineRandomness,
            },
            settings: &settings,
            clock: &|| self.clock(),
            controls: tokio::sync::Mutex::default(),
            looked_over: tokio::sync::OnceCell::new(),
            badly_signed: AtomicU64::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ends = runtime.block_on(issuing.run(bills, &|_, _| {}));
        assert!(self.script.lock().unwrap().is_empty(), "not every act of the script was asked for");
        ends.map(|ends| (0..bills.len()).map(|row| ends.get(row).unwrap().clone()).collect())
    }

    /// The one row's end.
    fn end(&self, bill: Bill, script: Vec<Act>) -> End {
        self.run(&[bill], script).unwrap().remove(0)
    }
}

/// The answer of a ledger that never lets one wait.
fn now<T>(answer: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(answer).unwrap()
}

fn settings() -> IssueSettings {
    IssueSettings {
        environment: "sandbox".into(),
        client_id: "MCH-1".into(),
        paths: crate::config::resolve(None, [], &[]).unwrap().doku.paths,
        request_id_key: [0; 32],
        info_key: crate::doku::info::InfoKey::Info,
        trust: Trust { policy: SignaturePolicy::Off, unsigned_errors: UnsignedErrors::Accept },
        rules: Rules { reissue_expired: false, reissue_suffix: "-R".into(), reissue_grace_minutes: 60, retry_rejected: false },
        amend_base: AmendBase::Amendment,
        cancel_name: None,
        replay_window_minutes: 1_440,
        patience: Patience {
            not_found: NotFound::WithControl,
            not_found_minutes: 1_440,
            unchanged_minutes: 60,
            grace_minutes: 60,
            cancelled_words: Vec::new(),
        },
        in_flight_max: 1,
    }
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

fn entry(at: Timestamp, event: Event) -> NewEvent {
    NewEvent { invoice_number: number("I"), at, event, basis: Basis::Any, private: Private::default() }
}

fn answer(code: &str, expires_at: Option<Timestamp>) -> CodeAnswer {
    CodeAnswer { payment_code: PaymentCode::new(code).unwrap(), created_at: None, expires_at, how_to_pay_page: None, how_to_pay_api: None }
}

fn row(invoice: &str, rupiah: u64) -> Bill {
    with_code(invoice, rupiah, None)
}

fn with_code(invoice: &str, rupiah: u64, code: Option<&str>) -> Bill {
    let terms = Terms {
        channel: Channel::Alfa,
        method: if code.is_some() { IssuanceMethod::Merchant } else { IssuanceMethod::Doku },
        payment_code: code.map(|code| PaymentCode::new(code).unwrap()),
        amount: Amount::new(rupiah).unwrap(),
        expiry: Expiry::Minutes(600),
        reusable: false,
        customer: Customer { name: Personal::new("Siti Rahma"), email: Some(Personal::new("siti@example.com")), account_name: None },
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    };
    Bill { invoice_number: number(invoice), wanted: Wanted::Live(Box::new(terms)) }
}

fn cancel(invoice: &str) -> Bill {
    Bill { invoice_number: number(invoice), wanted: Wanted::Cancelled }
}

/// A success for `invoice`, payable for 600 minutes from the office's first moment.
fn yes(invoice: &str, code: &str) -> Act {
    Act::Say(200, success(invoice, code, 1_790_000_000))
}

fn success(invoice: &str, code: &str, from_second: i64) -> String {
    let expires_at = Timestamp::from_second(from_second + 36_000).unwrap();
    format!(
        r#"{{"order":{{"invoice_number":"{invoice}"}},"online_to_offline_info":{{"payment_code":"{code}","expired_date_utc":"{expires_at}"}}}}"#
    )
}

fn no(words: &str) -> Act {
    Act::Say(400, format!(r#"{{"error":{{"message":"{words}"}}}}"#))
}

/// A verified payment of `invoice` with `code`.
fn payment(office: &Office, invoice: &str, code: &str) -> Payment {
    Payment {
        identity: crate::domain::digest::of_bytes(invoice.as_bytes()),
        canonical: crate::domain::digest::of_bytes(invoice.as_bytes()),
        invoice_number: number(invoice),
        payment_code: PaymentCode::new(code).unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(100).unwrap(),
        paid_at: office.clock(),
        received_at: None,
        line_digest: [0; 32],
    }
}

/// Stands in a status answer for the order that was asked about.
const ORDER_ASKED_ABOUT: &str = "(asked)";

fn status(word: &str, rupiah: u64) -> String {
    format!(r#"{{"transaction":{{"status":"{word}"}},"order":{{"invoice_number":"{ORDER_ASKED_ABOUT}","amount":{rupiah}}}}}"#)
}

fn seen(word: &str, rupiah: u64) -> Act {
    Act::Say(200, status(word, rupiah))
}

#[test]
fn a_notification_ingested_while_the_status_is_asked_does_not_stop_the_run() {
    let office = Office::new();
    let ingested = Act::IngestThenSay("77", 200, status("EXPIRED", 100));
    let end = office.run(&[row("I", 100)], vec![Act::Silence, Act::Silence, ingested]).unwrap().remove(0);
    assert_eq!((end.bucket, office.state("I").status), (Bucket::Unchanged, Status::Active));
    assert_eq!(office.state("I").code.unwrap().answer.payment_code.as_str(), "77", "the notification stands");
}

#[test]
fn an_order_unchanged_just_after_a_replay_proves_nothing_however_old_the_operation_is() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    let doubt = office.end(row("I", 200), vec![Act::Silence, Act::Silence, seen("PENDING", 100)]);
    assert_eq!(doubt.bucket, Bucket::InDoubt);
    // The replay may still be on its way to DOKU when the status is asked.
    let still = office.after_minutes(90).end(row("I", 200), vec![Act::Silence, Act::Silence, seen("PENDING", 100)]);
    assert_eq!((still.bucket, office.state("I").status), (Bucket::InDoubt, Status::InDoubt(OperationKind::Amend)));
}

#[test]
fn a_changed_row_whose_doubt_was_settled_as_the_run_was_stopped_is_not_reported_done() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    office.end(row("I", 200), vec![Act::Silence, Act::Silence, seen("PENDING", 100)]);
    let last_word = Act::StopThenSay(409, success("I", "7", 1_790_000_000));
    let end = office.end(row("I", 300), vec![last_word]);
    assert_eq!((end.bucket, office.state("I").terms.amount.get()), (Bucket::Deferred, 200), "300 is still to be asked for");
}

#[test]
fn a_cancellation_that_a_payment_forestalled_is_not_reported_as_expired() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    let end = office.end(cancel("I"), vec![Act::Silence, Act::Silence, seen("SUCCESS", 100), no("the order is paid")]);
    assert_eq!((end.bucket, end.reason.as_str()), (Bucket::Rejected, "HTTP 400: the order is paid"));
}

#[test]
fn a_refusal_of_a_cancellation_in_doubt_may_come_of_its_own_first_attempt() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    let end = office.end(cancel("I"), vec![Act::Silence, no("the code is not active"), seen("EXPIRED", 100)]);
    assert_eq!((end.bucket, office.state("I").status), (Bucket::Cancelled, Status::Cancelled));
}

#[test]
fn an_order_whose_number_fits_no_path_is_asked_after_by_the_request_that_made_it() {
    let office = Office::new();
    office.end(row("INV/1", 100), vec![yes("INV/1", "7")]);
    office.end(cancel("INV/1"), vec![Act::Silence, Act::Silence, seen("PENDING", 100)]);
    let requests = office.seen.lock().unwrap();
    let (issue, query) = (requests.first().unwrap(), requests.last().unwrap());
    assert_eq!(query.path, format!("/orders/v1/status/{}", issue.request_id));
}

#[test]
fn what_doku_repeats_of_the_customer_reaches_neither_report_nor_ledger() {
    let office = Office::new();
    let end = office.end(row("I", 100), vec![no("customer SITI RAHMA, siti@example.com is not valid")]);
    assert_eq!(end.reason, "HTTP 400: customer ***, *** is not valid");
    let told = format!("{:?}", office.ledger.events()).to_lowercase();
    assert!(!told.contains("siti"), "{told}");
}

#[test]
fn a_code_that_doku_gives_again_retires_its_expired_holder() {
    let office = Office::new();
    office.end(row("OLD", 100), vec![yes("OLD", "7")]);
    let again = Act::Say(200, success("NEW", "7", 1_790_000_000 + 42_000));
    let end = office.after_minutes(700).end(row("NEW", 100), vec![again]);
    assert_eq!((end.bucket, office.state("OLD").status), (Bucket::Issued, Status::Retired));
}

#[test]
fn a_code_that_doku_gives_while_another_invoice_holds_it_ends_its_row_alone() {
    let office = Office::new();
    office.end(row("OLD", 100), vec![yes("OLD", "7")]);
    let ends = office.run(&[row("NEW", 100), row("NEXT", 100)], vec![yes("NEW", "7"), yes("NEXT", "8")]).unwrap();
    assert_eq!((ends[0].bucket, ends[0].code.as_str(), ends[1].bucket), (Bucket::Rejected, "E0407", Bucket::Issued));
    assert!(ends[0].reason.contains("`OLD`") && ends[0].reason.contains("`NEW`"), "both are named: {}", ends[0].reason);
    assert_eq!(office.state("NEW").status, Status::InDoubt(OperationKind::Issue), "no new code is asked for");
    let again = office.end(row("NEW", 100), vec![Act::Say(409, success("NEW", "7", 1_790_000_000)), seen("PENDING", 100)]);
    assert_eq!((again.bucket, again.code.as_str()), (Bucket::Rejected, "E0407"));
}

#[test]
fn a_merchant_code_is_free_again_once_doku_says_that_its_holder_has_expired() {
    let (office, code) = (Office::new(), Some("8896500001"));
    let first = vec![yes("OLD", "8896500001")];
    office.end(with_code("OLD", 100, code), first);
    office.after_minutes(600 + 59);
    assert_eq!(office.end(with_code("NEW", 100, code), vec![]).code, "E0305", "a payment may still be on its way");
    office.after_minutes(1);
    assert_eq!(office.end(with_code("NEW", 100, code), vec![seen("PENDING", 100)]).code, "E0305");
    let freed = vec![seen("EXPIRED", 100), Act::Say(200, success("NEW", "8896500001", 1_790_000_000 + 39_600))];
    assert_eq!(office.end(with_code("NEW", 100, code), freed).bucket, Bucket::Issued);
    assert_eq!(office.state("OLD").status, Status::Retired);
}

#[test]
fn a_customers_own_code_is_used_again_for_the_next_bill_once_the_last_one_is_paid() {
    let (office, code) = (Office::new(), Some("8896500001"));
    office.end(with_code("OCT", 100, code), vec![yes("OCT", "8896500001")]);
    now(office.ledger.apply_payments(&[payment(&office, "OCT", "8896500001")])).unwrap();
    let freed = vec![seen("SUCCESS", 100), yes("NOV", "8896500001")];
    assert_eq!(office.end(with_code("NOV", 100, code), freed).bucket, Bucket::Issued);
    assert_eq!(office.end(with_code("OCT", 100, code), vec![]).action, "paid", "and the paid one is never issued anew");
}

#[test]
fn a_holder_that_only_doku_says_is_paid_keeps_its_code() {
    let (office, code) = (Office::new(), Some("8896500001"));
    office.end(with_code("OCT", 100, code), vec![yes("OCT", "8896500001")]);
    let end = office.after_minutes(700).end(with_code("NOV", 100, code), vec![seen("SUCCESS", 100)]);
    assert_eq!((end.code.as_str(), office.state("OCT").status), ("E0305", Status::Active));
}

#[test]
fn a_code_whose_new_end_doku_does_not_say_can_still_be_cancelled_after_the_old_one() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    let mut longer = row("I", 100);
    if let Wanted::Live(terms) = &mut longer.wanted {
        terms.expiry = Expiry::Minutes(2_000);
    }
    let dateless = r#"{"order":{"invoice_number":"I"},"online_to_offline_info":{"payment_code":"7"}}"#;
    assert_eq!(office.end(longer, vec![Act::Say(200, dateless.into())]).bucket, Bucket::Amended);
    let end = office.after_minutes(700).end(cancel("I"), vec![Act::Say(200, dateless.into())]);
    assert_eq!(end.bucket, Bucket::Cancelled);
}
