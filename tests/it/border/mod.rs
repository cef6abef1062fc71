//! The hostile world: the real binary between a DOKU by script and an intermediary that answers, cuts, delays and swaps on cue.
//! Written from the contract of borders, not from the program; DOKU's own record is the judge.

pub mod between;
mod campaign;
mod conflict;
pub mod doku;
mod doubts;
mod members;
mod merchant;
mod payments;
mod races;
mod runs;
mod strangers;
mod table;
pub mod wire;
