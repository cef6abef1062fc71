//! CSV files of policies or invoices → bills, and every row that is not one, with file, row, column and reason.
//!
//! Belongs here: reading, column mapping, cell rules. Must not be here: the ledger, DOKU's wire, decisions about sending.
