//! A DOKU look-alike on loopback: the API's endpoints with their limits, signatures both ways, faults, payments.
//!
//! Belongs here: what DOKU would do, written from its pages. Must not be here: anything of the client's decisions; only
//! wire names, the signer and value types are shared.
