//! Files of rows: what is read, told row by row, or refused with its place, whichever command they are given to.

pub(crate) mod additional;
pub(crate) mod bad_input;
pub(crate) mod carried;
pub(crate) mod corpus;
pub(crate) mod layouts;
pub(crate) mod tables;
