//! The sections of the configuration as plain values, one struct for each table of `config/default.toml`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::books::Account;
use crate::books::settings::Booked;
use crate::doku::answer::{SignaturePolicy, UnsignedErrors};
use crate::doku::info::InfoField;
use crate::doku::inquiry::InvalidSignature;
use crate::doku::paths::Paths;
use crate::domain::calendar::{can_be_meant, start_of_wib_day, wib_date};
use crate::domain::carried_columns::CarriedColumns;
use crate::domain::channel::Channel;
use crate::domain::doubt::NotFound;
use crate::domain::language::Language;
use crate::domain::plan::AmendBase;

/// Every setting. Meanings, units and defaults are in `config/default.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
pub struct Config {
    pub doku: Doku,
    pub ledger: Ledger,
    pub pacing: Pacing,
    pub retry: Retry,
    pub timeout: Timeout,
    pub doubt: Doubt,
    pub sync: Sync,
    pub plan: Plan,
    pub guard: Guard,
    pub intake: Intake,
    pub results: Results,
    pub merchant_code: MerchantCode,
    pub additional_info: AdditionalInfo,
    pub reconcile: Reconcile,
    pub notifications: Notifications,
    pub evidence: Evidence,
    pub serve: Serve,
    pub settlement: Settlement,
    pub journal: Journal,
    pub discrepancies: Discrepancies,
    pub books: Books,
    pub bank: Bank,
    pub accounts: BTreeMap<Account, String>,
    pub report: Report,
    pub heartbeat: Heartbeat,
    pub log: Log,
    pub retention: Retention,
    pub layouts: BTreeMap<String, Layout>,
    /// Settings that were given although nothing reads them any more: dotted key and value. Not a section.
    #[serde(skip)]
    pub unused: BTreeMap<String, String>,
}

/// More rows or calls than any run has.
const COUNT_MAX: i64 = 1_000_000_000;

/// More bytes than any log has.
const BYTES_MAX: i64 = 1 << 50;

/// The largest amount there is.
const RUPIAH_MAX: i64 = 999_999_999_999;

/// The most bytes of a body whose log line, with every byte escaped, is one that `reconcile` reads.
const BODY_BYTES_MAX: i64 = 131_072;

/// Keys that are numbers, and which they may be.
type Ranges = &'static [(&'static str, RangeInclusive<i64>)];

/// A section: its keys with their types, and the range of every number behind `=`.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty $(= $range:expr)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
        pub struct $name { $(pub $field: $type),* }

        impl $name {
            /// The keys that are numbers, and which they may be.
            #[allow(dead_code, reason = "many sections have no numbers")]
            const RANGES: Ranges = &[$($((stringify!($field), $range),)?)*];
        }
    };
}

/// `production` or `sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Real money.
    Production,
    /// DOKU's sandbox, or ours.
    Sandbox,
}

impl Environment {
    /// The name used in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}

/// How the lines of the program's own log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// As people read them.
    Text,
    /// JSON Lines.
    Json,
    /// As journald takes them from a unit.
    Journald,
}

impl LogFormat {
    /// By its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "text" => Self::Text,
            "json" => Self::Json,
            "journald" => Self::Journald,
            _ => return None,
        })
    }
}

section!(
    /// `[doku]`
    Doku {
        environment: Environment, base_url: String, other_host: String, root_certificates_file: String, client_id: String,
        secret_file: String, secret_command: Vec<String>, secret_command_seconds: u64 = 1..=300, secret_file_previous: String, previous_until: String, verify_response: SignaturePolicy,
        unsigned_errors: UnsignedErrors, proxy: String, use_environment_proxy: bool, info: InfoField, paths: Paths,
        status_words: StatusWords,
    }
);
impl Doku {
    /// Until when the previous key is believed, if that is said.
    #[must_use]
    pub fn previous_until(&self) -> Option<Timestamp> {
        key_end(&self.previous_until)
    }
}

