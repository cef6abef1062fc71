//! Where secrets come from: environment, a 0600 file, or a systemd credential; never a flag or the configuration.
//! Whoever can read one can sign or write as we do, and whoever can write it decides whom we believe, so it is this account's alone.

mod command;
pub mod unsaid;

use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

pub use self::command::SecretCommand;
use crate::exit::{Exit, Explained, Explanation};
use crate::private;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// None of the sources has one.
    #[error(
        "no DOKU secret: set `doku.secret_file`, `doku.secret_command`, TAGIH_DOKU_SECRET, or a systemd credential named `doku_secret`"
    )]
    None,
    /// There is no such file. What is written in its place may be the key, so it is not repeated.
    #[error(
        "there is no file where the setting of a secret file leads\nhint: check `doku.secret_file`, `doku.secret_file_previous`, `ledger.password_file` and `ledger.seal_key_file`: they name files, and are never the secret itself"
    )]
    Missing,
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
    /// The file is somebody else's, who can write another key into it.
    #[error(
        "the secret file `{path}` belongs to the account {owner}, not to the one that runs this\nhint: run `chown` on it, or run tagih as its owner"
    )]
    Foreign {
        /// Which file.
        path: String,
        /// Whose it is.
        owner: u32,
    },
    /// Anybody could guess it, or it is no key at all.
    #[error(
        "the secret key of {place} cannot be DOKU's: {reason}\nhint: copy the secret key from DOKU's Back Office, and nothing else; a guessed key signs payments"
    )]
    Weak {
        /// Where it stands.
        place: String,
        /// What is wrong, without a word of it.
        reason: &'static str,
    },
    /// It is no password.
    #[error("the password of {place} cannot be the ledger's: {reason}\nhint: the file holds the password on one line, and nothing else")]
    NoPassword {
        /// Where it stands.
        place: String,
        /// What is wrong, without a word of it.
        reason: &'static str,
    },
    /// Anybody could guess it, or a slip has made it.
    #[error(
        "the key of {place} cannot be what the ledger is sealed with: {reason}\nhint: make one with `openssl rand -hex 32`, on one line, and keep a copy of it apart from the ledger's"
    )]
    NoSealKey {
        /// Where it stands.
        place: String,
        /// What is wrong, without a word of it.
        reason: &'static str,
    },
    /// The command gave none.
    #[error(
        "the command of `doku.secret_command`, `{program}`, gave no secret: {reason}\nhint: run it by hand, as the account that runs tagih; it is to print the key and nothing else"
    )]
    Command {
        /// What it runs.
        program: String,
        /// What became of it.
        reason: String,
    },
    /// The file holds nothing.
    #[error("the secret file `{0}` is empty")]
    Empty(String),
}

impl Explained for SecretError {
    fn explanation(&self) -> Explanation {
        Explanation::plain(Exit::Usage).of_setting()
    }
}

/// What the environment offers.
#[derive(Debug, Default)]
pub struct SecretSources {
    /// `TAGIH_DOKU_SECRET`, or whatever else a secret's variable is.
    pub variable: Option<SecretString>,
    /// `CREDENTIALS_DIRECTORY`, which systemd sets for a unit with `LoadCredential=`.
    pub credentials_directory: Option<String>,
    /// A command that prints it.
    pub command: Option<SecretCommand>,
}

impl SecretSources {
    /// What it offers for the secret that `variable` may hold.
    #[must_use]
    pub fn of_environment(variable: &str) -> Self {
        let [variable, credentials_directory] = [variable, "CREDENTIALS_DIRECTORY"].map(|name| std::env::var(name).ok());
        Self { variable: variable.map(SecretString::from), credentials_directory, command: None }
    }
}

/// The secrets there are, by what each must be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// DOKU's key.
    Key,
    /// The password of the ledger's database.
    Password,
    /// What the ledger is sealed with.
    SealKey,
}

impl Kind {
    const fn variable(self) -> &'static str {
        match self {
            Self::Key => "TAGIH_DOKU_SECRET",
            Self::Password => "TAGIH_LEDGER_PASSWORD",
            Self::SealKey => "TAGIH_LEDGER_SEAL_KEY",
        }
    }

    const fn credential(self) -> &'static str {
        match self {
            Self::Key => "doku_secret",
            Self::Password => "ledger_password",
            Self::SealKey => "ledger_seal_key",
        }
    }

    /// `text`, unless it cannot be one.
    fn checked(self, text: &str, place: impl Fn() -> String) -> Result<SecretString, SecretError> {
        match (self, slip(text), guessable(text)) {
            (Self::Key, Some(reason), _) | (Self::Key, None, Some(reason)) => Err(SecretError::Weak { place: place(), reason }),
            (Self::SealKey, Some(reason), _) | (Self::SealKey, None, Some(reason)) => {
                Err(SecretError::NoSealKey { place: place(), reason })
            }
            (Self::Password, Some(reason), _) => Err(SecretError::NoPassword { place: place(), reason }),
            (_, None, _) => {
                unsaid::known(text);
                Ok(SecretString::from(text))
            }
        }
    }
}

