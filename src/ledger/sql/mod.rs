//! What the stores that speak SQL share: how states, events and payments are rows, and what is counted along.
//!
//! Belongs here: everything about tables that is the same in SQLite and PostgreSQL, as pure functions on rows. Must not be here: a
//! connection.

pub(super) mod cells;
pub(super) mod fault;
pub(super) mod links;
pub(super) mod marks;
pub(super) mod place;
pub(super) mod rows;
pub(super) mod seal;
pub(super) mod standing;
pub(super) mod totals;
pub(super) mod tree;
