//! What `tagih doctor` looks at: E0920 to E0939. The remedy of a finding is more exact than that of its code.

use crate::domain::code::StableCode;

/// [`super::Check::Configuration`].
pub const CONFIGURATION: StableCode = StableCode::new(
    "E0920",
    "the configuration cannot be used",
    "A setting is unknown, outside its range or contradicts another, so every command ends with 2.",
    "Correct the setting that is named; `tagih config show` prints what is in force.",
);
/// [`super::Check::Environment`].
pub const ENVIRONMENT: StableCode = StableCode::new(
    "E0921",
    "environment, host and client do not agree",
    "`doku.environment`, `doku.base_url` and `doku.client_id` belong together: a sandbox's client is refused in production, and the ledger is bound to environment and client.",
    "Copy all three from DOKU's Back Office of the same environment.",
);
/// [`super::Check::Secret`].
pub const SECRET: StableCode = StableCode::new(
    "E0922",
    "the secret is open to others, or not what was meant",
    "The key signs and verifies by every byte: a byte order mark, a blank or a line too many makes every signature wrong, and a file that others may read is refused.",
    "Write the key and nothing else into a file of mode 0600 that the service's user owns.",
);
/// [`super::Check::Dns`].
pub const DNS: StableCode = StableCode::new(
    "E0923",
    "DOKU's host is not known",
    "The name in `doku.base_url` has no address from here, so nothing can be sent.",
    "Check the name, the resolver of this machine, and whether a proxy looks names up.",
);
/// [`super::Check::Tls`].
pub const TLS: StableCode = StableCode::new(
    "E0924",
    "DOKU's host cannot be reached",
    "There is no connection, no answer, or no certificate that can be trusted.",
    "Check firewall and proxy; a root of your own belongs into the system's store.",
);
/// [`super::Check::Certificate`].
pub const CERTIFICATE: StableCode = StableCode::new(
    "E0925",
    "the certificate ends soon",
    "Once it is over no connection is trusted, and every row is deferred.",
    "Ask whoever runs the host to renew it.",
);
/// [`super::Check::Clock`].
pub const CLOCK: StableCode = StableCode::new(
    "E0926",
    "the clock is not DOKU's",
    "DOKU refuses signatures of another time, and expiries are told in minutes; beyond 300 s nothing is sent.",
    "Set the clock by NTP.",
);
/// [`super::Check::Proxy`].
pub const PROXY: StableCode = StableCode::new(
    "E0927",
    "proxies of settings and environment do not fit",
    "Only `doku.proxy` and `doku.use_environment_proxy` decide on a proxy; cron and systemd hand over an environment of their own.",
    "Set one of the two if DOKU is reached through a proxy, neither if not.",
);
/// [`super::Check::Ledger`].
pub const LEDGER: StableCode = StableCode::new(
    "E0928",
    "the ledger is missing, or not ours",
    "Without the ledger nobody knows which codes exist; it belongs to one environment and Client-Id.",
    "Check `ledger.path`, its mount and its owner.",
);
/// [`super::Check::Chain`].
pub const CHAIN: StableCode = StableCode::new(
    "E0939",
    "the ledger is not whole",
    "It does not say what was recorded, or is an older copy put back: it would bill again what is billed.",
    "Send nothing; run `tagih ledger verify`, and restore a backup.",
);
/// [`super::Check::Lock`].
pub const LOCK: StableCode = StableCode::new(
    "E0929",
    "a sender holds the ledger for very long, or nobody can",
    "One sender at a time works on a ledger; the kernel frees the lock when its process ends.",
    "Look at the process that is named; never delete the lock file.",
);
/// [`super::Check::Space`].
pub const SPACE: StableCode = StableCode::new(
    "E0930",
    "little room on a disk",
    "What cannot be made durable is neither sent nor acknowledged.",
    "Make room at the place that is named.",
);
/// [`super::Check::Sync`].
pub const SYNC: StableCode = StableCode::new(
    "E0931",
    "a disk makes nothing durable, or slowly",
    "Each intent, outcome and notification waits for the disk; a slow one slows the night and the cashier.",
    "Move the files to a local disk with fast fsync, or look for what wears it out.",
);
/// [`super::Check::FileSystem`].
pub const FILE_SYSTEM: StableCode = StableCode::new(
    "E0932",
    "a file system that does not keep its word",
    "On a network file system locks and fsync are another machine's; one in memory is empty after a restart.",
    "Keep ledger, journal and logs on a local disk.",
);
/// [`super::Check::Owner`].
pub const OWNER: StableCode = StableCode::new(
    "E0933",
    "files of several users, or open to all",
    "A file that root made by hand cannot be written by the service tonight; names of customers are in ledger and logs.",
    "Run every command as the service's user, and give the files to that user alone.",
);
/// [`super::Check::Place`].
pub const PLACE: StableCode = StableCode::new(
    "E0934",
    "ledger, journal or logs lie where they do not last",
    "A path of the working folder is another one when cron runs the command; temporary folders are cleared.",
    "Set `ledger.path`, `journal.path` and `serve.log_dir` in the configuration file.",
);
/// [`super::Check::Limit`].
pub const LIMIT: StableCode = StableCode::new(
    "E0935",
    "too few open files are allowed",
    "Each connection of `tagih serve` is an open file; beyond the limit new ones are not taken, below `serve.connections_max`.",
    "Raise `LimitNOFILE` of the unit, or lower `serve.connections_max`.",
);
/// [`super::Check::Log`].
pub const LOG: StableCode = StableCode::new(
    "E0936",
    "no notification for long",
    "A shop that sells hears of payments every day; silence is most often a broken way in.",
    "Check `tagih serve`, the reverse proxy and the URLs registered at DOKU; `tagih sync` asks meanwhile.",
);
/// [`super::Check::TimeZone`].
pub const TIME_ZONE: StableCode = StableCode::new(
    "E0937",
    "cron does not go by WIB",
    "tagih counts days in WIB wherever it runs, but cron and timers start it by the machine's zone.",
    "Write the zone into timers and crontabs: `Asia/Jakarta`.",
);
/// [`super::Check::Risk`].
pub const RISK: StableCode = StableCode::new(
    "E0938",
    "a setting takes a guard away",
    "It is allowed, for there are reasons for it, but what it guarded against is not noticed any more.",
    "Look at what is named, and keep it only with a reason.",
);

/// All of them.
pub const ALL: &[StableCode] = &[
    CONFIGURATION,
    ENVIRONMENT,
    SECRET,
    DNS,
    TLS,
    CERTIFICATE,
    CLOCK,
    PROXY,
    LEDGER,
    CHAIN,
    LOCK,
    SPACE,
    SYNC,
    FILE_SYSTEM,
    OWNER,
    PLACE,
    LIMIT,
    LOG,
    TIME_ZONE,
    RISK,
];
