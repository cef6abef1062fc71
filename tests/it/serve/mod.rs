//! `tagih serve`, the real program over real sockets: what it answers, refuses, keeps and survives.

mod answers;
mod hostile;
mod kill;
mod notifications;
pub mod shop;
