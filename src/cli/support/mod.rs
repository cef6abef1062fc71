//! `tagih support-bundle`: what somebody needs who helps from afar, in one file: settings without secrets, versions, the last runs, what
//! doctor and verify say, the ends of logs. Nothing goes in that was not held against the ledger's names first.

mod logs;
mod redact;

use std::fs;
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use self::redact::Redactor;
use super::args::SupportBundle;
use super::doctor;
use super::failure::Failure;
use super::global::Global;
use super::output;
use super::runs;
use super::setup::Setup;
use super::waiting::{done, wait};
use crate::config::Config;
use crate::exit::Exit;
use crate::intake::BillColumn;
use crate::ledger::{Ledger as _, LedgerView as _, Store, lock};
use crate::report::atomic;
use crate::report::issue::head_text;
use crate::secret::unsaid;
use crate::serve::log;

/// What stands in place of a setting that does not go in.
const HIDDEN: &str = "***";
/// Runs that go in.
const RUNS: usize = 50;
/// What of a log's end goes in.
const TAIL_BYTES: u64 = 256 * 1024;
/// Messages of the server's newest logs.
const MESSAGES: usize = 200;

/// A file of the bundle.
struct Part {
    name: String,
    text: String,
}

impl Part {
    fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into() }
    }

    fn json(name: &str, value: &Value) -> Self {
        Self::new(name, format!("{value:#}\n"))
    }
}

pub(super) fn bundle(global: &Global, arguments: &SupportBundle) -> Result<Exit, Failure> {
    let out = &arguments.out;
    if out.exists() {
        return Err(Failure::usage(format!("`{}` exists already\nhint: name a new file", out.display())));
    }
    let mut parts = vec![Part::json("versions.json", &versions())];
    let mut left_out = Vec::new();
    let redactor = match Setup::load(global, &[]) {
        Ok(setup) => gather(&setup, arguments, &mut parts, &mut left_out)?,
        Err(failure) => {
            parts.push(Part::new("configuration-error.txt", failure.message));
            left_out.push(
                "logs and runs: without the configuration nobody knows where the ledger is, whose names they are held against".to_owned(),
            );
            Redactor::default()
        }
    };
    let counts = redact(&redactor, &mut parts)?;
    parts.insert(0, Part::new("README.txt", about(&counts, &left_out)));
    write(out, &parts)?;
    for reason in &left_out {
        output::note(format_args!("warning: left out: {reason}"));
    }
    let taken: usize = counts.iter().map(|(_, count)| count).sum();
    if global.json {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        output::result(json!({"bundle": out.display().to_string(), "files": names, "redacted": taken, "left_out": left_out}));
    } else {
        output::done(format_args!("{} files in {}; {taken} names, addresses, codes or numbers were taken out", parts.len(), out.display()));
        output::note("read it before you send it: what only you know to be confidential, nobody can find for you");
    }
    Ok(Exit::Done)
}

/// All that is asked of this machine; and what the texts are to be held against.
fn gather(setup: &Setup, arguments: &SupportBundle, parts: &mut Vec<Part>, left_out: &mut Vec<String>) -> Result<Redactor, Failure> {
    parts.push(Part::new("configuration.toml", configuration(&setup.config)?));
    let looks = doctor::Arguments { offline: arguments.offline, quick: true, head: None };
    parts.push(Part::json("doctor.json", &doctor::json(&doctor::findings(setup, &looks)?)));
    if !arguments.quick {
        parts.push(Part::json("verify.json", &verified(setup)));
    }
    let runs: Vec<String> = runs::latest(setup, RUNS).iter().map(|run| format!("{run}\n")).collect();
    let mut logs = vec![Part::new("runs.jsonl", runs.concat()), Part::new("messages.jsonl", messages(setup))];
    for path in &arguments.log {
        let text = tail(path).map_err(|error| Failure::new(Exit::Input, format!("`{}` cannot be read: {error}", path.display())))?;
        // What it is called may be a name as well.
        let number = logs.len().saturating_sub(1);
        let own = logs::kept(&text);
        left_out.push(format!("log {number}: {} lines; of {} lines what is ours is kept", own.dropped, own.lines));
        logs.push(Part::new(&format!("logs/{number}.jsonl"), own.text));
    }
    let mut redactor = Redactor::of(parts.iter().chain(&logs).map(|part| part.text.as_str()));
    match names(setup, &mut redactor) {
        Ok(()) => parts.append(&mut logs),
        Err(failure) => {
            let reason = failure.message.lines().next().unwrap_or_default();
            left_out.push(format!("logs and runs: the ledger's names, which they are held against, cannot be read ({reason})"));
        }
    }
    Ok(redactor)
}

/// Tells `redactor` every name, address and code that the ledger has; nothing, where there is no ledger.
fn names(setup: &Setup, redactor: &mut Redactor) -> Result<(), Failure> {
    let Some(ledger) = setup.existing_ledger()? else { return Ok(()) };
    done(async {
        let view = ledger.view().await?;
        view.visit_customers(|_, customer| {
            for part in [Some(&customer.name), customer.email.as_ref(), customer.account_name.as_ref()].into_iter().flatten() {
                redactor.personal(part.reveal());
            }
        })
        .await?;
        view.visit_bills(|state| state.payment_codes().for_each(|code| redactor.personal(code.as_str()))).await?;
        Ok(view.visit_payments(|payment| redactor.personal(payment.payment_code.as_str())).await?)
    })
}

