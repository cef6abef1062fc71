-- Instants are microseconds since 1970 (UTC), amounts whole rupiah, digests 32 raw bytes, JSON as serde writes it.

-- What this ledger is bound to, and the salt of its personal digests. One row, written at creation.
CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    environment TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    salt        BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT;

-- Everything that ever happened, in one chain: what `hash` covers is in `chain.rs`.
CREATE TABLE events (
    sequence       INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    -- Not `IN`, for which SQLite would make a table of its own at every insertion.
    kind           TEXT NOT NULL CHECK (kind = 'bill' OR kind = 'payment' OR kind = 'purge'),
    invoice_number TEXT NOT NULL,
    event          TEXT NOT NULL,
    hash           BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_of_an_invoice ON events (invoice_number);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- The fold of each bill's events, updated in the transaction that appends them.
CREATE TABLE bills (
    invoice_number      TEXT PRIMARY KEY NOT NULL,
    status              TEXT NOT NULL,
    may_be_live         INTEGER NOT NULL,
    generation          INTEGER NOT NULL,
    retired_count       INTEGER NOT NULL,
    channel             TEXT NOT NULL,
    method              TEXT NOT NULL,
    amount              INTEGER NOT NULL,
    reusable            INTEGER NOT NULL,
    terms               TEXT NOT NULL,
    payment_code        TEXT,
    live_code           TEXT,
    wire_invoice_number TEXT,
    code                TEXT,
    expires_at          INTEGER,
    accepted_at         INTEGER,
    planned_at          INTEGER NOT NULL,
    cancelled_at        INTEGER,
    in_doubt_since      INTEGER,
    open                TEXT,
    refusal             TEXT,
    first_paid_at       INTEGER
) STRICT;
-- I11: no code is live for two invoices.
CREATE UNIQUE INDEX bills_one_a_live_code ON bills (live_code) WHERE live_code IS NOT NULL;
CREATE INDEX bills_by_suffixed_number ON bills (wire_invoice_number) WHERE wire_invoice_number <> invoice_number;

-- Payments, one a row and identity, under the number of their event.
CREATE TABLE payments (
    sequence       INTEGER PRIMARY KEY REFERENCES events (sequence),
    identity       BLOB NOT NULL UNIQUE CHECK (length(identity) = 32),
    invoice_number TEXT NOT NULL,
    payment_code   TEXT NOT NULL,
    channel        TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    paid_at        INTEGER NOT NULL,
    received_at    INTEGER,
    line_digest    BLOB NOT NULL CHECK (length(line_digest) = 32)
) STRICT;
CREATE INDEX payments_by_invoice ON payments (invoice_number);

-- What can be purged: events hold digests of it only. In the order of bills, not of ids, which are random: bodies that are
-- written together then share pages.
CREATE TABLE bodies (
    invoice_number TEXT NOT NULL REFERENCES bills (invoice_number),
    request_id     TEXT NOT NULL,
    body           BLOB NOT NULL,
    PRIMARY KEY (invoice_number, request_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE customers (
    invoice_number TEXT PRIMARY KEY NOT NULL REFERENCES bills (invoice_number),
    name           TEXT NOT NULL,
    email          TEXT
) STRICT;
