-- The ledger answers in sets: everything a question looks for has its column and index, and nothing stands twice. The tables of
-- before keep other names until `migrate.rs` has folded their events into these.
DROP TRIGGER events_are_never_changed;
DROP TRIGGER events_are_never_removed;
DROP INDEX bills_one_a_live_code;
DROP INDEX bills_by_suffixed_number;
DROP INDEX bills_asked_about;
DROP INDEX bills_held;
DROP TABLE names;
ALTER TABLE bills RENAME TO bills_before;
ALTER TABLE bodies RENAME TO bodies_before;
ALTER TABLE customers RENAME TO customers_before;

-- What rows of input asked for, JSON as serde writes it, once; events and bills refer to it. An event's own text has the first half
-- of its SHA-256 in its place (`terms.rs`), so that the chain covers it; events of before have it whole.
CREATE TABLE terms (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;
ALTER TABLE events ADD COLUMN terms INTEGER REFERENCES terms (id);
-- The event of the same bill before this one: the way back through its history, which `bills.last_event` begins.
ALTER TABLE events ADD COLUMN previous INTEGER REFERENCES events (sequence);

-- The fold of each bill's events, updated in the transaction that appends them. Instants in microseconds (UTC).
CREATE TABLE bills (
    id             INTEGER PRIMARY KEY,
    invoice_number TEXT NOT NULL UNIQUE,
    status         TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    retired_count  INTEGER NOT NULL,
    terms          INTEGER NOT NULL REFERENCES terms (id),
    -- Of the terms, for totals.
    amount         INTEGER NOT NULL,
    reusable       INTEGER NOT NULL,
    planned_at     INTEGER NOT NULL,
    cancelled_at   INTEGER,
    in_doubt_since INTEGER,
    -- The code a counter might take for it now, or else the one it held last, or is promised.
    code           TEXT,
    code_is_live   INTEGER NOT NULL,
    -- The code it holds or held last, where that is not `code`; what else is known of it where anything is.
    held_code      TEXT,
    wire_number    TEXT,
    accepted_at    INTEGER,
    expires_at     INTEGER,
    ends_at        INTEGER,
    -- Whether Check Status could tell anything new of it (`domain::check`).
    may_tell       INTEGER NOT NULL,
    code_details   TEXT,
    open           TEXT,
    refusal        TEXT,
    checks         TEXT,
    hold           TEXT,
    former         TEXT,
    -- By `domain::owner`, over all payments: when it was first paid by a pair of number and code, and by which of its codes.
    first_paid_at  INTEGER,
    paid           TEXT CHECK (paid = 'by_its_code' OR paid = 'by_earlier_code'),
    last_event     INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;
-- I11: no code is live for two invoices. Each code is in one of the two.
CREATE UNIQUE INDEX bills_one_a_live_code ON bills (code) WHERE code_is_live;
CREATE INDEX bills_by_code ON bills (code) WHERE NOT code_is_live;
CREATE INDEX bills_by_end ON bills (ends_at) WHERE status = 'active';
CREATE INDEX bills_silent ON bills (ends_at) WHERE may_tell AND paid IS NOT 'by_its_code';
CREATE INDEX bills_open ON bills (in_doubt_since) WHERE open IS NOT NULL OR in_doubt_since IS NOT NULL;
CREATE INDEX bills_remarkable ON bills (id) WHERE hold IS NOT NULL OR checks IS NOT NULL OR paid = 'by_earlier_code';

-- What else a bill goes or went by than its own number and its `code`, to be found by it; follows from the bill's row. A `number`
-- stands for one bill at DOKU and for no other, which every claim looks for first; ledgers of before may hold one twice.
CREATE TABLE names (
    bill INTEGER NOT NULL REFERENCES bills (id),
    kind TEXT NOT NULL CHECK (kind = 'number' OR kind = 'code'),
    name TEXT NOT NULL,
    PRIMARY KEY (name, kind, bill)
) STRICT, WITHOUT ROWID;
CREATE INDEX names_of_a_bill ON names (bill);

-- How many bills there are of a kind, and their rupiah, counted along: by status, whether paid and held, and the UTC day of `ends_at`
-- (days since 1970; -1 for none). `payment` and `told` count payments, and those Check Status told of.
CREATE TABLE totals (
    what    TEXT NOT NULL,
    paid    INTEGER NOT NULL,
    held    INTEGER NOT NULL,
    ends_on INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (what, paid, held, ends_on)
) STRICT, WITHOUT ROWID;

-- What can be purged: events hold digests of it only.
CREATE TABLE bodies (
    bill       INTEGER NOT NULL REFERENCES bills (id),
    request_id TEXT NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (bill, request_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE customers (
    bill         INTEGER PRIMARY KEY REFERENCES bills (id),
    name         TEXT NOT NULL,
    email        TEXT,
    account_name TEXT
) STRICT;
