//! A DOKU look-alike on loopback: the API's endpoints with their limits, signatures both ways, faults, payments.
//!
//! Belongs here: what DOKU would do, written from its pages. Must not be here: anything of the client's decisions; only
//! wire names, the signer and value types are shared.
//!
//! [`model`] is the whole of its behaviour without a socket or a clock; [`server`] puts it on loopback.

mod control;
mod deliver;
pub mod fault;
pub mod http;
pub mod model;
pub mod notification;
mod page;
pub mod payment;
mod reception;
pub mod record;
mod rule;
pub mod server;
pub mod settings;
#[cfg(test)]
mod tests;
mod wire;
