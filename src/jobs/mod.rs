//! Orchestration: issue, sync, ingest, evidence, serve, reconcile, demo. Each takes its ledger and gateway through their traits.
//!
//! Belongs here: order of steps, concurrency, stopping. Must not be here: SQL, sockets, decisions (they are `domain`'s).

pub mod adoption;
mod bounded;
pub mod caller;
pub mod demo;
pub mod discrepancies;
pub mod doctor;
pub mod entries;
pub mod evidence;
mod holding_bills;
pub mod ingest;
pub mod issue;
pub mod period;
pub mod portion;
pub mod reconcile;
pub mod serve;
pub mod status_query;
pub mod stop;
pub mod sync;
pub mod watch;
pub mod why;
