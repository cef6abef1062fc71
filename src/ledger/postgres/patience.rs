//! Waiting for a server that fails over, or for a turn that others take: bounded, ever longer, and never all at once.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::server::PostgresServer;
use crate::clock::{Stopwatch, sleep};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::{in_words, is_unreachable};

/// The first wait is at most this long.
const FIRST_MS: u64 = 50;
/// And no wait is longer.
const LONGEST_MS: u64 = 2_000;

/// How long is still waited.
pub(super) struct Patience<'s> {
    server: &'s PostgresServer,
    since: Option<Stopwatch>,
    tries: u32,
}

impl<'s> Patience<'s> {
    /// All of it.
    pub(super) const fn of(server: &'s PostgresServer) -> Self {
        Self { server, since: None, tries: 0 }
    }

    /// Waits a little after `fault`, or gives it back: it will not pass, or has lasted for too long.
    pub(super) async fn with(&mut self, fault: Fault) -> Result<(), Fault> {
        let lasts = self.since.get_or_insert_with(Stopwatch::start).elapsed();
        if !may_pass(&fault) || lasts >= self.server.patience {
            return Err(fault);
        }
        if self.tries == 0 {
            tracing::warn!(
                "the ledger `{}` is waited for, {} s at most: {}",
                self.server.name(),
                self.server.patience.as_secs(),
                told(&fault)
            );
        }
        let longest = FIRST_MS.saturating_mul(2_u64.saturating_pow(self.tries)).min(LONGEST_MS);
        self.tries = self.tries.saturating_add(1);
        sleep(Duration::from_millis(self.server.randomness.up_to(longest))).await;
        Ok(())
    }
}

/// Whether the same, done again, may succeed.
fn may_pass(fault: &Fault) -> bool {
    match fault {
        Fault::Unreachable(_) => true,
        Fault::Postgres(error) => match error.code() {
            None => is_unreachable(error) && !is_a_matter_of_settings(&in_words(error)),
            Some(code) => {
                [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE].contains(code)
                    || [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT].contains(code)
                    // A connection that broke, a server without room, or one that comes or goes.
                    || ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class))
            }
        },
        _ => false,
    }
}

/// Waiting changes no password and no certificate.
fn is_a_matter_of_settings(words: &str) -> bool {
    ["authentication error", "invalid configuration"].iter().any(|known| words.starts_with(known)) || words.contains("certificate")
}

fn told(fault: &Fault) -> String {
    match fault {
        Fault::Postgres(error) => in_words(error),
        Fault::Unreachable(reason) => reason.clone(),
        other => other.in_words(),
    }
}
