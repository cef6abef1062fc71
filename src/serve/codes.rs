//! What can keep `tagih serve` from serving: E0601 to E0619.

use crate::domain::code::StableCode;

/// [`super::error::ServeError::Folder`].
pub const FOLDER: StableCode = StableCode::new(
    "E0601",
    "the log folder cannot be used",
    "Messages are acknowledged only once they are durable in `serve.log_dir`. It could not be made, read or written.",
    "Check the path, its permissions and free space; the service's user must own it.",
);
/// [`super::error::ServeError::Held`].
pub const HELD: StableCode = StableCode::new(
    "E0602",
    "another process writes these logs",
    "Two servers on one log folder would spoil each other's files.",
    "Stop the other server, or give this one a `serve.log_dir` of its own.",
);
/// [`super::error::ServeError::Listen`].
pub const LISTEN: StableCode = StableCode::new(
    "E0603",
    "the address cannot be listened on",
    "The address of `serve.listen` or `serve.admin_listen` is taken, is not of this machine, or needs a privilege.",
    "Choose another address, or stop what uses it; ports below 1024 belong to the reverse proxy.",
);

/// All of them.
pub const ALL: &[StableCode] = &[FOLDER, HELD, LISTEN];
