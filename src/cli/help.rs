//! What every command says of itself beyond its arguments: examples, for `--help`, `tagih help COMMAND` and the manual pages. And `tagih help`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::command_line::Cli;
use super::failure::Failure;
use super::output;
use crate::exit::Exit;

/// Commands, what an example of each does, and how it is typed. A test types them all.
pub(super) const EXAMPLES: &[(&str, &str, &str)] = &[
    ("demo", "the whole loop, offline, into a folder of your choice", "tagih demo --out /tmp/tagih-demo"),
    ("check", "which rows could not be sent, and why", "tagih check bills.csv --out checked"),
    ("issue", "what would be done", "tagih issue bills.csv --dry-run --out plan"),
    ("issue", "exactly that", "tagih issue --plan plan/plan.csv --yes"),
    ("issue", "the bills of a cycle, until half past five", "tagih issue bills.csv --cycle 2026-11 --until 05:30 --yes --out out"),
    ("cancel", "the codes of two invoices", "tagih cancel INV-1 INV-2"),
    ("cancel", "those of a file's rows", "tagih cancel withdrawn.csv --yes"),
    ("sync", "what is in doubt, and what nobody told of", "tagih sync --yes --max-duration 30m"),
    ("resolve", "DOKU says that it made this code", "tagih resolve INV-1 --as done --payment-code 6059000000009999 --reason 'ticket 4711'"),
    (
        "ingest",
        "the server's logs, where there may be none yet",
        "tagih ingest '/var/lib/tagih/logs/notifications-*.jsonl*' --allow-no-logs",
    ),
    ("reconcile", "a month", "tagih reconcile --period 2026-10 --notifications 'logs/*' --settlement 'settlement/*' --out close/2026-10"),
    ("reconcile", "from the evidence store", "tagih reconcile --period 2026-10 --evidence /var/lib/tagih/evidence --out close/2026-10"),
    (
        "evidence add",
        "the server's logs",
        "tagih evidence add '/var/lib/tagih/logs/notifications-*.jsonl*' --store /var/lib/tagih/evidence",
    ),
    ("evidence verify", "and against last night's head", "tagih evidence verify --head-file /mnt/other/evidence.head"),
    ("evidence list", "which logs, days and keys", "tagih evidence list"),
    ("period close", "sign it", "tagih period close 2026-10 --report close/2026-10 --reason 'month end'"),
    ("period propose", "where two must agree", "tagih period propose 2026-10 --report close/2026-10 --reason 'month end'"),
    ("period approve", "the second person", "tagih period approve 2026-10 --proposal e9473fe162071366 --reason 'checked'"),
    ("period reopen", "the last closed month", "tagih period reopen 2026-10 --reason 'a log was missing'"),
    ("period list", "what is closed", "tagih period list"),
    ("audit-kit", "for an auditor, of a closed month", "tagih audit-kit --period 2026-10 --out kit/2026-10"),
    ("discrepancies four-eyes", "two must agree from now on", "tagih discrepancies four-eyes on --reason 'policy 12'"),
    ("discrepancies take", "what a report found", "tagih discrepancies take close/2026-10"),
    ("discrepancies list", "what is open of a class", "tagih discrepancies list --class P06"),
    ("discrepancies show", "one of them", "tagih discrepancies show d-0123456789abcdef"),
    ("discrepancies export", "a workbook to be filled in", "tagih discrepancies export --report close/2026-10 --out items.xlsx"),
    ("discrepancies import", "what came back", "tagih discrepancies import items.xlsx --by Siti"),
    ("discrepancies accept", "a difference that is to stay", "tagih discrepancies accept d-0123456789abcdef --reason 'agreed'"),
    (
        "discrepancies approve",
        "the second person",
        "tagih discrepancies approve d-0123456789abcdef --proposal e9473fe162071366 --reason 'checked'",
    ),
    ("discrepancies reopen", "take it back", "tagih discrepancies reopen d-0123456789abcdef --reason 'not agreed after all'"),
    ("discrepancies assign", "who looks after it", "tagih discrepancies assign d-0123456789abcdef --owner Budi --reason 'her branch'"),
    ("discrepancies entries", "entries of a closed month", "tagih discrepancies entries --period 2026-10 --out entries.csv"),
    ("discrepancies verify", "the journal's chain", "tagih discrepancies verify"),
    ("why", "a bill, with its evidence", "tagih why INV-1 --notifications 'logs/*'"),
    ("explain", "a class", "tagih explain P06 --lang id"),
    ("explain", "an exit code", "tagih explain 3"),
    ("status", "for programs", "tagih status --json"),
    ("ledger create", "once, when tagih is installed", "tagih ledger create"),
    ("ledger import", "codes that exist already", "tagih ledger import codes.csv --new-ledger"),
    ("ledger backup", "a copy called by the time", "tagih ledger backup /backup/tagih/"),
    ("ledger restore", "into an empty place", "tagih ledger restore /backup/tagih/ledger-2026-11-29T000000Z"),
    ("ledger verify", "and against last night's head", "tagih ledger verify --head-file /mnt/other/ledger.head"),
    ("ledger verify", "after a rehearsal", "tagih ledger verify --against-sandbox sandbox.jsonl"),
    ("ledger export", "every event", "tagih ledger export > events.jsonl"),
    ("ledger migrate", "when you choose to", "tagih ledger migrate"),
    ("ledger rekey", "after setting `ledger.seal_key_file`", "tagih ledger rekey --backup before.ledger --head-file head"),
    ("ledger purge", "bills closed before this year", "tagih ledger purge --before 2026-01-01"),
    ("purge", "what would go", "tagih purge --due --dry-run"),
    ("privacy report", "somebody asks what is kept about them", "tagih privacy report --customer 'Budi Utomo' --json"),
    ("keys list", "which keys are believed, and until when", "tagih keys list"),
    (
        "keys revoke",
        "the key of these settings has leaked",
        "tagih keys revoke --received-after 2026-12-05T10:00:00+07:00 --reason 'laptop stolen'",
    ),
    ("keys reinstate", "it had not", "tagih keys reinstate present --reason 'the laptop was found, its disk is sealed'"),
    ("runs list", "what failed lately", "tagih runs list --failed"),
    ("runs show", "the latest", "tagih runs show"),
    ("doctor", "without a connection", "tagih doctor --offline"),
    ("support-bundle", "for whoever helps", "tagih support-bundle --out tagih-support.zip --log /var/log/tagih.log"),
    ("install", "look at the units", "tagih install systemd --bills /srv/billing/today.csv"),
    ("config show", "where each setting is from", "tagih config show --origin"),
    ("init", "for the sandbox on this machine", "tagih init --sandbox"),
    ("init", "how to read a file of another system", "tagih init layout.toml --from export.xlsx"),
    ("serve", "as `[serve]` says", "tagih serve"),
    ("sandbox", "a DOKU on loopback", "tagih sandbox --notification-log notifications.jsonl"),
    ("completions", "for bash", "tagih completions bash > /etc/bash_completion.d/tagih"),
    ("man", "into the system's", "tagih man /usr/local/share/man/man1"),
    ("help", "a command's arguments and examples", "tagih help period close"),
];

