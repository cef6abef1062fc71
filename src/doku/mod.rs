//! DOKU's language: signatures, wire bodies, notifications, and what an answer means.
//!
//! Belongs here: everything that knows DOKU's field names, headers and HTTP codes. Must not be here: sockets, the ledger,
//! decisions about bills. Client and sandbox share the signer and the wire types, nothing else.

pub mod answer;
#[cfg(test)]
mod any_bytes;
pub mod body;
pub mod claim;
pub mod codes;
pub mod incoming;
pub mod info;
pub mod inquiry;
pub mod keyring;
pub mod notification;

mod parts;
pub mod paths;
pub mod signature;
pub mod status;
pub mod value;
pub mod wire;