section!(
    /// `[doku.status_words]`
    StatusWords { cancelled: Vec<String> }
);
section!(
    /// `[ledger]`
    Ledger {
        path: String, url: String, password_file: String, ca_file: String, seal_key_file: String,
        wait_seconds: u64 = 0..=86_400, lease_seconds: u64 = 1..=3_600,
    }
);
section!(
    /// `[pacing]`
    Pacing {
        rate_per_second: std::num::NonZeroU32 = 1..=100_000, burst: std::num::NonZeroU32 = 1..=100_000,
        in_flight_max: std::num::NonZeroU32 = 1..=100_000,
    }
);
section!(
    /// `[retry]`
    Retry {
        attempts_max: std::num::NonZeroU32 = 1..=1_000, base_ms: u64 = 0..=3_600_000, cap_ms: u64 = 0..=3_600_000,
        breaker_failures: u32 = 0..=1_000_000, pause_max_seconds: u64 = 0..=86_400, replay_window_minutes: i64 = 0..=525_600,
    }
);
section!(
    /// `[timeout]`
    Timeout { connect_ms: u64 = 1..=600_000, request_ms: u64 = 1..=600_000 }
);
section!(
    /// `[doubt]`
    Doubt {
        not_found: NotFound, not_found_minutes: i64 = 1..=525_600, unchanged_minutes: i64 = 1..=525_600,
        overdue_hours: i64 = 0..=87_840,
    }
);
section!(
    /// `[sync]`
    Sync {
        first_minutes: i64 = 0..=525_600, window_days: i64 = 0..=3_660, calls_max: u64 = 0..=COUNT_MAX,
        spacing_seconds: i64 = 0..=86_400,
    }
);
section!(
    /// `[plan]`
    Plan { reissue_suffix: String, reissue_grace_minutes: i64 = 0..=525_600, amend_base: AmendBase, cancel_name: String }
);
section!(
    /// `[guard]`
    Guard {
        rows_max: u64 = 0..=COUNT_MAX, rupiah_max: u64 = 0..=1_000_000_000_000_000, amount_max: u64 = 0..=RUPIAH_MAX,
        cancellations_max: u64 = 0..=COUNT_MAX, changed_share_max: u64 = 0..=100,
    }
);
section!(
    /// `[intake]`
    Intake {
        delimiter: String, amount_format: String, invoice_number_template: String, merchant_bin: String,
        columns: BTreeMap<String, String>, defaults: Defaults, limits: Limits,
    }
);
section!(
    /// `[intake.defaults]`
    Defaults {
        channel: String, method: String, expiry_minutes: u32 = 0..=99_999_999, reusable: bool, info: String,
        receipt_description: String, receipt_footer: String,
    }
);
section!(
    /// `[intake.limits]`
    Limits {
        field_bytes_max: usize = 1..=16_777_216, record_bytes_max: usize = 1..=67_108_864, columns_max: usize = 1..=16_384,
        rows_max: u64 = 1..=COUNT_MAX,
    }
);
section!(
    /// `[results]`
    Results { carry_columns: CarriedColumns }
);
section!(
    /// `[merchant_code]`
    MerchantCode { template: String, length: usize = 1..=20 }
);
section!(
    /// `[additional_info]`
    AdditionalInfo {
        override_notification_url: String, override_hosts: String, settlement: String, report: String, free: String,
        hold_settlement: bool, account_id: String, indomaret_settlement: bool,
    }
);
section!(
    /// `[reconcile]`
    Reconcile {
        tolerance_rupiah: u64 = 0..=RUPIAH_MAX, expiry_grace_minutes: i64 = 0..=525_600, skew_minutes: i64 = 0..=525_600,
        late_evidence_hours: i64 = 0..=87_840, unverifiable: String, expired_break_days: i64 = 0..=3_660,
        status_grace_hours: i64 = 0..=87_840, malformed_lines_max_percent: u64 = 0..=100, lapsed_policy_statuses: Vec<String>,
    }
);
section!(
    /// `[notifications]`
    Notifications { received_at_offset: String, date_format: String, columns: BTreeMap<String, String> }
);
section!(
    /// `[evidence]`
    Evidence { store: String, keep_raw: bool, expansion_max: u64 = 10..=1_000_000 }
);
section!(
    /// `[serve]`
    Serve {
        listen: String, admin_listen: String, inquiry_path: String, notification_path: String, log_dir: String,
        invalid_signature: InvalidSignature, inquiry_suffix: String, refusal_details: bool, sign_refusals: bool,
        freshness_seconds: u32 = 0..=86_400, customer_name: String, connections_max: std::num::NonZeroU32 = 1..=65_536,
        connections_per_address_max: std::num::NonZeroU32 = 1..=65_536, proxies: Vec<std::net::IpAddr>,
        body_bytes_max: usize = 1_024..=BODY_BYTES_MAX, header_timeout_ms: u64 = 1..=600_000, body_timeout_ms: u64 = 1..=600_000,
        drain_seconds: u64 = 0..=3_600, close_after_minutes: u32 = 0..=10_080, forged_bytes_max: u64 = 0..=BYTES_MAX,
        reserved_bytes: u64 = 0..=BYTES_MAX, answers_bytes_max: u64 = 0..=BYTES_MAX,
    }
);
section!(
    /// `[settlement]`
    Settlement {
        notification_grace_hours: i64 = 0..=8_784, holidays: Vec<jiff::civil::Date>, channels: BTreeMap<String, String>,
        shares: BTreeMap<String, String>, third_parties: Vec<String>, alfa: SettledChannel, indomaret: SettledChannel,
    }
);
impl Settlement {
    /// The section of `channel`.
    #[must_use]
    pub const fn of(&self, channel: Channel) -> &SettledChannel {
        match channel {
            Channel::Alfa => &self.alfa,
            Channel::Indomaret => &self.indomaret,
        }
    }
}

