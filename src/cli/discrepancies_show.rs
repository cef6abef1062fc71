//! Discrepancies for people, as the journal has them: a table, and the whole story of one.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{self, rupiah};
use super::setup::Setup;
use crate::domain::calendar::{format_utc_seconds, wib, wib_date};
use crate::exit::Exit;
use crate::journal;
use crate::register::{DecisionDetails, DecisionRefusal, Item, Register, Resolution};

/// What the journal says now.
pub(super) fn register(setup: &Setup) -> Result<Register, Failure> {
    Ok(journal::read(setup.existing_journal()?)?.register()?)
}

/// The WIB day of the latest report's as-of: ages do not depend on when somebody looks.
pub(super) fn as_of_day(register: &Register) -> Date {
    register.runs().iter().map(|run| wib_date(run.as_of)).max().unwrap_or(Date::MIN)
}

fn amount(amount: Option<i64>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| rupiah(amount.into()))
}

/// Most urgent first.
pub(super) fn list(setup: &Setup, chosen: &[(&String, &Item)], today: Date) {
    if setup.json {
        output::result(Value::Array(chosen.iter().map(|(id, item)| brief(id, item, today)).collect()));
        return;
    }
    let mut rows: Vec<_> = chosen.iter().collect();
    let rank = |severity: &str| ["critical", "high", "medium"].iter().position(|name| *name == severity).unwrap_or(3);
    rows.sort_by_key(|(id, item)| (rank(&item.facts.severity), item.facts.class.clone(), (*id).clone()));
    for (id, item) in rows {
        let (facts, standing) = (&item.facts, item.standing());
        output::result(format_args!(
            "{id}  {:<4} {:<8} {:<9} {:>5} d  {:>18}  {:<8} {}  {}",
            facts.class,
            facts.severity,
            item.status.name(),
            item.age_days(today),
            amount(facts.open()),
            standing.first_seen,
            if facts.invoice_number.is_empty() { &facts.payment_code } else { &facts.invoice_number },
            item.owner,
        ));
    }
    output::result(format_args!("{} discrepancies", chosen.len()));
}

fn brief(id: &str, item: &Item, today: Date) -> Value {
    let (facts, standing) = (&item.facts, item.standing());
    json!({
        "discrepancy_id": id,
        "facts": facts.fingerprint(),
        "class": facts.class,
        "nature": facts.nature,
        "severity": facts.severity,
        "flags": facts.flags,
        "status": item.status,
        "invoice_number": facts.invoice_number,
        "payment_code": facts.payment_code,
        "channel": facts.channel,
        "amount_expected": facts.expected,
        "amount_paid": facts.paid,
        "amount_difference": facts.difference(),
        "paid_at": facts.paid_at,
        "first_seen": standing.first_seen,
        "last_seen": standing.last_seen,
        "age_days": item.age_days(today),
        "owner": item.owner,
        "comment": item.comment,
        "resolution": item.resolution.as_ref().map(made),
        "in_force": item.in_force().map(made).collect::<Vec<_>>(),
        "proposal": item.proposal.as_ref().map(made),
        "reopening": item.reopening.as_ref().map(made),
        "proposal_id": item.proposal_id(),
    })
}

fn made(resolution: &Resolution) -> Value {
    json!({
        "action": resolution.action,
        "details": resolution.details,
        "reason": resolution.reason,
        "decided_by": resolution.decided_by,
        "reviewed_by": resolution.reviewed_by,
        "at": format_utc_seconds(resolution.at),
    })
}

/// What an action needs, in words.
fn told(details: &DecisionDetails) -> String {
    let DecisionDetails { amount: rupiahs, target, explained_as, reference, effective_on } = details;
    let parts = [
        rupiahs.map(|rupiahs| rupiah(rupiahs.into())),
        Some(target.clone()).filter(|target| !target.is_empty()),
        explained_as.map(|account| account.name().to_owned()),
        Some(reference.clone()).filter(|reference| !reference.is_empty()),
        effective_on.map(|day| day.to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

pub(super) fn show(setup: &Setup, id: &str) -> Result<Exit, Failure> {
    let register = register(setup)?;
    let item = register.get(id).ok_or_else(|| DecisionRefusal::Unknown(id.to_owned()))?;
    let (facts, today) = (&item.facts, as_of_day(&register));
    if setup.json {
        let mut whole = brief(id, item, today);
        let history = item.history.iter().map(|happening| {
            let (at, event) = (format_utc_seconds(happening.at), happening.event.name());
            json!({"at": at, "event": event, "status": happening.status, "words": happening.words})
        });
        if let Some(object) = whole.as_object_mut() {
            object.insert("history".to_owned(), history.collect());
            object.insert("reason".to_owned(), json!(facts.reason));
            object.insert("recommended".to_owned(), json!(facts.recommended));
            object.insert("evidence".to_owned(), json!(facts.evidence));
        }
        output::result(whole);
        return Ok(Exit::Done);
    }
    let title = super::explain::title(&facts.class);
    output::result(format_args!("{id}: {} {title}, {} {}, {}", facts.class, facts.nature, facts.severity, item.status.name()));
    output::result(format_args!("  billed   {} as {} / {}", amount(facts.expected), facts.invoice_number, facts.payment_code));
    let paid_at = facts.paid_at.map(|at| at.to_zoned(wib()).strftime(", %Y-%m-%d %H:%M:%S WIB").to_string()).unwrap_or_default();
    output::result(format_args!("  paid     {}{paid_at}", amount(facts.paid)));
    output::result(format_args!("  because  {}", facts.reason));
    output::result(format_args!("  advice   {}", facts.recommended));
    for (what, text) in [("owner", &item.owner), ("comment", &item.comment)] {
        if !text.is_empty() {
            output::result(format_args!("  {what:<8} {text}"));
        }
    }
    for Resolution { action, details, decided_by, reason, .. } in item.in_force() {
        output::result(format_args!("  in force by {decided_by} to {}{}: {reason}", action.name(), told(details)));
    }
    if let (Some(proposed), Some(proposal)) = (item.proposed(), item.proposal_id()) {
        let what = if item.reopening.is_some() { "to take back" } else { "to" };
        let (action, by, reason) = (proposed.action.name(), &proposed.decided_by, &proposed.reason);
        output::result(format_args!("  proposed {proposal}: by {by} {what} {action}{}: {reason}", told(&proposed.details)));
    }
    output::result("history");
    for happening in &item.history {
        let at = happening.at.to_zoned(wib()).strftime("%Y-%m-%d %H:%M:%S WIB");
        output::result(format_args!("  {at}  {}: {} → {}", happening.event.name(), happening.words, happening.status.name()));
    }
    output::result("evidence (evidence.csv of the report says where)");
    for digest in &facts.evidence {
        output::result(format_args!("  {digest}"));
    }
    Ok(Exit::Done)
}
