//! The killing test: an issuing run dies at every step, is resumed, dies again, and in the end the sandbox's own record and
//! the ledger must agree. No sockets, no clock, no luck: the store loses whatever it had not acknowledged as durable.

mod strangers;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::watch;

use tagih::doku::answer::UnsignedErrors;
use tagih::doku::wire::{Delivery, WireRequest};
use tagih::domain::bill::{Bill, Expiry, Terms, Wanted};
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::ids::{InvoiceNumber, PaymentCode};
use tagih::domain::lifecycle::Status;
use tagih::domain::plan::Minting;
use tagih::domain::row_end::{Bucket, End};
use tagih::gateway::Gateway;
use tagih::gateway::pacing::{Pacer, Rate, RealTime};
use tagih::gateway::retry::RetryPolicy;
use tagih::jobs::caller::Caller;
use tagih::jobs::issue::{Coded, Issuing};
use tagih::jobs::stop::Stop;
use tagih::jobs::watch::Watch;
use tagih::ledger::Ledger;
use tagih::ledger::memory::{CrashMoment, CrashPlan, MemoryLedger};
use tagih::sandbox::fault::{FaultKind, Faults};
use tagih::sandbox::http::{Fate, Request};
use tagih::sandbox::model::Model;
use tagih::sandbox::record::{Handling, OrderState};

use self::strangers::{Harm, Strangers};
use crate::support::bills;
use crate::support::doku::{self, Signer, about};

const CLIENT: &str = "MCH-0001-CRASH";
const SECRET: &str = "SK-crash";

/// A clock that moves one second every time it is read.
struct Clock(AtomicI64);

impl Clock {
    fn new() -> Self {
        Self(AtomicI64::new(1_790_000_000))
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

/// DOKU's books, who stands before them, and the time all live in.
struct World {
    model: Mutex<Model>,
    strangers: Mutex<Option<Strangers>>,
    clock: Clock,
}

impl World {
    fn new(seed: u64) -> Self {
        let settings = tagih::sandbox::settings::Settings::new(CLIENT, SecretString::from(SECRET), seed);
        Self { model: Mutex::new(Model::new(settings)), strangers: Mutex::default(), clock: Clock::new() }
    }
}

/// DOKU without a network. It can die with the process: before a request arrives, or after DOKU has handled it.
struct ModelGateway<'a> {
    world: &'a World,
    signer: Signer,
    sends: Mutex<u64>,
    crash: Option<(u64, CrashMoment)>,
    crashed: watch::Sender<bool>,
    /// Requests a fault has put off; each is done when the next one arrives, long after its sender has given up.
    late: Mutex<Vec<Request>>,
}

impl<'a> ModelGateway<'a> {
    fn new(world: &'a World, crash: Option<(u64, CrashMoment)>) -> Self {
        let signer = Signer::new(CLIENT, SECRET);
        Self { world, signer, sends: Mutex::new(0), crash, crashed: watch::Sender::new(false), late: Mutex::default() }
    }

    async fn crashed(&self) {
        drop(self.crashed.subscribe().wait_for(|crashed| *crashed).await);
    }

    async fn die(&self) -> Delivery {
        self.crashed.send_replace(true);
        std::future::pending().await
    }
}

impl Gateway for ModelGateway<'_> {
    async fn send(&self, wire: &WireRequest) -> Delivery {
        let number = {
            let mut sends = self.sends.lock().unwrap();
            *sends += 1;
            *sends
        };
        let moment = self.crash.filter(|(at, _)| *at == number).map(|(_, moment)| moment);
        if moment == Some(CrashMoment::BeforeDurable) {
            return self.die().await;
        }
        let request = self.signer.request(wire, self.world.clock.now());
        let harm = self.world.strangers.lock().unwrap().as_mut().map_or(Harm::None, Strangers::harm);
        let reply = (!matches!(harm, Harm::Instead(_))).then(|| {
            let (mut model, clock) = (self.world.model.lock().unwrap(), &self.world.clock);
            for late in self.late.lock().unwrap().drain(..) {
                model.handle_late(&late, clock.now());
            }
            model.handle(&request, clock.now())
        });
        // Give the other operations a turn, as a network would.
        tokio::task::yield_now().await;
        if moment == Some(CrashMoment::AfterDurable) {
            return self.die().await;
        }
        let unknown = |reason: &str| Delivery::Unknown(reason.into());
        let reply = match (harm.clone(), reply) {
            (Harm::Instead(answer) | Harm::Afterwards(answer), _) => return Delivery::Answered(answer),
            (Harm::None | Harm::Swapped, reply) => reply.unwrap(),
        };
        match reply.fate {
            Fate::Deliver => {}
            Fate::DelayThenDeliver(_) => return unknown("no answer in time"),
            Fate::DelayThenProcess(_) => {
                self.late.lock().unwrap().push(request);
                return unknown("no answer in time");
            }
            Fate::CutBeforeProcessing | Fate::CutAfterProcessing | Fate::Truncated(_) => return unknown("connection cut"),
        }
        let answer = match (harm, self.world.strangers.lock().unwrap().as_mut()) {
            (Harm::Swapped, Some(strangers)) => strangers.swap(&about(wire), reply.answer),
            _ => reply.answer,
        };
        Delivery::Answered(self.signer.heard(wire, answer, None))
    }
}

