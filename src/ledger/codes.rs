//! The ledger's stable codes, E0501 to E0599.

use crate::domain::code::StableCode;

/// [`super::LedgerError::Storage`].
pub const STORAGE: StableCode = StableCode::new(
    "E0501",
    "the ledger's disk or database failed",
    "An operation on the ledger file did not succeed. What was reported as recorded before it is durable; the failed part is not there.",
    "Check free space, permissions and the disk's health, then run the same command again: it resumes.",
);

/// [`super::LedgerError::Damaged`].
pub const DAMAGED: StableCode = StableCode::new(
    "E0502",
    "the ledger contradicts itself",
    "The file is not a ledger, is cut short, or holds something that its own events do not explain. Sending from it could bill somebody twice.",
    "Send nothing. Keep a copy of the file and its `-wal`, restore the last backup and run `tagih ledger verify`.",
);

/// [`super::LedgerError::OtherBinding`].
pub const OTHER_BINDING: StableCode = StableCode::new(
    "E0503",
    "the ledger belongs to another environment or client",
    "A ledger is bound to one DOKU environment and one client id when it is created, so that sandbox and production never mix.",
    "Point `ledger.path` at the ledger of this environment and client, or create a new one.",
);

/// [`super::LedgerError::Missing`].
pub const MISSING: StableCode = StableCode::new(
    "E0504",
    "there is no ledger",
    "The file does not exist, and creating one was not asked for: issuing from an empty ledger by mistake would bill everybody again.",
    "Check `ledger.path` and that its disk is mounted, or `ledger.url`, or make the first ledger with `tagih ledger create`.",
);

/// [`super::LedgerError::Held`].
pub const HELD: StableCode = StableCode::new(
    "E0505",
    "another sender holds the ledger",
    "Only one of `issue`, `cancel`, `sync`, `resolve`, `ledger import` and `ledger purge` may run at a time on a ledger file. The lock goes with the process that holds it, however it ends.",
    "Wait until it has finished, then run the same command again.",
);

/// `ledger verify --against-sandbox`.
pub const OTHER_THAN_RECORDED: StableCode = StableCode::new(
    "E0517",
    "the ledger and the sandbox tell of different things",
    "Something was carried out that the ledger never meant to send, or does not know the end of, or has otherwise than it was; or the ledger has something as done that was not. Each difference is listed with the invariant it breaks.",
    "Make sure that the record is all of the sandbox at which this ledger was filled, and of no other. If it is, it is a defect of tagih: keep both files and report it.",
);

/// [`super::LedgerError::TooNew`].
pub const TOO_NEW: StableCode = StableCode::new(
    "E0506",
    "the ledger was written by a newer tagih",
    "Its schema has a version this program does not know, so it cannot tell what it would overlook.",
    "Use the newer tagih, here and wherever else this ledger is used.",
);

/// [`super::LedgerError::Illegal`].
pub const ILLEGAL: StableCode = StableCode::new(
    "E0507",
    "an event cannot happen to this bill now",
    "The table of statuses and events does not know the pair, so nothing was recorded. Another writer that was quicker is told apart (E0511), so it points to a defect.",
    "Stop, keep the ledger, look at `tagih why INVOICE` and report it.",
);

/// [`super::LedgerError::CodeTaken`].
pub const CODE_TAKEN: StableCode = StableCode::new(
    "E0508",
    "a payment code would be live for two invoices",
    "A counter could take one customer's money for another's bill, so the second use of the code was not recorded.",
    "Look at `tagih why` of both invoices; cancel one of the codes at DOKU before anything else is sent.",
);

/// [`super::LedgerError::TooOld`].
pub const TOO_OLD: StableCode = StableCode::new(
    "E0509",
    "the ledger was written by an older tagih",
    "Its schema is of an earlier version, and the command only reads. The first command that writes brings it up to date, whole or not at all.",
    "Run `tagih ledger migrate`: it keeps a copy beside the ledger, and takes about a minute for a million bills.",
);

