//! Where secrets come from: environment, a 0600 file, or a systemd credential; never a flag or the configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// None of the sources has one.
    #[error("no DOKU secret: set `doku.secret_file`, TAGIH_DOKU_SECRET, or a systemd credential named `doku_secret`")]
    None,
    /// The file cannot be read.
    #[error("the secret file `{path}` cannot be read: {reason}\nhint: check the path and that this user may read it")]
    Unreadable {
        /// Which file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// Others may read the file.
    #[error("the secret file `{path}` has mode {mode:o}, so others can read it\nhint: run `chmod 600 {path}`")]
    TooOpen {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds nothing.
    #[error("the secret file `{0}` is empty")]
    Empty(String),
}

/// What the environment offers.
#[derive(Debug, Default)]
pub struct Sources {
    /// `TAGIH_DOKU_SECRET`, or whatever else a secret's variable is.
    pub variable: Option<SecretString>,
    /// `CREDENTIALS_DIRECTORY`, which systemd sets for a unit with `LoadCredential=`.
    pub credentials_directory: Option<String>,
}

/// DOKU's secret, from the first source that has one: variable, `secret_file`, systemd credential.
pub fn load(secret_file: &str, sources: Sources) -> Result<SecretString, SecretError> {
    find(secret_file, "doku_secret", sources)?.ok_or(SecretError::None)
}

/// A secret that there may be none of, from the first source that has one: variable, `file`, systemd credential.
pub fn find(file: &str, credential: &str, sources: Sources) -> Result<Option<SecretString>, SecretError> {
    if let Some(secret) = sources.variable.filter(|secret| !secret.expose_secret().is_empty()) {
        return Ok(Some(secret));
    }
    if !file.is_empty() {
        return from_file(Path::new(file)).map(Some);
    }
    let credential = sources.credentials_directory.map(|directory| Path::new(&directory).join(credential));
    // systemd guards this folder by ownership and access lists, which mode bits do not show rightly.
    credential.filter(|path| path.exists()).map(|path| read(&path)).transpose()
}

/// Reads a secret file; one newline at its end is dropped, every other byte counts.
pub fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| SecretError::Unreadable { path: shown.clone(), reason: error.to_string() };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::TooOpen { path: shown, mode });
    }
    read(path)
}

fn read(path: &Path) -> Result<SecretString, SecretError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| SecretError::Unreadable { path: shown.clone(), reason: error.to_string() })?;
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() { Err(SecretError::Empty(shown)) } else { Ok(SecretString::from(secret)) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    fn file(mode: u32, text: &str) -> tempfile::NamedTempFile {
        use std::io::Write as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::remove_file(file.path()).unwrap();
        fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file.path()).unwrap().write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_secret_file_must_be_private_and_loses_only_its_last_newline() {
        assert_eq!(from_file(file(0o600, "SK-a&b \n").path()).unwrap().expose_secret(), "SK-a&b ");
        assert!(matches!(from_file(file(0o640, "x").path()), Err(SecretError::TooOpen { mode: 0o640, .. })));
        assert!(matches!(from_file(file(0o600, "\n").path()), Err(SecretError::Empty(_))));
        assert!(matches!(load("", Sources::default()), Err(SecretError::None)));
        let empty = Sources { variable: Some(SecretString::from("")), credentials_directory: None };
        assert!(matches!(load("", empty), Err(SecretError::None)), "an empty variable is as good as none");
    }
}
