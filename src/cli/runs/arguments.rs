//! A command as typed, for its record: what was asked for, never a secret, never a person.

use std::collections::BTreeMap;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::domain::classify::Class;
use crate::domain::keylike;
use crate::register::ItemStatus;

/// Commands that change nothing and sign nothing, so that nobody asks later who ran them; every other one is recorded.
const UNRECORDED: [&str; 22] = [
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
    "keys list",
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

/// What an argument's words are. Only what is of its kind stands in a record: a key or somebody's name can be typed anywhere, and whatever
/// has no kind is free text, or names a person, an invoice or a code. Which of these it was, the ledger says between the two heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A word of few, or an address of a socket: what is no such thing, is no command.
    Closed,
    /// A number with fewer digits than a code or a telephone has.
    Count,
    /// A period, a day or how long.
    Time,
    /// An id or hash of ours.
    Id,
    /// A file or folder that is there.
    File,
    /// One that is there once the run has ended.
    Made,
    Class,
    Nature,
    Status,
}

/// By their ids, which mean one thing here and another there: what is of any kind is shown.
const KINDS: [(Kind, &[&str]); 9] = [
    (
        Kind::Closed,
        &[
            "accept",
            "account",
            "action",
            "admin_listen",
            "again",
            "allow_no_logs",
            "dry_run",
            "due",
            "format",
            "json",
            "lang",
            "listen",
            "log_format",
            "new_ledger",
            "partial",
            "preliminary",
            "quiet",
            "reissue_expired",
            "reopen",
            "retry_rejected",
            "state",
            "update",
            "verdict",
            "yes",
        ],
    ),
    (Kind::Count, &["amount", "older_than", "sequence_from"]),
    (
        Kind::Time,
        &[
            "as_of",
            "before",
            "cycle",
            "effective",
            "evidence_from",
            "evidence_to",
            "from",
            "max_duration",
            "period",
            "received_after",
            "to",
            "until",
        ],
    ),
    (Kind::Id, &["head", "ids", "items", "key", "proposal", "proposals"]),
    (
        Kind::File,
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
            "what",
        ],
    ),
    (Kind::Made, &["backup", "head_file", "metrics", "out", "store", "to"]),
    (Kind::Class, &["class"]),
    (Kind::Nature, &["nature"]),
    (Kind::Status, &["status"]),
];

/// Arguments of which a record says that they were given, and never what they said. So it is of any that has no kind; this list says that it
/// was thought of.
#[cfg(test)]
const HIDDEN: [&str; 15] = [
    "allow_value",
    "by",
    "carry",
    "comment",
    "customer",
    "invoice",
    "invoices",
    "layout",
    "owner",
    "payment_code",
    "reason",
    "reference",
    "reviewed_by",
    "sheet",
    "target",
];

/// What stands in place of a word that is not shown.
pub(super) const HIDDEN_WORD: &str = "***";
/// A longer run of digits may be a code or a telephone number.
const DIGITS_MAX: usize = 8;
/// What may stand between groups of digits that are one number.
const GROUPED_BY: [char; 3] = ['-', '.', '_'];
/// A longer number may be a code.
const COUNT_DIGITS_MAX: usize = 12;
/// No name of a file that is shown is longer.
const FILE_NAME_MAX: usize = 80;

impl Kind {
    fn of(id: &str) -> impl Iterator<Item = Self> {
        KINDS.iter().filter(move |(_, ids)| ids.contains(&id)).map(|(kind, _)| *kind)
    }

    /// What is shown of `value`, if it is what it is said to be.
    fn shown(self, value: &str) -> Option<String> {
        let is_shown = match self {
            Self::Closed => true,
            Self::Count => value.len() <= COUNT_DIGITS_MAX && value.parse::<u64>().is_ok_and(|count| count.to_string() == value),
            Self::Time => is_time(value),
            Self::Id => is_id(value),
            Self::File | Self::Made => return shown_file(value),
            Self::Class => Class::parse(value).is_some(),
            Self::Nature => ["BREAK", "TIMING"].iter().any(|nature| nature.eq_ignore_ascii_case(value)),
            Self::Status => value == "all" || ItemStatus::parse(&value.to_lowercase()).is_some(),
        };
        is_shown.then(|| value.to_owned())
    }
}

