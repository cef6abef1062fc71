//! What is legal in a file of bills and yet will surprise. Belongs here: notes. Must not be here: refusals.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Note, SourcedBill};
use crate::domain::bill::{Bill, Expiry, Terms, Wanted};
use crate::domain::channel::Method;

/// Codes a spreadsheet may have rounded, ends that have passed, names too long
/// to amend later.
pub(super) fn advice(bills: &[SourcedBill], now: Timestamp) -> Vec<Note> {
    const SPREADSHEET_DIGITS: usize = 15;
    let mut notes = Vec::new();
    for of_file in bills.chunk_by(|left, right| left.place.file_order == right.place.file_order) {
        let Some(file) = of_file.first().map(|sourced| Arc::clone(&sourced.place.file)) else { continue };
        let terms = || of_file.iter().filter_map(|sourced| live_terms(&sourced.item));
        let long_codes =
            || terms().filter_map(|terms| terms.payment_code.as_ref()).filter_map(|code| code.as_str().get(SPREADSHEET_DIGITS..));
        let long_count = long_codes().filter(|rest| !rest.is_empty()).count();
        let rounded_count = long_codes().filter(|rest| !rest.is_empty() && rest.bytes().all(|digit| digit == b'0')).count();
        if long_count > 1 && rounded_count.saturating_mul(2) > long_count {
            notes.push(Note {
                file: Arc::clone(&file),
                text: format!(
                    "{rounded_count} of {long_count} long payment codes have only zeros after the 15th digit: a spreadsheet may have rounded them"
                ),
            });
        }
        let past = terms().filter(|terms| matches!(terms.expiry, Expiry::At(at) if at <= now)).count();
        if past > 0 {
            let text =
                format!("{past} rows have an `expires_at` that has passed: a bill that has no code by now is refused for it (E0306)");
            notes.push(Note { file: Arc::clone(&file), text });
        }
        let is_long = |terms: &&Terms| {
            let profile = terms.channel.profile();
            profile.can_amend
                && terms.method != Method::Inquiry
                && terms.customer.name.reveal().chars().nth(profile.name_length_max_on_amend).is_some()
        };
        let long_names = terms().filter(is_long).count();
        if long_names > 0 {
            let text = format!("{long_names} customer names have more than 40 characters: their codes can be issued but not amended");
            notes.push(Note { file, text });
        }
    }
    notes
}

/// What a bill asks for, if it asks for a code.
pub(super) fn live_terms(bill: &Bill) -> Option<&Terms> {
    match &bill.wanted {
        Wanted::Live(terms) => Some(terms),
        Wanted::Cancelled => None,
    }
}
