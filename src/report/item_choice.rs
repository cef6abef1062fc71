//! What can be chosen for an item in a spreadsheet, and by which word in each language.

use super::words::Words;
use crate::domain::language::Language;
use crate::register::{DecidedAction, Item, ItemStatus};

/// What a row may say in its column `action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Choice {
    /// An action.
    Action(DecidedAction),
    /// A decision is taken back.
    Reopen,
    /// What somebody else proposed is agreed to.
    Approve,
}

impl Choice {
    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        DecidedAction::all().map(Self::Action).chain([Self::Reopen, Self::Approve])
    }

    /// The name used in files.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Action(action) => action.name(),
            Self::Reopen => "reopen",
            Self::Approve => "approve",
        }
    }

    /// Those of an item, as it stands.
    pub(super) fn of(item: &Item) -> Vec<Self> {
        let actions = || DecidedAction::of(&item.facts).map(Self::Action);
        match item.status {
            ItemStatus::Open | ItemStatus::Reopened => actions().collect(),
            ItemStatus::Proposed => [Self::Approve, Self::Reopen].into_iter().chain(actions()).collect(),
            ItemStatus::Accepted => vec![Self::Reopen],
            ItemStatus::Cleared => Vec::new(),
        }
    }

    /// What is meant by a word of either language, or by a name.
    #[must_use]
    pub(super) fn meant(text: &str) -> Option<Self> {
        let plain = text.trim().to_lowercase();
        let says = |choice: &Self| {
            let words = Language::ALL.map(|language| Words::of(language).choice(*choice));
            choice.name() == plain || words.contains(&plain.as_str())
        };
        Self::all().find(says)
    }
}
