//! What keeps a server from serving.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::codes;
use crate::exit::{Exit, Explained, Explanation};

/// Why there is no server (exit 2, 6 or 9; see [`codes`]).
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// See [`codes::FOLDER`].
    #[error("E0601: the log folder `{}` cannot be used: {reason}\nhint: check the path, its permissions and free space", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// See [`codes::HELD`].
    #[error("E0602: another process writes the logs in `{}`\nhint: stop it, or set another `serve.log_dir`", path.display())]
    Held {
        /// Which folder.
        path: PathBuf,
    },
    /// See [`codes::LISTEN`].
    #[error("E0603: `{address}` cannot be listened on: {reason}\nhint: choose another address, or stop what uses it")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
}

impl Explained for ServeError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Listen { .. } => Explanation::new(Exit::Usage, codes::LISTEN),
            Self::Held { .. } => Explanation::new(Exit::Held, codes::HELD),
            Self::Folder { .. } => Explanation::new(Exit::Disk, codes::FOLDER),
        }
    }
}
