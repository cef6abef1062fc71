//! The languages in which reports and explanations speak.

use serde::{Deserialize, Serialize};

/// A language of reports and explanations. Files that programs read are the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Bahasa Indonesia.
    #[serde(rename = "id")]
    Indonesian,
}

impl Language {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::English, Self::Indonesian];

    /// The name used on the command line and in HTML's `lang`: `en`, `id`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Indonesian => "id",
        }
    }

    /// Reads a name as [`Language::name`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == text)
    }
}
