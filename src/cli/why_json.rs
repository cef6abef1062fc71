//! The same story for programs; docs/why.md describes it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::why_next::{deciding, next};
use super::why_story::{Speaker, places, told};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::classify::Class;
use crate::jobs::why::{Judgement, Story, StoryEvent};
use crate::reconcile::Finding;

pub(super) fn json(story: &Story, speaker: &Speaker, as_of: Timestamp) -> Value {
    let judgement = story.judgement.as_ref();
    let all = |of: fn(&Judgement) -> &Vec<Finding>| -> Vec<Value> {
        judgement.into_iter().flat_map(|judgement| of(judgement).iter().map(|finding| one(judgement, finding, speaker))).collect()
    };
    let hold = story.bill.as_ref().and_then(|bill| bill.hold.as_deref());
    let answer = story.bill.as_ref().and_then(|bill| bill.code.as_ref()).map(|code| &code.answer);
    json!({
        "invoice_number": story.name,
        "payment_code": answer.map(|answer| answer.payment_code.as_str()),
        "status": story.bill.as_ref().map(|bill| bill.status.name()),
        "money": story.money(as_of).name(),
        "held": hold.map(|hold| json!({"cause": hold.cause, "since": format_utc_seconds(hold.at), "reason": hold.reason})),
        "amount": story.bill.as_ref().map(|bill| bill.terms.amount.get()),
        "created_at": answer.and_then(|answer| answer.created_at).map(format_utc_seconds),
        "how_to_pay_page": answer.and_then(|answer| answer.how_to_pay_page.as_deref()),
        "how_to_pay_api": answer.and_then(|answer| answer.how_to_pay_api.as_deref()),
        "from": judgement.map(|judgement| judgement.terms.period.from),
        "to": judgement.map(|judgement| judgement.terms.period.to),
        "as_of": format_utc_seconds(as_of),
        "needs_person": story.needs_anybody(),
        "story": events(story, speaker),
        "lines": all(|judgement| &judgement.about.lines),
        "payments": all(|judgement| &judgement.about.payments),
        "bill": all(|judgement| &judgement.about.bills).pop(),
        "settlement": all(|judgement| &judgement.about.settlement),
        "discrepancies": story.items.iter().map(|(id, status)| json!({"discrepancy_id": id, "status": status})).collect::<Vec<_>>(),
        "decided_by": deciding(story).map(|finding| finding.class.id()),
        "books": story.says.as_ref().map(|says| super::why_books::json(says, speaker)),
        "next": next(story, speaker, as_of),
    })
}

fn events(story: &Story, speaker: &Speaker) -> Vec<Value> {
    let event = |event: &crate::jobs::why::StoryLine| {
        let (_, what) = told(story, event, speaker);
        let source = match &event.what {
            StoryEvent::Ledger(_) => "ledger",
            StoryEvent::Inquiry { .. } => "inquiry",
            StoryEvent::Line(_) => "notification",
            StoryEvent::Settlement(_) => "settlement",
            StoryEvent::Journal { .. } => "journal",
        };
        json!({"at": event.at.map(format_utc_seconds), "source": source, "what": what})
    };
    story.told.iter().map(event).collect()
}

fn one(judgement: &Judgement, finding: &Finding, speaker: &Speaker) -> Value {
    let rupiah = |amount: Option<Rupiah>| amount.and_then(|amount| i64::try_from(amount.get()).ok());
    json!({
        "class": finding.class.id(),
        "title": speaker.text(finding.class).title,
        "nature": finding.nature.name(),
        "severity": finding.severity.name(),
        "flags": finding.flags.iter().map(Class::id).collect::<Vec<_>>(),
        "discrepancy_id": finding.id,
        "decision": judgement.standings.of(&finding.id).status,
        "invoice_number": finding.invoice_number,
        "payment_code": finding.payment_code,
        "amount_expected": rupiah(finding.expected),
        "amount_paid": rupiah(finding.paid),
        "paid_at": finding.paid_at.map(format_utc_seconds),
        "reason": crate::report::reason(finding, speaker.language),
        "places": places(judgement, finding),
    })
}
