//! Stable codes of refusals, errors and classes: what `tagih explain CODE` prints. Each module lists its own.

use serde::{Serialize, Serializer};

/// One code and what a person should know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StableCode {
    /// The stable id, such as `E0107` or `P06`.
    pub id: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means and why it is checked.
    pub meaning: &'static str,
    /// What to do next.
    pub remedy: &'static str,
}

impl StableCode {
    /// A code with its explanation.
    #[must_use]
    pub const fn new(id: &'static str, title: &'static str, meaning: &'static str, remedy: &'static str) -> Self {
        Self { id, title, meaning, remedy }
    }
}

/// By its id: its words may change.
impl Serialize for StableCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

impl std::fmt::Display for StableCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(f)
    }
}
