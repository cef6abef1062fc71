//! A command as typed, for its record: what was asked for, never a secret, never a person.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value};

/// Commands that change nothing and sign nothing, so that nobody asks later who ran them; every other one is recorded.
const UNRECORDED: [&str; 21] = [
    "demo",
    "check",
    "why",
    "explain",
    "help",
    "status",
    "doctor",
    "install",
    "config show",
    "evidence list",
    "init",
    "sandbox",
    "support-bundle",
    "completions",
    "man",
    "ledger export",
    "period list",
    "discrepancies show",
    "discrepancies verify",
    "runs list",
    "runs show",
];

/// What an argument's words are. Only what is of its kind stands in a record: somebody's name can be typed anywhere, and whatever has no
/// kind is free text, or names a person or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A word of few, a number, a day or an address of a socket: what is no such thing, is no command.
    Parsed,
    /// A file or folder that is there, or is named by an option.
    Input,
    /// A file or folder that is written.
    Output,
    /// A period, a day or how long.
    Time,
    /// An id or hash of ours.
    Digest,
    /// An invoice number or a class.
    Number,
    /// A file that is there, or an invoice number.
    InputOrNumber,
    /// What a layout or a state is called: in small letters, without blanks.
    Name,
}

/// By their ids.
const KINDS: [(Kind, &[&str]); 8] = [
    (
        Kind::Parsed,
        &[
            "account",
            "action",
            "admin_listen",
            "again",
            "allow_no_logs",
            "amount",
            "dry_run",
            "due",
            "format",
            "json",
            "lang",
            "listen",
            "log_format",
            "new_ledger",
            "older_than",
            "partial",
            "preliminary",
            "quiet",
            "reissue_expired",
            "reopen",
            "retry_rejected",
            "sequence_from",
            "state",
            "update",
            "verdict",
            "yes",
        ],
    ),
    (
        Kind::Input,
        &[
            "against_sandbox",
            "bank",
            "carry_in",
            "config",
            "evidence",
            "external_ledger",
            "file",
            "files",
            "former",
            "from",
            "inquiries",
            "logs",
            "notifications",
            "opening",
            "plan",
            "report",
            "request_history",
            "settlement",
        ],
    ),
    (Kind::Output, &["backup", "head_file", "metrics", "out", "store", "to"]),
    (Kind::Time, &["as_of", "before", "cycle", "effective", "evidence_from", "evidence_to", "max_duration", "period", "until"]),
    (Kind::Digest, &["head", "ids", "items", "proposal", "proposals"]),
    (Kind::Number, &["class", "invoice", "invoices", "target"]),
    (Kind::InputOrNumber, &["what"]),
    (Kind::Name, &["layout", "nature", "status"]),
];

/// Arguments that are free text or name a person or a code: that they were given is recorded, and not what they said. So it is of any
/// that has no kind; this list says that it was thought of.
#[cfg(test)]
const HIDDEN: [&str; 11] =
    ["allow_value", "by", "carry", "comment", "customer", "owner", "payment_code", "reason", "reference", "reviewed_by", "sheet"];

impl Kind {
    fn of(id: &str) -> Option<Self> {
        KINDS.iter().find(|(_, ids)| ids.contains(&id)).map(|(kind, _)| *kind)
    }

    /// Whether `value` is what it is said to be.
    fn is(self, value: &str, is_positional: bool) -> bool {
        let all = |more: &str| !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let has_digit = value.contains(|c: char| c.is_ascii_digit());
        let is_there = !is_positional || Path::new(value).exists();
        let is_number = has_digit && all("-_./:");
        match self {
            Self::Parsed | Self::Output => true,
            Self::Input => is_there,
            Self::Time => value.starts_with(|c: char| c.is_ascii_digit()) && all("-:+."),
            Self::Digest => {
                let value = value.strip_prefix(['D', 'd']).and_then(|rest| rest.strip_prefix('-')).unwrap_or(value);
                value.len() >= 4 && value.chars().all(|c| c.is_ascii_hexdigit() || "-:".contains(c))
            }
            Self::Number => is_number,
            Self::InputOrNumber => is_there || is_number,
            Self::Name => value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)),
        }
    }
}

/// Arguments that name files to be read, whose digests are recorded. Logs and their likes are digested by whoever reads them.
const INPUTS: [&str; 6] = ["files", "file", "plan", "what", "from", "external_ledger"];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cli) struct Invocation {
    /// Such as `period close`.
    pub(in crate::cli) command: String,
    /// By the arguments' names, as documented for the command.
    pub(in crate::cli) arguments: Map<String, Value>,
    /// What may be files to be digested.
    pub(in crate::cli) inputs: Vec<String>,
}

impl Invocation {
    /// What `matches` say, by the definition of the whole command line.
    pub(in crate::cli) fn of(definition: &Command, matches: &ArgMatches) -> Self {
        let mut found = Self::default();
        found.take(definition, matches);
        let (mut definition, mut matches, mut words) = (definition, matches, Vec::new());
        while let Some((name, below)) = matches.subcommand() {
            let Some(named) = definition.find_subcommand(name) else { break };
            (definition, matches) = (named, below);
            words.push(name);
            found.take(definition, matches);
        }
        found.command = words.join(" ");
        found
    }

