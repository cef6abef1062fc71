//! Why a configuration cannot be used.

use crate::exit::{Exit, Explained, Explanation};

/// Why the configuration cannot be used (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is not TOML.
    #[error("{source_name}: {reason}")]
    Syntax {
        /// Which file.
        source_name: String,
        /// Where and why.
        reason: String,
    },
    /// A key nobody reads.
    #[error("{source_name}: there is no setting `{key}`{}", .suggestion.as_ref().map_or_else(String::new, |near| format!("\nhint: did you mean `{near}`?")))]
    UnknownKey {
        /// File or environment.
        source_name: String,
        /// The key as written.
        key: String,
        /// The nearest real one.
        suggestion: Option<String>,
    },
    /// A value of the wrong kind or outside its range.
    #[error("configuration: {0}")]
    Value(String),
}

impl Explained for ConfigError {
    fn explanation(&self) -> Explanation {
        Explanation::plain(Exit::Usage).of_setting()
    }
}
