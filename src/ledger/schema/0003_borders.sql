-- Why a bill waits for a person, if it does: JSON as serde writes it, the fold of the bill's events like the columns beside it.
ALTER TABLE bills ADD COLUMN hold TEXT;
CREATE INDEX bills_held ON bills (invoice_number) WHERE hold IS NOT NULL;
-- In whose name the policy is, where that is not the customer's own: personal, and purged with the rest of the row.
ALTER TABLE customers ADD COLUMN account_name TEXT;