fn terms(channel: Channel, method: IssuanceMethod, code: Option<&str>, rupiah: u64) -> Wanted {
    Wanted::Live(Box::new(Terms {
        channel,
        method,
        payment_code: code.map(bills::code),
        expiry: Expiry::Minutes(10_080),
        receipt_description: (channel == Channel::Indomaret).then(|| "Premi".into()),
        ..bills::terms(rupiah)
    }))
}

fn bill(invoice: &str, wanted: Wanted) -> Bill {
    Bill { invoice_number: bills::invoice(invoice), wanted }
}

/// Last month's file, issued in peace.
fn before() -> Vec<Bill> {
    vec![
        bill("KEEP", terms(Channel::Alfa, IssuanceMethod::Doku, None, 100_000)),
        bill("AMEND", terms(Channel::Alfa, IssuanceMethod::Doku, None, 100_000)),
        bill("CANCEL", terms(Channel::Alfa, IssuanceMethod::Doku, None, 100_000)),
        bill("OLD-OF-CODE", terms(Channel::Alfa, IssuanceMethod::Merchant, Some("8896500000000001"), 100_000)),
        bill("AMEND-INQUIRY", terms(Channel::Alfa, IssuanceMethod::Inquiry, Some("8896500000000011"), 100_000)),
        bill("CANCEL-INQUIRY", terms(Channel::Alfa, IssuanceMethod::Inquiry, Some("8896500000000012"), 100_000)),
        bill("KEEP-MINTED", terms(Channel::Alfa, IssuanceMethod::Merchant, None, 100_000)),
    ]
}

/// This month's file: new codes of every kind, a change, a cancellation, and a fixed code that moves to a new invoice.
fn wanted() -> Vec<Bill> {
    vec![
        bill("KEEP", terms(Channel::Alfa, IssuanceMethod::Doku, None, 100_000)),
        bill("AMEND", terms(Channel::Alfa, IssuanceMethod::Doku, None, 250_000)),
        bill("CANCEL", Wanted::Cancelled),
        bill("NEW-OF-CODE", terms(Channel::Alfa, IssuanceMethod::Merchant, Some("8896500000000001"), 120_000)),
        bill("OLD-OF-CODE", Wanted::Cancelled),
        bill("NEW-DOKU", terms(Channel::Alfa, IssuanceMethod::Doku, None, 50_000)),
        bill("NEW-INDOMARET", terms(Channel::Indomaret, IssuanceMethod::Doku, None, 60_000)),
        bill("NEW-MERCHANT", terms(Channel::Alfa, IssuanceMethod::Merchant, Some("8896500000000002"), 70_000)),
        // Codes of our own making: asked for by DOKU, and the next free numbers.
        bill("AMEND-INQUIRY", terms(Channel::Alfa, IssuanceMethod::Inquiry, Some("8896500000000011"), 250_000)),
        bill("CANCEL-INQUIRY", Wanted::Cancelled),
        bill("TAKES-ITS-CODE", terms(Channel::Alfa, IssuanceMethod::Inquiry, Some("8896500000000012"), 80_000)),
        bill("NEW-INQUIRY", terms(Channel::Alfa, IssuanceMethod::Inquiry, None, 80_000)),
        bill("KEEP-MINTED", terms(Channel::Alfa, IssuanceMethod::Merchant, None, 100_000)),
        bill("MINTED-2", terms(Channel::Alfa, IssuanceMethod::Merchant, None, 90_000)),
        bill("MINTED-1", terms(Channel::Alfa, IssuanceMethod::Merchant, None, 90_000)),
    ]
}

/// What codes are made of for rows that bring none.
fn minting() -> Minting {
    Minting { prefix: "889650".into(), length: 16, from: 1 }
}

