-- The tables of SQLite's newest schema, for several hosts: the same columns with the same meaning, so that a ledger can be moved row by
-- row. Texts compare by their bytes, as everywhere else. What refers to what is looked at by `ledger verify` and by the seals, not by
-- foreign keys, which would lock what is referred to at each event.

-- The one row every writer locks first: writers take turns, and the chain has one end.
CREATE TABLE head (
    one      BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    sequence BIGINT NOT NULL,
    hash     BYTEA NOT NULL CHECK (length(hash) = 32),
    -- The last ids given out.
    bill     BIGINT NOT NULL,
    terms    BIGINT NOT NULL,
    lease    BIGINT NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE meta (
    one            BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    schema_version BIGINT NOT NULL,
    environment    TEXT COLLATE "C" NOT NULL,
    client_id      TEXT COLLATE "C" NOT NULL,
    salt           BYTEA NOT NULL CHECK (length(salt) = 16),
    chained_after  BIGINT NOT NULL
);

CREATE TABLE events (
    sequence       BIGINT PRIMARY KEY,
    at             BIGINT NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('bill', 'payment', 'purge')),
    invoice_number TEXT COLLATE "C" NOT NULL,
    event          TEXT COLLATE "C" NOT NULL,
    hash           BYTEA NOT NULL CHECK (length(hash) = 32),
    terms          BIGINT,
    previous       BIGINT,
    beside         BYTEA CHECK (length(beside) = 16),
    fence          BIGINT
);
CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_are_append_only();
CREATE TRIGGER events_are_never_removed BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();

CREATE TABLE terms (
    id   BIGINT PRIMARY KEY,
    text TEXT COLLATE "C" NOT NULL
);
CREATE INDEX terms_by_text ON terms USING hash (text);

CREATE TABLE bills (
    id             BIGINT PRIMARY KEY,
    invoice_number TEXT COLLATE "C" NOT NULL UNIQUE,
    status         TEXT COLLATE "C" NOT NULL,
    generation     BIGINT NOT NULL,
    retired_count  BIGINT NOT NULL,
    amount         BIGINT NOT NULL,
    reusable       BOOLEAN NOT NULL,
    planned_at     BIGINT NOT NULL,
    cancelled_at   BIGINT,
    in_doubt_since BIGINT,
    code           TEXT COLLATE "C",
    code_is_live   BOOLEAN NOT NULL,
    held_code      TEXT COLLATE "C",
    wire_number    TEXT COLLATE "C",
    accepted_at    BIGINT,
    expires_at     BIGINT,
    ends_at        BIGINT,
    may_tell       BOOLEAN NOT NULL,
    code_details   TEXT COLLATE "C",
    open           TEXT COLLATE "C",
    refusal        TEXT COLLATE "C",
    checks         TEXT COLLATE "C",
    hold           TEXT COLLATE "C",
    former         TEXT COLLATE "C",
    terms          BIGINT NOT NULL,
    first_paid_at  BIGINT,
    paid           TEXT COLLATE "C" CHECK (paid IN ('by_its_code', 'by_earlier_code')),
    last_event     BIGINT NOT NULL,
    salt           BYTEA CHECK (length(salt) = 16),
    purged_by      BIGINT,
    seal           BYTEA NOT NULL CHECK (length(seal) = 16)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- I11: no code is live for two invoices. Each code is in one of the two.
CREATE UNIQUE INDEX bills_one_a_live_code ON bills (code) WHERE code_is_live;
CREATE INDEX bills_by_code ON bills (code) WHERE NOT code_is_live;
CREATE INDEX bills_by_end ON bills (ends_at) WHERE status = 'active';
CREATE INDEX bills_silent ON bills (ends_at) WHERE may_tell AND paid IS DISTINCT FROM 'by_its_code';
CREATE INDEX bills_open ON bills (in_doubt_since) WHERE open IS NOT NULL OR in_doubt_since IS NOT NULL;
CREATE INDEX bills_remarkable ON bills (id) WHERE hold IS NOT NULL OR checks IS NOT NULL OR paid = 'by_earlier_code';

CREATE TABLE names (
    bill BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('number', 'code')),
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name, kind, bill)
);
CREATE INDEX names_of_a_bill ON names (bill);

CREATE TABLE payments (
    sequence       BIGINT PRIMARY KEY,
    identity       BYTEA NOT NULL UNIQUE CHECK (length(identity) = 32),
    invoice_number TEXT COLLATE "C" NOT NULL,
    payment_code   TEXT COLLATE "C" NOT NULL,
    channel        TEXT COLLATE "C" NOT NULL,
    amount         BIGINT NOT NULL,
    paid_at        BIGINT NOT NULL,
    received_at    BIGINT,
    line_digest    BYTEA NOT NULL CHECK (length(line_digest) = 32),
    canonical      BYTEA
);
CREATE INDEX payments_by_invoice ON payments (invoice_number);
CREATE INDEX payments_by_code ON payments (payment_code);

CREATE TABLE totals (
    what    TEXT COLLATE "C" NOT NULL,
    paid    BOOLEAN NOT NULL,
    held    BOOLEAN NOT NULL,
    ends_on BIGINT NOT NULL,
    count   BIGINT NOT NULL,
    amount  BIGINT NOT NULL,
    PRIMARY KEY (what, paid, held, ends_on)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What can be purged: events hold digests of it only.
CREATE TABLE bodies (
    bill       BIGINT NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    body       BYTEA NOT NULL,
    PRIMARY KEY (bill, request_id)
);
CREATE TABLE customers (
    bill         BIGINT PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C",
    account_name TEXT COLLATE "C"
);

-- Who is at work. `number` is the fence of what it writes; `until` is by this server's clock (microseconds, UTC). Then what it takes for
-- the rate of all, and its own share of that: starts in a thousand seconds, and at once.
CREATE TABLE leases (
    number        BIGINT PRIMARY KEY,
    holder        TEXT COLLATE "C" NOT NULL,
    until         BIGINT NOT NULL,
    ceiling       BIGINT NOT NULL,
    ceiling_burst BIGINT NOT NULL,
    share         BIGINT NOT NULL,
    share_burst   BIGINT NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Under which lease an open operation was begun or taken over last.
CREATE TABLE operations (
    bill  BIGINT PRIMARY KEY,
    lease BIGINT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What inquiries were answered lately, by the digest of their `Request-Id`, so that a repeated one hears the same from any host.
CREATE TABLE answers (
    request_id BYTEA PRIMARY KEY CHECK (length(request_id) = 32),
    at         BIGINT NOT NULL,
    answer     TEXT COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
CREATE INDEX answers_by_time ON answers (at);
