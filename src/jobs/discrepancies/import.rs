//! Rows that came back from a spreadsheet → decisions, every row checked before any is recorded.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::books::Account;
use crate::journal::Author;
use crate::register::{
    DecidedAction, Decision, DecisionDetails, DecisionRefusal, DecisionStep, Fingerprint, Item, ItemStatus, Register, Resolution,
    is_same_person,
};
use crate::report::items::ItemRow;

/// Whether one person decides alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// A decision takes effect at once.
    Two,
    /// A second person must agree.
    Four,
}

impl Eyes {
    /// The step that taking back what was decided about `item` is. What two decided, two take back; a proposal anybody does.
    #[must_use]
    pub fn reopening(self, item: Option<&Item>) -> DecisionStep {
        let is_decided = item.is_some_and(|item| item.status != ItemStatus::Proposed && item.taken_back().is_some());
        if self == Self::Four && is_decided { DecisionStep::ProposeReopen } else { DecisionStep::Reopen }
    }

    /// The step that `action` is. Under four eyes it is a proposal, whoever is named beside: another person approves.
    #[must_use]
    pub fn step(self, action: DecidedAction, reviewer: Option<String>, details: DecisionDetails) -> DecisionStep {
        match (action, self) {
            (DecidedAction::Investigate(_), _) => DecisionStep::Note,
            (action, Self::Four) => DecisionStep::Propose { action, details },
            (action, Self::Two) => DecisionStep::Resolve { action, reviewer, details },
        }
    }
}

/// What the rows come to.
#[derive(Debug, Default)]
pub struct CheckedImport {
    /// What would be recorded, in the order of the rows.
    pub decisions: Vec<Decision>,
    /// Rows that decide nothing.
    pub empty: usize,
    /// Rows whose decision is in the journal already.
    pub known: usize,
    /// What is wrong, as `file:row:column: what`.
    pub refused: Vec<String>,
}

/// Checks every row against the register, as if those before it were recorded.
#[must_use]
pub fn check(file: &Path, rows: &[ItemRow], register: &Register, eyes: Eyes, author: &Author, at: Timestamp) -> CheckedImport {
    let (mut register, mut checked) = (register.clone(), CheckedImport::default());
    let mut first_lines: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        if let Some(wrong) = &row.wrong {
            checked.refused.push(format!("{}:{}:row: {wrong}", file.display(), row.line));
            continue;
        }
        if row.action.is_empty() && row.reason.is_empty() {
            checked.empty = checked.empty.saturating_add(1);
            continue;
        }
        let judged = match first_lines.get(row.id.as_str()) {
            Some(first) => Err(("discrepancy_id", format!("line {first} decides on `{}` already", row.id))),
            None => decision(row, &register, eyes, author),
        };
        first_lines.entry(&row.id).or_insert(row.line);
        let recorded = judged.and_then(|decision| match decision {
            Some(decision) => match register.decide(at, &decision) {
                Ok(_) => Ok(Some(decision)),
                Err(refusal) => Err((column_of(&refusal), refusal.to_string())),
            },
            None => Ok(None),
        });
        match recorded {
            Ok(Some(decision)) => checked.decisions.push(decision),
            Ok(None) => checked.known = checked.known.saturating_add(1),
            Err((column, words)) => checked.refused.push(format!("{}:{}:{column}: {words}", file.display(), row.line)),
        }
    }
    checked
}

