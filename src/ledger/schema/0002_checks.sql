-- What Check Status said of a bill's codes, and the payments it told of: JSON as serde writes it, the fold of the bill's events
-- like the columns beside it.
ALTER TABLE bills ADD COLUMN checks TEXT;
CREATE INDEX bills_asked_about ON bills (invoice_number) WHERE checks IS NOT NULL;
