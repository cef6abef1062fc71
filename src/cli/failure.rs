//! One way to fail: what a person reads, and the exit code that each error ends with.
//!
//! Belongs here: which error of which part is which exit code. Must not be here: configuration and stores (`setup`), so that whatever
//! fails can say so without them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;
use crate::evidence::{EvidenceError, StoreError};
use crate::exit::Exit;
use crate::intake::{IntakeError, KeepingError};
use crate::jobs::entries::EntriesError;
use crate::jobs::ingest::IngestError;
use crate::jobs::issue::RunError;
use crate::journal::JournalError;
use crate::ledger::LedgerError;
use crate::report::atomic::WriteError;
use crate::report::folder::FolderError;
use crate::report::folder_lock::TakeError;
use crate::report::items::ItemsError;
use crate::secret::SecretError;

/// The configuration file that is found without being named.
pub(super) const NAME: &str = "tagih.toml";

/// The path from the root on, for messages and comparisons.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A ledger's place as messages have it: the whole path of a file.
pub(super) fn full(place: &str) -> String {
    if place.contains("://") { place.to_owned() } else { absolute(Path::new(place)).display().to_string() }
}

/// An error a person reads, and the exit code it ends with.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
    /// Whether it is about a setting, so that where settings are from must be said.
    of_setting: bool,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), of_setting: false }
    }

    pub(super) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
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

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::setting(error)
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::setting(error)
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Files(_) => Self::new(Exit::Input, error),
            IntakeError::Keeping(error) => error.into(),
        }
    }
}

impl From<KeepingError> for Failure {
    fn from(error: KeepingError) -> Self {
        Self::new(Exit::Disk, error)
    }
}

impl From<RunError<KeepingError>> for Failure {
    fn from(error: RunError<KeepingError>) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::Orders(error) => error.into(),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::new(Exit::Disk, error)
    }
}

impl From<TakeError> for Failure {
    fn from(error: TakeError) -> Self {
        let exit = if matches!(error, TakeError::Held(_)) { Exit::Held } else { Exit::Disk };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let told = error.to_string();
        let hint = if told.contains("hint: ") { "" } else { "\nhint: check free space and permissions, then run the same command again" };
        Self::new(Exit::Disk, told + hint)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let exit = match &error {
            LedgerError::Missing { path } => {
                return Self::setting(LedgerError::Missing { path: full(path) });
            }
            LedgerError::OtherBinding { .. } | LedgerError::OtherKey { .. } => return Self::setting(error),
            LedgerError::Storage { .. } | LedgerError::Unreachable { .. } => Exit::Disk,
            LedgerError::Damaged { .. } | LedgerError::Illegal(_) | LedgerError::CodeTaken { .. } | LedgerError::NumberTaken { .. } => {
                Exit::Damaged
            }
            LedgerError::TooNew { .. } | LedgerError::TooOld { .. } => Exit::Usage,
            LedgerError::Held { .. } => Exit::Held,
            LedgerError::Lost { .. } | LedgerError::LeaseLost { .. } | LedgerError::Busy { .. } => Exit::Partial,
        };
        Self::new(exit, error)
    }
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        if let EvidenceError::Store(error) = error { error.into() } else { Self::new(Exit::Input, error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::None(_) => Exit::Input,
            StoreError::Damaged { .. } => Exit::Damaged,
            StoreError::Other { .. } => Exit::Usage,
            StoreError::Held(_) => Exit::Held,
            StoreError::Disk { .. } => Exit::Disk,
        };
        Self::new(exit, error)
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Evidence(error) => error.into(),
            IngestError::Ledger(error) => error.into(),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let exit = match error {
            JournalError::Damaged { .. } => Exit::Damaged,
            JournalError::Storage { .. } => Exit::Disk,
            JournalError::Author { .. } => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(Exit::Input, error)
    }
}

impl From<ItemsError> for Failure {
    fn from(error: ItemsError) -> Self {
        Self::new(Exit::Input, error)
    }
}

impl From<EntriesError> for Failure {
    fn from(error: EntriesError) -> Self {
        let exit = match error {
            EntriesError::Journal(error) => return error.into(),
            EntriesError::Unmapped(_) | EntriesError::NotClosed { .. } => Exit::Usage,
            EntriesError::Report { .. } => Exit::Input,
            EntriesError::Lost { .. } => Exit::Damaged,
            EntriesError::Write(_) => Exit::Disk,
        };
        Self::new(exit, error)
    }
}
