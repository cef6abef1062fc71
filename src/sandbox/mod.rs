//! A DOKU look-alike on loopback: the API's endpoints with their limits, signatures both ways, faults, payments.
//!
//! Belongs here: what DOKU would do, written from its pages. Must not be here: anything of the client's decisions; only
//! wire names, the signer and value types are shared.
//!
//! [`model`] is the whole of its behaviour without a socket or a clock; [`server`] puts it on loopback, with pages for people in
//! front of it.

mod chain;
mod control;
mod counter;
mod deliver;
pub mod fault;
mod form;
mod guard;
pub mod http;
pub mod inquiry;
mod merchant;
pub mod model;
pub mod notification;
pub mod notify;
mod orders;
pub mod outbox;
mod page;
pub mod payment;
mod question;
mod reception;
pub mod record;
pub mod refusal;
mod rule;
pub mod server;
pub mod settings;
pub mod settlement;
mod shape;
mod shared;
mod simulator;
#[cfg(test)]
mod tests;
pub mod till;
mod verdict;
mod view;
mod wire;