/// DOKU's secret, from the first source that has one: variable, `secret_file`, command, systemd credential.
pub fn load(secret_file: &str, sources: SecretSources) -> Result<SecretString, SecretError> {
    find(secret_file, Kind::Key, sources)?.ok_or(SecretError::None)
}

/// The password of the ledger's database, which there may be none of, by the same sources.
pub fn password(file: &str, sources: SecretSources) -> Result<Option<SecretString>, SecretError> {
    find(file, Kind::Password, sources)
}

/// What the ledger is sealed with, which there may be none of, by the same sources.
pub fn seal_key(file: &str, sources: SecretSources) -> Result<Option<SecretString>, SecretError> {
    find(file, Kind::SealKey, sources)
}

fn find(file: &str, kind: Kind, sources: SecretSources) -> Result<Option<SecretString>, SecretError> {
    if let Some(secret) = sources.variable.filter(|secret| !secret.expose_secret().is_empty()) {
        return kind.checked(secret.expose_secret(), || kind.variable().to_owned()).map(Some);
    }
    if !file.is_empty() {
        return read(Path::new(file), kind, check_file).map(Some);
    }
    if let Some(command) = &sources.command {
        return printed(command, kind).map(Some);
    }
    let credential = sources.credentials_directory.map(|directory| Path::new(&directory).join(kind.credential()));
    credential.filter(|path| path.exists()).map(|path| read(&path, kind, check_credential)).transpose()
}

/// What a command prints, as a file of it would be read.
fn printed(command: &SecretCommand, kind: Kind) -> Result<SecretString, SecretError> {
    let failed = |reason: String| SecretError::Command { program: command.program().to_owned(), reason };
    let bytes = command.run().map_err(failed)?;
    let text = str::from_utf8(&bytes).map_err(|_| failed("it printed no text".into()))?;
    let secret = line_of(text);
    if secret.is_empty() { Err(failed("it printed nothing".into())) } else { kind.checked(secret, || "`doku.secret_command`".to_owned()) }
}

/// Without its last line end.
fn line_of(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// Reads a file of DOKU's key, this account's alone; one newline at its end is dropped, every other byte counts.
pub fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    read(path, Kind::Key, check_file)
}

/// Of this account, and nobody else's to read or write.
fn check_file(path: &Path, found: &Metadata) -> Result<(), SecretError> {
    let shown = path.display().to_string();
    if !private::is_ours(path, found) {
        return Err(SecretError::Foreign { path: shown, owner: found.uid() });
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 { Err(SecretError::TooOpen { path: shown, mode }) } else { Ok(()) }
}

/// A credential is root's where systemd lets the unit's account read it by an access list, which shows in the bits of the group.
fn check_credential(path: &Path, found: &Metadata) -> Result<(), SecretError> {
    let mode = found.mode() & 0o777;
    let is_open = mode & 0o037 != 0;
    if found.uid() == 0 && private::account() != 0 && !is_open { Ok(()) } else { check_file(path, found) }
}

/// What is checked is the open file, so nobody puts another in its place meanwhile.
fn read(path: &Path, kind: Kind, check: fn(&Path, &Metadata) -> Result<(), SecretError>) -> Result<SecretString, SecretError> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => SecretError::Missing,
        _ => SecretError::Unreadable { path: shown.clone(), reason: error.to_string() },
    };
    let mut file = private::regular(path).map_err(unreadable)?;
    check(path, &file.metadata().map_err(unreadable)?)?;
    // With room for a secret, so that nothing is copied elsewhere while it is read.
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    file.read_to_string(&mut text).map_err(unreadable)?;
    let secret = line_of(&text);
    if secret.is_empty() { Err(SecretError::Empty(shown)) } else { kind.checked(secret, || format!("`{shown}`")) }
}

/// When a secret file was put where it is, or changed last.
pub fn put_there_at(path: &Path) -> Result<Timestamp, SecretError> {
    let unreadable = |reason: String| SecretError::Unreadable { path: path.display().to_string(), reason };
    let found = path.metadata().map_err(|error| unreadable(error.to_string()))?;
    Timestamp::from_second(found.ctime()).map_err(|error| unreadable(error.to_string()))
}

