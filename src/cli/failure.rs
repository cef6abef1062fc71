//! One way to fail: what a person reads, and the exit code that a command ends with.
//!
//! Belongs here: failures of the command line's own making. Must not be here: what another part's error ends with (that error is
//! `Explained`), configuration and stores (`setup`), so that whatever fails can say so without them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::error_json;
use crate::domain::code::StableCode;
use crate::exit::{Exit, Explained, Explanation};

/// The configuration file that is found without being named.
pub(super) const NAME: &str = "tagih.toml";

/// The path from the root on, for messages and comparisons.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// An error a person reads, and the exit code it ends with.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    /// The error's own; what is said here has it in its words, if any.
    pub(super) code: Option<StableCode>,
    pub(super) message: String,
    /// Whether it is about a setting, so that where settings are from must be said.
    of_setting: bool,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, code: None, message: message.to_string(), of_setting: false }
    }

    pub(super) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// What the system did not do with a file of ours.
    pub(super) fn disk(path: &Path, not_done: &str, error: &std::io::Error) -> Self {
        let hint = "look at that disk, and at who may write there; the same command, run again, goes on from where this one ended";
        Self::new(Exit::Disk, format!("`{}` cannot be {not_done}: {error}\nhint: {hint}", path.display()))
    }

    /// A setting that cannot be used, or that leads nowhere.
    pub(super) fn setting(message: impl Display) -> Self {
        Self { of_setting: true, ..Self::usage(message) }
    }

    /// Says which file settings were read from, if it is about one.
    pub(super) fn read_from(mut self, file: Option<&Path>) -> Self {
        if self.of_setting {
            let from = match file {
                Some(file) => format!("settings were read from `{}`", file.display()),
                None => format!("no configuration file was read: there is no `./{NAME}`, and neither --config nor TAGIH_CONFIG names one"),
            };
            self.message = format!("{}\nnote: {from}", self.message);
        }
        self
    }
}

/// Whatever says of itself what it ends with.
impl<E: Explained> From<E> for Failure {
    fn from(error: E) -> Self {
        let Explanation { exit, code, is_of_setting } = error.explanation();
        let mut message = error.to_string();
        let said = error_json::leading_code(&message);
        debug_assert!(said.is_none_or(|said| code.is_some_and(|code| code.id == said)), "it says {said:?} and ends with {code:?}");
        if let Some(hint) = error.hint().filter(|_| !message.contains("hint: ")) {
            message = format!("{message}\nhint: {hint}");
        }
        Self { exit, code, message, of_setting: is_of_setting }
    }
}
