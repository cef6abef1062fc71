//! What an examiner says: what it looked at, how bad it is, and what to do.

use super::codes;
use crate::domain::code::StableCode;

/// What is looked at, in the order it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Whether the configuration can be used at all.
    Configuration,
    /// Whether `doku.environment`, `doku.base_url` and `doku.client_id` agree.
    Environment,
    /// The secret's mode, owner and shape.
    Secret,
    /// The host's name.
    Dns,
    /// Connection and TLS.
    Tls,
    /// The days a certificate has left.
    Certificate,
    /// This machine's clock against DOKU's.
    Clock,
    /// Proxies of settings and environment.
    Proxy,
    /// Whether the ledger is there, and ours.
    Ledger,
    /// Whether it says what was recorded.
    Chain,
    /// Who sends.
    Lock,
    /// Room on the disks.
    Space,
    /// How long the disks take to make something durable.
    Sync,
    /// What the disks are.
    FileSystem,
    /// Whose the files are.
    Owner,
    /// Where ledger, journal and logs lie.
    Place,
    /// Open files.
    Limit,
    /// The last notification.
    Log,
    /// What time cron goes by.
    TimeZone,
    /// Settings that are allowed and risky.
    Risk,
}

impl Check {
    /// Its name, as `--json` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Environment => "environment",
            Self::Secret => "secret",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Clock => "clock",
            Self::Proxy => "proxy",
            Self::Ledger => "ledger",
            Self::Chain => "chain",
            Self::Lock => "lock",
            Self::Space => "space",
            Self::Sync => "sync",
            Self::FileSystem => "file_system",
            Self::Owner => "owner",
            Self::Place => "place",
            Self::Limit => "limit",
            Self::Log => "log",
            Self::TimeZone => "time_zone",
            Self::Risk => "risk",
        }
    }

    /// What `tagih explain` says of it.
    #[must_use]
    pub const fn code(self) -> &'static StableCode {
        match self {
            Self::Configuration => &codes::CONFIGURATION,
            Self::Environment => &codes::ENVIRONMENT,
            Self::Secret => &codes::SECRET,
            Self::Dns => &codes::DNS,
            Self::Tls => &codes::TLS,
            Self::Certificate => &codes::CERTIFICATE,
            Self::Clock => &codes::CLOCK,
            Self::Proxy => &codes::PROXY,
            Self::Ledger => &codes::LEDGER,
            Self::Chain => &codes::CHAIN,
            Self::Lock => &codes::LOCK,
            Self::Space => &codes::SPACE,
            Self::Sync => &codes::SYNC,
            Self::FileSystem => &codes::FILE_SYSTEM,
            Self::Owner => &codes::OWNER,
            Self::Place => &codes::PLACE,
            Self::Limit => &codes::LIMIT,
            Self::Log => &codes::LOG,
            Self::TimeZone => &codes::TIME_ZONE,
            Self::Risk => &codes::RISK,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be, or of no matter.
    Ok,
    /// A night may go wrong by it, or has lost a guard.
    Warning,
    /// A night will go wrong by it.
    Error,
}

impl Level {
    /// Its name, as `--json` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorFinding {
    /// What was looked at.
    pub check: Check,
    /// How bad it is.
    pub level: Level,
    /// What is so, in words.
    pub found: String,
    /// What to do; empty where nothing is.
    pub remedy: String,
}

impl DoctorFinding {
    /// As it should be.
    pub(super) fn ok(check: Check, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), remedy: String::new() }
    }

    /// Worth a look.
    pub(super) fn warning(check: Check, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, found: found.into(), remedy: remedy.into() }
    }

    /// To be mended.
    #[must_use]
    pub fn error(check: Check, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Error, found: found.into(), remedy: remedy.into() }
    }
}
