//! The keys of a command: the present one, and the previous one until its end.

use std::path::Path;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::output;
use super::setup::{Failure, Setup};
use crate::doku::signature::SigningKey;
use crate::secret::{self, Sources};

/// How long a previous key is believed whose end is not set.
const PREVIOUS_KEY_LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Setup {
    pub(super) fn secret(&self) -> Result<SecretString, Failure> {
        let sources = Sources {
            variable: std::env::var("TAGIH_DOKU_SECRET").ok().map(SecretString::from),
            credentials_directory: std::env::var("CREDENTIALS_DIRECTORY").ok(),
        };
        Ok(secret::load(&self.config.doku.secret_file, sources)?)
    }

    /// The keys that verify: the present one, and the previous one while rotating.
    pub(super) fn verification_keys(&self) -> Result<Vec<SigningKey>, Failure> {
        Ok(std::iter::once(SigningKey::new(&self.secret()?)).chain(self.previous_key()?).collect())
    }

    /// The key before the present one, while it is being replaced: it verifies until its end, and never signs.
    pub(super) fn previous_key(&self) -> Result<Option<SigningKey>, Failure> {
        let path = Path::new(&self.config.doku.secret_file_previous);
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let key = SigningKey::new(&secret::from_file(path)?);
        let until = match self.config.doku.previous_until() {
            Some(until) => until,
            None => secret::put_there_at(path)?.saturating_add(PREVIOUS_KEY_LASTS).map_err(Failure::usage)?,
        };
        Ok(Some(key.until(until)))
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
