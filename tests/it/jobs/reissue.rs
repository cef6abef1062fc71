//! `--reissue-expired`, which no real clock waits for: the job itself, with the sandbox's model and a clock that is set.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use secrecy::SecretString;
use tagih::doku::wire::{Delivery, WireRequest};
use tagih::domain::bill::{Bill, Expiry, Terms, Wanted};
use tagih::gateway::Gateway;
use tagih::gateway::pacing::{Pacer, Rate, RealTime};
use tagih::gateway::retry::RetryPolicy;
use tagih::jobs::caller::Caller;
use tagih::jobs::issue::Issuing;
use tagih::jobs::stop::Stop;
use tagih::jobs::watch::Watch;
use tagih::ledger::memory::MemoryLedger;
use tagih::sandbox::model::Model;
use tagih::sandbox::payment::PaymentScript;

use crate::support::bills;
use crate::support::doku::{Signer, settings};
use crate::support::world::{CLIENT, SECRET};

/// DOKU, a ledger and a clock, all in this process.
struct Office {
    model: Mutex<Model>,
    now: AtomicI64,
    ledger: MemoryLedger,
}

impl Gateway for Office {
    async fn send(&self, wire: &WireRequest) -> Delivery {
        let signer = Signer::new(CLIENT, SECRET);
        let request = signer.request(wire, self.clock());
        let answer = self.model.lock().unwrap().handle(&request, self.clock()).answer;
        Delivery::Answered(signer.heard(wire, answer, None))
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
        let mut settings = settings(CLIENT);
        settings.rules.reissue_expired = reissue_expired;
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
    let terms = Terms { expiry: Expiry::Minutes(30), ..bills::terms(100_000) };
    Bill { invoice_number: bills::invoice("INV"), wanted: Wanted::Live(Box::new(terms)) }
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
