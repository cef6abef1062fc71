//! What is asked about a bill, and which lines name it that could not be read: those keep no ids, and their bytes may still have them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::WhyError;
use super::subject::{Concluded, Subject, WhyOptions};
use crate::evidence::{self, EvidenceError};
use crate::reconcile::ConclusionsSought;

pub(super) fn asked(subject: &Subject, concluded: &Concluded, options: &WhyOptions<'_>) -> Result<ConclusionsSought, Box<WhyError>> {
    let bills = &concluded.outcome.inputs.bills;
    let own = subject.bill.as_ref().map(|bill| bill.invoice_number.as_str());
    let mut found: Vec<u32> = own.map(|own| bills.named(own)).unwrap_or_default();
    found.retain(|&bill| Some(bills.invoice_number(bill)) == own);
    let texts = |set: &BTreeSet<String>| set.iter().cloned().collect();
    Ok(ConclusionsSought {
        bills: found,
        invoice_numbers: texts(&subject.invoice_numbers),
        payment_codes: texts(&subject.payment_codes),
        unread: unread(subject, concluded, options)?,
    })
}

/// The lines that name it and were refused, sorted. Those of a store are known only where it keeps its lines as they were.
fn unread(subject: &Subject, concluded: &Concluded, options: &WhyOptions<'_>) -> Result<Vec<u32>, Box<WhyError>> {
    let lines = concluded.outcome.inputs.lines.iter();
    let refused: BTreeMap<(u32, u32), u32> =
        lines.filter(|(_, line)| line.identity == [0; 32]).map(|(at, line)| ((line.file, line.number), at)).collect();
    if refused.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&String> = subject.invoice_numbers.iter().chain(&subject.payment_codes).collect();
    let mut unread = BTreeSet::new();
    let mut look = |file: u32, number: u32, bytes: &[u8]| {
        if let Some(&at) = refused.get(&(file, number))
            && names.iter().any(|name| evidence::names(bytes, name))
        {
            unread.insert(at);
        }
    };
    let place = |file: u32| usize::try_from(file).ok().and_then(|file| concluded.places.get(file)).copied().flatten();
    evidence::visit(&options.notifications, &options.tables, |file, number, bytes| {
        if let Some(file) = place(file) {
            look(file, number, bytes);
        }
    })?;
    if let Some(store) = &options.evidence {
        store.visit(look).map_err(EvidenceError::from)?;
    }
    Ok(unread.into_iter().collect())
}
