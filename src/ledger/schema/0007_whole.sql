-- What was put back, added or removed is found. What a payment's seal covers is in `seal.rs`.
ALTER TABLE payments ADD COLUMN seal BLOB CHECK (length(seal) = 16);

-- Which rows there are: digests of the seals of all bills and payments, and what stands for all of them (`tree.rs`).
CREATE TABLE seals (
    place   INTEGER PRIMARY KEY,
    digests BLOB NOT NULL
) STRICT;

-- What tells the key of all seals from others, if there is one (`ledger.seal_key_file`); and the last event that was chained before it
-- was, for which the event after it answers.
ALTER TABLE meta ADD COLUMN key TEXT;
ALTER TABLE meta ADD COLUMN keyed_after INTEGER NOT NULL DEFAULT 0;

-- There is a fourth kind of events, of a change of the key. A table of millions is not copied for its check's sake.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'OR kind = ''purge'')', 'OR kind = ''purge'' OR kind = ''key'')') WHERE name = 'events';
PRAGMA writable_schema = RESET;
