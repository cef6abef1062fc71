//! The sections of the configuration as plain values, one struct for each table of `config/default.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::books::Account;
use crate::books::settings::Booked;
use crate::doku::answer::{SignaturePolicy, UnsignedErrors};
use crate::doku::info::InfoField;
use crate::doku::paths::Paths;
use crate::domain::carry::Carry;
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
    pub serve: Serve,
    pub settlement: Settlement,
    pub journal: Journal,
    pub discrepancies: Discrepancies,
    pub books: Books,
    pub bank: Bank,
    pub accounts: BTreeMap<Account, String>,
    pub report: Report,
    pub heartbeat: Heartbeat,
    pub layouts: BTreeMap<String, Layout>,
    /// Settings that were given although nothing reads them any more: dotted key and value. Not a section.
    #[serde(skip)]
    pub unused: BTreeMap<String, String>,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
        pub struct $name { $(pub $field: $type),* }
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

/// What an inquiry that is not provably DOKU's is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InvalidSignature {
    /// 401 and `invalid_signature`, as the current profile has it.
    Unauthorized,
    /// 400 and `decline`, for the older ones.
    Decline,
}

section!(
    /// `[doku]`
    Doku {
        environment: Environment, base_url: String, client_id: String, secret_file: String, secret_file_previous: String,
        verify_response: SignaturePolicy, unsigned_errors: UnsignedErrors, proxy: String, use_environment_proxy: bool, info: InfoField,
        paths: Paths, status_words: StatusWords,
    }
);
section!(
    /// `[doku.status_words]`
    StatusWords { cancelled: Vec<String> }
);
section!(
    /// `[ledger]`
    Ledger { path: String, url: String, password_file: String, ca_file: String, wait_seconds: u64, lease_seconds: u64 }
);
section!(
    /// `[pacing]`
    Pacing { rate_per_second: std::num::NonZeroU32, burst: std::num::NonZeroU32, in_flight_max: std::num::NonZeroU32 }
);
section!(
    /// `[retry]`
    Retry { attempts_max: std::num::NonZeroU32, base_ms: u64, cap_ms: u64, breaker_failures: u32, pause_max_seconds: u64, replay_window_minutes: i64 }
);
section!(
    /// `[timeout]`
    Timeout { connect_ms: u64, request_ms: u64 }
);
section!(
    /// `[doubt]`
    Doubt { not_found: NotFound, not_found_minutes: i64, unchanged_minutes: i64, overdue_hours: i64 }
);
section!(
    /// `[sync]`
    Sync { first_minutes: i64, window_days: i64, calls_max: u64, spacing_seconds: i64 }
);
section!(
    /// `[plan]`
    Plan { reissue_suffix: String, reissue_grace_minutes: i64, amend_base: AmendBase, cancel_name: String }
);
section!(
    /// `[guard]`
    Guard { rows_max: u64, rupiah_max: u64, amount_max: u64, cancellations_max: u64, changed_share_max: u64 }
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
        channel: String, method: String, expiry_minutes: u32, reusable: bool, info: String,
        receipt_description: String, receipt_footer: String,
    }
);
section!(
    /// `[intake.limits]`
    Limits { field_bytes_max: usize, record_bytes_max: usize, columns_max: usize, rows_max: u64 }
);
section!(
    /// `[results]`
    Results { carry_columns: Carry }
);
section!(
    /// `[merchant_code]`
    MerchantCode { template: String, length: usize }
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
        tolerance_rupiah: u64, expiry_grace_minutes: i64, skew_minutes: i64, late_evidence_hours: i64,
        unverifiable: String, expired_break_days: i64, status_grace_hours: i64, malformed_lines_max_percent: u64,
        lapsed_policy_statuses: Vec<String>,
    }
);
section!(
    /// `[notifications]`
    Notifications { received_at_offset: String, date_format: String, columns: BTreeMap<String, String> }
);
section!(
    /// `[serve]`
    Serve {
        listen: String, admin_listen: String, inquiry_path: String, notification_path: String, log_dir: String,
        invalid_signature: InvalidSignature, inquiry_suffix: String, refusal_details: bool, freshness_seconds: u32,
        customer_name: String, connections_max: std::num::NonZeroU32,
        body_bytes_max: usize, header_timeout_ms: u64, body_timeout_ms: u64, drain_seconds: u64, close_after_minutes: u32,
        forged_bytes_max: u64, answers_bytes_max: u64,
    }
);
section!(
    /// `[settlement]`
    Settlement {
        notification_grace_hours: i64, holidays: Vec<jiff::civil::Date>, channels: BTreeMap<String, String>,
        shares: BTreeMap<String, String>, alfa: SettledChannel, indomaret: SettledChannel,
    }
);
section!(
    /// `[settlement.alfa]`, `[settlement.indomaret]`
    SettledChannel { settled_by_doku: bool, working_days: u32, fee_rupiah: u64, fee_basis_points: u32, vat_percent: u32 }
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
    Books { premium: Booked, receipts: Booked, lapse_after_days: u32, accept_late: bool, known_months: u32 }
);
section!(
    /// `[bank]`
    Bank { statement: bool, window_days: u32, filter: Vec<String> }
);
section!(
    /// `[report]`
    Report { language: Language, entity: String }
);

section!(
    /// `[heartbeat]`
    Heartbeat { url: String, timeout_ms: u64 }
);

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
    pub carry_columns: Option<Carry>,
}
