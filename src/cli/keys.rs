//! The keys of a command: the present one, the previous one until its end, and what was said of either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::failure::Failure;
use super::head_file::parse_head;
use super::output;
use super::setup::Setup;
use super::waiting::wait;
use crate::config::Doku;
use crate::doku::keyring::Keyring;
use crate::doku::signature::SigningKey;
use crate::domain::revocation::{Revocation, Revoked};
use crate::ledger::{Ledger as _, LedgerView as _, Location, Store};
use crate::report::issue::head_text;
use crate::secret::{self, SecretCommand, SecretSources};

/// How long a previous key is believed whose end is not set.
const PREVIOUS_KEY_LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Where the ledger is where nobody has said so.
const DEFAULT_LEDGER: &str = "tagih.ledger";

/// Why nothing is sent with a key.
pub(super) fn key_is_revoked(after: Timestamp) -> String {
    format!(
        "the key in force is revoked: what arrived after {after} and is signed by it is not believed, nor would DOKU's answers be\n\
         hint: put the new key in its place (docs/operating.md, \"Changing the secret\"); `tagih keys list` says who revoked it"
    )
}

/// The command that prints the key, if there is one.
pub(super) fn command(doku: &Doku) -> Option<SecretCommand> {
    let limit = Duration::from_secs(doku.secret_command_seconds);
    (!doku.secret_command.is_empty()).then(|| SecretCommand { words: doku.secret_command.clone(), limit })
}

fn secret(doku: &Doku) -> Result<SecretString, Failure> {
    let sources = SecretSources { command: command(doku), ..SecretSources::of_environment("TAGIH_DOKU_SECRET") };
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

/// The ledgers that were asked what was said of keys, and what that comes to.
pub(super) struct Asking {
    /// The keys that verify now.
    pub(super) keys: Keyring,
    /// All that any of them says, in the order it was said.
    pub(super) said: Vec<(Timestamp, Revocation)>,
    /// The heads of those that were asked, each once.
    pub(super) heads: BTreeSet<String>,
    ledgers: Vec<Store>,
}

impl Asking {
    /// These keys, of whom nobody was asked.
    pub(super) const fn nobody(keys: Keyring) -> Self {
        Self { keys, said: Vec::new(), heads: BTreeSet::new(), ledgers: Vec::new() }
    }

    /// Whether the history of one of them has this head.
    pub(super) fn has_had(&self, head: &str) -> Result<bool, Failure> {
        // A folder may say anything.
        let Ok(head) = parse_head(head) else { return Ok(false) };
        for ledger in &self.ledgers {
            if wait(async { ledger.view().await?.has_had(&head).await })? {
                return Ok(true);
            }
        }
        Ok(false)
    }
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
        Ok(self.ask(None)?.keys)
    }

    /// The same, by the word of `beside` as well, a ledger in a file: of what both say of a key, that counts which believes less.
    pub(super) fn ask(&self, beside: Option<&Path>) -> Result<Asking, Failure> {
        let beside = beside.map(|path| Store::open_read_only(&Location::File(path.to_path_buf()), &self.binding()?).map_err(Failure::from));
        let ledgers = self.present_ledger()?.into_iter().map(Ok).chain(beside).collect::<Result<Vec<Store>, Failure>>()?;
        let (mut revoked, mut words, mut heads) = (Revoked::default(), BTreeMap::new(), BTreeSet::new());
        for ledger in &ledgers {
            let (said, head) = wait(async {
                let view = ledger.view().await?;
                Ok((view.revocations().await?, view.head().await?))
            })?;
            revoked = revoked.and(Revoked::of(said.iter().map(|(_, said)| said)));
            // What two copies of a ledger say is said once.
            words.extend(said.into_iter().map(|(at, said)| ((at, said.fingerprint.clone(), said.received_after), said)));
            heads.insert(head_text(head));
        }
        let said = words.into_iter().map(|((at, ..), said)| (at, said)).collect();
        Ok(Asking { keys: Keyring::new(&self.configured_keys()?, revoked), said, heads, ledgers })
    }

    /// Says where nobody could be asked whether a key was revoked.
    pub(super) fn tell_unasked(&self, asking: &Asking) {
        if !asking.ledgers.is_empty() {
            return;
        }
        let is_said = self.config.ledger.path != DEFAULT_LEDGER || !self.config.ledger.url.is_empty();
        let how = if is_said { "warning" } else { "note" };
        if is_said || !self.quiet {
            output::note(format_args!(
                "{how}: there is no ledger of this version at `{}`, so nobody was asked whether a key was revoked: what a leaked key has signed would \
                 be believed\nhint: have `ledger.path` lead to the ledger in which it was said (docs/security.md, \"After a leak\")",
                self.ledger_name()
            ));
        }
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
            Some(after) => Err(Failure::setting(key_is_revoked(after))),
        }
    }

    /// What a run would be stopped by that sends: the instant after which the present key is not believed. Where nothing was said of any key, none is read.
    pub(super) fn present_key_revoked(&self) -> Result<Option<Timestamp>, Failure> {
        let Some(ledger) = self.existing_ledger()? else { return Ok(None) };
        let revoked = revoked(&ledger)?;
        if revoked.keys().next().is_none() {
            return Ok(None);
        }
        // A plan needs no key; that none is there, the run itself says.
        Ok(self.secret().ok().and_then(|secret| revoked.after(&SigningKey::new(&secret).fingerprint())))
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