/// Takes out of each part what must not leave; how often, by part. What is found again after that is a fault of ours, and nothing is written.
fn redact(redactor: &Redactor, parts: &mut [Part]) -> Result<Vec<(String, usize)>, Failure> {
    let mut counts = Vec::new();
    for part in parts {
        let (text, count) = redactor.redacted(&part.text);
        if redactor.redacted(&text).1 > 0 {
            return Err(Failure::new(Exit::Damaged, format!("personal data would be left in `{}`, so no bundle was written", part.name)));
        }
        part.text = text;
        counts.push((part.name.clone(), count));
    }
    Ok(counts)
}

fn about(counts: &[(String, usize)], left_out: &[String]) -> String {
    let mut lines = vec![
        "What `tagih support-bundle` gathered. Secrets were never in it. Names, addresses and payment codes of the ledger, and what"
            .to_owned(),
        "looks like an e-mail address or a telephone number, stand as [redacted]; so often:".to_owned(),
        String::new(),
    ];
    lines.extend(counts.iter().map(|(name, count)| format!("{name}: {count}")));
    lines.extend(left_out.iter().map(|reason| format!("left out: {reason}")));
    lines.join("\n") + "\n"
}

fn versions() -> Value {
    let of = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let system =
        of("/etc/os-release").lines().find_map(|line| line.strip_prefix("PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned()));
    json!({
        "tagih": env!("CARGO_PKG_VERSION"),
        "architecture": std::env::consts::ARCH,
        "kernel": of("/proc/sys/kernel/osrelease"),
        "system": system,
        "host": lock::host(),
        "processors": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
    })
}

/// The settings in force, without what may be a key (paths of URLs, arguments of a command) and without what is a person's name.
fn configuration(config: &Config) -> Result<String, Failure> {
    let mut shown = config.clone();
    without_names(&mut shown);
    let origin = |url: &str| {
        let rest = url.find("://").map_or(0, |at| at.saturating_add(3));
        let host = url.get(rest..).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        format!("{}{}/***", url.get(..rest).unwrap_or_default(), host.rsplit('@').next().unwrap_or_default())
    };
    if !shown.heartbeat.url.is_empty() {
        shown.heartbeat.url = origin(&shown.heartbeat.url);
    }
    if shown.doku.secret_command.len() > 1 {
        shown.doku.secret_command.truncate(1);
        shown.doku.secret_command.push(HIDDEN.to_owned());
    }
    toml::to_string(&shown).map_err(Failure::usage)
}

/// Settings whose purpose is a name, and what layouts say of columns of personal data: each `***`.
fn without_names(shown: &mut Config) {
    let names = [&mut shown.plan.cancel_name, &mut shown.serve.customer_name, &mut shown.journal.actor];
    let mut values = Vec::new();
    for layout in shown.layouts.values_mut() {
        values.extend(layout.constants.iter_mut().filter(|(column, _)| BillColumn::names_personal(column)).map(|(_, value)| value));
        let cells = layout.values.iter_mut().filter(|(column, cells)| BillColumn::names_personal(column) && !cells.is_empty());
        cells.for_each(|(_, cells)| *cells = std::iter::once((HIDDEN.to_owned(), HIDDEN.to_owned())).collect());
    }
    for name in names.into_iter().chain(values).filter(|name| !name.is_empty()) {
        HIDDEN.clone_into(name);
    }
}

fn verified(setup: &Setup) -> Value {
    let verified = setup.ledger_location().and_then(|location| wait(Store::verify(&location, &setup.seals()?, None)));
    match verified {
        Ok(report) => json!({
            "is_sound": report.is_sound(), "findings_count": report.findings_count, "findings": report.findings, "notes": report.notes,
            "events": report.events, "bills": report.bills, "payments": report.payments, "head": head_text(report.head),
        }),
        Err(failure) => json!({"error": failure.message, "exit_code": failure.exit.code()}),
    }
}

/// The end of a file, from a whole line on.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if skipped == 0 { text } else { text.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned()) })
}

/// The last messages of the server's open logs: when, where, which, what was decided, and nothing of what they say.
fn messages(setup: &Setup) -> String {
    let folder = Path::new(&setup.config.serve.log_dir);
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| log::day_of(name).is_some())
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for (name, path) in files.iter().filter(|(name, _)| Path::new(name).extension().is_some_and(|extension| extension == "jsonl")) {
        for line in tail(path).unwrap_or_default().lines() {
            let message: Value = serde_json::from_str(line).unwrap_or_default();
            let of = |key: &str| message.get(key).cloned().unwrap_or_default();
            lines.push(json!({
                "log": name, "received_at": of("received_at"), "answer": of("answer"), "decision": of("decision"), "why": of("why"),
                "request_id": message.pointer("/headers/Request-Id").and_then(Value::as_str).filter(|id| logs::is_id(id)),
                "body_bytes": message.get("body").and_then(Value::as_str).map(str::len),
            }));
        }
    }
    lines.sort_by_key(|line| line.get("received_at").and_then(Value::as_str).unwrap_or_default().to_owned());
    let skipped = lines.len().saturating_sub(MESSAGES);
    let lines: Vec<String> = lines.iter().skip(skipped).map(|line| format!("{line}\n")).collect();
    lines.concat()
}

/// For its owner alone, and whole or not at all.
fn write(out: &Path, parts: &[Part]) -> Result<(), Failure> {
    let packed = || -> io::Result<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for part in parts {
            zip.start_file(part.name.as_str(), SimpleFileOptions::default().unix_permissions(0o600))?;
            zip.write_all(unsaid::without(&part.text).as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    };
    let bytes = packed()?;
    Ok(atomic::write(out, |draft| {
        draft.get_ref().as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        draft.write_all(&bytes)
    })?)
}
