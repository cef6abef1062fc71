//! What a code means, in each language. English stands beside the codes; Bahasa Indonesia in `id.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::code::StableCode;
use super::language::Language;

/// The translations, as shipped.
const INDONESIAN: &str = include_str!("id.toml");

static TRANSLATED: LazyLock<BTreeMap<String, Translation>> = LazyLock::new(|| toml::from_str(INDONESIAN).unwrap_or_default());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Translation {
    title: String,
    meaning: String,
    remedy: String,
}

/// A code's explanation in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means and why it is checked.
    pub meaning: &'static str,
    /// What to do next.
    pub remedy: &'static str,
}

/// What `code` says in `language`; English where a translation is missing.
#[must_use]
pub fn text(code: &'static StableCode, language: Language) -> Text {
    let english = Text { title: code.title, meaning: code.meaning, remedy: code.remedy };
    match language {
        Language::English => english,
        Language::Indonesian => TRANSLATED.get(code.id).map_or(english, |translation| Text {
            title: &translation.title,
            meaning: &translation.meaning,
            remedy: &translation.remedy,
        }),
    }
}

/// The ids that have a translation, sorted.
pub fn translated_ids() -> impl Iterator<Item = &'static str> {
    TRANSLATED.keys().map(String::as_str)
}
