//! Why whole files are refused. Belongs here: the words. Must not be here: the checks; rows are `RefusedRow`'s.

use std::path::PathBuf;

use super::codes;
use crate::domain::code::StableCode;
use crate::exit::{Exit, Explained, Explanation};
use crate::spool::KeepingError;
use crate::table;

/// Why nothing of an input is used.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// One or more files were refused (exit 7). Every refused file is listed, in the order given.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Files(Vec<RefusedFile>),
    /// Its rows cannot be kept (exit 9).
    #[error(transparent)]
    Keeping(#[from] KeepingError),
}

impl Explained for IntakeError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Files(files) => Explanation { code: files.first().map(|file| file.fault.code()), ..Explanation::plain(Exit::Input) },
            Self::Keeping(error) => error.explanation(),
        }
    }
}

/// One refused file.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {fault} [{}]\nhint: {}", .file.display(), .fault.code(), .fault.code().remedy)]
pub struct RefusedFile {
    /// Which file, as it was named.
    pub file: PathBuf,
    /// Why.
    pub fault: FileFault,
}

/// Why a whole file is refused.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It is no table that can be used.
    #[error("{0}")]
    Table(#[from] table::TableFault),
    /// The template needs a cycle and none was given.
    #[error("has no invoice numbers of its own, and the template `{0}` needs `--cycle`")]
    CycleMissing(String),
    /// The template cannot be used.
    #[error("has no invoice numbers of its own, and the template `{template}` cannot be used: {reason}")]
    Template {
        /// The template.
        template: String,
        /// Why not.
        reason: String,
    },
    /// The mapping names a column that does not exist.
    #[error("cannot be mapped: `{name}` in `intake.columns` is not a column of tagih{suggestion}")]
    Mapping {
        /// The name.
        name: String,
        /// `, did you mean …`, or nothing.
        suggestion: String,
    },
}

impl FileFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> StableCode {
        match self {
            Self::Table(fault) => fault.code(),
            Self::CycleMissing(_) => codes::CYCLE_MISSING,
            Self::Template { .. } => codes::TEMPLATE,
            Self::Mapping { .. } => codes::MAPPING,
        }
    }
}