    fn take(&mut self, definition: &Command, matches: &ArgMatches) {
        for argument in definition.get_arguments() {
            let id = argument.get_id().as_str();
            if matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine) {
                let raw = matches.get_raw(id).into_iter().flatten();
                let values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
                if INPUTS.contains(&id) {
                    self.inputs.extend(values.iter().cloned());
                }
                self.arguments.insert(id.to_owned(), written(argument, values));
            }
        }
    }

    /// Whether a record is kept of it.
    pub(in crate::cli) fn is_recorded(&self) -> bool {
        let is_rehearsal = self.arguments.contains_key("dry_run");
        // A list changes the journal only if it takes a report in first.
        let is_plain_list = self.command == "discrepancies list" && !self.arguments.contains_key("report");
        !is_rehearsal && !is_plain_list && !UNRECORDED.contains(&self.command.as_str())
    }
}

fn written(argument: &Arg, values: Vec<String>) -> Value {
    if !argument.get_action().takes_values() {
        return Value::Bool(true);
    }
    let kind = Kind::of(argument.get_id().as_str());
    let is_shown = |value: &str| kind.is_some_and(|kind| kind.is(value, argument.is_positional()));
    let shown = |value: String| if is_shown(&value) { value } else { "***".to_owned() };
    Value::Array(values.into_iter().map(|value| shown(value).into()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    fn invocation(words: &[&str]) -> Invocation {
        let definition = Cli::command();
        let matches = definition.clone().try_get_matches_from([&["tagih"], words].concat()).unwrap();
        Invocation::of(&definition, &matches)
    }

    /// Every command of the program with the arguments that are its own.
    fn commands(definition: &Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
        for below in definition.get_subcommands() {
            let name = format!("{path} {}", below.get_name()).trim().to_owned();
            found.push((name.clone(), below.get_arguments().map(|argument| argument.get_id().to_string()).collect()));
            commands(below, &name, found);
        }
    }

    #[test]
    fn every_argument_of_a_recorded_command_is_known_to_be_shown_or_hidden() {
        let mut all = Vec::new();
        commands(&Cli::command(), "", &mut all);
        let is_recorded = |(name, _): &&(String, _)| Invocation { command: name.clone(), ..Invocation::default() }.is_recorded();
        let unknown: BTreeSet<String> = all
            .iter()
            .filter(is_recorded)
            .flat_map(|(name, arguments)| arguments.iter().map(move |id| (name, id)))
            .filter(|(_, id)| Kind::of(id).is_none() && !HIDDEN.contains(&id.as_str()))
            .map(|(name, id)| format!("{name}: {id}"))
            .collect();
        assert!(unknown.is_empty(), "say whether a record may hold their words: {unknown:?}");
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let gone: Vec<_> = UNRECORDED.iter().filter(|name| !names.contains(name)).collect();
        assert!(gone.is_empty(), "no such commands: {gone:?}");
    }

    #[test]
    fn a_record_has_what_was_asked_for_and_no_free_text() {
        let found = invocation(&["--quiet", "resolve", "D-1", "--as", "done", "--payment-code", "60590", "--reason", "Budi said so"]);
        assert_eq!(found.command, "resolve");
        let wanted = serde_json::json!({
            "quiet": true, "invoice": ["D-1"], "verdict": ["done"], "payment_code": ["***"], "reason": ["***"],
        });
        assert_eq!(Value::Object(found.arguments.clone()), wanted);
        assert!(found.is_recorded());
        let issue = invocation(&["issue", "Cargo.toml", "b.csv", "--yes", "--config", "t.toml"]);
        assert_eq!(
            Value::Object(issue.arguments.clone()),
            serde_json::json!({"files": ["Cargo.toml", "***"], "yes": true, "config": ["t.toml"]}),
            "what is no file may be anything"
        );
        assert_eq!(issue.inputs, ["Cargo.toml", "b.csv"]);
    }

    #[test]
    fn a_name_that_was_typed_where_something_else_belongs_stays_in_no_record() {
        for name in ["Xaverius Qwertyman", "Xaverius", "siti rahma", "siti.rahma@example.com", "李小龙", "O'Brien", "+62 811 2223"] {
            for words in [
                &["cancel", name, "--yes"][..],
                &["resolve", name, "--as", "done", "--reason", "x"],
                &["issue", name],
                &["ingest", name],
                &["why", name],
                &["reissue", name],
                &["discrepancies", "accept", name, "--reason", "x"],
                &["discrepancies", "take", name],
                &["discrepancies", "accept", "00", "--reason", "x", "--target", name, "--owner", name, "--comment", name],
                &["discrepancies", "approve", "00", "--reason", "x", "--proposal", name],
                &["period", "close", name, "--report", "r", "--reason", "x"],
                &["issue", "Cargo.toml", "--sheet", name, "--carry", name, "--allow-value", name, "--layout", name],
                &["issue", "Cargo.toml", "--max-duration", name, "--until", name],
                &["ledger", "restore", name],
                &["ledger", "verify", "--head", name],
            ] {
                let definition = Cli::command();
                let Ok(matches) = definition.clone().try_get_matches_from([&["tagih"], words].concat()) else { continue };
                let written = serde_json::to_string(&Invocation::of(&definition, &matches).arguments).unwrap();
                assert!(!written.contains(name), "{words:?}: {written}");
            }
        }
    }

    #[test]
    fn what_only_looks_is_not_recorded() {
        for words in [&["status"][..], &["issue", "a.csv", "--dry-run"], &["discrepancies", "list"], &["runs", "list"]] {
            assert!(!invocation(words).is_recorded(), "{words:?}");
        }
        for words in [
            &["serve"][..],
            &["discrepancies", "list", "--report", "r"],
            &["ledger", "verify"],
            &["period", "reopen", "2026-10", "--reason", "x"],
        ] {
            assert!(invocation(words).is_recorded(), "{words:?}");
        }
    }
}
