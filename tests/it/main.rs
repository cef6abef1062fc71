//! The integration tests: one binary, because each would link the whole library again.

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
mod crash;
mod docs;
mod faults;
mod flows;
mod kill;
mod large;
mod metamorphic;
mod models;
pub(crate) mod month_end;
mod oracle;
mod report;
pub mod serve;
mod several_hosts;
mod simulation;
mod support;
mod tidy;
