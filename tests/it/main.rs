//! The integration tests: one binary, because each would link the whole library again.
//!
//! Where a rule is tested: what one part of the program does from outside, in the folder that is called as its part of `src` is (`intake`,
//! `jobs`, `serve`, `evidence`, `reconcile`, `register`, `ledger`, `report`, `config`, `cli`); what only the parts together do, in `flows`,
//! `month_end` and `several_hosts`; what attacks them, by how it does (`border`, `crash`, `kill`, `faults`, `simulation`, `models`), and what
//! computes the same in another way (`oracle`, `metamorphic`). `docs` and `tidy` hold pages and sources to what they say; `support` is shared.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::too_many_lines,
    clippy::disallowed_methods,
    reason = "a test that fails should panic at once and say where"
)]

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod border;
mod cli;
mod config;
mod crash;
mod docs;
mod evidence;
mod faults;
mod flows;
mod intake;
mod jobs;
mod kill;
mod large;
mod ledger;
mod metamorphic;
mod models;
mod month_end;
mod oracle;
mod reconcile;
mod register;
mod report;
mod serve;
mod several_hosts;
mod simulation;
mod support;
mod tidy;