/// The least characters of a key, and how many of them differ: DOKU's have more.
const LENGTH_MIN: usize = 16;
const DIFFERENT_MIN: usize = 6;

/// What stands in templates where a key belongs.
const PLACEHOLDERS: [&str; 6] = ["changeme", "change-me", "change_me", "placeholder", "your-secret", "xxxxxx"];

/// What no secret is, and a slip of the hand makes of one, in words.
fn slip(text: &str) -> Option<&'static str> {
    if text.contains(['\n', '\r']) {
        Some("it has more than one line")
    } else if text.starts_with('\u{feff}') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Some("it has blanks, a byte order mark or control characters")
    } else {
        None
    }
}

/// Why anybody could guess it, in words.
fn guessable(text: &str) -> Option<&'static str> {
    let different: std::collections::BTreeSet<char> = text.chars().collect();
    let lower = text.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        Some("it is a placeholder")
    } else if text.chars().count() < LENGTH_MIN || different.len() < DIFFERENT_MIN {
        Some("it is too short or too simple")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    mod wiped;

    use std::fs;
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

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
        assert_eq!(from_file(file(0o600, "SK-a&b-0123456789\n").path()).unwrap().expose_secret(), "SK-a&b-0123456789");
        assert!(matches!(from_file(file(0o640, "x").path()), Err(SecretError::TooOpen { mode: 0o640, .. })));
        assert!(matches!(from_file(file(0o600, "\n").path()), Err(SecretError::Empty(_))));
        assert!(matches!(load("", SecretSources::default()), Err(SecretError::None)));
        let empty = SecretSources { variable: Some(SecretString::from("")), ..SecretSources::default() };
        assert!(matches!(load("", empty), Err(SecretError::None)), "an empty variable is as good as none");
    }
    #[test]
    fn a_credential_is_held_to_what_a_secret_file_is_held_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doku_secret");
        fs::write(&path, "SK-a-0123456789abc").unwrap();
        let sources = || SecretSources { credentials_directory: Some(folder.path().display().to_string()), ..SecretSources::default() };
        for (mode, is_taken) in [(0o644, false), (0o444, false), (0o640, false), (0o440, false), (0o600, true), (0o400, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(load("", sources()).is_ok(), is_taken, "{mode:o}");
        }
        if private::account() == 0 {
            // Only root can give a file away.
            std::os::unix::fs::chown(&path, Some(1001), None).unwrap();
            assert!(matches!(load("", sources()), Err(SecretError::Foreign { owner: 1001, .. })));
            assert!(matches!(from_file(&path), Err(SecretError::Foreign { owner: 1001, .. })));
        }
    }

    #[test]
    fn a_password_is_on_one_line_and_otherwise_its_administrators_business() {
        let found = |text: &str| password(file(0o600, text).path().to_str().unwrap(), SecretSources::default());
        assert_eq!(found("pass\n").unwrap().unwrap().expose_secret(), "pass");
        let error = found("first-one\nsecond\n").unwrap_err();
        assert!(matches!(error, SecretError::NoPassword { .. }) && !error.to_string().contains("first"), "{error}");
        assert!(password("", SecretSources::default()).unwrap().is_none());
        assert!(matches!(
            password(file(0o644, "pass").path().to_str().unwrap(), SecretSources::default()),
            Err(SecretError::TooOpen { .. })
        ));
    }

    #[test]
    fn a_key_in_the_place_of_a_file_name_is_not_repeated() {
        let error = load("k-topsecret", SecretSources::default()).unwrap_err();
        assert!(!error.to_string().contains("topsecret"), "{error}");
    }
    #[test]
    fn what_anybody_could_guess_or_a_slip_has_made_is_no_key() {
        for text in [
            "a",
            "   ",
            "changeme",
            "SK-CHANGEME-0123456789",
            "SK-short",
            "SK-aaaaaaaaaaaaaaaaaaaaaaaaa",
            "SK-first-0123456789\nSK-second-0123456789\n",
            "SK-first-0123456789\n\n",
            "\u{feff}SK-first-0123456789",
            "\u{feff}",
            "SK-first\0-0123456789",
            " SK-first-0123456789",
            "SK-first-0123456789 ",
        ] {
            let error = from_file(file(0o600, text).path()).unwrap_err();
            assert!(matches!(error, SecretError::Weak { .. }), "{text:?}: {error}");
            assert!(!error.to_string().contains("first"), "{error}");
            let variable = SecretSources { variable: Some(SecretString::from(text)), ..SecretSources::default() };
            assert!(load("", variable).is_err(), "{text:?}");
        }
    }
}
