//! The program itself, end to end: the built binary, real files, a sandbox on loopback.

mod additional;
mod bad_input;
mod carried;
mod discrepancies;
mod exit_codes;
mod flows;
mod keeping;
mod kept;
mod logs;
mod methods;
mod numbers;
mod pace;
pub mod period;
mod places;
mod plan;
pub mod reconcile;
mod reconcile_files;
mod reconcile_limits;
mod reissue;
mod rows;
mod sandbox;
mod settings;
pub mod settlement;
mod sync;
mod tables;
mod why;
pub mod world;
