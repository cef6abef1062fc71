-- Why a bill waits for a person, if it does: JSON as serde writes it, the fold of the bill's events like the columns beside it.
ALTER TABLE bills ADD COLUMN hold TEXT;
CREATE INDEX bills_held ON bills (invoice_number) WHERE hold IS NOT NULL;
-- The orders a bill had at DOKU before its present one: JSON as serde writes it; most bills have none.
ALTER TABLE bills ADD COLUMN former TEXT;

-- What else a bill goes or went by than its own number and its present code, to be found by it; follows from the bill's row.
-- `number`: whatever stands for the bill at DOKU, and for no other; `order`: numbers of former orders; `code`: their codes.
CREATE TABLE names (
    invoice_number TEXT NOT NULL REFERENCES bills (invoice_number),
    kind           TEXT NOT NULL CHECK (kind = 'number' OR kind = 'order' OR kind = 'code'),
    name           TEXT NOT NULL,
    PRIMARY KEY (invoice_number, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX names_by_name ON names (name, kind);
CREATE INDEX payments_by_code ON payments (payment_code);
-- In whose name the policy is, where that is not the customer's own: personal, and purged with the rest of the row.
ALTER TABLE customers ADD COLUMN account_name TEXT;
