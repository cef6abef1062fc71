//! `tagih reconcile` on the program itself, and `tagih why`, which says the same of one bill.

pub(crate) mod bank;
pub(crate) mod dimensions;
pub(crate) mod external;
pub(crate) mod groups;
pub(crate) mod limits;
pub(crate) mod ours;
pub(crate) mod settlement;
pub(crate) mod why;
