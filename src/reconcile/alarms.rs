//! What somebody must look at although no balance tells of it, as facts of the books.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;

use super::Reconciled;
use super::finding::Finding;
use super::terms::ReconcileTerms;
use crate::books::Brief;
use crate::books::fact::AlarmFact;
use crate::books::item::{BooksSubject, ItemId};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, Nature, Stands};

/// What is wrong with a bill or its ledger: a later ledger that shows it no more answers it.
const OF_LEDGER: [Class; 6] = [Class::L07, Class::L08, Class::L09, Class::L10, Class::L13, Class::L14];

/// Bills of open debts that the ledger lists no more: one alarm for all of them, with what is open.
fn vanished(listed: &[ItemId], today: Date, before: &Brief) -> Option<AlarmFact> {
    let listed: HashSet<&ItemId> = if before.open_debts().next().is_none() { HashSet::new() } else { listed.iter().collect() };
    let is_gone = |(_, bills): &(Rupiah, &[ItemId])| !listed.is_empty() && bills.iter().all(|bill| !listed.contains(bill));
    let gone: Vec<(Rupiah, &[ItemId])> = before.open_debts().filter(is_gone).collect();
    let keys: Vec<&[u8]> = gone.iter().flat_map(|(_, bills)| *bills).map(|bill| &bill.key()[..]).collect();
    let id = ItemId::of(BooksSubject::Alarm, &std::iter::once(&b"vanished"[..]).chain(keys).collect::<Vec<_>>());
    let at_stake = gone.iter().map(|(open, _)| *open).sum();
    (!gone.is_empty()).then(|| AlarmFact { on: today, at_stake, ..AlarmFact::of(id, Class::L13.id()) })
}

/// What somebody must look at although no balance tells of it, and what of earlier months this run answers.
pub(super) fn alarms(outcome: &Reconciled, listed: &[ItemId], terms: &ReconcileTerms, before: &Brief) -> Vec<AlarmFact> {
    let is_alarm = |class: &Class| matches!(class.info().stands, Stands::Alarm | Stands::AlarmOfFile);
    let class_of = |finding: &Finding| {
        let all = std::iter::once(finding.class).chain(finding.flags.iter());
        all.into_iter().find(is_alarm).filter(|_| finding.nature == Nature::Break)
    };
    let today = wib_date(terms.as_of).clamp(terms.period.from, terms.period.to);
    let raised = outcome.findings.iter().filter_map(|finding| {
        let (class, id) = (class_of(finding)?, ItemId::with_key(BooksSubject::Alarm, &finding.id)?);
        let on = finding.paid_at.map_or(today, wib_date).min(terms.period.to);
        let at_stake = finding.at_stake();
        let (invoice_number, payment_code) = (finding.invoice_number.as_str().into(), finding.payment_code.as_str().into());
        let told = AlarmFact::of(id, class.id());
        Some((id, AlarmFact { on, at_stake, invoice_number, payment_code, channel: finding.channel, ..told }))
    });
    let mut all: BTreeMap<ItemId, AlarmFact> = raised.collect();
    all.extend(vanished(listed, today, before).map(|alarm| (alarm.id, alarm)));
    let answers = ItemId::of(BooksSubject::Books, &[b"ledger", terms.as_of.to_string().as_bytes()]);
    for (id, alarm) in
        before.common.alarms.iter().filter(|(id, alarm)| alarm.answered_by.is_none() && !all.contains_key(id)).collect::<Vec<_>>()
    {
        let class = Class::parse(&alarm.class);
        let is_of_ledger = class.is_some_and(|class| OF_LEDGER.contains(&class) && !outcome.inputs.not_evaluated.contains(&class));
        if is_of_ledger && !outcome.inputs.bills.is_empty() {
            let (on, at_stake) = (alarm.on, alarm.at_stake);
            all.insert(*id, AlarmFact { on, at_stake, answered_by: Some(answers), ..AlarmFact::of(*id, &alarm.class) });
        }
    }
    all.into_values().collect()
}
