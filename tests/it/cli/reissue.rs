//! `--reissue-expired`, which no real clock waits for: the job itself, with the sandbox's model and a clock that is set.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use secrecy::SecretString;
use tagih::config;
use tagih::doku::answer::{SignaturePolicy, Trust, UnsignedErrors};
use tagih::doku::signature::{Components, SigningKey, Stamp};
use tagih::doku::wire::{Answer, Delivery, HttpMethod, SignatureFinding, WireRequest};
use tagih::domain::amount::Amount;
use tagih::domain::bill::{Bill, Customer, Expiry, Policy, Terms, Wanted};
use tagih::domain::calendar::format_utc_seconds;
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::doubt::{NotFound, Patience};
use tagih::domain::ids::InvoiceNumber;
use tagih::domain::personal::Personal;
use tagih::domain::plan::{AmendBase, Rules};
use tagih::gateway::Gateway;
use tagih::gateway::pacing::{Pacer, Rate, RealTime};
use tagih::gateway::retry::RetryPolicy;
use tagih::jobs::caller::Caller;
use tagih::jobs::issue::{IssueSettings, Issuing};
use tagih::jobs::stop::Stop;
use tagih::jobs::watch::Watch;
use tagih::ledger::memory::MemoryLedger;
use tagih::sandbox::http::Request;
use tagih::sandbox::model::Model;
use tagih::sandbox::payment::PaymentScript;

use super::world::{CLIENT, SECRET};

/// DOKU, a ledger and a clock, all in this process.
struct Office {
    model: Mutex<Model>,
    now: AtomicI64,
    ledger: MemoryLedger,
}

impl Gateway for Office {
    async fn send(&self, wire: &WireRequest) -> Delivery {
        let (method, body) = match wire.method {
            HttpMethod::Get => ("GET", None),
            HttpMethod::Post => ("POST", Some(wire.body.as_ref())),
            HttpMethod::Patch => ("PATCH", Some(wire.body.as_ref())),
        };
        let (stamp, request_id) = (format_utc_seconds(self.clock()), wire.request_id.to_string());
        let components = Components { client_id: CLIENT, request_id: &request_id, stamp: Stamp::Request(&stamp), target: &wire.path, body };
        let signature = SigningKey::new(&SecretString::from(SECRET)).sign(&components).unwrap();
        let headers = [("Client-Id", CLIENT), ("Request-Id", &request_id), ("Request-Timestamp", &stamp), ("Signature", &signature)];
        let request = Request {
            method: method.into(),
            path: wire.path.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: wire.body.clone(),
        };
        let answer = self.model.lock().unwrap().handle(&request, self.clock()).answer;
        Delivery::Answered(Answer {
            status: answer.status,
            retry_after_seconds: None,
            ahead_seconds: None,
            signature: SignatureFinding::Valid,
            body: answer.body,
        })
    }
}

impl Office {
    fn new() -> Self {
        let settings = tagih::sandbox::settings::Settings::new(CLIENT, SecretString::from(SECRET), 1);
        Self { model: Mutex::new(Model::new(settings)), now: AtomicI64::new(1_790_000_000), ledger: MemoryLedger::new() }
    }

    fn clock(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::Relaxed)).unwrap()
    }

    fn wait_minutes(&self, minutes: i64) {
        self.now.fetch_add(minutes * 60, Ordering::Relaxed);
    }

    /// Runs the one bill of this office; gives what was done, and the numbers DOKU knows.
    fn run(&self, reissue_expired: bool) -> (&'static str, Vec<String>) {
        let settings = IssueSettings {
            environment: "sandbox".into(),
            client_id: CLIENT.into(),
            paths: config::resolve(None, [], &[]).unwrap().doku.paths,
            request_id_key: [0; 32],
            info_key: tagih::doku::info::InfoKey::Info,
            trust: Trust { policy: SignaturePolicy::Enforce, unsigned_errors: UnsignedErrors::Accept },
            rules: Rules { reissue_expired, reissue_suffix: "-R".into(), reissue_grace_minutes: 60, retry_rejected: false },
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
            in_flight_max: 2,
        };
        let rate = Rate { per_second: 100_000.try_into().unwrap(), burst: 1_000.try_into().unwrap() };
        let (pacer, watch, stop) = (Pacer::new(rate, RealTime::default()), Watch::new(0), Stop::default());
        let retry = RetryPolicy { attempts_max: 1, base_ms: 0, cap_ms: 0, pause_max_seconds: 300 };
        let issuing = Issuing {
            ledger: &self.ledger,
            caller: Caller {
                gateway: self,
                pacer: &pacer,
                watch: &watch,
                stop: &stop,
                retry,
                randomness: &tagih::random::MachineRandomness,
            },
            settings: &settings,
            clock: &|| self.clock(),
            controls: tokio::sync::Mutex::default(),
            looked_over: tokio::sync::OnceCell::new(),
            badly_signed: std::sync::atomic::AtomicU64::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ends = runtime.block_on(issuing.run(&[bill()][..], &|_, _| {})).unwrap();
        let numbers = self.model.lock().unwrap().orders().iter().map(|order| order.invoice_number.to_string()).collect();
        (ends.get(0).unwrap().action, numbers)
    }
}

fn bill() -> Bill {
    let terms = Terms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(100_000).unwrap(),
        expiry: Expiry::Minutes(30),
        reusable: false,
        customer: Customer { name: Personal::new("Siti Rahma"), email: None, account_name: None },
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    };
    Bill { invoice_number: InvoiceNumber::new("INV").unwrap(), wanted: Wanted::Live(Box::new(terms)) }
}

fn numbers(numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|&number| number.to_owned()).collect()
}

#[test]
fn an_expired_bill_is_issued_anew_only_on_request_after_the_grace_and_under_another_number() {
    let office = Office::new();
    assert_eq!(office.run(true), ("issued", numbers(&["INV"])));
    office.wait_minutes(29);
    assert_eq!(office.run(true), ("unchanged", numbers(&["INV"])), "still payable");
    office.wait_minutes(2);
    assert_eq!(office.run(false), ("expired", numbers(&["INV"])), "not asked for");
    assert_eq!(office.run(true), ("expired", numbers(&["INV"])), "a payment of the last minute may be on its way");
    office.wait_minutes(60);
    assert_eq!(office.run(true), ("issued", numbers(&["INV", "INV-R1"])));
    assert_eq!(office.run(true), ("unchanged", numbers(&["INV", "INV-R1"])), "I21");
    office.wait_minutes(91);
    assert_eq!(office.run(true), ("issued", numbers(&["INV", "INV-R1", "INV-R2"])));
}

#[test]
fn a_bill_that_doku_says_is_paid_is_not_issued_anew_though_we_heard_of_no_payment() {
    let office = Office::new();
    office.run(true);
    let code = office.model.lock().unwrap().orders()[0].payment_code.clone();
    office.wait_minutes(20);
    office.model.lock().unwrap().pay(code.as_str(), &PaymentScript::at(office.clock())).unwrap();
    office.wait_minutes(200);
    assert_eq!(office.run(true), ("paid", numbers(&["INV"])));
}
