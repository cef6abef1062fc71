//! The program itself, end to end: the built binary, real files, a sandbox on loopback.

mod bad_input;
mod exit_codes;
mod flows;
mod keeping;
pub mod reconcile;
mod reconcile_files;
mod reissue;
mod settings;
pub mod world;
