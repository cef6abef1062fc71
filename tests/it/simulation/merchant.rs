//! The merchant: what it wants of its bills from night to night, and the jobs of its nights.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use tagih::doku::answer::{SignaturePolicy, Trust, UnsignedErrors};
use tagih::domain::amount::Amount;
use tagih::domain::bill::{Bill, Expiry, Terms, Wanted};
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::check_status::Schedule;
use tagih::domain::ids::{InvoiceNumber, PaymentCode};
use tagih::domain::plan::Minting;
use tagih::domain::row_end::End;
use tagih::domain::share::RateShare;
use tagih::gateway::pacing::Pacer;
use tagih::gateway::retry::RetryPolicy;
use tagih::jobs::caller::Caller;
use tagih::jobs::ingest::{IngestOptions, ingest};
use tagih::jobs::issue::{Coded, IssueSettings, Issuing, RunError};
use tagih::jobs::stop::Stop;
use tagih::jobs::sync::Syncing;
use tagih::jobs::watch::Watch;
use tagih::ledger::memory::MemoryLedger;
use tagih::ledger::{Ledger as _, LedgerError, LedgerView as _};
use tagih::random::Randomness;

use super::network::Link;
use super::process::{Life, Process};
use super::store::Store;
use super::timeline::Paced;
use super::world::{CLIENT, World};
use crate::support::dice::Dice;
use crate::support::{bills, doku};

/// Requests a second, and how many may leave at once.
pub const RATE_PER_SECOND: u64 = 20;
pub const BURST: u64 = 5;

/// The rows of a night, as the merchant's files have them.
pub struct Wishes {
    bills: Vec<Bill>,
    begun: u64,
}

impl Wishes {
    pub fn new() -> Self {
        Self { bills: Vec::new(), begun: 0 }
    }

    /// Time goes by: new bills, other amounts, cancellations, and fixed codes that move on.
    pub fn change(&mut self, dice: &mut Dice) {
        for bill in &mut self.bills {
            match (&mut bill.wanted, dice.below(100)) {
                (Wanted::Live(terms), 0..15) => terms.amount = amount(dice),
                (Wanted::Live(terms), 15..20) => terms.expiry = expiry(dice),
                (Wanted::Live(_), 20..30) => bill.wanted = Wanted::Cancelled,
                (Wanted::Cancelled, 0..10) => bill.wanted = terms(dice),
                _ => {}
            }
        }
        for _ in 0..dice.below(9) {
            self.begun += 1;
            let wanted = terms(dice);
            self.bills.push(Bill { invoice_number: number(self.begun), wanted });
        }
    }

    /// Tonight's file, in any order; a row may be missing.
    pub fn file(&self, dice: &mut Dice) -> Vec<Bill> {
        let mut rows: Vec<Bill> = self.bills.iter().filter(|_| dice.percent(92)).cloned().collect();
        for at in 1..rows.len() {
            rows.swap(at, dice.below(at as u64 + 1) as usize);
        }
        rows
    }

    /// Everything there is.
    pub fn all(&self) -> Vec<Bill> {
        self.bills.clone()
    }
}

fn number(serial: u64) -> InvoiceNumber {
    InvoiceNumber::new(format!("INV{serial:04}")).unwrap()
}

fn amount(dice: &mut Dice) -> Amount {
    Amount::new(10_000 + 1_000 * dice.below(400)).unwrap()
}

fn expiry(dice: &mut Dice) -> Expiry {
    Expiry::Minutes((60 + dice.below(10 * 1_440)) as u32)
}

fn terms(dice: &mut Dice) -> Wanted {
    let channel = if dice.percent(70) { Channel::Alfa } else { Channel::Indomaret };
    let (method, payment_code) = match (channel, dice.below(100)) {
        (Channel::Alfa, 0..25) => (IssuanceMethod::Merchant, Some(fixed(dice, '1'))),
        (Channel::Alfa, 25..40) => (IssuanceMethod::Merchant, None),
        (Channel::Alfa, 40..50) => (IssuanceMethod::Inquiry, Some(fixed(dice, '2'))),
        _ => (IssuanceMethod::Doku, None),
    };
    Wanted::Live(Box::new(Terms {
        channel,
        method,
        payment_code,
        amount: amount(dice),
        expiry: expiry(dice),
        receipt_description: (channel == Channel::Indomaret).then(|| "Premi".into()),
        ..bills::terms(1)
    }))
}

/// One of few, so that bills want the same.
fn fixed(dice: &mut Dice, kind: char) -> PaymentCode {
    PaymentCode::new(format!("8896{kind}0000000000{}", dice.below(4))).unwrap()
}

fn minting() -> Minting {
    Minting { prefix: "889690".into(), length: 16, from: 1 }
}

/// What the configuration says in this world.
pub fn settings(dice: &mut Dice, is_trusting: bool) -> IssueSettings {
    let mut settings = doku::settings(CLIENT);
    settings.trust = trust(is_trusting);
    settings.rules.reissue_expired = dice.percent(50);
    settings.rules.retry_rejected = dice.percent(30);
    settings.cancel_name = dice.percent(50).then(|| "Pelanggan".into());
    settings.in_flight_max = 1 + dice.below(6) as usize;
    settings
}

/// What is to be signed: as much as can be, or as little as the configuration asks for by default.
const fn trust(is_trusting: bool) -> Trust {
    if is_trusting {
        Trust { policy: SignaturePolicy::Warn, unsigned_errors: UnsignedErrors::Accept }
    } else {
        Trust { policy: SignaturePolicy::Enforce, unsigned_errors: UnsignedErrors::Refuse }
    }
}

/// Randomness that is the same in every run of a world.
#[derive(Debug)]
struct Seeded(Mutex<Dice>);

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap();
        bytes.fill_with(|| dice.roll() as u8);
    }
}

