//! What was recorded: ledger, lock, logs.

use super::finding::{Check, DoctorFinding};

/// A sender that is at it for longer than this has most likely stopped doing anything.
const LOCK_SECONDS_MAX: i64 = 24 * 3600;
/// A shop that is open hears of a payment more often than this.
const LOG_SECONDS_MAX: i64 = 36 * 3600;

/// What opening, and if wished verifying, the ledger came to.
#[derive(Clone, Debug)]
pub enum LedgerState {
    /// There is none at this path.
    Missing(String),
    /// It cannot be opened, in words.
    Refused {
        /// Why.
        reason: String,
        /// Whether because it is damaged.
        is_damaged: bool,
    },
    /// It was opened, and not verified.
    Opened {
        /// `sequence:hash`, and how it is sealed.
        head: String,
    },
    /// It was verified as a whole.
    Verified {
        /// `sequence:hash`, and how it is sealed.
        head: String,
        /// The first thing that does not hold.
        first: Option<String>,
        /// How many do not hold.
        findings_count: u64,
        /// How many bills it has.
        bills: u64,
        /// Whether an earlier head was looked for.
        against_head: bool,
    },
}

/// Whether a sender is at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockState {
    /// None.
    Free,
    /// One, as it calls itself, for so many seconds.
    Held {
        /// Command, process and start.
        holder: String,
        /// Since when, if the lock file says.
        seconds: Option<i64>,
    },
    /// The lock file cannot be used, in words.
    Unusable(String),
}

/// The logs of `tagih serve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// There is no such folder, or nothing in it: it has not run here.
    None(String),
    /// It cannot be looked into.
    Unreadable(String),
    /// The newest notifications.
    Last {
        /// The file's name.
        name: String,
        /// Seconds since it was written to.
        age_seconds: i64,
    },
}

/// What is known of what was recorded.
#[derive(Clone, Debug)]
pub struct RecordsState {
    /// The ledger.
    pub ledger: LedgerState,
    /// Its lock.
    pub lock: LockState,
    /// The last log.
    pub log: LogState,
}

pub(super) fn examine(records: &RecordsState, is_production: bool) -> Vec<DoctorFinding> {
    let mut findings = ledger(&records.ledger, is_production);
    findings.extend([lock(&records.lock), log(&records.log)]);
    findings
}

/// What is done about a ledger that is not whole.
const RESTORE: &str = "send nothing; `tagih ledger verify` says what is wrong; restore the last backup";

fn ledger(ledger: &LedgerState, is_production: bool) -> Vec<DoctorFinding> {
    match ledger {
        LedgerState::Missing(path) => {
            let remedy = if is_production {
                "check `ledger.path` and mounts; only if there never was one, `tagih ledger create` makes it"
            } else {
                "check `ledger.path`; `tagih ledger create` makes it, or the first `tagih issue`"
            };
            vec![DoctorFinding::warning(Check::Ledger, format!("there is none at `{path}`"), remedy)]
        }
        LedgerState::Refused { reason, is_damaged: true } => {
            vec![DoctorFinding::error(Check::Chain, format!("it is damaged: {reason}"), RESTORE)]
        }
        LedgerState::Refused { reason, is_damaged: false } => {
            vec![DoctorFinding::error(Check::Ledger, format!("it cannot be opened: {reason}"), "check path, owner and binding")]
        }
        LedgerState::Opened { head } => {
            vec![
                DoctorFinding::ok(Check::Ledger, format!("it opens; head {head}")),
                DoctorFinding::ok(Check::Chain, "it was not verified (--quick)"),
            ]
        }
        LedgerState::Verified { head, first, findings_count, bills, against_head } => {
            let opens = DoctorFinding::ok(Check::Ledger, format!("it opens; head {head}"));
            let chain = match first {
                Some(first) => DoctorFinding::error(
                    Check::Chain,
                    format!("it does not hold together: {findings_count} findings, the first: {first}"),
                    RESTORE,
                ),
                None if *against_head => {
                    DoctorFinding::ok(Check::Chain, format!("{bills} bills are whole, and the head that was given is in it"))
                }
                None => DoctorFinding::ok(Check::Chain, format!("{bills} bills are whole")),
            };
            vec![opens, chain]
        }
    }
}

fn lock(lock: &LockState) -> DoctorFinding {
    match lock {
        LockState::Free => DoctorFinding::ok(Check::Lock, "nobody sends"),
        LockState::Held { holder, seconds: Some(seconds) } if *seconds > LOCK_SECONDS_MAX => DoctorFinding::warning(
            Check::Lock,
            format!("held by {holder}"),
            "look at that process; end it if it hangs (what it sent is recorded); never delete the lock file",
        ),
        LockState::Held { holder, .. } => DoctorFinding::ok(Check::Lock, format!("held by {holder}")),
        LockState::Unusable(reason) => {
            DoctorFinding::error(Check::Lock, format!("it cannot be used: {reason}"), "give the ledger's folder to the user of the service")
        }
    }
}

fn log(log: &LogState) -> DoctorFinding {
    match log {
        LogState::None(path) => DoctorFinding::ok(Check::Log, format!("no notifications in `{path}`: `tagih serve` has kept none there")),
        LogState::Unreadable(reason) => {
            DoctorFinding::error(Check::Log, format!("the folder cannot be read: {reason}"), "give it to the user of the service")
        }
        LogState::Last { name, age_seconds } => {
            let found = format!("the last notification is in `{name}`, {} h ago", age_seconds / 3600);
            if *age_seconds <= LOG_SECONDS_MAX {
                return DoctorFinding::ok(Check::Log, found);
            }
            let remedy = "unless nothing is sold: check that `tagih serve` runs, the proxy before it, and the Notification URL at DOKU; \
                          `tagih sync` asks about what is paid meanwhile";
            DoctorFinding::warning(Check::Log, found, remedy)
        }
    }
}
