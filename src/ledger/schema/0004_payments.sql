-- What every way of writing a payment's message has in common, where that is not its identity.
ALTER TABLE payments ADD COLUMN canonical BLOB;
