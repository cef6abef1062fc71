//! What must hold when something went wrong, and when the same command has been run again.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use tagih::domain::digest;
use tagih::sandbox::record::Handling;

use super::commands::Command;
use super::shim::Fault;
use super::stage::{Ended, Stage, tree};
use crate::kill::check::Exported;
use crate::support::world::Doku;

/// How the disk's refusals are told.
const REASONS: [&str; 9] = [
    "unable to open database file",
    "the disk refuses it",
    "No space left",
    "Input/output error",
    "Read-only file system",
    "disk is full",
    "disk I/O error",
    "os error",
    // SQLite's words where a file opens for reading only.
    "attempt to write a readonly database",
];

/// A run that met `faults`; it may have found its work half done or done.
pub fn struck(stage: &Stage, command: &Command, faults: &[Fault], is_again: bool, ended: &Ended) {
    let codes = [&[command.ends, 9][..], if is_again { command.again } else { &[] }].concat();
    self::ended(stage, &codes, faults, ended);
    outputs(stage);
}

/// It was killed, or ended with one of `codes` and said why, unless what it says goes to the disk that fails.
pub fn ended(stage: &Stage, codes: &[i32], faults: &[Fault], ended: &Ended) {
    assert!(!ended.stderr.contains("panicked"), "it panicked");
    if ended.signal == Some(9) && faults.iter().any(|fault| fault.kind.kills()) {
        return;
    }
    let code = ended.code.unwrap_or_else(|| panic!("it ended by signal {:?}", ended.signal));
    assert!(codes.contains(&code), "it ended with {code}");
    if code == 9 && stage.prepared.log.is_none() {
        assert!(REASONS.iter().any(|reason| ended.stderr.contains(reason)), "the error does not say why");
        assert!(ended.stderr.contains("hint: "), "the error does not say what to do");
    }
}

/// The same command, run again without faults.
pub fn again(stage: &Stage, command: &Command, ended: &Ended) {
    assert!(ended.code.is_some_and(|code| command.again.contains(&code)), "run again it ended with {:?}", ended.code);
    assert!(!ended.stderr.contains("panicked"), "run again it panicked");
    // Who refuses to do it twice writes nothing, and sweeps nothing either.
    let left = stage.temporary();
    assert!(left.is_empty() || ended.code != Some(command.ends), "left behind: {left:?}");
    outputs(stage);
    let world = &stage.prepared.world;
    let environment: Vec<(&str, &str)> = stage.prepared.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let verified = world.run_with(&environment, &["ledger", "verify"]);
    assert!(verified.code == 0, "the ledger is not whole: {verified:?}");
    if let Some(doku) = &stage.prepared.doku {
        let exported = world.run_with(&environment, &["ledger", "export"]);
        at_doku(doku, &Exported::parse(&exported.stdout));
    }
    for (name, _) in tree(&stage.root()) {
        let path = stage.root().join(&name);
        if path.join("summary.json").is_file() && path.join("carry").is_dir() {
            listed(&path);
        }
    }
}

/// One Request-Id an operation, and no code that the ledger does not know.
fn at_doku(doku: &Doku, exported: &Exported) {
    let Doku::Here { running, .. } = doku else { return };
    let model = running.model.lock().unwrap();
    let (mut bodies, mut operations) = (HashMap::new(), HashMap::new());
    for call in model.calls() {
        assert_eq!(*bodies.entry(&call.request_id).or_insert(&call.body_digest), &call.body_digest, "one Request-Id, two bodies");
        let operation = (&call.method, &call.invoice_number);
        assert_eq!(*operations.entry(operation).or_insert(&call.request_id), &call.request_id, "{operation:?} has two Request-Ids");
        assert!(!matches!(call.handling, Handling::IdReused | Handling::Denied | Handling::Rejected), "{call:?}");
        assert!(exported.intents().contains(&call.request_id), "DOKU saw {call:?} without a durable intent");
    }
    let codes = exported.codes();
    for order in model.orders() {
        let bound = codes.get(order.invoice_number.as_str());
        assert_eq!(bound, Some(&HashSet::from([order.payment_code.as_str()])), "the code of {} is lost", order.invoice_number);
    }
}

/// Every result is whole, or not there.
fn outputs(stage: &Stage) {
    for (name, (_, bytes)) in tree(&stage.root()) {
        let Some(bytes) = bytes else { continue };
        let is_ours = !name.file_name().unwrap().to_str().unwrap().starts_with('.') && !name.starts_with("store");
        assert!(!is_ours || whole(&name, &bytes), "`{}` is torn", name.display());
    }
}

fn whole(name: &Path, bytes: &[u8]) -> bool {
    let is_text = |end: &[u8]| bytes.is_empty() || bytes.ends_with(end);
    match name.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "json" => serde_json::from_slice::<Value>(bytes).is_ok(),
        "csv" => csv::Reader::from_reader(bytes).records().all(|record| record.is_ok()) && is_text(b"\n"),
        "jsonl" => {
            bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).all(|line| serde_json::from_slice::<Value>(line).is_ok())
        }
        "parquet" => bytes.ends_with(b"PAR1"),
        "xlsx" => bytes.len() > 22 && bytes[bytes.len() - 22..].starts_with(b"PK\x05\x06"),
        "html" => bytes.trim_ascii_end().ends_with(b"</html>"),
        "prom" => is_text(b"\n"),
        _ => true,
    }
}

/// Every file of a report is the one its summary lists.
fn listed(folder: &Path) {
    let summary: Value = serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
    for file in summary["files"].as_array().unwrap() {
        let bytes = fs::read(folder.join(file["name"].as_str().unwrap())).unwrap_or_default();
        assert_eq!(digest::hex(&digest::of_bytes(&bytes)), file["sha256"].as_str().unwrap(), "{} of a report", file["name"]);
    }
}
