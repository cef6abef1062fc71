//! A command as typed, for its record: what was asked for, never a secret, never a person.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
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

/// Arguments that are free text or name a person or a code: that they were given is recorded, and not what they said. Every other
/// argument is in [`tests::SHOWN`].
const HIDDEN: [&str; 8] = ["customer", "reason", "comment", "by", "owner", "reference", "payment_code", "reviewed_by"];

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
                self.arguments.insert(id.to_owned(), written(id, argument.get_action().takes_values(), values));
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

fn written(id: &str, takes_values: bool, values: Vec<String>) -> Value {
    if !takes_values {
        return Value::Bool(true);
    }
    let shown = |value: String| if HIDDEN.contains(&id) { "***".to_owned() } else { value };
    Value::Array(values.into_iter().map(|value| shown(value).into()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    /// Arguments whose words may stand in a record: names of files, of invoices, of settings, days, numbers, choices.
    const SHOWN: [&str; 74] = [
        "account",
        "action",
        "admin_listen",
        "again",
        "allow_no_logs",
        "allow_value",
        "amount",
        "as_of",
        "backup",
        "bank",
        "before",
        "carry",
        "carry_in",
        "class",
        "config",
        "cycle",
        "dry_run",
        "due",
        "effective",
        "evidence",
        "evidence_from",
        "evidence_to",
        "external_ledger",
        "file",
        "files",
        "format",
        "former",
        "from",
        "head",
        "head_file",
        "ids",
        "inquiries",
        "invoice",
        "invoices",
        "items",
        "json",
        "lang",
        "layout",
        "listen",
        "log_format",
        "logs",
        "max_duration",
        "metrics",
        "nature",
        "new_ledger",
        "notifications",
        "older_than",
        "opening",
        "out",
        "partial",
        "period",
        "plan",
        "preliminary",
        "proposal",
        "proposals",
        "quiet",
        "reissue_expired",
        "reopen",
        "report",
        "request_history",
        "retry_rejected",
        "sequence_from",
        "settlement",
        "sheet",
        "state",
        "store",
        "status",
        "target",
        "to",
        "until",
        "update",
        "verdict",
        "what",
        "yes",
    ];

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
            .filter(|(_, id)| !SHOWN.contains(&id.as_str()) && !HIDDEN.contains(&id.as_str()))
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
        let issue = invocation(&["issue", "a.csv", "b.csv", "--yes", "--config", "t.toml"]);
        assert_eq!(
            Value::Object(issue.arguments.clone()),
            serde_json::json!({"files": ["a.csv", "b.csv"], "yes": true, "config": ["t.toml"]})
        );
        assert_eq!(issue.inputs, ["a.csv", "b.csv"]);
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
