//! The books under trial.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers of tests"
)]

mod actions;
mod asking;
mod bank;
mod business;
mod carrying;
mod naive;
mod one_place;
mod opening;
mod parted;
mod random;
mod stories;
