//! Where settings come from, and where files are found.

pub(crate) mod places;
pub(crate) mod settings;
