//! The hostile world: the real binary between a DOKU by script and an intermediary that answers, cuts, delays and swaps on cue.
//! Written from the contract of borders, not from the program; DOKU's own record is the judge.

mod between;
mod doku;
mod merchant;
mod table;
mod wire;