/// The decision of one row; `None` when the journal holds it.
fn decision(row: &ItemRow, register: &Register, eyes: Eyes, author: &Author) -> Result<Option<Decision>, (&'static str, String)> {
    let item = register.get(&row.id).ok_or_else(|| ("discrepancy_id", DecisionRefusal::Unknown(row.id.clone()).to_string()))?;
    // What waited at the item when it was exported stands behind the facts.
    let (facts, proposal) = row.facts.split_once('-').unwrap_or((&row.facts, ""));
    let facts = Fingerprint::of_text(facts);
    if facts != item.facts.fingerprint() {
        return Err(("facts", DecisionRefusal::Stale(row.id.clone()).to_string()));
    }
    if row.reason.is_empty() {
        return Err(("reason", DecisionRefusal::Text { id: row.id.clone(), what: "reason" }.to_string()));
    }
    // Under four eyes whoever imports is who decides: a name in a cell is no person.
    let actor = if row.actor.is_empty() || eyes == Eyes::Four { author.actor() } else { &row.actor };
    let reviewer = Some(row.reviewer.clone()).filter(|reviewer| !reviewer.is_empty());
    if eyes == Eyes::Four && reviewer.as_ref().is_some_and(|reviewer| !is_same_person(reviewer, actor)) {
        let words = "E0806: under four eyes a name in a row reviews nothing\nhint: leave it empty; the other person approves by a command or an import of their own";
        return Err(("reviewer", words.to_owned()));
    }
    let details = details(row).map_err(|(column, words)| (column, format!("E0811: {words}")))?;
    let action = row.action.to_lowercase();
    let step = match (action.as_str(), DecidedAction::parse(&action)) {
        ("reopen", _) => eyes.reopening(Some(item)),
        ("approve", _) if item.proposed().is_some() && !item.is_proposal(proposal) => {
            return Err(("facts", DecisionRefusal::OtherProposal { id: row.id.clone() }.to_string()));
        }
        ("approve", _) if item.reopening.is_some() => DecisionStep::ApproveReopen,
        ("approve", _) => DecisionStep::Approve,
        (_, Some(action)) if is_known(item, action, &row.reason, actor) => return Ok(None),
        (_, Some(action)) => eyes.step(action, reviewer, details),
        (_, None) => {
            let names: Vec<&str> = DecidedAction::all().map(DecidedAction::name).chain(["reopen", "approve"]).collect();
            return Err(("action", format!("E0811: `{}` is no action\nhint: one of {}", row.action, names.join(", "))));
        }
    };
    let changed = |text: &str, before: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != before);
    let note = if step == DecisionStep::Note && row.note.is_empty() { &row.reason } else { &row.note };
    Ok(Some(Decision {
        id: row.id.clone(),
        facts,
        step,
        reason: row.reason.clone(),
        by: actor.to_owned(),
        owner: changed(&row.owner, &item.owner),
        comment: changed(note, &item.comment),
        person: author.person().to_owned(),
    }))
}

/// Digits alone, or in groups of three behind dots or commas, as a spreadsheet may show them.
fn whole_rupiah(text: &str) -> Option<u64> {
    let text = text.trim().trim_start_matches("Rp").trim();
    for separator in ['.', ','] {
        let mut groups = text.split(separator);
        let first = groups.next()?;
        if text.contains(separator) {
            let is_group = |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
            let is_grouped = (1..=3).contains(&first.len()) && groups.all(is_group);
            return if is_grouped { text.replace(separator, "").parse().ok() } else { None };
        }
    }
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What the row says besides its action.
fn details(row: &ItemRow) -> Result<DecisionDetails, (&'static str, String)> {
    let amount = if row.amount.is_empty() {
        None
    } else {
        let rupiah = whole_rupiah(&row.amount);
        Some(rupiah.ok_or_else(|| ("amount", format!("`{}` is no whole number of rupiah\nhint: such as 40000 or 40.000", row.amount)))?)
    };
    let explained_as = if row.account.is_empty() {
        None
    } else {
        let account = Account::parse(row.account.trim());
        Some(account.ok_or_else(|| ("account", format!("`{}` is no account of the books\nhint: such as fees or write_off", row.account)))?)
    };
    let effective_on = if row.effective_on.is_empty() {
        None
    } else {
        Some(
            row.effective_on
                .parse()
                .map_err(|_| ("effective_on", format!("`{}` is no day\nhint: such as 2026-10-31", row.effective_on)))?,
        )
    };
    Ok(DecisionDetails { amount, target: row.target.clone(), explained_as, reference: row.reference.clone(), effective_on })
}

/// Whether the same person has decided the same for the same reason before: a file imported twice decides once.
fn is_known(item: &Item, action: DecidedAction, reason: &str, actor: &str) -> bool {
    let is_same = |made: &Resolution| made.action == action && made.reason == reason && is_same_person(&made.decided_by, actor);
    let noted = action == DecidedAction::INVESTIGATE && item.comment == reason;
    noted
        || match item.status {
            ItemStatus::Accepted => item.resolution.as_ref().is_some_and(is_same),
            ItemStatus::Proposed => item.proposal.as_ref().is_some_and(is_same),
            ItemStatus::Open | ItemStatus::Cleared | ItemStatus::Reopened => false,
        }
}

fn column_of(refusal: &DecisionRefusal) -> &'static str {
    match refusal {
        DecisionRefusal::Unknown(_) => "discrepancy_id",
        DecisionRefusal::Stale(_) | DecisionRefusal::OtherProposal { .. } => "facts",
        DecisionRefusal::Status { .. }
        | DecisionRefusal::Unfit { .. }
        | DecisionRefusal::MadeBy { .. }
        | DecisionRefusal::MovedOn { .. } => "action",
        DecisionRefusal::SamePerson { .. } => "reviewer",
        DecisionRefusal::Closed { .. } => "effective_on",
        DecisionRefusal::Text { what: "name", .. } => "actor",
        DecisionRefusal::Text { what: "comment", .. } => "note",
        DecisionRefusal::Text { what, .. } => what,
    }
}
