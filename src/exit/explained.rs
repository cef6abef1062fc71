//! What an error that ends a command says of itself, besides its words.
//!
//! Belongs here: the question. Must not be here: an answer; each error gives its own where it is defined, a row for each way to fail.

use std::fmt::Display;
use std::io;

use super::Exit;
use crate::domain::code::StableCode;

/// What a command ends with by an error, and where a person reads on.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// What the command ends with.
    pub exit: Exit,
    /// What `tagih explain` knows more about; none where the words say it all.
    pub code: Option<StableCode>,
    /// Whether it is about a setting, so that where settings are from must be said.
    pub is_of_setting: bool,
}

impl Explanation {
    /// An error that has a code.
    #[must_use]
    pub const fn new(exit: Exit, code: StableCode) -> Self {
        Self { exit, code: Some(code), is_of_setting: false }
    }

    /// One whose words say it all.
    #[must_use]
    pub const fn plain(exit: Exit) -> Self {
        Self { exit, code: None, is_of_setting: false }
    }

    /// The same of a setting that cannot be used, or that leads nowhere.
    #[must_use]
    pub const fn of_setting(self) -> Self {
        Self { is_of_setting: true, ..self }
    }
}

/// An error that ends a command; its words are its `Display`. What only hands another's error on hands on that one's explanation.
pub trait Explained: Display {
    /// Its exit and its code.
    fn explanation(&self) -> Explanation;

    /// What to do, where its words do not say it.
    fn hint(&self) -> Option<&'static str> {
        None
    }
}

impl<E: Explained + ?Sized> Explained for Box<E> {
    fn explanation(&self) -> Explanation {
        (**self).explanation()
    }

    fn hint(&self) -> Option<&'static str> {
        (**self).hint()
    }
}

/// The system's own words, which know neither our codes nor a way on.
impl Explained for io::Error {
    fn explanation(&self) -> Explanation {
        Explanation::plain(Exit::Disk)
    }

    fn hint(&self) -> Option<&'static str> {
        Some("check free space and permissions, then run the same command again")
    }
}
