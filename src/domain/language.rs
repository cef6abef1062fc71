//! The languages in which reports and explanations speak.

use std::fmt;

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

/// What can be said in every language.
pub trait Say {
    /// Writes it in `language`.
    ///
    /// # Errors
    /// The writer's.
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// It in `language`, as part of a text.
    fn told(&self, language: Language) -> InLanguage<'_, Self>
    where
        Self: Sized,
    {
        InLanguage { what: self, language }
    }
}

/// Something in a language.
#[derive(Clone, Copy, Debug)]
pub struct InLanguage<'a, T> {
    what: &'a T,
    language: Language,
}

impl<T: Say> fmt::Display for InLanguage<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.say(self.language, f)
    }
}

/// Writes one text in the language wanted. English and Bahasa Indonesia stand side by side, so that neither can be forgotten.
macro_rules! say {
    ($to:expr, $language:expr, $english:literal, $indonesian:literal) => {
        match $language {
            $crate::domain::language::Language::English => write!($to, $english),
            $crate::domain::language::Language::Indonesian => write!($to, $indonesian),
        }
    };
}
pub(crate) use say;