/// The whole command line, each command with its examples.
pub(super) fn definition() -> Command {
    let mut examples: BTreeMap<&str, String> = BTreeMap::new();
    for (command, does, line) in EXAMPLES {
        let text = examples.entry(command).or_insert_with(|| "Examples:\n".to_owned());
        writeln!(text, "  # {does}\n  {line}").unwrap_or_default();
    }
    with_examples(Cli::command(), "", &examples)
}

fn with_examples(command: Command, path: &str, examples: &BTreeMap<&str, String>) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = below.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |below| with_examples(below, path.trim(), examples))
    });
    match examples.get(path) {
        Some(text) => command.after_help(text.trim_end().to_owned()),
        None => command,
    }
}

/// Prints what a command says of itself; of the program, without one.
pub(super) fn help(words: &[String]) -> Result<Exit, Failure> {
    let mut definition = definition();
    definition.build();
    let mut command = &mut definition;
    for (index, word) in words.iter().enumerate() {
        let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
        if !names.contains(word) {
            let asked = words.get(..=index).unwrap_or_default().join(" ");
            let near = names.iter().min_by_key(|name| strsim::damerau_levenshtein(name, word));
            let near = near.filter(|name| strsim::damerau_levenshtein(name, word) <= 3);
            let question = near.map_or_else(String::new, |name| {
                let mut meant = words.get(..index).unwrap_or_default().to_vec();
                meant.push(name.clone());
                format!("did you mean `tagih help {}`? ", meant.join(" "))
            });
            return Err(Failure::usage(format!("there is no command `{asked}`\nhint: {question}`tagih help` lists them all")));
        }
        command = command.find_subcommand_mut(word).ok_or_else(|| Failure::usage(format!("there is no command `{word}`")))?;
    }
    output::result(command.render_long_help().to_string().trim_end());
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::runs::Invocation;

    /// As a shell would: blanks part words, but for those in single quotes; `>` and what follows is the shell's.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for c in line.split(" > ").next().unwrap().chars() {
            match c {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn every_example_is_typed_as_the_command_line_wants_it() {
        let definition = definition();
        for (command, _, line) in EXAMPLES {
            let matches = definition.clone().try_get_matches_from(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(Invocation::of(&definition, &matches).command, *command, "{line}");
        }
    }

    #[test]
    fn every_command_has_an_example() {
        fn leaves(command: &Command, path: &str, found: &mut Vec<String>) {
            for below in command.get_subcommands() {
                let path = format!("{path} {}", below.get_name()).trim().to_owned();
                if below.has_subcommands() { leaves(below, &path, found) } else { found.push(path) }
            }
        }
        let mut all = Vec::new();
        leaves(&Cli::command(), "", &mut all);
        let without: Vec<_> = all.iter().filter(|name| EXAMPLES.iter().all(|(command, ..)| command != name)).collect();
        assert!(all.len() > 30 && without.is_empty(), "{without:?}");
    }
}
