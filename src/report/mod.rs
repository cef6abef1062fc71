//! One result, many formats: one file each (CSV, JSON Lines, Parquet, summary.json).
//!
//! Belongs here: writing, atomically and in a fixed order. Must not be here: any decision about what a row means.

pub mod atomic;
pub mod issue;
