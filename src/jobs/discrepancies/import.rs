//! Rows that came back from a spreadsheet → decisions, every row checked before any is recorded.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::domain::discrepancy::{Action, Decision, Fingerprint, Item, Refusal, Register, Resolution, Status, Step, is_same_person};
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
    /// The step that `action` is.
    #[must_use]
    pub fn step(self, action: Action, reviewer: Option<String>) -> Step {
        match (action, self, reviewer) {
            (Action::Investigate, ..) => Step::Note,
            (action, Self::Four, None) => Step::Propose { action },
            (action, _, reviewer) => Step::Resolve { action, reviewer },
        }
    }
}

/// What the rows come to.
#[derive(Debug, Default)]
pub struct Checked {
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
pub fn check(file: &Path, rows: &[ItemRow], register: &Register, eyes: Eyes, by: &str, at: Timestamp) -> Checked {
    let (mut register, mut checked) = (register.clone(), Checked::default());
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
            None => decision(row, &register, eyes, by),
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
fn decision(row: &ItemRow, register: &Register, eyes: Eyes, by: &str) -> Result<Option<Decision>, (&'static str, String)> {
    let item = register.get(&row.id).ok_or_else(|| ("discrepancy_id", Refusal::Unknown(row.id.clone()).to_string()))?;
    let facts = Fingerprint::of_text(&row.facts);
    if facts != item.facts.fingerprint() {
        return Err(("facts", Refusal::Stale(row.id.clone()).to_string()));
    }
    if row.reason.is_empty() {
        return Err(("reason", Refusal::Text { id: row.id.clone(), what: "reason" }.to_string()));
    }
    let actor = if row.actor.is_empty() { by } else { &row.actor };
    let reviewer = Some(row.reviewer.clone()).filter(|reviewer| !reviewer.is_empty());
    let action = row.action.to_lowercase();
    let step = match (action.as_str(), Action::parse(&action)) {
        ("reopen", _) => Step::Reopen,
        ("approve", _) => Step::Approve,
        (_, Some(action)) if is_known(item, action, &row.reason, actor) => return Ok(None),
        (_, Some(action)) => eyes.step(action, reviewer),
        (_, None) => {
            let names: Vec<&str> = Action::ALL.into_iter().map(Action::name).chain(["reopen", "approve"]).collect();
            return Err(("action", format!("E0811: `{}` is no action\nhint: one of {}", row.action, names.join(", "))));
        }
    };
    let changed = |text: &str, before: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != before);
    let note = if step == Step::Note && row.note.is_empty() { &row.reason } else { &row.note };
    Ok(Some(Decision {
        id: row.id.clone(),
        facts,
        step,
        reason: row.reason.clone(),
        by: actor.to_owned(),
        owner: changed(&row.owner, &item.owner),
        comment: changed(note, &item.comment),
    }))
}

/// Whether the same person has decided the same for the same reason before: a file imported twice decides once.
fn is_known(item: &Item, action: Action, reason: &str, actor: &str) -> bool {
    let is_same = |made: &Resolution| made.action == action && made.reason == reason && is_same_person(&made.decided_by, actor);
    let noted = action == Action::Investigate && item.comment == reason;
    noted
        || match item.status {
            Status::Accepted => item.resolution.as_ref().is_some_and(is_same),
            Status::Proposed => item.proposal.as_ref().is_some_and(is_same),
            Status::Open | Status::Cleared | Status::Reopened => false,
        }
}

fn column_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown(_) => "discrepancy_id",
        Refusal::Stale(_) => "facts",
        Refusal::Status { .. } | Refusal::Unfit { .. } => "action",
        Refusal::SamePerson { .. } => "reviewer",
        Refusal::Text { what: "name", .. } => "actor",
        Refusal::Text { what: "comment", .. } => "note",
        Refusal::Text { what, .. } => what,
    }
}
