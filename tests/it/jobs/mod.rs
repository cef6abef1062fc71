//! Sending: issuing, changing and cancelling, asking for the status, and nights from first to last.

pub(crate) mod first_night;
pub(crate) mod methods;
pub(crate) mod months;
pub(crate) mod numbers;
pub(crate) mod pace;
pub(crate) mod plan;
pub(crate) mod reissue;
pub(crate) mod rows;
pub(crate) mod stopped;
pub(crate) mod sync;
