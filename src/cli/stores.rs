//! Which ledger and which journal the settings name, and how they are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::failure::{Failure, absolute};
use super::output;
use super::setup::Setup;
use crate::domain::share::RateShare;
use crate::ledger::{Binding, Create, LedgerError, Location, PostgresServer, Seals, SenderLock, ServerAccess, Store, full, lock};
use crate::private::{self, folder_of};
use crate::random::MachineRandomness;
use crate::secret::{self, SecretSources};
use crate::temporary;

impl Setup {
    /// Where the ledger is, and how to get there.
    pub(super) fn ledger_location(&self) -> Result<Location, Failure> {
        let settings = &self.config.ledger;
        if settings.url.is_empty() {
            return Ok(Location::File(PathBuf::from(&settings.path)));
        }
        let seals = self.seals()?;
        let password = secret::password(&settings.password_file, SecretSources::of_environment("TAGIH_LEDGER_PASSWORD"))?;
        let access = ServerAccess {
            password: password.as_ref(),
            ca_file: Some(Path::new(&settings.ca_file)).filter(|file| !file.as_os_str().is_empty()),
            patience: Duration::from_secs(settings.wait_seconds),
            lease: Duration::from_secs(settings.lease_seconds),
            seals: &seals,
        };
        let server = PostgresServer::new(&settings.url, &access, Arc::new(MachineRandomness));
        let unusable = |reason| {
            Failure::setting(format!("`ledger.url` cannot be used: {reason}\nhint: such as `postgres://tagih@db.example.co.id/tagih`"))
        };
        server.map(|server| Location::Server(Box::new(server))).map_err(unusable)
    }

    /// What the ledger is called in messages and records.
    pub(super) fn ledger_name(&self) -> String {
        let settings = &self.config.ledger;
        if settings.url.is_empty() { full(&settings.path) } else { settings.url.clone() }
    }

    /// Where the runs of this host are recorded: beside the ledger's file, whatever it is called by; of a database, beside the journal.
    pub(super) fn runs_folder(&self) -> PathBuf {
        let settings = &self.config.ledger;
        let of = if settings.url.is_empty() { Path::new(&settings.path) } else { self.journal_path() };
        // Where others decide what the name leads to, nothing is recorded beside that.
        let mut name = private::real(of).unwrap_or_else(|_| absolute(of)).into_os_string();
        name.push(".runs");
        PathBuf::from(name)
    }

    /// Whether there is a ledger, or a journal, whose place may be added to.
    pub(super) fn has_ledger_place(&self) -> bool {
        !self.config.ledger.url.is_empty() || Path::new(&self.config.ledger.path).exists() || self.journal_path().exists()
    }

    /// What the ledger's seals are made with.
    pub(super) fn seals(&self) -> Result<Seals, Failure> {
        let key = secret::seal_key(&self.config.ledger.seal_key_file, SecretSources::of_environment("TAGIH_LEDGER_SEAL_KEY"))?;
        Ok(key.as_ref().map_or_else(Seals::default, Seals::keyed))
    }

    /// The ledger for reading, if there is one.
    pub(super) fn existing_ledger(&self) -> Result<Option<Store>, Failure> {
        match self.looked_at_ledger()? {
            Err(LedgerError::Missing { .. }) => Ok(None),
            opened => Ok(Some(opened?)),
        }
    }

    /// The same of one that this version has written: a former one is brought up to date by the first command that writes.
    pub(super) fn present_ledger(&self) -> Result<Option<Store>, Failure> {
        match self.looked_at_ledger()? {
            Err(LedgerError::Missing { .. } | LedgerError::TooOld { .. }) => Ok(None),
            opened => Ok(Some(opened?)),
        }
    }

    fn looked_at_ledger(&self) -> Result<Result<Store, LedgerError>, Failure> {
        let location = self.ledger_location()?;
        if let Location::File(path) = &location
            && !path.exists()
        {
            return Ok(Err(LedgerError::Missing { path: path.display().to_string() }));
        }
        Ok(Store::open_read_only(&location, &self.binding()?))
    }

    /// The ledger for `command`, which changes what others send: with a file, no other such command runs for as long as both are kept;
    /// with a database, it works under a lease, and takes `ceiling` for the rate of all.
    pub(super) fn open_ledger_to_send(
        &self,
        binding: &Binding,
        create: Create,
        command: &str,
        ceiling: RateShare,
    ) -> Result<(Option<SenderLock>, Store), Failure> {
        let lock = match self.ledger_location()? {
            Location::File(path) => Some(SenderLock::acquire(&path, command, &self.clock)?),
            Location::Server(_) => None,
        };
        let ledger = self.open_ledger(binding, create)?;
        ledger.lease(&lock::holding(command, &self.clock), ceiling)?;
        Ok((lock, ledger))
    }

    /// The ledger for writing; a new one is said, with its place.
    pub(super) fn open_ledger(&self, binding: &Binding, create: Create) -> Result<Store, Failure> {
        let location = self.ledger_location()?;
        let was_there = matches!(&location, Location::File(path) if path.exists());
        if let (true, Location::File(path)) = (was_there, &location) {
            temporary::sweep(folder_of(path), self.clock.now());
        }
        let ledger = Store::open(&location, binding, create, &MachineRandomness)?;
        let is_new = if let Store::Postgres(ledger) = &ledger { ledger.is_new() } else { !was_there };
        if let Some(migrated) = ledger.migrated() {
            output::note(format_args!(
                "note: the ledger was brought from schema {} to {}; as it was it is kept at `{}`",
                migrated.from,
                migrated.to,
                absolute(&migrated.backup).display()
            ));
            for collision in &migrated.collisions {
                output::note(format_args!("warning: {collision}"));
            }
        }
        if is_new {
            output::note(format_args!("a new ledger was made: {}", full(&location.name())));
        }
        self.recorded(&ledger)?;
        Ok(ledger)
    }

    /// The ledger where there must be one, as this run sees it: nothing is written.
    pub(super) fn reading(&self) -> Result<Store, Failure> {
        let ledger = Store::open_read_only(&self.ledger_location()?, &self.binding()?)?;
        self.run_sees(&ledger)?;
        Ok(ledger)
    }

    /// The journal where there must be one: what it says is asked for.
    pub(super) fn existing_journal(&self) -> Result<&Path, Failure> {
        let path = self.journal_path();
        if path.exists() {
            return Ok(path);
        }
        Err(Failure::setting(format!(
            "there is no journal at `{}`\nhint: check `journal.path`; the first `tagih discrepancies take` or `tagih period close` makes one",
            absolute(path).display()
        )))
    }
}
