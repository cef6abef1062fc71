//! `tagih serve`, the real program over real sockets: what it answers, refuses, keeps and survives.

mod aborted;
mod answers;
mod doors;
mod hostile;
mod insider;
mod kill;
mod metrics;
mod notifications;
mod revoked;
pub mod shop;