section!(
    /// `[settlement.alfa]`, `[settlement.indomaret]`
    SettledChannel {
        settled_by_doku: bool, working_days: u32 = 0..=60, fee_rupiah: u64 = 0..=RUPIAH_MAX, fee_basis_points: u32 = 0..=10_000,
        vat_percent: u32 = 0..=100,
    }
);
section!(
    /// `[journal]`
    Journal { path: String, actor: String }
);
section!(
    /// `[discrepancies]`
    Discrepancies { four_eyes: bool }
);
section!(
    /// `[books]`
    Books { premium: Booked, receipts: Booked, lapse_after_days: u32 = 0..=3_650, accept_late: bool, known_months: u32 = 3..=120 }
);
section!(
    /// `[bank]`
    Bank { statement: bool, window_days: u32 = 0..=60, filter: Vec<String> }
);
section!(
    /// `[report]`
    Report { language: Language, entity: String, dimensions: Vec<String> }
);

section!(
    /// `[heartbeat]`
    Heartbeat { url: String, timeout_ms: u64 = 100..=10_000 }
);

section!(
    /// `[retention]`
    Retention { personal_days: u32 = 0..=36_500, logs_days: u32 = 0..=36_500, evidence_days: u32 = 0..=36_500, runs_days: u32 = 0..=36_500 }
);
section!(
    /// `[log]`
    Log { format: LogFormat }
);

/// Every section with numbers, and which they may be. No computation with them, on whatever day, leaves the range of its type.
pub(super) const RANGES: [(&str, Ranges); 23] = [
    ("doku", Doku::RANGES),
    ("ledger", Ledger::RANGES),
    ("doku.info", &[("alfa_length_max", 1..=64), ("indomaret_length_max", 1..=64)]),
    ("pacing", Pacing::RANGES),
    ("retry", Retry::RANGES),
    ("timeout", Timeout::RANGES),
    ("doubt", Doubt::RANGES),
    ("sync", Sync::RANGES),
    ("plan", Plan::RANGES),
    ("guard", Guard::RANGES),
    ("intake.defaults", Defaults::RANGES),
    ("intake.limits", Limits::RANGES),
    ("merchant_code", MerchantCode::RANGES),
    ("reconcile", Reconcile::RANGES),
    ("evidence", Evidence::RANGES),
    ("serve", Serve::RANGES),
    ("settlement", Settlement::RANGES),
    ("settlement.alfa", SettledChannel::RANGES),
    ("settlement.indomaret", SettledChannel::RANGES),
    ("books", Books::RANGES),
    ("bank", Bank::RANGES),
    ("heartbeat", Heartbeat::RANGES),
    ("retention", Retention::RANGES),
];

/// `[layouts.NAME]`: whatever is left out is as tagih writes it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
pub struct Layout {
    pub amount_format: String,
    pub date_format: String,
    pub columns: BTreeMap<String, String>,
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    pub constants: BTreeMap<String, String>,
    pub carry_columns: Option<CarriedColumns>,
}

/// The sections whose keys are the user's own.
pub(super) const OPEN_SECTIONS: [&str; 5] =
    ["intake.columns", "notifications.columns", "settlement.channels", "settlement.shares", "layouts"];

/// The last instant of a WIB day, or an instant, as `doku.previous_until` has it. A time that does not say of which clock it is says neither.
pub(super) fn key_end(text: &str) -> Option<Timestamp> {
    let of_day = || {
        let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text)?;
        let next = day.tomorrow().ok().and_then(start_of_wib_day)?;
        next.checked_sub(SignedDuration::from_nanos(1)).ok()
    };
    text.parse().ok().or_else(of_day).filter(|at| can_be_meant(wib_date(*at)))
}