/// [`super::LedgerError::NumberTaken`].
pub const NUMBER_TAKEN: StableCode = StableCode::new(
    "E0510",
    "a number would stand for two invoices at DOKU",
    "DOKU keeps an invoice number for one order, so the number of a bill, or the suffixed one it is issued anew under, is nobody else's. Nothing of the second use was recorded.",
    "Look at `tagih why` of both invoices; bill the second one under another number, or set `plan.reissue_suffix` to something your own numbers never end with.",
);

/// [`super::LedgerError::Lost`].
pub const LOST: StableCode = StableCode::new(
    "E0511",
    "another run changed the bill meanwhile",
    "`serve`, `ingest`, `resolve` or another host recorded something about the bill between this command's look at it and its own record, so what was decided on no longer held. Nothing of it was recorded, nothing is damaged.",
    "Run the same command again; `tagih why INVOICE` says what the other run did.",
);

/// [`super::LedgerError::Unreachable`].
pub const UNREACHABLE: StableCode = StableCode::new(
    "E0512",
    "the ledger's server cannot be reached",
    "PostgreSQL did not answer for as long as was waited, closed the connection, or did not let this user in. A server that fails over is waited for; what was recorded before is durable.",
    "Check `ledger.url`, the network, the certificate and the password, then run the same command again: it resumes.",
);

/// [`super::LedgerError::LeaseLost`].
pub const LEASE_LOST: StableCode = StableCode::new(
    "E0513",
    "this host has lost its lease",
    "With one PostgreSQL for several hosts, whoever sends holds a lease and renews it by the server's clock. This host was paused or cut off for longer than that, so others may settle what it began; it recorded nothing more, and its open operations are in the ledger with their bodies.",
    "Run the same command again: it settles what is open by the same request ids, then goes on.",
);

/// [`super::LedgerError::Busy`].
pub const BUSY: StableCode = StableCode::new(
    "E0514",
    "another host is at the bill",
    "With one PostgreSQL for several hosts, an operation belongs to the host that began it, or took it over, for as long as that one's lease lasts. Nothing was recorded about the bill.",
    "Run the same command again: by then the other host has finished, or its lease has lapsed and what it left open is settled.",
);

/// [`super::LedgerError::OtherKey`].
pub const OTHER_KEY: StableCode = StableCode::new(
    "E0515",
    "the ledger's seals are made with another key",
    "A ledger whose chain and seals are made with a key says so by the key's fingerprint, and is read with that key only; one that is made without is not read by a configuration that has a key, as whoever has the file could have taken the key out of it.",
    "Set `ledger.seal_key_file` to the ledger's key. A ledger that had the configured key before is an older copy, or somebody took the key out of it: put the last backup back, and seal nothing anew. To give a ledger its first key or another one, `tagih ledger rekey` takes the last head that is known (docs/security.md).",
);

/// [`super::LedgerError::OtherAmount`].
pub const OTHER_AMOUNT: StableCode = StableCode::new(
    "E0518",
    "a request would ask for another amount",
    "Before a request leaves, its amount is read back out of the bytes that are to be sent, and held against the amount that is recorded of it. They differ, so it was not sent: a customer would have been asked for another amount than was billed.",
    "Send nothing more; keep the ledger as it is, and report the defect.",
);

/// What is recorded of each run that changes the ledger.
pub const RUN_NOT_RECORDED: StableCode = StableCode::new(
    "E0516",
    "the run cannot be recorded",
    "Whatever changes the ledger is recorded first, with who ran it and what was read, in the folder `LEDGER.runs` beside the ledger (beside the journal, where the ledger is a database). It could not be written, so nothing was changed.",
    "Make room, and let the account that runs tagih write into that folder; then the same command.",
);

/// All of them, in order.
pub const ALL: &[StableCode] = &[
    STORAGE,
    DAMAGED,
    OTHER_BINDING,
    MISSING,
    HELD,
    TOO_NEW,
    ILLEGAL,
    CODE_TAKEN,
    TOO_OLD,
    NUMBER_TAKEN,
    LOST,
    UNREACHABLE,
    LEASE_LOST,
    BUSY,
    OTHER_KEY,
    RUN_NOT_RECORDED,
    OTHER_THAN_RECORDED,
    OTHER_AMOUNT,
];
