//! An independent, naive reading of the reconciliation rules, and random worlds to hold the engine against it.
//!
//! Belongs here: the oracle, the generator, the comparison. Must not be here: anything the engine uses to decide.

#![allow(
    clippy::option_option,
    clippy::assigning_clones,
    clippy::format_collect,
    reason = "clarity before speed: an unreadable cell, an empty cell and a value are three things"
)]

pub(crate) mod compare;
mod coverage;
mod evidence;
mod known;
mod ledger;
mod lines;
mod month;
mod naive;
mod own;
mod own_sweep;
mod readings;
mod settlement;
mod settlement_sweep;
pub(crate) mod sweep;
mod told;
mod unlisted;
pub(crate) mod world;
