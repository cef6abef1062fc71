//! What is legal in a file of bills and yet will surprise, and what a file comes to. Belongs here: counts, and notes made of them.
//! Must not be here: refusals.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::bytes::{Fields, put_flag, put_wide};
use super::refused_row::Note;
use crate::domain::bill::{Bill, Expiry, Terms, Wanted};
use crate::domain::channel::IssuanceMethod;
use crate::domain::plan;

/// What rows come to together; of one row, its part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputFacts {
    /// Rupiah of all bills that are wanted live.
    pub amount: i128,
    /// Bills whose code is left to us.
    pub lacking_code: u64,
    /// Codes with more digits than a spreadsheet keeps.
    long_codes: u64,
    /// Of them, those with only zeros where it would have put them.
    rounded_codes: u64,
    /// Bills whose end has passed.
    past: u64,
    /// Bills whose name is too long to be amended.
    long_names: u64,
}

impl InputFacts {
    /// With those of others.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            amount: self.amount.saturating_add(other.amount),
            lacking_code: self.lacking_code.saturating_add(other.lacking_code),
            long_codes: self.long_codes.saturating_add(other.long_codes),
            rounded_codes: self.rounded_codes.saturating_add(other.rounded_codes),
            past: self.past.saturating_add(other.past),
            long_names: self.long_names.saturating_add(other.long_names),
        }
    }

    /// Puts one row's part behind what is there.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        put_wide(bytes, self.amount);
        // Of one row each is 0 or 1.
        for count in [self.lacking_code, self.long_codes, self.rounded_codes, self.past, self.long_names] {
            put_flag(bytes, count > 0);
        }
    }

    /// One row's part.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            amount: fields.wide(),
            lacking_code: fields.flag().into(),
            long_codes: fields.flag().into(),
            rounded_codes: fields.flag().into(),
            past: fields.flag().into(),
            long_names: fields.flag().into(),
        }
    }

    /// Without those of others, which are among them.
    pub(super) const fn without(self, other: Self) -> Self {
        Self {
            amount: self.amount.saturating_sub(other.amount),
            lacking_code: self.lacking_code.saturating_sub(other.lacking_code),
            long_codes: self.long_codes.saturating_sub(other.long_codes),
            rounded_codes: self.rounded_codes.saturating_sub(other.rounded_codes),
            past: self.past.saturating_sub(other.past),
            long_names: self.long_names.saturating_sub(other.long_names),
        }
    }

    /// Codes a spreadsheet may have rounded, ends that have passed, names too long to amend later.
    pub(super) fn notes(&self, file: &Arc<Path>) -> Vec<Note> {
        let Self { long_codes, rounded_codes, past, long_names, .. } = *self;
        let mut texts = Vec::new();
        if long_codes > 1 && rounded_codes.saturating_mul(2) > long_codes {
            texts.push(format!(
                "{rounded_codes} of {long_codes} long payment codes have only zeros after the 15th digit: a spreadsheet may have rounded them"
            ));
        }
        if past > 0 {
            texts.push(format!(
                "{past} rows have an `expires_at` that has passed: a bill that has no code by now is refused for it (E0306)"
            ));
        }
        if long_names > 0 {
            texts.push(format!("{long_names} customer names have more than 40 characters: their codes can be issued but not amended"));
        }
        texts.into_iter().map(|text| Note { file: Arc::clone(file), text }).collect()
    }
}

/// What a bill comes to.
pub(super) fn facts(bill: &Bill, now: Timestamp) -> InputFacts {
    const SPREADSHEET_DIGITS: usize = 15;
    let Some(terms) = live_terms(bill) else { return InputFacts::default() };
    let code = terms.payment_code.as_ref().and_then(|code| code.as_str().get(SPREADSHEET_DIGITS..)).filter(|rest| !rest.is_empty());
    let profile = terms.channel.profile();
    let is_long = profile.can_amend
        && terms.method != IssuanceMethod::Inquiry
        && terms.customer.name.reveal().chars().nth(profile.name_length_max_on_amend).is_some();
    InputFacts {
        amount: i128::from(terms.amount.get()),
        lacking_code: plan::lacks_code(bill).into(),
        long_codes: code.is_some().into(),
        rounded_codes: code.is_some_and(|rest| rest.bytes().all(|digit| digit == b'0')).into(),
        past: matches!(terms.expiry, Expiry::At(at) if at <= now).into(),
        long_names: is_long.into(),
    }
}

/// What a bill asks for, if it asks for a code.
pub(super) fn live_terms(bill: &Bill) -> Option<&Terms> {
    match &bill.wanted {
        Wanted::Live(terms) => Some(terms),
        Wanted::Cancelled => None,
    }
}
