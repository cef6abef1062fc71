//! `tagih why`: one bill's whole story for a person, 80 columns wide.

use std::path::PathBuf;

use super::args::Why;
use super::logs::expand;
use super::output;
use super::reconcile::{month, policy};
use super::setup::{Failure, Setup};
use super::why_next::{deciding, next};
use super::why_story::{Speaker, class_line, headline, part, told};
use super::{keeping, why_books, why_json};
use crate::exit::Exit;
use crate::jobs::reconcile::SettlementFiles;
use crate::jobs::why::books::{self, InBooks, in_books};
use crate::jobs::why::{self, Story, WhyError, WhyOptions};
use crate::ledger::{Ledger as _, Store};

/// Columns of a terminal.
const WIDTH: usize = 80;

impl From<Box<WhyError>> for Failure {
    fn from(error: Box<WhyError>) -> Self {
        match *error {
            WhyError::Read(error) => error.into(),
            error => Self::usage(error),
        }
    }
}

/// What `serve` has kept of one kind, if anything.
fn kept(setup: &Setup, kind: &str) -> Result<Vec<PathBuf>, Failure> {
    let folder = std::path::Path::new(&setup.config.serve.log_dir);
    let pattern = folder.join(format!("{kind}-*.jsonl*")).display().to_string();
    let found = glob::glob(&pattern).map_err(|error| Failure::setting(format!("`serve.log_dir` is no path: {error}")))?;
    let mut files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    files.sort();
    Ok(files)
}

