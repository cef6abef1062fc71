//! Notification logs (and settlement files) → verified evidence lines and payments, with provenance.
//!
//! Belongs here: reading, splitting, verifying, digesting. Must not be here: bills, classification against them.
