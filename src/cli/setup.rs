//! What every command needs first: configuration, secrets, the ledger's binding, and one way to fail.

use std::cell::{OnceCell, RefCell};
use std::fmt::Display;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::output;
use super::places;
use super::runs::Recording;
use super::standard_input::StandardInput;
use super::tables::BillFlags;
use super::unsaid;
use crate::clock::Clock;
use crate::config::{self, Config, ConfigError, Environment};
use crate::domain::additional::{self, UrlRules};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::plan::Minting;
use crate::evidence::{EvidenceError, StoreError};
use crate::exit::Exit;
use crate::gateway::pacing::Rate;
use crate::intake::{self, AdditionalOptions, CodeTemplate, Defaults, FreeTemplate, IntakeError, KeepingError, ReportTemplate};
use crate::jobs::entries::EntriesError;
use crate::jobs::ingest::IngestError;
use crate::jobs::issue::RunError;
use crate::journal::JournalError;
use crate::ledger::{Binding, LedgerError};
use crate::private;
use crate::report::atomic::WriteError;
use crate::report::folder::FolderError;
use crate::report::folder_lock::TakeError;
use crate::report::items::ItemsError;
use crate::report::metrics::Figures;
use crate::secret::SecretError;

/// An error a person reads, and the exit code it ends with.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
    /// Whether it is about a setting, so that where settings are from must be said.
    of_setting: bool,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), of_setting: false }
    }

    pub(super) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A setting that cannot be used, or that leads nowhere.
    pub(super) fn setting(message: impl Display) -> Self {
        Self { of_setting: true, ..Self::usage(message) }
    }

    /// Says which file settings were read from, if it is about one.
    pub(super) fn read_from(mut self, file: Option<&Path>) -> Self {
        if self.of_setting {
            let from = match file {
                Some(file) => format!("settings were read from `{}`", file.display()),
                None => format!("no configuration file was read: there is no `./{NAME}`, and neither --config nor TAGIH_CONFIG names one"),
            };
            self.message = format!("{}\nnote: {from}", self.message);
        }
        self
    }
}

/// The configuration file that is found without being named.
pub(super) const NAME: &str = "tagih.toml";

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::setting(error)
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::setting(error)
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Files(_) => Self::new(Exit::Input, error),
            IntakeError::Keeping(error) => error.into(),
        }
    }
}

impl From<KeepingError> for Failure {
    fn from(error: KeepingError) -> Self {
        Self::new(Exit::Disk, error)
    }
}

impl From<RunError<KeepingError>> for Failure {
    fn from(error: RunError<KeepingError>) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::Orders(error) => error.into(),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::new(Exit::Disk, error)
    }
}

impl From<TakeError> for Failure {
    fn from(error: TakeError) -> Self {
        let exit = if matches!(error, TakeError::Held(_)) { Exit::Held } else { Exit::Disk };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let told = error.to_string();
        let hint = if told.contains("hint: ") { "" } else { "\nhint: check free space and permissions, then run the same command again" };
        Self::new(Exit::Disk, told + hint)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let exit = match &error {
            LedgerError::Missing { path } => {
                return Self::setting(LedgerError::Missing { path: places::full(path) });
            }
            LedgerError::OtherBinding { .. } | LedgerError::OtherKey { .. } => return Self::setting(error),
            LedgerError::Storage { .. } | LedgerError::Unreachable { .. } => Exit::Disk,
            LedgerError::Damaged { .. } | LedgerError::Illegal(_) | LedgerError::CodeTaken { .. } | LedgerError::NumberTaken { .. } => {
                Exit::Damaged
            }
            LedgerError::TooNew { .. } | LedgerError::TooOld { .. } => Exit::Usage,
            LedgerError::Held { .. } => Exit::Held,
            LedgerError::Lost { .. } | LedgerError::LeaseLost { .. } | LedgerError::Busy { .. } => Exit::Partial,
        };
        Self::new(exit, error)
    }
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        if let EvidenceError::Store(error) = error { error.into() } else { Self::new(Exit::Input, error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::None(_) => Exit::Input,
            StoreError::Damaged { .. } => Exit::Damaged,
            StoreError::Other { .. } => Exit::Usage,
            StoreError::Held(_) => Exit::Held,
            StoreError::Disk { .. } => Exit::Disk,
        };
        Self::new(exit, error)
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Evidence(error) => error.into(),
            IngestError::Ledger(error) => error.into(),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let exit = match error {
            JournalError::Damaged { .. } => Exit::Damaged,
            JournalError::Storage { .. } => Exit::Disk,
            JournalError::Author { .. } => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(Exit::Input, error)
    }
}

impl From<ItemsError> for Failure {
    fn from(error: ItemsError) -> Self {
        Self::new(Exit::Input, error)
    }
}

impl From<EntriesError> for Failure {
    fn from(error: EntriesError) -> Self {
        let exit = match error {
            EntriesError::Journal(error) => return error.into(),
            EntriesError::Unmapped(_) | EntriesError::NotClosed { .. } => Exit::Usage,
            EntriesError::Report { .. } => Exit::Input,
            EntriesError::Lost { .. } => Exit::Damaged,
            EntriesError::Write(_) => Exit::Disk,
        };
        Self::new(exit, error)
    }
}

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

