//! The keys of a command: the present one, and the previous one until its end.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::output;
use super::setup::{Failure, Setup};
use crate::config::Doku;
use crate::doku::signature::SigningKey;
use crate::secret::{self, SecretCommand, Sources};

/// How long a previous key is believed whose end is not set.
const PREVIOUS_KEY_LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The command that prints the key, if there is one.
pub(super) fn command(doku: &Doku) -> Option<SecretCommand> {
    let limit = Duration::from_secs(doku.secret_command_seconds);
    (!doku.secret_command.is_empty()).then(|| SecretCommand { words: doku.secret_command.clone(), limit })
}

fn secret(doku: &Doku) -> Result<SecretString, Failure> {
    let sources = Sources {
        variable: std::env::var("TAGIH_DOKU_SECRET").ok().map(SecretString::from),
        credentials_directory: std::env::var("CREDENTIALS_DIRECTORY").ok(),
        command: command(doku),
    };
    Ok(secret::load(&doku.secret_file, sources)?)
}

/// The keys that verify, as these settings have them: the present one, and the previous one while rotating.
pub(super) fn verification_keys(doku: &Doku) -> Result<Vec<SigningKey>, Failure> {
    Ok(std::iter::once(SigningKey::new(&secret(doku)?)).chain(previous_key(doku)?).collect())
}

/// The key before the present one, while it is being replaced: it verifies until its end, and never signs.
fn previous_key(doku: &Doku) -> Result<Option<SigningKey>, Failure> {
    let path = Path::new(&doku.secret_file_previous);
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let key = SigningKey::new(&secret::from_file(path)?);
    let until = match doku.previous_until() {
        Some(until) => until,
        None => secret::put_there_at(path)?.saturating_add(PREVIOUS_KEY_LASTS).map_err(Failure::usage)?,
    };
    Ok(Some(key.until(until)))
}

impl Setup {
    pub(super) fn secret(&self) -> Result<SecretString, Failure> {
        secret(&self.config.doku)
    }

    pub(super) fn verification_keys(&self) -> Result<Vec<SigningKey>, Failure> {
        verification_keys(&self.config.doku)
    }

    pub(super) fn previous_key(&self) -> Result<Option<SigningKey>, Failure> {
        previous_key(&self.config.doku)
    }

    /// Says until when the previous key is believed, where the settings do not.
    pub(super) fn tell_key_end(&self, keys: &[SigningKey]) {
        let Some(until) = keys.iter().find_map(SigningKey::ends).filter(|_| self.config.doku.previous_until.is_empty() && !self.quiet)
        else {
            return;
        };
        output::note(format_args!(
            "warning: the key of `doku.secret_file_previous` is believed until {until}, a week after the file was put there\n\
             hint: set `doku.previous_until` to the end of the rotation, and take both out afterwards"
        ));
    }
}