pub(super) fn why(setup: &Setup, arguments: &Why) -> Result<Exit, Failure> {
    let read = arguments.report.as_deref().map(books::read).transpose();
    let read = read.map_err(|error| Failure::new(Exit::Input, error.to_string()))?;
    let books = read.as_ref().and_then(|read| in_books(read, &arguments.invoice));
    let speaker = Speaker::of(arguments.lang.unwrap_or(setup.config.report.language));
    // Whose bills are another system's has no ledger of ours.
    let ledger = match (setup.existing_ledger()?, &books) {
        (None, Some(books)) => return Ok(only(setup, arguments, books, &speaker)),
        (found, _) => found.map_or_else(|| keeping::reading(setup), Ok)?,
    };
    let notifications = match (&arguments.evidence, arguments.notifications.as_slice()) {
        (None, []) => kept(setup, "notifications")?,
        (_, patterns) => expand(patterns)?,
    };
    let settlement = if arguments.settlement.is_empty() {
        None
    } else {
        Some(SettlementFiles { files: expand(&arguments.settlement)?, terms: super::settlement::terms(setup)? })
    };
    // Without evidence nothing is verified, and no secret is needed.
    let keys = if notifications.is_empty() && arguments.evidence.is_none() { Vec::new() } else { setup.verification_keys()? };
    let options = WhyOptions {
        name: &arguments.invoice,
        notifications,
        evidence: arguments.evidence.as_deref().map(|store| setup.evidence_at(store)).transpose()?,
        inquiries: kept(setup, "inquiries")?,
        keys,
        client_id: setup.binding()?.client_id,
        policy: policy(setup)?,
        settlement,
        tables: setup.tables(&arguments.tables)?,
        journal: setup.journal_path(),
        books: read.as_ref().map(|(_, known)| known),
        period: arguments.period.as_deref().map(month).transpose()?,
        as_of: arguments.as_of.unwrap_or_else(|| setup.clock.now()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let view = runtime.block_on(ledger.view())?;
    let story = match (runtime.block_on(why::why(&view, &options)), &books) {
        (Err(error), Some(books)) if matches!(*error, WhyError::Unknown(_)) => return Ok(only(setup, arguments, books, &speaker)),
        (Err(error), _) => return Err(with_meant(&ledger, error)?),
        (Ok(story), _) => story,
    };
    if setup.json {
        let mut all = why_json::json(&story, &speaker, options.as_of);
        if let (Some(all), Some(books)) = (all.as_object_mut(), &books) {
            all.insert("books".to_owned(), why_books::json(books, speaker.language));
        }
        output::result(all);
    } else {
        print(&story, &speaker, options.as_of, books.as_ref());
    }
    for fault in story.judgement.iter().flat_map(|judgement| super::logs::faults(setup, &judgement.files, super::logs::USED)) {
        output::note(format_args!("warning: {fault}"));
    }
    let needs_person =
        story.judgement.as_ref().is_some_and(|judgement| judgement.about.findings().any(|finding| judgement.needs_person(finding)));
    Ok(if needs_person { Exit::Look } else { Exit::Done })
}

/// An error about a name that nobody knows, with what may be meant.
fn with_meant(ledger: &Store, error: Box<WhyError>) -> Result<Failure, Failure> {
    let meant = if let WhyError::Unknown(name) = error.as_ref() { keeping::meant_invoice(ledger, name)? } else { None };
    let mut failure = Failure::from(error);
    if let Some(question) = meant {
        failure.message.push_str("\nhint: ");
        failure.message.push_str(&question);
    }
    Ok(failure)
}

/// What the books know, where nobody else knows anything.
fn only(setup: &Setup, arguments: &Why, books: &InBooks, speaker: &Speaker) -> Exit {
    if setup.json {
        output::result(serde_json::json!({"invoice_number": arguments.invoice, "books": why_books::json(books, speaker.language)}));
    } else {
        say("", &format!("{}: {}", arguments.invoice, speaker.words.not_in_ledger));
        say("", speaker.words.times);
        print_books(books, speaker);
    }
    Exit::Done
}

fn print_books(books: &InBooks, speaker: &Speaker) {
    let (heading, lines) = why_books::told(books, speaker.language);
    title(&heading);
    for (at, what) in lines {
        say(&if at.is_empty() { "  ".to_owned() } else { format!("  {at:<19}  ") }, &what);
    }
}

fn print(story: &Story, speaker: &Speaker, as_of: jiff::Timestamp, books: Option<&InBooks>) {
    let words = speaker.words;
    say("", &headline(story, speaker, as_of));
    say("", words.times);
    title(words.story);
    for told_of in &story.told {
        let (at, what) = told(story, told_of, speaker);
        say(&format!("  {at:<19}  "), &what);
    }
    title(words.evidence);
    match &story.judgement {
        None => say("  ", words.no_evidence),
        Some(judgement) => {
            say("  ", &speaker.seen(judgement));
            for (kind, finding) in speaker.kinds(judgement) {
                say(&format!("  {kind}: "), &class_line(finding, speaker));
                for detail in part(judgement, finding, speaker) {
                    say("    ", &detail);
                }
            }
            if judgement.about.findings().next().is_none() {
                say("  ", words.nothing_found);
            }
        }
    }
    if let Some(books) = books {
        print_books(books, speaker);
    }
    if let Some(finding) = story.judgement.as_ref().and_then(deciding) {
        title(words.decided);
        let text = speaker.text(finding.class);
        say(&format!("  {}: ", finding.class), text.title);
        say("    ", text.meaning);
    }
    title(words.next);
    for (number, step) in (1..).zip(next(story, speaker, as_of)) {
        say(&format!("  {number}. "), &step);
    }
}

fn title(text: &str) {
    output::result("");
    output::result(text);
}

/// Prints `text` after `start`, wrapped under its own beginning. What came from outside cannot steer the terminal.
fn say(start: &str, text: &str) {
    for line in wrapped(start, text) {
        output::result(line);
    }
}

fn wrapped(start: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(start.chars().count().min(23));
    let (mut lines, mut line, mut has_word) = (Vec::new(), start.to_owned(), false);
    let safe: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for word in safe.split(' ').filter(|word| !word.is_empty()) {
        let length = line.chars().count().saturating_add(word.chars().count()).saturating_add(1);
        if has_word && length > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_terminal_and_words_stay_whole() {
        let text = "word ".repeat(40) + &"x".repeat(100) + " \u{1b}[2Jend";
        let lines = wrapped("  1. ", &text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH || line.trim() == "x".repeat(100)), "{lines:#?}");
        assert!(lines[1].starts_with("     word") && !lines.concat().contains('\u{1b}'));
        let words: Vec<String> = lines.concat().split_whitespace().map(str::to_owned).collect();
        assert_eq!(words.len(), 1 + 40 + 1 + 1);
    }
}
