//! `tagih evidence`: logs verified once and for all, and what is kept of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::failure::absolute;
use super::head_file;
use super::logs::logs;
use super::matching::policy;
use super::output;
use super::setup::Setup;
use super::tables::TableFlags;
use crate::domain::digest;
use crate::domain::line::InputFile;
use crate::evidence::StoreAt;
use crate::evidence::codes::CHANGED;
use crate::evidence::store::{self, Added, AddedAs, List, ReceiptDays, StoredLog};
use crate::exit::Exit;
use crate::jobs::evidence::{self, EvidenceOptions};

#[derive(Debug, Subcommand)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) enum EvidenceCommand {
    /// Read and verify logs, and keep what they say; those that are there already are left alone
    Add {
        /// Logs (.jsonl, .gz, .zst), tables of notifications (.csv, .xlsx), or quoted globs
        #[arg(required = true, value_name = "LOG")]
        logs: Vec<String>,
        /// The layout of tables, one of `[layouts.NAME]` (default: the one whose headers they have)
        #[arg(long, value_name = "NAME")]
        layout: Option<String>,
        /// A name or pattern without files is no error
        #[arg(long)]
        allow_no_logs: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Read the whole store again and hold it against its list
    Verify {
        /// The head of its list at an earlier time: finds an older copy put back
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
        /// A file that keeps the head from one time to the next, best where whoever can write the store cannot
        #[arg(long, value_name = "FILE", conflicts_with = "head")]
        head_file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// The logs it has, with their days and the keys that signed them
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// Which store.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The folder of the store (default: `evidence.store`)
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

impl Place {
    fn at(&self, setup: &Setup) -> Result<StoreAt, Failure> {
        let setting = Path::new(&setup.config.evidence.store);
        let path = self.store.as_deref().unwrap_or(setting);
        if path.as_os_str().is_empty() {
            return Err(Failure::usage("no evidence store is named\nhint: give `--store DIR`, or set `evidence.store`"));
        }
        setup.evidence_at(path)
    }
}

impl Setup {
    /// The evidence store in `path`, of these settings.
    pub(super) fn evidence_at(&self, path: &Path) -> Result<StoreAt, Failure> {
        let binding = self.binding()?;
        let seals = Arc::new(binding.seals);
        Ok(StoreAt {
            path: path.to_path_buf(),
            environment: binding.environment,
            client_id: binding.client_id,
            seals,
            days: ReceiptDays::default(),
        })
    }

    fn evidence_options(&self, at: StoreAt, layout: Option<&String>) -> Result<EvidenceOptions, Failure> {
        let tables = self.tables(&TableFlags { layout: layout.cloned(), ..TableFlags::default() })?;
        let (keep_raw, malformed_max_percent) = (self.config.evidence.keep_raw, self.config.reconcile.malformed_lines_max_percent);
        Ok(EvidenceOptions { at, keep_raw, malformed_max_percent, policy: policy(self)?, tables })
    }
}

/// The store that the server adds to, if there is one.
pub(super) fn kept(setup: &Setup) -> Result<Option<EvidenceOptions>, Failure> {
    let path = Path::new(&setup.config.evidence.store);
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    setup.evidence_options(setup.evidence_at(path)?, None).map(Some)
}

pub(super) fn evidence(setup: &Setup, command: &EvidenceCommand) -> Result<Exit, Failure> {
    match command {
        EvidenceCommand::Add { logs: patterns, layout, allow_no_logs, place } => {
            let options = setup.evidence_options(place.at(setup)?, layout.as_ref())?;
            add(setup, &options, &logs(patterns, *allow_no_logs)?)
        }
        EvidenceCommand::Verify { head, head_file, place } => verify(setup, &place.at(setup)?, head.as_deref(), head_file.as_deref()),
        EvidenceCommand::List { place } => list(setup, &place.at(setup)?),
    }
}

fn add(setup: &Setup, options: &EvidenceOptions, logs: &[PathBuf]) -> Result<Exit, Failure> {
    let keys = setup.configured_keys()?.into();
    setup.tell_key_end()?;
    let (added, head) = evidence::add(options, logs, &keys, setup.clock.now())?;
    let messages = added.iter().map(|log| log.messages).sum::<u64>();
    let read: Vec<InputFile> = added.iter().filter_map(|log| log.file.clone()).collect();
    setup.run_reads(read.iter().map(super::logs::read));
    setup.figure(|figures| figures.rows("lines", "added", messages, None));
    for what in [
        AddedAs::New,
        AddedAs::Renewed,
        AddedAs::Grown,
        AddedAs::Known,
        AddedAs::Verified,
        AddedAs::Cut,
        AddedAs::Changed(0),
        AddedAs::NoLog,
    ] {
        let count = added.iter().filter(|log| log.what.name() == what.name()).count();
        setup.figure(|figures| figures.rows("logs", what.name(), u64::try_from(count).unwrap_or(u64::MAX), None));
    }
    if setup.json {
        let one = |log: &Added| json!({"path": log.path, "what": log.what.name(), "messages": log.messages, "forged": log.forged});
        output::result(json!({"logs": added.iter().map(one).collect::<Vec<Value>>(), "messages": messages, "head": head}));
    } else {
        let known = added.iter().filter(|log| log.what == AddedAs::Known).count();
        for log in added.iter().filter(|log| !matches!(log.what, AddedAs::Known) && !log.what.is_fault()) {
            output::done(format_args!("{}: {} messages, {}", log.path.display(), log.messages, log.what.name()));
        }
        output::done(format_args!("{messages} messages added of {} logs, {known} known already; head {head}", added.len()));
    }
    for log in added.iter().filter(|log| log.what == AddedAs::Renewed && !setup.quiet) {
        output::note(format_args!(
            "note: `{}` has no line of the log of this name that was added before; it is taken for another one, and both are kept",
            log.path.display()
        ));
    }
    for (log, file) in added
        .iter()
        .filter_map(|log| log.file.as_ref().map(|file| (log, file)))
        .filter(|(log, _)| log.forged > 0 && log.what != AddedAs::NoLog)
    {
        output::note(format_args!(
            "warning: {} of {} messages of `{}` are signed by no key of these settings (N02)\nhint: if a key is wrong or missing, add the log \
             again with the right one, and with those it was added with (`doku.secret_file_previous`): what they verify is taken then",
            log.forged,
            file.contents.messages,
            log.path.display()
        ));
    }
    let mut faults: Vec<String> = added.iter().filter_map(fault).collect();
    faults.extend(super::logs::faults(setup, &read, "nothing was added of it, so payments may be missing"));
    if faults.is_empty() { Ok(Exit::Done) } else { Err(Failure::new(Exit::Input, faults.join("\n"))) }
}

/// What is to be said of a log that is not what it was.
fn fault(log: &Added) -> Option<String> {
    let path = log.path.display();
    let how = match log.what {
        AddedAs::Cut => "has lost its end since it was added".to_owned(),
        AddedAs::Changed(line) => format!("has another line {line} than when it was added"),
        _ => return None,
    };
    Some(format!("{}: `{path}` {how}; the store keeps what it has\nhint: {}", CHANGED.id, CHANGED.remedy))
}

fn verify(setup: &Setup, at: &StoreAt, head: Option<&str>, head_file: Option<&Path>) -> Result<Exit, Failure> {
    let expected = match head_file {
        Some(path) => head_file::kept(path)?.map(crate::report::issue::head_text),
        None => head.map(str::to_owned),
    };
    let found = store::verify(at)?;
    let is_older = expected.as_ref().is_some_and(|expected| !found.list.has_had(expected));
    let mut wrong: Vec<String> = found.wrong.iter().map(|(path, reason)| format!("`{}` {reason}", path.display())).collect();
    wrong.extend(
        is_older.then(|| "the list was never at the head that is expected: an older copy was put back, or it was made anew".to_owned()),
    );
    setup.figure(|figures| figures.rows("lines", "verified", found.messages, None));
    setup.figure(|figures| figures.rows("findings", "not_whole", u64::try_from(wrong.len()).unwrap_or(u64::MAX), None));
    let current = found.list.head();
    if setup.json {
        output::result(json!({
            "is_sound": wrong.is_empty(), "files": found.files, "messages": found.messages, "wrong": wrong, "head": current, "proves": proves(at),
        }));
    }
    if let Some(first) = wrong.first() {
        let code = crate::evidence::codes::STORE_DAMAGED;
        let more = wrong.iter().skip(1).fold(String::new(), |text, one| format!("{text}\n  {one}"));
        return Err(Failure::new(
            Exit::Damaged,
            format!("{}: the evidence store is not what was written: {first}{more}\nhint: {}", code.id, code.remedy),
        ));
    }
    if let Some(path) = head_file {
        head_file::keep(path, head_file::parse_head(&current)?)?;
    }
    if !setup.json {
        output::done(format_args!("{} messages in {} files are as they were written; head {current}", found.messages, found.files));
        output::done(proves(at));
    }
    Ok(Exit::Done)
}

/// What a store that is whole proves.
fn proves(at: &StoreAt) -> String {
    at.seals.fingerprint().map_or_else(
        || {
            "it is sealed without a key: this finds what was damaged or changed by hand, not what somebody made anew who may write it; \
             keep its head elsewhere"
                .to_owned()
        },
        |key| format!("it is sealed with the key {key}: nobody made it who does not have that"),
    )
}

fn list(setup: &Setup, at: &StoreAt) -> Result<Exit, Failure> {
    let list = List::read(at)?;
    let logs = list.logs();
    if setup.json {
        let one = |log: &StoredLog<'_>| {
            let (first_day, last_day) = log.days().unzip();
            json!({
                "path": log.name(), "sha256": digest::hex(log.sha256()), "messages": log.messages(), "first_day": first_day, "last_day": last_day,
                "keys": log.keys(), "forged": log.forged(), "added_at": log.added_at(), "keeps_raw": log.has_raw(),
            })
        };
        output::result(json!({"logs": logs.iter().map(one).collect::<Vec<Value>>(), "head": list.head()}));
        return Ok(Exit::Done);
    }
    for log in &logs {
        let days = log.days().map_or_else(|| "no day known".to_owned(), |(first, last)| format!("{first} to {last}"));
        let keys = if log.keys().is_empty() { "no key".to_owned() } else { format!("key {}", log.keys().join(", ")) };
        let raw = if log.has_raw() { ", lines kept" } else { "" };
        let forged = if log.forged() > 0 { format!(", {} signed by none", log.forged()) } else { String::new() };
        output::result(format_args!("{}: {} messages, {days}, {keys}{forged}{raw}", log.name().display(), log.messages()));
    }
    output::done(format_args!("{} logs in {}; head {}", logs.len(), absolute(&at.path).display(), list.head()));
    Ok(Exit::Done)
}
