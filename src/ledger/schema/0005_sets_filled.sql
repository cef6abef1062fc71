-- The second half of `0005_sets.sql`: after everything was folded into the new tables.
DROP TABLE bodies_before;
DROP TABLE customers_before;
DROP TABLE bills_before;
DROP INDEX events_of_an_invoice;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
