//! `tagih why`: one bill's whole story for a person, 80 columns wide.

use std::path::PathBuf;

use super::args::Why;
use super::failure::Failure;
use super::invoices::meant_invoice;
use super::logs::expand;
use super::matching::policy;
use super::output;
use super::setup::Setup;
use super::times::month;
use super::waiting::runtime;
use super::why_next::{deciding, next, next_of_report};
use super::why_story::{Speaker, class_line, headline, part, told};
use super::{why_books, why_json};
use crate::doku::keyring::Keyring;
use crate::exit::Exit;
use crate::jobs::reconcile::SettlementFiles;
use crate::jobs::why::report::{AskedReport, ReportSays};
use crate::jobs::why::{self, Story, WhyError, WhyOptions, named_by};
use crate::journal::{self, Journal};
use crate::ledger::{Ledger as _, Store};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// What `serve` has kept of one kind, if anything.
fn kept(setup: &Setup, kind: &str) -> Result<Vec<PathBuf>, Failure> {
    let folder = std::path::Path::new(&setup.config.serve.log_dir);
    let pattern = folder.join(format!("{kind}-*.jsonl*")).display().to_string();
    let found = glob::glob(&pattern).map_err(|error| Failure::setting(format!("`serve.log_dir` is no path: {error}")))?;
    let mut files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    files.sort();
    Ok(files)
}

/// The report that is asked: the one named, else the last that the journal tells of. That takes a look at all of its books, so where neither
/// evidence is judged nor anything was decided, a story of our own ledger does without.
fn report_of(setup: &Setup, arguments: &Why, journal: &Journal, is_judged: bool) -> Result<Option<AskedReport>, Failure> {
    if let Some(folder) = &arguments.report {
        return Ok(Some(AskedReport::read(folder)?));
    }
    let register = journal.register()?;
    let is_followed = register.get(&arguments.invoice).is_some()
        || register.items().any(|(_, item)| [&item.facts.invoice_number, &item.facts.payment_code].contains(&&arguments.invoice));
    if !is_judged && !is_followed {
        return Ok(None);
    }
    match AskedReport::last_of(journal, |sha256| setup.has_written(sha256))? {
        Some(Ok(report)) => Ok(Some(report)),
        // Nobody has asked for it.
        Some(Err(error)) => {
            output::note(format_args!("warning: {error}"));
            Ok(None)
        }
        None => Ok(None),
    }
}

/// What the report says, without a ledger of ours or evidence.
fn only(
    setup: &Setup,
    arguments: &Why,
    report: Option<&AskedReport>,
    journal: &Journal,
    speaker: &Speaker,
) -> Result<Option<Exit>, Failure> {
    let (Some(report), register) = (report, journal.register()?) else { return Ok(None) };
    let names = named_by(&register, &arguments.invoice).chain([arguments.invoice.clone()]).collect();
    let Some(says) = report.says(&names, &register, &policy(setup)?)? else { return Ok(None) };
    let exit = if says.list.iter().any(why::report::Listed::needs_person) { Exit::Look } else { Exit::Done };
    if setup.json {
        let next = next_of_report(&says, speaker);
        output::result(serde_json::json!({
            "invoice_number": arguments.invoice,
            "needs_person": exit == Exit::Look,
            "books": why_books::json(&says, speaker),
            "next": next,
        }));
    } else {
        say("", &format!("{}: {}", arguments.invoice, speaker.words.not_in_ledger));
        say("", speaker.words.times);
        print_books(&says, speaker);
        print_next(&next_of_report(&says, speaker), speaker);
    }
    Ok(Some(exit))
}

pub(super) fn why(setup: &Setup, arguments: &Why) -> Result<Exit, Failure> {
    let speaker = Speaker::of(arguments.lang.unwrap_or(setup.config.report.language));
    let journal = journal::read(setup.journal_path())?;
    let existing = setup.existing_ledger()?;
    let has_evidence = !arguments.notifications.is_empty() || arguments.evidence.is_some() || !arguments.settlement.is_empty();
    let is_judged = existing.is_none() || has_evidence || !kept(setup, "notifications")?.is_empty();
    let report = report_of(setup, arguments, &journal, is_judged)?;
    // Whose bills are another system's has no ledger of ours.
    let ledger = match existing {
        Some(ledger) => ledger,
        None => match only(setup, arguments, report.as_ref(), &journal, &speaker)? {
            Some(exit) => return Ok(exit),
            None => setup.reading()?,
        },
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
    let keys = if notifications.is_empty() && arguments.evidence.is_none() { Keyring::default() } else { setup.verification_keys()? };
    let mut options = WhyOptions {
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
        report: report.as_ref(),
        period: arguments.period.as_deref().map(month).transpose()?,
        as_of: arguments.as_of.unwrap_or_else(|| setup.clock.now()),
    };
    let runtime = runtime()?;
    let view = runtime.block_on(ledger.view())?;
    let mut story = runtime.block_on(why::why(&view, &options));
    let late;
    if report.is_none() && matches!(&story, Err(error) if matches!(**error, WhyError::Unknown(_))) {
        // Not one of ours: a report may know it.
        late = report_of(setup, arguments, &journal, true)?;
        options.report = late.as_ref();
        story = runtime.block_on(why::why(&view, &options));
    }
    let story = match story {
        Err(error) => return Err(with_meant(&ledger, error)?),
        Ok(story) => story,
    };
    if setup.json {
        output::result(why_json::json(&story, &speaker, options.as_of));
    } else {
        print(&story, &speaker, options.as_of);
    }
    for fault in story.judgement.iter().flat_map(|judgement| super::logs::faults(setup, &judgement.files, super::logs::USED)) {
        output::note(format_args!("warning: {fault}"));
    }
    Ok(if story.needs_anybody() { Exit::Look } else { Exit::Done })
}

/// An error about a name that nobody knows, with what may be meant.
fn with_meant(ledger: &Store, error: Box<WhyError>) -> Result<Failure, Failure> {
    let meant = if let WhyError::Unknown(name) = error.as_ref() { meant_invoice(ledger, name)? } else { None };
    let mut failure = Failure::from(error);
    if let Some(question) = meant {
        failure.message.push_str("\nhint: ");
        failure.message.push_str(&question);
    }
    Ok(failure)
}

fn print_books(says: &ReportSays, speaker: &Speaker) {
    let (heading, lines) = why_books::told(says, speaker);
    title(&heading);
    for (at, what) in lines {
        say(&if at.is_empty() { "  ".to_owned() } else { format!("  {at:<19}  ") }, &what);
    }
}

fn print_next(steps: &[String], speaker: &Speaker) {
    title(speaker.words.next);
    for (number, step) in (1..).zip(steps) {
        say(&format!("  {number}. "), step);
    }
}

fn print(story: &Story, speaker: &Speaker, as_of: jiff::Timestamp) {
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
    match &story.says {
        Some(says) => print_books(says, speaker),
        None if story.items.is_empty() => {}
        // What was decided about it is known, and not what that has moved.
        None => {
            title(words.in_no_books);
            say("  ", words.no_books);
        }
    }
    if let Some(finding) = deciding(story) {
        title(words.decided);
        let text = speaker.text(finding.class);
        say(&format!("  {}: ", finding.class), text.title);
        say("    ", text.meaning);
    }
    print_next(&next(story, speaker, as_of), speaker);
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