/// A day, a month or an instant of this century, a time of a day, or how long.
fn is_time(value: &str) -> bool {
    let value = value.strip_prefix("tomorrow ").unwrap_or(value);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((_, rest)) = value.split_once('-').filter(|(year, _)| year.len() == 4 && year.starts_with("20") && is_digits(year)) {
        // Two digits each, and the fraction of a second.
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let is_clock = whole.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() <= 2) && !is_long(fraction);
        return !rest.is_empty() && rest.len() < 32 && rest.chars().all(|c| c.is_ascii_digit() || "-:.TZ+ ".contains(c)) && is_clock;
    }
    if let Some((hour, minute)) = value.split_once(':') {
        return hour.len() <= 2 && minute.len() <= 5 && is_digits(hour) && minute.chars().all(|c| c.is_ascii_digit() || c == ':');
    }
    let mut rest = value;
    while !rest.is_empty() {
        let number = rest.len().saturating_sub(rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let after = rest.get(number..).unwrap_or_default();
        let without_unit = after.trim_start_matches(|c| "dhms".contains(c));
        if !(1..=6).contains(&number) || !(1..=2).contains(&after.len().saturating_sub(without_unit.len())) {
            return false;
        }
        rest = without_unit;
    }
    !value.is_empty()
}

/// A head, the id of a discrepancy, or that of a proposal, which may be cut. Digits alone may be a code.
fn is_id(value: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((number, hash)) = value.split_once(':') {
        return number.len() <= COUNT_DIGITS_MAX && number.parse::<u64>().is_ok() && hash.len() == 64 && is_hex(hash);
    }
    let value = value.strip_prefix(['D', 'd']).and_then(|rest| rest.strip_prefix('-')).unwrap_or(value);
    matches!(value.len(), 8..=16 | 24) && is_hex(value) && value.contains(|c: char| c.is_ascii_alphabetic())
}

/// Of a file or folder that is there, its own name, if that is no text of anybody's; `-` and `auto` are none.
pub(super) fn shown_file(value: &str) -> Option<String> {
    if ["-", "auto"].contains(&value) {
        return Some(value.to_owned());
    }
    let path = Path::new(value);
    let name = path.file_name()?.to_str()?;
    let is_plain = name.len() <= FILE_NAME_MAX && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    (is_plain && !is_long(name) && keylike::keys(name).is_empty() && path.exists()).then(|| name.to_owned())
}

/// Whether so many digits follow one another, in groups or not, that they may be a code, an account or a telephone number. A day is none.
fn is_long(text: &str) -> bool {
    let is_other = |c: char| !c.is_ascii_digit() && !GROUPED_BY.contains(&c);
    text.split(is_other).any(|run| without_days(run).bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX)
}

/// Digits in groups without what are days of this century among them, such as `2026-11-30`.
fn without_days(run: &str) -> String {
    let groups: Vec<&str> = run.split(GROUPED_BY).collect();
    let (mut rest, mut at) = (Vec::new(), 0_usize);
    while let Some(group) = groups.get(at) {
        let day = groups.get(at..at.saturating_add(3)).map(|day| day.join("-"));
        let is_day = group.starts_with("20") && day.is_some_and(|day| day.len() == 10 && day.parse::<Date>().is_ok());
        if !is_day {
            rest.push(*group);
        }
        at = at.saturating_add(if is_day { 3 } else { 1 });
    }
    rest.join("-")
}

/// Arguments that name files to be read, whose digests are recorded. Logs and their likes are digested by whoever reads them.
const INPUTS: [&str; 6] = ["files", "file", "plan", "what", "from", "external_ledger"];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cli) struct Invocation {
    /// Such as `period close`.
    pub(in crate::cli) command: String,
    /// By the arguments' names, as documented for the command; none of a flag.
    words: BTreeMap<String, Option<Vec<String>>>,
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
                self.words.insert(id.to_owned(), argument.get_action().takes_values().then_some(values));
            }
        }
    }

    /// What a record has of the arguments now.
    pub(in crate::cli) fn arguments(&self) -> Map<String, Value> {
        self.words.iter().map(|(id, values)| (id.clone(), written(id, values.as_deref()))).collect()
    }

    /// What it has of those that name what the run has made, now that it has.
    pub(in crate::cli) fn made(&self) -> Map<String, Value> {
        let is_made = |(id, _): &(String, Value)| Kind::of(id).any(|kind| kind == Kind::Made);
        self.arguments().into_iter().filter(is_made).collect()
    }

    /// Whether an argument was given.
    pub(in crate::cli) fn has(&self, id: &str) -> bool {
        self.words.contains_key(id)
    }

    /// Whether a record is kept of it.
    pub(in crate::cli) fn is_recorded(&self) -> bool {
        // A list changes the journal only if it takes a report in first.
        let is_plain_list = self.command == "discrepancies list" && !self.has("report");
        !self.has("dry_run") && !is_plain_list && !UNRECORDED.contains(&self.command.as_str())
    }
}

fn written(id: &str, values: Option<&[String]>) -> Value {
    let shown = |value: &String| Kind::of(id).find_map(|kind| kind.shown(value)).unwrap_or_else(|| HIDDEN_WORD.to_owned());
    values.map_or(Value::Bool(true), |values| values.iter().map(|value| Value::from(shown(value))).collect())
}

#[cfg(test)]
mod tests;
