//! Which rule decided, and what to do next.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::why_story::{Speaker, clock};
use super::why_words::fill;
use crate::domain::classify::{Class, Nature};
use crate::domain::lifecycle::Status;
use crate::jobs::why::report::{Listed, ReportSays};
use crate::jobs::why::{Judgement, Story};
use crate::reconcile::Finding;

/// The finding that weighs most: what a person must act on; else the last payment's, the bill's, the line's.
pub(super) fn deciding(story: &Story) -> Option<&Finding> {
    let about = &story.judgement.as_ref()?.about;
    let quiet = || about.payments.last().or(about.bills.first()).or(about.lines.last()).or(about.settlement.first());
    let breaks = breaks(story);
    breaks.iter().copied().find(|finding| counts(story, &breaks, finding)).or_else(quiet)
}

/// Whether something is to be done because of a finding: what has no row of its own in the list explains one that has.
fn counts(story: &Story, breaks: &[&Finding], finding: &Finding) -> bool {
    let explains = || !finding.has_item() && breaks.iter().any(|other| story.needs_person(other));
    story.needs_person(finding) || explains()
}

/// What is wrong: causes before what follows from them, of each the worst first.
fn breaks(story: &Story) -> Vec<&Finding> {
    let Some(about) = story.judgement.as_ref().map(|judgement| &judgement.about) else { return Vec::new() };
    let mut all: Vec<&Finding> = Vec::new();
    for findings in [&about.payments, &about.lines, &about.bills, &about.settlement] {
        let mut found: Vec<&Finding> = findings.iter().filter(|finding| finding.nature == Nature::Break).collect();
        found.sort_by_key(|finding| Reverse(finding.severity));
        all.extend(found);
    }
    all
}

/// What to do, in order; never empty.
pub(super) fn next(story: &Story, speaker: &Speaker, as_of: Timestamp) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(judgement) = &story.judgement {
        steps.extend(of_findings(story, judgement, speaker));
    }
    steps.extend(story.beside().filter_map(|row| of_row(row, speaker)));
    steps.extend(story.waiting().filter_map(|row| of_waiting(row, speaker)));
    once(&mut steps);
    if let Some(hold) = story.bill.as_ref().and_then(|bill| bill.hold.as_ref()) {
        steps.push(fill(speaker.words.next_held, &[&clock(hold.at), &hold.reason, &story.name]));
    }
    steps.extend(of_state(story, speaker, as_of));
    if steps.is_empty() {
        steps.push(speaker.words.next_nothing.to_owned());
    }
    steps
}

/// What to do by a report alone; never empty.
pub(super) fn next_of_report(says: &ReportSays, speaker: &Speaker) -> Vec<String> {
    let mut steps: Vec<String> = says.list.iter().filter_map(|row| of_row(row, speaker)).collect();
    steps.extend(says.waiting.iter().filter_map(|row| of_waiting(row, speaker)));
    once(&mut steps);
    if steps.is_empty() {
        steps.push(speaker.words.next_settled.to_owned());
    }
    steps
}

/// Each step where it is first said.
fn once(steps: &mut Vec<String>) {
    let mut said = std::collections::BTreeSet::new();
    steps.retain(|step| said.insert(step.clone()));
}

/// What is to be done about a row of a report's list.
fn of_row(row: &Listed, speaker: &Speaker) -> Option<String> {
    let (class, words) = (Class::parse(&row.facts.class)?, speaker.words);
    let remedy = speaker.text(class).remedy;
    Some(if row.is_decided_since {
        fill(words.next_since, &[class.id()])
    } else if row.needs_person() {
        format!("{class}: {remedy}")
    } else if row.status == crate::register::ItemStatus::Accepted {
        fill(words.next_accepted, &[class.id()])
    } else {
        fill(words.next_wait, &[class.id(), remedy])
    })
}

/// What is to be done about what is open and in no list.
fn of_waiting(row: &Listed, speaker: &Speaker) -> Option<String> {
    let is_decided = row.is_decided_since || row.status == crate::register::ItemStatus::Accepted;
    if is_decided { of_row(row, speaker) } else { Some(fill(speaker.words.next_not_due, &[Class::parse(&row.facts.class)?.id()])) }
}

fn of_findings(story: &Story, judgement: &Judgement, speaker: &Speaker) -> Vec<String> {
    let words = speaker.words;
    let breaks = breaks(story);
    let mut steps: Vec<String> = Vec::new();
    let mut add = |step: String| {
        if !steps.contains(&step) {
            steps.push(step);
        }
    };
    for finding in &breaks {
        let class = finding.action_class();
        if counts(story, &breaks, finding) {
            add(format!("{class}: {}", speaker.text(class).remedy));
        } else if finding.has_item() {
            add(fill(words.next_accepted, &[class.id()]));
        }
    }
    for finding in breaks.iter().filter(|finding| story.needs_person(finding)) {
        if story.items.iter().any(|(id, _)| *id == finding.id) {
            add(fill(words.next_record, &[&finding.id]));
        }
    }
    for finding in judgement.about.findings().filter(|finding| finding.nature == Nature::Timing) {
        let mut remedy = speaker.text(finding.class).remedy.to_owned();
        if !finding.reason.is_nothing() {
            remedy = format!("{remedy} ({})", crate::report::reason(finding, speaker.language));
        }
        add(fill(words.next_wait, &[finding.class.id(), &remedy]));
    }
    steps
}

fn of_state(story: &Story, speaker: &Speaker, as_of: Timestamp) -> Option<String> {
    let (bill, words) = (story.bill.as_ref()?, speaker.words);
    let is_paid = story.judgement.as_ref().is_some_and(|judgement| !judgement.about.payments.is_empty())
        || story
            .told
            .iter()
            .any(|told| matches!(&told.what, crate::jobs::why::StoryEvent::Ledger(crate::ledger::BillHappening::Payment(_))));
    let is_expired = bill.status == Status::Retired || (bill.status == Status::Active && bill.expires_at().is_some_and(|at| at < as_of));
    if bill.status.open_operation().is_some() {
        Some(words.next_open.to_owned())
    } else if bill.refusal.is_some() {
        Some(words.next_refused.to_owned())
    } else if is_expired && !is_paid {
        Some(words.next_expired.to_owned())
    } else {
        None
    }
}
