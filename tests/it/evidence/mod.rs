//! Notifications: logs, tables and the evidence store; what is read, kept, believed, and what is none.

pub(crate) mod kept;
pub(crate) mod logs;
pub(crate) mod revoked;
pub(crate) mod store;
pub(crate) mod strange;
pub(crate) mod whole;
