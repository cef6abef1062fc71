//! What happened to a bill, and what the rules made of it, in words.

use jiff::Timestamp;

use super::output::rupiah;
use super::why_words::{Words, fill};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib;
use crate::domain::classify::{Class, Nature};
use crate::domain::language::Language;
use crate::domain::lifecycle::{BillState, CodeAnswer, Event, OperationKind, Status};
use crate::domain::line::InputFile;
use crate::domain::texts::{self, Text};
use crate::jobs::why::{Judgement, MoneyState, Story, StoryEvent, StoryLine};
use crate::ledger::BillHappening;
use crate::reconcile::{Finding, Source};
use crate::report;

/// A language and its words.
pub(super) struct Speaker {
    pub(super) language: Language,
    pub(super) words: &'static Words,
}

/// A WIB time to the second.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned(wib()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same where no heading says which zone it is.
fn zoned(at: Timestamp) -> String {
    clock(at) + " WIB"
}

fn money(amount: Option<Rupiah>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| rupiah(amount.get()))
}

impl Speaker {
    pub(super) const fn of(language: Language) -> Self {
        Self { language, words: Words::of(language) }
    }

    pub(super) fn text(&self, class: Class) -> Text {
        texts::text(&class.info().code, self.language)
    }

    /// Which days were looked at, and from when.
    pub(super) fn seen(&self, judgement: &Judgement) -> String {
        let period = &judgement.terms.period;
        fill(self.words.seen_from, &[&period.from.to_string(), &period.to.to_string(), &clock(judgement.terms.as_of)])
    }

    /// Every finding with what it is about.
    pub(super) fn kinds<'a>(&self, judgement: &'a Judgement) -> impl Iterator<Item = (&'static str, &'a Finding)> {
        let (words, about) = (self.words, &judgement.about);
        let kinds = [
            (words.kind_line, &about.lines),
            (words.kind_payment, &about.payments),
            (words.kind_bill, &about.bills),
            (words.kind_settlement, &about.settlement),
        ];
        kinds.into_iter().flat_map(|(kind, findings)| findings.iter().map(move |finding| (kind, finding)))
    }
}

/// Which bill, where it stands, what it asks for.
pub(super) fn headline(story: &Story, speaker: &Speaker, as_of: Timestamp) -> String {
    let words = speaker.words;
    let Some(bill) = &story.bill else { return format!("{}: {}", story.name, words.not_in_ledger) };
    let terms = &bill.terms;
    let at = if speaker.language == Language::Indonesian { "di" } else { "at" };
    let standing = standing(story, bill, speaker, as_of);
    let held = if bill.hold.is_some() { format!(", {}", words.is_held) } else { String::new() };
    let mut text = format!("{}: {standing}{held} {at} {}, {}", story.name, terms.channel, rupiah(terms.amount.get().into()));
    if let Some(code) = &bill.code {
        text = format!("{text}, {} {}", words.code, code.answer.payment_code);
        if let Some(at) = bill.expires_at() {
            text = format!("{text}, {}", fill(words.payable_until, &[&clock(at)]));
        }
    }
    text
}

/// The bill's status, and whether it is paid or its code has expired: `active` alone would send somebody to the counter.
fn standing(story: &Story, bill: &BillState, speaker: &Speaker, as_of: Timestamp) -> String {
    let words = speaker.words;
    let status = words.status(bill.status);
    let money = match story.money(as_of) {
        MoneyState::Paid if bill.status == Status::Active && !bill.terms.reusable => return words.is_paid.to_owned(),
        MoneyState::Expired if bill.status == Status::Active => return words.is_expired.to_owned(),
        MoneyState::Paid => words.is_paid,
        MoneyState::PaidBefore => words.is_paid_before,
        MoneyState::Expired => words.is_expired,
        MoneyState::Open => return status.to_owned(),
    };
    format!("{status}, {money}")
}