/// The codes of our own making that the ledger has for bills, live or only promised.
fn own_codes(ledger: &MemoryLedger) -> BTreeMap<InvoiceNumber, PaymentCode> {
    bills::all_of(ledger)
        .into_values()
        .filter_map(|state| Some((state.invoice_number, state.open.map_or(state.terms, |open| open.terms).payment_code?)))
        .collect()
}

/// Where a process dies: at a call of the ledger's, or at a request.
#[derive(Clone, Copy, Debug)]
enum Crash {
    Ledger(CrashPlan),
    Request(u64, CrashMoment),
}

/// One process: runs `bills` until the end or until it dies.
struct Process {
    ends: Option<Vec<End>>,
    reported: Vec<(usize, End)>,
    ledger: MemoryLedger,
    ledger_calls: u64,
    sends: u64,
}

fn run(ledger: &MemoryLedger, world: &World, bills: &[Bill], crash: Option<Crash>) -> Process {
    let (ledger_crash, request_crash) = match crash {
        Some(Crash::Ledger(plan)) => (Some(plan), None),
        Some(Crash::Request(at, moment)) => (None, Some((at, moment))),
        None => (None, None),
    };
    let ledger = match ledger_crash {
        Some(plan) => ledger.reopened().crashing(plan),
        None => ledger.reopened(),
    };
    let gateway = ModelGateway::new(world, request_crash);
    let rate = Rate { per_second: 100_000.try_into().unwrap(), burst: 1_000.try_into().unwrap() };
    let pacer = Pacer::new(rate, RealTime::default());
    // Strangers' errors have DOKU's shape: only that DOKU's own are signed tells them apart.
    let is_strange = world.strangers.lock().unwrap().is_some();
    let mut settings = doku::settings(CLIENT);
    settings.trust.unsigned_errors = if is_strange { UnsignedErrors::Refuse } else { UnsignedErrors::Accept };
    let (watch, stop) = (Watch::new(0), Stop::default());
    let retry = RetryPolicy { attempts_max: 2, base_ms: 0, cap_ms: 0, pause_max_seconds: 300 };
    let reported = Mutex::new(Vec::new());
    let issuing = Issuing {
        ledger: &ledger,
        caller: Caller {
            gateway: &gateway,
            pacer: &pacer,
            watch: &watch,
            stop: &stop,
            retry,
            randomness: &tagih::random::MachineRandomness,
        },
        settings: &settings,
        clock: &|| world.clock.now(),
        controls: tokio::sync::Mutex::default(),
        looked_over: tokio::sync::OnceCell::new(),
        badly_signed: std::sync::atomic::AtomicU64::default(),
    };
    let progress = |row: usize, end: &End| reported.lock().unwrap().push((row, end.clone()));
    let coded = bills::now(Coded::of(bills, true, Some(&bills::now(ledger.view()).unwrap()), Some(&minting()), world.clock.now())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ends = runtime.block_on(async {
        tokio::select! {
            biased;
            () = ledger.crashed() => None,
            () = gateway.crashed() => None,
            ends = issuing.run(&coded, &progress) => Some(ends.unwrap().iter().cloned().collect()),
        }
    });
    let sends = *gateway.sends.lock().unwrap();
    // What a fault put off still reaches DOKU, though its sender is gone.
    for late in gateway.late.lock().unwrap().drain(..) {
        world.model.lock().unwrap().handle_late(&late, world.clock.now());
    }
    let ledger_calls = ledger.calls();
    Process { ends, reported: reported.into_inner().unwrap(), ledger: ledger.reopened(), ledger_calls, sends }
}

/// I1 and I2 at the moment of death: what DOKU has seen has a durable intent, what was reported has a durable outcome.
fn check_corpse(process: &Process, model: &Mutex<Model>, bills: &[Bill], context: &str) {
    bills::are_intended(model.lock().unwrap().calls(), &process.ledger, context);
    let known = bills::all_of(&process.ledger);
    for (row, end) in &process.reported {
        let status = known.get(&bills[*row].invoice_number).map(|state| state.status);
        let expected = match end.bucket {
            Bucket::Issued | Bucket::Amended => Some(Status::Active),
            Bucket::Cancelled => Some(Status::Cancelled),
            _ => continue,
        };
        assert_eq!(status, expected, "{context}: row {row} was reported as {:?} before it was durable (I2)", end.bucket);
    }
}

/// Everything that must hold once all is over, seen from DOKU's own record.
fn check_world(ledger: &MemoryLedger, model: &Mutex<Model>, bills: &[Bill], context: &str) {
    let model = model.lock().unwrap();
    let known = bills::all_of(ledger);
    let mut bodies: HashMap<&str, &str> = HashMap::new();
    for call in model.calls() {
        let body = bodies.entry(&call.request_id).or_insert(&call.body_digest);
        assert_eq!(*body, call.body_digest, "{context}: one Request-Id, two bodies (I4)");
        assert_ne!(call.handling, Handling::IdReused, "{context}: (I4)");
    }
    let mut live_codes: HashMap<&str, &str> = HashMap::new();
    for order in model.orders() {
        let state = known.get(&order.invoice_number).unwrap_or_else(|| panic!("{context}: {} is lost (I7)", order.invoice_number));
        let code = state.code.as_ref().unwrap_or_else(|| panic!("{context}: the code of {} is lost (I7)", order.invoice_number));
        assert_eq!(code.answer.payment_code, order.payment_code, "{context}: {} is bound to a foreign code (I10)", order.invoice_number);
        if order.state == OrderState::Live {
            assert_eq!(state.status, Status::Active, "{context}: {} (I3)", order.invoice_number);
            assert_eq!(state.terms.amount, order.amount, "{context}: {}", order.invoice_number);
            let other = live_codes.insert(order.payment_code.as_str(), order.invoice_number.as_str());
            assert_eq!(other, None, "{context}: code {} is live twice (I11)", order.payment_code);
        } else {
            assert_eq!(state.status, Status::Cancelled, "{context}: {}", order.invoice_number);
        }
    }
    for bill in bills {
        let order = model.order(bill.invoice_number.as_str());
        let state = &known[&bill.invoice_number];
        if state.terms.method == IssuanceMethod::Inquiry {
            assert!(order.is_none(), "{context}: DOKU was told of {}", bill.invoice_number);
            let Wanted::Live(terms) = &bill.wanted else {
                assert_eq!(state.status, Status::Cancelled, "{context}: {}", bill.invoice_number);
                continue;
            };
            assert_eq!((state.status, state.terms.amount), (Status::Active, terms.amount), "{context}: {}", bill.invoice_number);
            let code = state.code.as_ref().unwrap().answer.payment_code.as_str();
            let other = live_codes.insert(code, bill.invoice_number.as_str());
            assert_eq!(other, None, "{context}: code {code} is live twice (I11)");
            continue;
        }
        match &bill.wanted {
            Wanted::Live(terms) => {
                let order = order.unwrap_or_else(|| panic!("{context}: {} was never issued", bill.invoice_number));
                assert_eq!((order.state, order.amount), (OrderState::Live, terms.amount), "{context}: {}", bill.invoice_number);
            }
            Wanted::Cancelled => assert_eq!(order.unwrap().state, OrderState::Cancelled, "{context}: {}", bill.invoice_number),
        }
    }
}

/// Last month's file has been issued; from now on there are `faults`.
fn begun(seed: u64, faults: Faults) -> (World, MemoryLedger) {
    let world = World::new(seed);
    let issued = run(&MemoryLedger::new(), &world, &before(), None);
    assert!(issued.ends.unwrap().iter().all(|end| end.bucket == Bucket::Issued));
    world.model.lock().unwrap().set_faults(faults);
    (world, issued.ledger)
}

/// Dies as `crashes` say, one process each, then runs to the end and once more. Gives how many requests strangers meddled with.
fn campaign(seed: u64, (world, mut ledger): (World, MemoryLedger), crashes: &[Crash]) -> u64 {
    let context = format!("seed {seed}, {crashes:?}");
    let bills = wanted();
    let mut promised = own_codes(&ledger);
    for crash in crashes {
        let died = run(&ledger, &world, &bills, Some(*crash));
        check_corpse(&died, &world.model, &bills, &context);
        let codes = own_codes(&died.ledger);
        assert!(promised.iter().all(|(invoice, code)| codes.get(invoice) == Some(code)), "{context}: {promised:?} became {codes:?}");
        promised = codes;
        ledger = died.ledger;
    }
    // With faults a run may end with rows in doubt; the same command finishes them.
    let mut last = Vec::new();
    for _ in 0..12 {
        let process = run(&ledger, &world, &bills, None);
        last = process.ends.expect("a run without a crash ends");
        assert_eq!(last.len(), bills.len(), "{context}: (I13)");
        ledger = process.ledger;
        if last.iter().all(|end| !matches!(end.bucket, Bucket::Deferred | Bucket::InDoubt)) {
            break;
        }
    }
    let unfinished: Vec<_> =
        last.iter().filter(|end| matches!(end.bucket, Bucket::Deferred | Bucket::InDoubt | Bucket::Rejected | Bucket::Refused)).collect();
    assert!(unfinished.is_empty(), "{context}: {unfinished:?}");
    check_world(&ledger, &world.model, &bills, &context);
    let codes = own_codes(&ledger);
    assert!(promised.iter().all(|(invoice, code)| codes.get(invoice) == Some(code)), "{context}: {promised:?} became {codes:?}");
    let strangers = world.strangers.lock().unwrap().take();
    let calls = world.model.lock().unwrap().calls().len();
    let again = run(&ledger, &world, &bills, None);
    assert!(again.ends.unwrap().iter().all(|end| end.bucket == Bucket::Unchanged), "{context}: (I21)");
    assert_eq!(world.model.lock().unwrap().calls().len(), calls, "{context}: a finished run called DOKU again (I21)");
    strangers.map_or(0, |strangers| strangers.meddled())
}

/// Every place a run without faults can die at.
fn every_crash() -> Vec<Crash> {
    let (world, ledger) = begun(1, Faults::none());
    let whole = run(&ledger, &world, &wanted(), None);
    let moments = [CrashMoment::BeforeDurable, CrashMoment::AfterDurable];
    let in_ledger = (1..=whole.ledger_calls).flat_map(|at_call| moments.map(|moment| Crash::Ledger(CrashPlan { at_call, moment })));
    let in_request = (1..=whole.sends).flat_map(|at| moments.map(|moment| Crash::Request(at, moment)));
    in_ledger.chain(in_request).collect()
}

#[test]
fn a_run_that_dies_at_any_step_is_finished_by_the_next() {
    let crashes = every_crash();
    assert!(crashes.len() > 40, "{}", crashes.len());
    for crash in &crashes {
        campaign(1, begun(1, Faults::none()), &[*crash]);
    }
}

#[test]
fn a_recovery_that_dies_at_any_step_is_finished_by_the_next() {
    let crashes = every_crash();
    for first in &crashes {
        for second in crashes.iter().step_by(5) {
            campaign(1, begun(1, Faults::none()), &[*first, *second]);
        }
    }
}

#[test]
fn faults_and_deaths_together_lose_no_code_and_make_none_twice() {
    let crashes = every_crash();
    for seed in 1..=400_u64 {
        let pick = |salt: u64| crashes[usize::try_from((seed * 7_919 + salt * 104_729) % crashes.len() as u64).unwrap()];
        campaign(seed, begun(seed, Faults::mixed(40)), &[pick(1), pick(2), pick(3)]);
    }
}

#[test]
fn strangers_faults_and_deaths_together_lose_no_code_and_make_none_twice() {
    let (crashes, mut meddled) = (every_crash(), 0);
    for seed in 1..=200_u64 {
        let pick = |salt: u64| crashes[usize::try_from((seed * 7_919 + salt * 104_729) % crashes.len() as u64).unwrap()];
        let (world, ledger) = begun(seed, Faults::mixed(15));
        *world.strangers.lock().unwrap() = Some(Strangers::new(seed, 40));
        meddled += campaign(seed, (world, ledger), &[pick(1), pick(2), pick(3)]);
    }
    assert!(meddled > 1_000, "strangers met only {meddled} requests");
}

#[test]
fn a_first_issue_repeated_with_the_ledger_lost_is_replayed_not_made_again() {
    let (world, _lost) = begun(1, Faults::none());
    let orders = world.model.lock().unwrap().orders().to_vec();
    let again = run(&MemoryLedger::new(), &world, &before(), None);
    for (end, bill) in again.ends.unwrap().iter().zip(before()) {
        let is_local = matches!(&bill.wanted, Wanted::Live(terms) if terms.method == IssuanceMethod::Inquiry);
        assert_eq!((end.bucket, end.action), (Bucket::Issued, if is_local { "issued" } else { "replayed" }), "{}", bill.invoice_number);
    }
    assert_eq!(world.model.lock().unwrap().orders(), orders, "DOKU made no second code");
}

#[test]
fn an_operation_that_never_left_keeps_its_id_when_it_is_sent_at_last() {
    let ask = |stopped_at_first: bool| {
        let world = World::new(1);
        if stopped_at_first {
            world.model.lock().unwrap().set_faults(Faults { consecutive_max: 2, ..Faults::only(FaultKind::TooManyRequests) });
        }
        let first = run(&MemoryLedger::new(), &world, &before()[..1], None);
        let expected = if stopped_at_first { Bucket::Deferred } else { Bucket::Issued };
        assert_eq!(first.ends.unwrap()[0].bucket, expected);
        assert_eq!(run(&first.ledger, &world, &before()[..1], None).ends.unwrap().len(), 1);
        let model = world.model.lock().unwrap();
        model.orders()[0].created_by.clone()
    };
    assert_eq!(ask(true), ask(false));
}
