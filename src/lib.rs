//! tagih issues DOKU convenience-store payment codes in bulk, and proves rupiah by rupiah what was paid.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests write files and read the clock"))]

pub mod books;
pub mod cli;
pub mod clock;
pub mod columns;
pub mod config;
pub mod doku;
pub mod domain;
pub mod evidence;
pub mod exit;
pub mod gateway;
pub mod intake;
pub mod jobs;
pub mod journal;
pub mod ledger;
pub mod parallel;
pub mod private;
pub mod random;
pub mod reconcile;
pub mod register;
pub mod report;
pub mod sandbox;
pub mod secret;
pub mod serve;
pub mod spool;
pub mod table;
pub mod temporary;
pub mod witness;
