//! The ledger as a person keeps it: codes taken over, copies, proofs, what earlier versions wrote.

pub(crate) mod beside;
pub(crate) mod formats;
pub(crate) mod keeping;
