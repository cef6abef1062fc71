-- An edit of any table is found. What the chain covers is in `chain.rs`, what a row's seal covers in `seal.rs`.

-- Half a digest of the customer that was given beside the event, salted with the bill's salt; and the lease its writer held, where
-- several hosts write (`leases.token`). Both are inside the chain.
ALTER TABLE events ADD COLUMN beside BLOB CHECK (length(beside) = 16);
ALTER TABLE events ADD COLUMN fence INTEGER;

-- The salt of the bill's personal digests, until it is purged; by which event it was; the row's seal.
ALTER TABLE bills ADD COLUMN salt BLOB CHECK (length(salt) = 16);
ALTER TABLE bills ADD COLUMN purged_by INTEGER REFERENCES events (sequence);
ALTER TABLE bills ADD COLUMN seal BLOB CHECK (length(seal) = 16);

-- The chain covers this table from the events after this one on. The salt that ledgers of before had is with their bills now.
ALTER TABLE meta ADD COLUMN chained_after INTEGER NOT NULL DEFAULT 0;

-- Who may write what, where several hosts do: `token` rises with each holder, `until` is by the database's clock (microseconds, UTC).
CREATE TABLE leases (
    name   TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    token  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
