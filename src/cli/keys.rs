//! The keys of a command: the present one, the previous one until its end, and what was said of either.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::keeping::wait;
use super::output;
use super::setup::{Failure, Setup};
use crate::config::Doku;
use crate::doku::keyring::Keyring;
use crate::doku::signature::SigningKey;
use crate::domain::revocation::{Revocation, Revoked};
use crate::ledger::{Ledger as _, Store, View as _};
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
pub(super) fn configured_keys(doku: &Doku) -> Result<Vec<SigningKey>, Failure> {
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

/// All that was said of keys, and when.
pub(super) fn said(ledger: &Store) -> Result<Vec<(Timestamp, Revocation)>, Failure> {
    wait(async { ledger.view().await?.revocations().await })
}

/// What that comes to.
fn revoked(ledger: &Store) -> Result<Revoked, Failure> {
    Ok(Revoked::of(said(ledger)?.iter().map(|(_, said)| said)))
}

impl Setup {
    pub(super) fn secret(&self) -> Result<SecretString, Failure> {
        secret(&self.config.doku)
    }

    /// The keys as the settings have them.
    pub(super) fn configured_keys(&self) -> Result<Vec<SigningKey>, Failure> {
        configured_keys(&self.config.doku)
    }

    /// The keys that verify now: what was said of any, the ledger knows, wherever the bills are from.
    pub(super) fn verification_keys(&self) -> Result<Keyring, Failure> {
        let revoked = match self.present_ledger()? {
            Some(ledger) => revoked(&ledger)?,
            None => Revoked::default(),
        };
        Ok(Keyring::new(&self.configured_keys()?, revoked))
    }

    /// The keys that `secret` signs with and answers are verified by.
    ///
    /// # Errors
    /// Also that the present one was revoked: nobody could say whose the answers are.
    pub(super) fn keys_to_send(&self, secret: &SecretString, ledger: &Store) -> Result<Keyring, Failure> {
        let configured: Vec<SigningKey> = std::iter::once(SigningKey::new(secret)).chain(previous_key(&self.config.doku)?).collect();
        let keys = Keyring::new(&configured, revoked(ledger)?);
        match keys.first().and_then(SigningKey::ends) {
            None => Ok(keys),
            Some(after) => Err(Failure::setting(format!(
                "the key in force is revoked: what arrived after {after} and is signed by it is not believed, nor would DOKU's answers be\n\
                 hint: put the new key in its place (docs/operating.md, \"Changing the secret\"); `tagih keys list` says who revoked it"
            ))),
        }
    }

    /// Says until when the previous key is believed, where the settings do not.
    pub(super) fn tell_key_end(&self) -> Result<(), Failure> {
        let is_silent = !self.config.doku.previous_until.is_empty() || self.quiet;
        let until = if is_silent { None } else { previous_key(&self.config.doku)?.and_then(|key| key.ends()) };
        let Some(until) = until else { return Ok(()) };
        output::note(format_args!(
            "warning: the key of `doku.secret_file_previous` is believed until {until}, a week after the file was put there\n\
             hint: set `doku.previous_until` to the end of the rotation, and take both out afterwards"
        ));
        Ok(())
    }
}
