//! What `/metrics` shows. No label has more than a handful of values, and none says anything of a bill or a person.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::log::kind::{LASTING, LogKind};

/// The one label of most counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Label {
    is: &'static str,
}

/// What `inquiries_turned_down` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedDown {
    /// Not provably DOKU's.
    Forged,
    /// Of another time than now: recorded and sent again, or one of the clocks is wrong.
    Stale,
    /// Its Request-Id was another inquiry's.
    IdReused,
}

impl TurnedDown {
    const ALL: [Self; 3] = [Self::Forged, Self::Stale, Self::IdReused];

    const fn name(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Stale => "stale",
            Self::IdReused => "request_id_reused",
        }
    }
}

/// Where a request went and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    endpoint: &'static str,
    status: u16,
}

type Count = Family<Label, Counter<u64, AtomicU64>>;

/// Upper ends of the latency buckets, in seconds.
const SECONDS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Every figure.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter<u64, AtomicU64>>,
    inquiries: Count,
    turned_down: Count,
    skew_seconds: Gauge<i64, AtomicI64>,
    notifications: Count,
    misrouted: Count,
    misunderstood: Count,
    connections_refused: Counter<u64, AtomicU64>,
    inquiry_seconds: Histogram,
    notification_seconds: Histogram,
    /// Calls of fsync on the notification log.
    pub(super) log_syncs: Counter<u64, AtomicU64>,
    /// Lines in their files, by kind.
    log_lines: Count,
    log_dropped: Count,
    log_errors: Count,
    /// Connections open now.
    pub(super) connections: Gauge<i64, AtomicI64>,
    waiting: Gauge<i64, AtomicI64>,
    /// Messages that told of money and could not be booked.
    not_understood: Counter<u64, AtomicU64>,
    behind_seconds: Gauge<i64, AtomicI64>,
    unkept: Gauge<i64, AtomicI64>,
    sequence: Gauge<i64, AtomicI64>,
    held: Gauge<i64, AtomicI64>,
    ready: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let latency = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("tagih"),
            requests: Family::default(),
            inquiries: Count::default(),
            turned_down: Count::default(),
            skew_seconds: Gauge::default(),
            notifications: Count::default(),
            misrouted: Count::default(),
            misunderstood: Count::default(),
            connections_refused: Counter::default(),
            inquiry_seconds: latency(),
            notification_seconds: latency(),
            log_syncs: Counter::default(),
            log_lines: Count::default(),
            log_dropped: Count::default(),
            log_errors: Count::default(),
            connections: Gauge::default(),
            waiting: Gauge::default(),
            not_understood: Counter::default(),
            behind_seconds: Gauge::default(),
            unkept: Gauge::default(),
            sequence: Gauge::default(),
            held: Gauge::default(),
            ready: Gauge::default(),
        };
        metrics.register();
        metrics.register_money();
        metrics.begin();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered, by endpoint and HTTP status", self.requests.clone());
        registry.register("build", "The version that runs", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("ready", "Whether /readyz says so", self.ready.clone());
        registry.register("inquiries", "Inquiries, by the word they were answered, and repeated ones", self.inquiries.clone());
        registry.register("inquiries_turned_down", "Inquiries that were not looked up, by why", self.turned_down.clone());
        let skew = self.skew_seconds.clone();
        registry.register_with_unit("inquiry_clock_skew", "By how much the last inquiry was signed before it arrived", Unit::Seconds, skew);
        registry.register("notifications", "Notifications, by what became of them", self.notifications.clone());
        registry.register("misrouted", "Genuine messages that came to the other one's URL, by what they are", self.misrouted.clone());
        registry.register(
            "misunderstood",
            "Genuine messages that could not be understood, by what they should be",
            self.misunderstood.clone(),
        );
        registry.register("connections_refused", "Connections turned away above the cap", self.connections_refused.clone());
        let (inquiry, notification) = (self.inquiry_seconds.clone(), self.notification_seconds.clone());
        registry.register_with_unit("inquiry", "From the whole inquiry to its answer", Unit::Seconds, inquiry);
        registry.register_with_unit("notification", "From the whole notification to its answer", Unit::Seconds, notification);
        registry.register("log_syncs", "Times the notification log was made durable", self.log_syncs.clone());
        registry.register("log_lines", "Lines that are in their files, by kind of log", self.log_lines.clone());
        registry.register("log_errors", "Messages that could not be kept, by kind of log", self.log_errors.clone());
        let dropped = self.log_dropped.clone();
        registry.register("log_dropped", "Messages that are not DOKU's and were not kept, by what there was too little of", dropped);
        registry.register("connections", "Connections open now", self.connections.clone());
    }

    /// What became of payments.
    fn register_money(&mut self) {
        let registry = &mut self.registry;
        registry.register("ledger_waiting_payments", "Payments in the log that are not in the ledger yet", self.waiting.clone());
        let not_understood = self.not_understood.clone();
        registry.register(
            "money_not_understood",
            "Messages that told of money and hold a bill, as they could not be booked",
            not_understood,
        );
        let behind = self.behind_seconds.clone();
        registry.register_with_unit("ledger_behind", "How long the first of them has waited", Unit::Seconds, behind);
        registry.register("unkept_payments", "Payments that DOKU told of and no disk has taken yet", self.unkept.clone());
        registry.register("ledger_sequence", "The ledger's last event", self.sequence.clone());
        registry.register("held_bills", "Bills that are held until a person has looked", self.held.clone());
    }

    /// Counts that an alarm watches begin with 0, or their first rise would not be one.
    fn begin(&self) {
        for kind in LASTING.into_iter().chain([LogKind::Answers]) {
            self.lines(kind, 0);
            self.log_errors.get_or_create(&Label { is: kind.name() }).inc_by(0);
        }
        for turned_down in TurnedDown::ALL {
            self.turned_down.get_or_create(&Label { is: turned_down.name() }).inc_by(0);
        }
        for is in ["inquiry", "notification"] {
            self.misrouted.get_or_create(&Label { is }).inc_by(0);
            self.misunderstood.get_or_create(&Label { is }).inc_by(0);
        }
        for is in ["payment", "forged", "not_kept"] {
            self.notifications.get_or_create(&Label { is }).inc_by(0);
        }
    }

    /// `OpenMetrics` text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => unreachable!("a string takes whatever is written into it"),
        }
    }

    pub(super) fn request(&self, endpoint: &'static str, status: u16) {
        self.requests.get_or_create(&Request { endpoint, status }).inc();
    }

    pub(super) fn inquiry(&self, answer: &'static str, took: Duration) {
        self.inquiries.get_or_create(&Label { is: answer }).inc();
        self.inquiry_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn notification(&self, fate: &'static str, took: Duration) {
        self.notifications.get_or_create(&Label { is: fate }).inc();
        self.notification_seconds.observe(took.as_secs_f64());
    }

    /// A message that came to the other one's URL.
    pub(super) fn misrouted(&self, kind: &'static str) {
        self.misrouted.get_or_create(&Label { is: kind }).inc();
    }

    /// A genuine message whose meaning is not known.
    pub(super) fn misunderstood(&self, kind: &'static str) {
        self.misunderstood.get_or_create(&Label { is: kind }).inc();
    }

    /// So many more lines are in their file.
    pub(super) fn lines(&self, kind: LogKind, count: u64) {
        self.log_lines.get_or_create(&Label { is: kind.name() }).inc_by(count);
    }

    /// A message could not be kept.
    pub(super) fn not_kept(&self, kind: LogKind) {
        self.log_errors.get_or_create(&Label { is: kind.name() }).inc();
    }

    /// An inquiry that was not looked up.
    pub(super) fn turned_down(&self, why: TurnedDown) {
        self.turned_down.get_or_create(&Label { is: why.name() }).inc();
    }

    /// How many seconds before its arrival DOKU signed an inquiry; negative, after it: the clocks differ.
    pub(super) fn skew(&self, seconds: i64) {
        self.skew_seconds.set(seconds);
    }

    /// Whether messages should be sent here.
    pub(super) fn ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }

    /// A stranger's message that was not kept.
    pub(super) fn dropped(&self, why: &'static str) {
        self.log_dropped.get_or_create(&Label { is: why }).inc();
    }

    pub(super) fn refused(&self) {
        self.connections_refused.inc();
    }

    /// Payments the ledger does not have yet.
    pub fn waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// One more message that told of money and could not be booked.
    pub fn not_understood(&self) {
        self.not_understood.inc();
    }

    /// How long the first of them has waited.
    pub(super) fn behind(&self, duration: Duration) {
        self.behind_seconds.set(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX));
    }

    /// Payments that are known and not durable anywhere.
    pub fn unkept(&self, count: usize) {
        self.unkept.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How far the ledger has come, and how many of its bills are held.
    pub fn ledger(&self, sequence: u64, held: u64) {
        self.sequence.set(i64::try_from(sequence).unwrap_or(i64::MAX));
        self.held.set(i64::try_from(held).unwrap_or(i64::MAX));
    }
}
