//! One world: its time, its dice, DOKU's own books, the weather between, and the log in which notifications end up.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tagih::domain::ids::InvoiceNumber;
use tagih::sandbox::fault::Faults;
use tagih::sandbox::http::HttpAnswer;
use tagih::sandbox::model::Model;
use tagih::sandbox::settings::{RedeliveryId, Settings};
use tagih::witness::Record;

use super::process::Life;
use super::timeline::Timeline;
use crate::support::dice::Dice;
use crate::support::doku::Signer;

pub const CLIENT: &str = "MCH-0001-SIMULATED";
pub const SECRET: &str = "SK-simulated";

/// How bad things are. Everything is of a hundred.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// DOKU's own faults.
    pub faults: u8,
    /// Connections that are refused.
    pub refused: u64,
    /// Requests lost on their way, and answers lost on theirs.
    pub lost: u64,
    /// Requests that arrive twice.
    pub doubled: u64,
    /// Requests that are answered by somebody who is not DOKU.
    pub strangers: u64,
    /// Requests and answers that take as long as a client may wait, or longer.
    pub slow: u64,
    /// Notifications that find no server.
    pub server_down: u64,
    /// Acknowledgements of notifications that are lost.
    pub unheard: u64,
    /// Payments DOKU never tells of.
    pub untold: u64,
    /// Processes that die.
    pub deaths: u64,
    /// Processes that stand still for a while.
    pub freezes: u64,
}

/// One thing that can be made simpler when a failure is told.
pub type Simplify = (&'static str, fn(&mut Weather));

impl Weather {
    /// Everything that can be left out.
    pub const PARTS: [Simplify; 11] = [
        ("faults", |weather| weather.faults = 0),
        ("refused", |weather| weather.refused = 0),
        ("lost", |weather| weather.lost = 0),
        ("doubled", |weather| weather.doubled = 0),
        ("strangers", |weather| weather.strangers = 0),
        ("slow", |weather| weather.slow = 0),
        ("server_down", |weather| weather.server_down = 0),
        ("unheard", |weather| weather.unheard = 0),
        ("untold", |weather| weather.untold = 0),
        ("deaths", |weather| weather.deaths = 0),
        ("freezes", |weather| weather.freezes = 0),
    ];

    /// The weather of a world: each kind of trouble is there in about half of them.
    pub fn drawn(dice: &mut Dice) -> Self {
        let mut some = |most: u64| if dice.percent(50) { 1 + dice.below(most) } else { 0 };
        Self {
            faults: some(40) as u8,
            refused: some(10),
            lost: some(15),
            doubled: some(10),
            strangers: some(15),
            slow: some(10),
            server_down: some(40),
            unheard: some(20),
            untold: some(10),
            deaths: some(90),
            freezes: some(60),
        }
    }
}

/// What a counter was paid, as DOKU knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paid {
    pub payment_code: String,
    pub amount: u64,
    pub at: Timestamp,
}

pub struct World {
    pub seed: u64,
    pub time: Timeline,
    pub signer: Signer,
    pub weather: Mutex<Weather>,
    /// Whether an error in DOKU's shape counts though it is not signed: then nobody else may speak in that shape.
    pub is_trusting: bool,
    /// Of the machine's clock, seconds ahead of true time.
    pub skew_seconds: i64,
    /// Notifications as `serve` has kept them, since a log was last taken.
    pub log: Mutex<Vec<String>>,
    /// What has really been paid, by the counter's number for it; whether the merchant has acknowledged a notification of it.
    pub paid: Mutex<BTreeMap<String, (Paid, bool)>>,
    /// When requests left (microseconds), and of which process.
    pub left_us: Mutex<Vec<u64>>,
    /// What DOKU carried out, as its own record would have it.
    pub record: Mutex<Record>,
    pub last_answer: Mutex<Option<(String, HttpAnswer)>>,
    /// DOKU's last success about each order.
    pub said: Mutex<HashMap<String, bytes::Bytes>>,
    /// The digest of the body each was first sent with.
    pub bodies: Mutex<HashMap<String, String>>,
    pub calls_judged: Mutex<usize>,
    /// Who is at the open operation of a bill.
    pub at_it: Mutex<HashMap<InvoiceNumber, Arc<Life>>>,
    /// The right to give out codes of our own making.
    pub minting: tokio::sync::Mutex<()>,
    model: Mutex<Model>,
    dice: Mutex<Dice>,
    operations: AtomicU64,
}

impl World {
    pub fn new(seed: u64, weather: Weather, is_trusting: bool, mut dice: Dice) -> Self {
        let settings = Settings {
            // Then its errors count without that, and whether it signs them is not known.
            signs_errors: !is_trusting || seed.is_multiple_of(2),
            redelivery_id: if dice.percent(50) { RedeliveryId::New } else { RedeliveryId::Same },
            faults: Faults { delay_ms: 31_000, retry_after_seconds: 2, clock_skew_seconds: 900, ..Faults::mixed(weather.faults) },
            ..Settings::new(CLIENT, SecretString::from(SECRET), seed)
        };
        Self {
            seed,
            is_trusting,
            time: Timeline::default(),
            signer: Signer::new(CLIENT, SECRET),
            skew_seconds: if dice.percent(30) { dice.below(110) as i64 - 55 } else { 0 },
            weather: Mutex::new(weather),
            log: Mutex::default(),
            paid: Mutex::default(),
            left_us: Mutex::default(),
            record: Mutex::default(),
            last_answer: Mutex::default(),
            said: Mutex::default(),
            bodies: Mutex::default(),
            calls_judged: Mutex::default(),
            at_it: Mutex::default(),
            minting: tokio::sync::Mutex::default(),
            model: Mutex::new(Model::new(settings)),
            dice: Mutex::new(dice),
            operations: AtomicU64::new(0),
        }
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    pub fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap()
    }

    pub fn weather(&self) -> Weather {
        self.weather.lock().unwrap().clone()
    }

    /// From here on nothing goes wrong any more.
    pub fn calm(&self) {
        *self.weather.lock().unwrap() = Weather::default();
        self.model().set_faults(Faults::none());
    }

    /// What the merchant's machine takes the time for.
    pub fn machine_time(&self) -> Timestamp {
        self.time.now().checked_add(SignedDuration::from_secs(self.skew_seconds)).unwrap()
    }

    /// Counts what was done in this world: requests, events, payments, notifications.
    pub fn count(&self, operations: u64) {
        self.operations.fetch_add(operations, Ordering::Relaxed);
    }

    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// Where something went wrong.
    pub fn context(&self) -> String {
        format!("seed {}, at {}", self.seed, self.time.now())
    }
}
