//! What every command needs first: configuration, secrets, the ledger's binding.

use std::cell::{OnceCell, RefCell};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::failure::{Failure, NAME};
use super::global::Global;
use super::output;
use super::places;
use super::runs::record::Recording;
use super::standard_input::StandardInput;
use super::unsaid;
use crate::clock::Clock;
use crate::config::{self, Config, Environment};
use crate::gateway::pacing::Rate;
use crate::ledger::Binding;
use crate::private;
use crate::report::metrics::Figures;

/// Configuration resolved once, and the global flags.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) clock: Clock,
    /// The configuration file that was read.
    pub(super) file: Option<PathBuf>,
    pub(super) standard_input: StandardInput,
    /// What the command comes to, for whoever watches it.
    pub(super) figures: RefCell<Figures>,
    /// What is recorded of the run, if the command is one that is.
    pub(super) recording: OnceCell<Recording>,
}

impl Setup {
    /// Defaults < file < environment < `flags`.
    pub(super) fn load(global: &Global, flags: &[(&str, String)]) -> Result<Self, Failure> {
        let named = global.config.clone().or_else(|| std::env::var_os("TAGIH_CONFIG").map(PathBuf::from));
        let path = named.or_else(|| Some(PathBuf::from(NAME)).filter(|path| path.is_file()));
        let text = path.as_ref().map(|path| read_config(path)).transpose()?;
        unsaid::file(text.as_deref());
        let name = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let file = text.as_deref().map(|text| (name.as_str(), text));
        let config = resolved(file, flags).map_err(|failure| failure.read_from(path.as_deref()))?;
        for key in config.unused.keys().filter(|_| !global.quiet) {
            output::note(format_args!("note: the setting `{key}` is no longer used; it can be left out"));
        }
        places::check(file, &config).map_err(|failure| failure.read_from(path.as_deref()))?;
        Ok(Self {
            config,
            json: global.json,
            quiet: global.quiet,
            clock: Clock::default(),
            file: path,
            standard_input: StandardInput::default(),
            figures: RefCell::default(),
            recording: OnceCell::new(),
        })
    }

    /// Reads the settings again from where they were read.
    pub(super) fn read_again(file: Option<&Path>) -> Result<Config, Failure> {
        let text = file.map(read_config).transpose()?;
        unsaid::file(text.as_deref());
        let name = file.map(|file| file.display().to_string()).unwrap_or_default();
        resolved(text.as_deref().map(|text| (name.as_str(), text)), &[])
    }

    pub(super) fn journal_path(&self) -> &Path {
        Path::new(&self.config.journal.path)
    }

    /// The ledger is bound to this for life.
    pub(super) fn binding(&self) -> Result<Binding, Failure> {
        let client_id = self.config.doku.client_id.clone();
        if client_id.is_empty() {
            return Err(Failure::setting("`doku.client_id` is not set\nhint: set it in a configuration file or as TAGIH_DOKU_CLIENT_ID"));
        }
        Ok(Binding { environment: self.config.doku.environment.name().to_owned(), client_id, seals: self.seals()? })
    }

    /// The ceiling agreed with DOKU.
    pub(super) fn rate(&self) -> Rate {
        Rate { per_second: self.config.pacing.rate_per_second, burst: self.config.pacing.burst }
    }

    /// Operations that may be under way at once at most.
    pub(super) fn in_flight_max(&self) -> usize {
        usize::try_from(self.config.pacing.in_flight_max.get()).unwrap_or(usize::MAX)
    }

    pub(super) fn is_production(&self) -> bool {
        self.config.doku.environment == Environment::Production
    }
}

/// Defaults < `file` (path and text) < environment < `flags`.
fn resolved(file: Option<(&str, &str)>, flags: &[(&str, String)]) -> Result<Config, Failure> {
    let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(config::resolve(file, variables, flags)?)
}

fn read_config(path: &Path) -> Result<String, Failure> {
    private::check_settings(path)
        .and_then(|()| {
            let mut text = String::new();
            private::input(path)?.read_to_string(&mut text).map(|_| text)
        })
        .map_err(|error| Failure::usage(format!("the configuration file `{}` cannot be read: {error}", path.display())))
}

pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
