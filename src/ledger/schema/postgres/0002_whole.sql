-- What was put back, added or removed is found, as in SQLite's schema 7. The seals of what is there are made by the program.
ALTER TABLE payments ADD COLUMN seal BYTEA CHECK (length(seal) = 16);

CREATE TABLE seals (
    place   BIGINT PRIMARY KEY,
    digests BYTEA NOT NULL
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

ALTER TABLE meta ADD COLUMN key TEXT COLLATE "C";
ALTER TABLE meta ADD COLUMN keyed_after BIGINT NOT NULL DEFAULT 0;

ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (kind IN ('bill', 'payment', 'purge', 'key'));