/// When, and what.
pub(super) fn told(story: &Story, told: &StoryLine, speaker: &Speaker) -> (String, String) {
    let words = speaker.words;
    let what = match &told.what {
        StoryEvent::Ledger(BillHappening::Payment(payment)) => {
            let amount = rupiah(payment.amount.get().into());
            fill(words.paid, &[&amount, payment.payment_code.as_str(), &zoned(payment.paid_at)])
        }
        StoryEvent::Ledger(BillHappening::Event(event)) => event_told(event, words),
        StoryEvent::Inquiry { answer, decision } if answer == decision => fill(words.inquiry, &[answer]),
        StoryEvent::Inquiry { answer, decision } => fill(words.inquiry_cause, &[answer, decision]),
        StoryEvent::Line(place) => story.judgement.as_ref().map_or_else(String::new, |judgement| line_told(judgement, *place, speaker)),
        StoryEvent::Settlement(place) => {
            let row = story.judgement.as_ref().and_then(|judgement| row_told(judgement, judgement.about.settlement.get(*place)?, words));
            fill(words.settled_row, &[&row.unwrap_or_default()])
        }
        StoryEvent::Journal { id, step } => fill(words.step, &[id, step.event.name(), &step.words, words.standing(step.status)]),
    };
    let mut at = told.at.map_or_else(|| words.time_unknown.to_owned(), clock);
    if matches!(told.what, StoryEvent::Settlement(_)) {
        // Settlement files know days only.
        at.truncate("2026-10-31".len());
    }
    (at, what)
}

fn line_told(judgement: &Judgement, place: usize, speaker: &Speaker) -> String {
    let Some(finding) = judgement.about.lines.get(place) else { return String::new() };
    let title = format!("{} {}", finding.class, speaker.text(finding.class).title);
    match finding.paid_at {
        Some(at) if tells_of_no_payment(finding) => fill(speaker.words.arrived_unpaid, &[&title, &money(finding.paid), &zoned(at)]),
        Some(at) => fill(speaker.words.arrived, &[&title, &money(finding.paid), &zoned(at)]),
        None => fill(speaker.words.arrived_unread, &[&title]),
    }
}

/// Whether it is a notification that says something else than SUCCESS: its amount is what was asked, and nobody paid it.
fn tells_of_no_payment(finding: &Finding) -> bool {
    finding.class.info().money.is_attempt()
}

fn row_told(judgement: &Judgement, finding: &Finding, words: &Words) -> Option<String> {
    let row = judgement.row_of(finding)?;
    let day = row.paid_out_on.map_or_else(|| words.not_paid_out.to_owned(), |day| day.to_string());
    Some(fill(words.row_of, &[&rupiah(row.amount.into()), &rupiah(row.fee.into()), &rupiah(row.paid_out.into()), &day]))
}

fn until(answer: &CodeAnswer, words: &Words) -> String {
    let until = answer.expires_at.map(|at| fill(words.payable_until, &[&at.to_zoned(wib()).strftime("%Y-%m-%d %H:%M WIB").to_string()]));
    until.map_or_else(String::new, |until| format!(", {until}"))
}

/// What else DOKU said of a code: when it made it, and where the customer reads how to pay.
fn more(answer: &CodeAnswer, words: &Words) -> String {
    let made = answer.created_at.map(|at| fill(words.made_at, &[&zoned(at)]));
    let page = answer.how_to_pay_page.as_deref().map(|page| fill(words.how_to_pay, &[page]));
    let api = answer.how_to_pay_api.as_deref().map(|api| fill(words.how_to_pay_api, &[api]));
    let parts: Vec<String> = [made, page, api].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join("; ")) }
}