/// What a job works with.
struct Tools<'a> {
    store: Store<'a>,
    link: Link<'a>,
    pacer: Pacer<Paced<'a>>,
    watch: Watch,
    stop: Stop,
    randomness: Seeded,
}

impl<'a> Tools<'a> {
    /// One of `hosts` that share the rate.
    fn new(world: &'a World, ledger: &'a MemoryLedger, life: &Arc<Life>, hosts: u64) -> Self {
        let share = RateShare { per_1000_seconds: RATE_PER_SECOND * 1_000 / hosts, burst: BURST / hosts };
        let seed = world.dice().roll();
        Self {
            store: Store { world, ledger, life: Arc::clone(life), is_sender: true },
            link: Link { world, life: Arc::clone(life) },
            pacer: Pacer::sharing(Paced(&world.time), move || share),
            watch: Watch::new(20),
            stop: Stop::default(),
            randomness: Seeded(Mutex::new(Dice::new(seed))),
        }
    }

    fn caller(&self) -> Caller<'_, Link<'a>, Paced<'a>> {
        // A single attempt leaves a doubt of another kind.
        let attempts_max = if self.store.world.seed.is_multiple_of(4) { 1 } else { 3 };
        let retry = RetryPolicy { attempts_max, base_ms: 500, cap_ms: 10_000, pause_max_seconds: 300 };
        Caller { gateway: &self.link, pacer: &self.pacer, watch: &self.watch, stop: &self.stop, retry, randomness: &self.randomness }
    }

    fn issuing<'t>(
        &'t self,
        settings: &'t IssueSettings,
        clock: &'t (dyn Fn() -> Timestamp + Sync),
    ) -> Issuing<'t, Store<'a>, Link<'a>, Paced<'a>> {
        Issuing {
            ledger: &self.store,
            caller: self.caller(),
            settings,
            clock,
            controls: tokio::sync::Mutex::default(),
            looked_over: tokio::sync::OnceCell::new(),
            badly_signed: AtomicU64::default(),
        }
    }
}

/// What became of the rows of a run: those that were reported, and all of them, if it came to its end.
#[derive(Default)]
pub struct Reported {
    pub rows: Mutex<Vec<(usize, End)>>,
    pub ends: Mutex<Option<Vec<End>>>,
}

/// `tagih issue` of these rows.
pub fn issue<'a>(
    world: &'a World,
    ledger: &'a MemoryLedger,
    settings: &'a IssueSettings,
    bills: &'a [Bill],
    life: Life,
    (reported, hosts): (&'a Reported, u64),
) -> Process<'a> {
    let life = Arc::new(life);
    let tools = Tools::new(world, ledger, &life, hosts);
    let work = Box::pin(async move {
        let clock = || world.machine_time();
        let issuing = tools.issuing(settings, &clock);
        let right = world.minting.lock().await;
        let view = tools.store.view().await.unwrap();
        let coded = Coded::of(bills, true, Some(&view), Some(&minting()), clock()).await.unwrap();
        drop(view);
        let progress = |row: usize, end: &End| reported.rows.lock().unwrap().push((row, end.clone()));
        let ends = match issuing.run_after(&coded, right, &progress).await {
            Ok(ends) => ends,
            Err(RunError::Ledger(LedgerError::LeaseLost { .. })) if tools.store.life.is_fenced() => return,
            Err(error) => panic!("{}: issuing: {error:?}", world.context()),
        };
        *reported.ends.lock().unwrap() = Some(ends.iter().cloned().collect());
    });
    Process { name: "issue", life, work }
}

/// `tagih sync`: what is open is settled, and DOKU asked about what nobody has told of.
pub fn sync<'a>(world: &'a World, ledger: &'a MemoryLedger, settings: &'a IssueSettings, life: Life) -> Process<'a> {
    let life = Arc::new(life);
    let tools = Tools::new(world, ledger, &life, 1);
    let work = Box::pin(async move {
        let clock = || world.machine_time();
        let issuing = tools.issuing(settings, &clock);
        let open = tools.store.view().await.unwrap().open_bills().await.unwrap();
        issuing.settle(&open, &|_, _| {}).await.unwrap_or_else(|error| panic!("{}: settling: {error}", world.context()));
        let syncing = Syncing {
            ledger: &tools.store,
            caller: tools.caller(),
            clock: &clock,
            trust: settings.trust,
            schedule: Schedule { first_minutes: 780, window_days: 30, spacing_seconds: 60 },
            calls_left: AtomicU64::new(1_000),
            in_flight_max: 4,
        };
        syncing.run(&[]).await.unwrap_or_else(|error| panic!("{}: asking: {error}", world.context()));
    });
    Process { name: "sync", life, work }
}

/// `tagih ingest` of these logs; `taken` once it has come to its end.
pub fn take_in<'a>(
    world: &'a World,
    ledger: &'a MemoryLedger,
    logs: &[std::path::PathBuf],
    life: Life,
    taken: &Arc<AtomicBool>,
) -> Process<'a> {
    let taken = Arc::clone(taken);
    let life = Arc::new(life);
    let store = Store { world, ledger, life: Arc::clone(&life), is_sender: false };
    let options = IngestOptions {
        logs: logs.to_vec(),
        evidence: None,
        keys: vec![world.signer.key.clone()].into(),
        client_id: CLIENT.into(),
        policy: tagih::domain::classify::MatchingPolicy::default(),
        tables: tagih::table::TableSettings::default(),
        now: world.machine_time(),
    };
    let work = Box::pin(async move {
        ingest(&store, &options).await.unwrap_or_else(|error| panic!("{}: ingesting: {error}", world.context()));
        taken.store(true, Ordering::Relaxed);
    });
    Process { name: "ingest", life, work }
}
