//! Facts and decisions of billing: what a bill, a code, an amount and a life cycle are, and what follows from them.
//!
//! Belongs here: value types that cannot be wrong, tables (channel limits, status × event, classes) and pure functions
//! that decide. Must not be here: I/O, clocks (`now` is always an argument), randomness, floats, wire formats.
#![deny(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

pub mod additional;
pub mod address;
pub mod ageing;
pub mod amount;
pub mod attention;
pub mod balance;
pub mod bill;
pub mod calendar;
pub mod carried_columns;
pub mod caveat;
pub mod channel;
pub mod check_status;
pub mod classify;
pub mod closing;
pub mod code;
pub mod codes;
pub mod conclusion;
pub mod detail;
pub mod digest;
pub mod dimensions;
pub mod doubt;
pub mod duty;
pub mod fee;
pub mod formats;
pub mod guard;
pub mod ids;
pub mod inquiry;
pub mod keylike;
pub mod language;
pub mod lifecycle;
pub mod line;
pub mod mark;
pub mod misspelling;
pub mod names;
pub mod owner;
pub mod payment;
pub mod personal;
pub mod plan;
pub mod reason;
pub mod revocation;
pub mod row_end;
pub mod settlement;
pub mod share;
pub mod spreadsheet;
pub mod statement_text;
pub mod store;
pub mod sum;
pub mod tally;
pub mod texts;