fn event_told(event: &Event, words: &Words) -> String {
    match event {
        Event::Planned { terms } => fill(words.planned, &[&rupiah(terms.amount.get().into())]),
        Event::Adopted { answer, .. } => fill(words.adopted, &[answer.payment_code.as_str()]),
        Event::Intended { operation, request_id, wire_invoice_number, .. } => {
            fill(words.intended, &[words.operation(*operation), wire_invoice_number.as_str(), &request_id.to_string()])
        }
        Event::NotSent { reason } => fill(words.not_sent, &[reason]),
        Event::Accepted { answer, replayed, remark, .. } => {
            let phrase = if *replayed { words.replayed } else { words.accepted };
            let remark = remark.as_ref().map_or_else(String::new, |remark| format!("; {}", fill(words.remarked, &[&remark.note])));
            fill(phrase, &[answer.payment_code.as_str()]) + &until(answer, words) + &more(answer, words) + &remark
        }
        Event::Rejected { code, reason, .. } => fill(words.refused, &[code, reason]),
        Event::Doubted { reason, .. } => fill(words.doubted, &[reason]),
        Event::DoubtEnded { verdict, by, reason, .. } => fill(words.settled, &[words.verdict(*verdict), by, reason]),
        Event::Retired { reason } => fill(words.retired, &[reason]),
        Event::Repeated => words.repeated.to_owned(),
        Event::Reopened { operation, reason } => fill(words.reopened_doubt, &[words.operation(*operation), reason]),
        Event::Held { reason, .. } => fill(words.held, &[reason]),
        Event::Released { by, reason } => fill(words.released, &[by, reason]),
        Event::Aliased { number } => fill(words.aliased, &[number.as_str()]),
        Event::Noted { .. } => words.noted.to_owned(),
        Event::Checked { order, word, payment, details, .. } => {
            let paid = payment.as_ref().map(|found| fill(words.checked_paid, &[&rupiah(found.amount.get().into()), &zoned(found.paid_at)]));
            fill(words.checked, &[details.verbatim.as_deref().unwrap_or(word.name()), order.as_str()])
                + &paid.map_or_else(String::new, |paid| format!(": {paid}"))
        }
        Event::Registered { operation: OperationKind::Cancel, answer, .. } => fill(words.cancelled, &[answer.payment_code.as_str()]),
        Event::Registered { operation, terms, answer } => {
            let phrase = if *operation == OperationKind::Issue { words.registered } else { words.changed };
            fill(phrase, &[answer.payment_code.as_str(), &rupiah(terms.amount.get().into())]) + &until(answer, words)
        }
    }
}

/// A finding's class, how it counts, and what that is called.
pub(super) fn class_line(finding: &Finding, speaker: &Speaker) -> String {
    let severity = if finding.nature == Nature::Break { format!(", {}", finding.severity.name()) } else { String::new() };
    format!("{} {} ({}{severity})", finding.class, speaker.text(finding.class).title, finding.nature.name())
}

/// What stands below it: both sides, flags, why, where.
pub(super) fn part(judgement: &Judgement, finding: &Finding, speaker: &Speaker) -> Vec<String> {
    let words = speaker.words;
    let mut details = Vec::new();
    let (sides, dated) = if tells_of_no_payment(finding) { (words.not_paid, words.said_of) } else { (words.sides, words.paid_on) };
    if finding.paid.is_some() || finding.expected.is_some() {
        details.push(fill(sides, &[&money(finding.paid), &money(finding.expected)]));
    }
    details.extend(row_told(judgement, finding, words));
    details.extend(finding.paid_at.map(|at| fill(dated, &[&clock(at)])));
    let flags: Vec<String> = finding.flags.iter().map(|flag| format!("{flag} {}", speaker.text(flag).title)).collect();
    if !flags.is_empty() {
        details.push(fill(words.flags, &[&flags.join(", ")]));
    }
    if !finding.reason.is_nothing() {
        details.push(fill(words.because, &[&report::reason(finding, speaker.language)]));
    }
    if finding.nature == Nature::Break && finding.has_item() {
        details.push(fill(words.stands, &[words.standing(judgement.standings.of(&finding.id).status)]));
    }
    details.extend(places(judgement, finding).iter().map(|place| fill(words.at_place, &[place])));
    details
}

/// `file:line` of all it rests on.
pub(super) fn places(judgement: &Judgement, finding: &Finding) -> Vec<String> {
    let inputs = &judgement.outcome.inputs;
    let named = |files: &[InputFile], file, row: u64| Some(format!("{}:{row}", InputFile::shown_path(files, file)?));
    let place = |source: &Source| match *source {
        Source::Line(at) => {
            let line = inputs.lines.get(at).filter(|line| line.number > 0)?;
            named(&judgement.files, line.file, line.number.into())
        }
        Source::Settlement(at) => {
            let files = &inputs.settlement.as_ref()?.files;
            let place = files.rows.get(usize::try_from(at).ok()?)?.place;
            named(&files.files, place.file, place.row)
        }
        Source::MalformedSettlement(at) => {
            let files = &inputs.settlement.as_ref()?.files;
            let place = files.malformed.get(usize::try_from(at).ok()?)?.place;
            named(&files.files, place.file, place.row)
        }
        Source::Row(_) => None,
    };
    finding.sources.iter().filter_map(place).collect()
}