    /// How bill files are to be read.
    pub(super) fn intake(&self, cycle: Option<&String>, flags: &BillFlags) -> Result<intake::Options, Failure> {
        let settings = &self.config.intake;
        Ok(intake::Options {
            tables: self.bill_tables(flags)?,
            allowed: flags.allow_value.clone(),
            invoice_number_template: filled(&settings.invoice_number_template),
            cycle: cycle.cloned(),
            defaults: self.intake_defaults()?,
            info_lengths: self.config.doku.info.lengths(),
            merchant_bin: filled(&settings.merchant_bin),
            code_template: self.code_template()?,
            additional: self.additional(cycle)?,
            ..intake::Options::new(self.clock.now())
        })
    }

    /// How codes of our own making come about, if the configuration says so.
    fn code_template(&self) -> Result<Option<CodeTemplate>, Failure> {
        let (settings, bin) = (&self.config.merchant_code, filled(&self.config.intake.merchant_bin));
        let Some(template) = filled(&settings.template) else { return Ok(None) };
        let parsed = CodeTemplate::parse(&template, bin.as_deref(), settings.length);
        parsed.map(Some).map_err(|reason| Failure::setting(format!("`merchant_code.template` cannot be used: `{template}`: {reason}")))
    }

    /// The numbers that are given out as codes, if that is their way.
    pub(super) fn minting(&self) -> Result<Option<Minting>, Failure> {
        Ok(self.code_template()?.and_then(|template| template.minting()))
    }

    /// What goes out beside the order.
    fn additional(&self, cycle: Option<&String>) -> Result<AdditionalOptions, Failure> {
        let settings = &self.config.additional_info;
        let wrong = |key: &str, reason: String| Failure::setting(format!("`additional_info.{key}` cannot be used: {reason}"));
        let hosts = settings.override_hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
        let url_rules = UrlRules {
            path: self.config.serve.notification_path.clone(),
            hosts: hosts.map(str::to_owned).collect(),
            loopback: !self.is_production(),
        };
        let override_notification_url = filled(&settings.override_notification_url);
        if let Some(reason) = override_notification_url.as_ref().and_then(|url| url_rules.check(url).err()) {
            return Err(wrong("override_notification_url", reason));
        }
        let settlement = filled(&settings.settlement).map(|text| additional::parse_settlement(&text)).transpose();
        let account_id = filled(&settings.account_id);
        if let Some(reason) = account_id.as_ref().and_then(|id| additional::check_account(id).err()) {
            return Err(wrong("account_id", reason));
        }
        Ok(AdditionalOptions {
            url_rules,
            override_notification_url,
            settlement: settlement.map_err(|reason| wrong("settlement", reason))?.unwrap_or_default(),
            hold_settlement: settings.hold_settlement,
            account_id,
            indomaret_settlement: settings.indomaret_settlement,
            report: ReportTemplate::parse(&settings.report, cycle.map(String::as_str)).map_err(|reason| wrong("report", reason))?,
            free: FreeTemplate::parse(&settings.free, cycle.map(String::as_str)).map_err(|reason| wrong("free", reason))?,
        })
    }

    fn intake_defaults(&self) -> Result<Defaults, Failure> {
        let defaults = &self.config.intake.defaults;
        let channel = filled(&defaults.channel).map(|name| Channel::parse(&name).ok_or_else(|| unknown("channel", &name))).transpose()?;
        let method =
            filled(&defaults.method).map(|name| IssuanceMethod::parse(&name).ok_or_else(|| unknown("method", &name))).transpose()?;
        Ok(Defaults {
            channel,
            method,
            expiry_minutes: Some(defaults.expiry_minutes).filter(|&minutes| minutes > 0),
            reusable: Some(defaults.reusable),
            info: filled(&defaults.info),
            receipt_description: filled(&defaults.receipt_description),
            receipt_footer: filled(&defaults.receipt_footer),
        })
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

fn unknown(what: &str, name: &str) -> Failure {
    Failure::setting(format!("`intake.defaults.{what}` is not a known {what}: `{name}`"))
}
