//! Whole flows, over real sockets and between real processes: rows are issued, a customer pays in the sandbox, DOKU notifies
//! `tagih serve`, and what it kept is reconciled. All four books of the money must agree.

mod delivery;
mod inquiries;
mod inquiry;
mod messages;
mod registered;
mod together;
pub mod town;
