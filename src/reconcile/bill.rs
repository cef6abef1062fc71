//! A bill as a compact record: a month holds millions.

use jiff::Timestamp;

use super::new_bill::{ExternalMark, NewBill};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;

/// One bill.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    text_at: u32,
    invoice_length: u8,
    code_length: u8,
    /// [`Bill::IN_DOUBT`] and its like.
    flags: u8,
    pub(super) channel: Channel,
    pub(super) amount: Amount,
    planned_at_us: i64,
    created_at_us: i64,
    expires_at_us: i64,
    cancelled_at_us: i64,
    paid_at_us: i64,
    /// 0: none.
    pub(super) group: u32,
    /// Index into the histories plus one; 0: none.
    history: u32,
}

const _: () = assert!(size_of::<Bill>() <= 64, "a month holds millions of bills");

const NEVER: i64 = i64::MIN;

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(NEVER, Timestamp::as_microsecond)
}

fn instant(at: i64) -> Option<Timestamp> {
    if at == NEVER { None } else { Timestamp::from_microsecond(at).ok() }
}

impl Bill {
    const REUSABLE: u8 = 1;
    const IN_DOUBT: u8 = 2;
    const OTHERWISE: u8 = 4;
    const PAID: u8 = 8;
    const CODE_OPEN: u8 = 16;
    const CODE_DEAD: u8 = 32;
    const INQUIRY: u8 = 64;

    /// As its source tells it, with where its texts begin, its group's number, and where its history is.
    pub(super) fn of(new: &NewBill<'_>, text_at: u32, group: u32, history: u32) -> Self {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        Self {
            text_at,
            invoice_length: u8::try_from(new.invoice_number.len()).unwrap_or(u8::MAX),
            code_length: u8::try_from(new.payment_code.unwrap_or_default().len()).unwrap_or(u8::MAX),
            flags: flag(new.reusable, Self::REUSABLE)
                | flag(new.issue_in_doubt, Self::IN_DOUBT)
                | flag(new.issued_otherwise, Self::OTHERWISE)
                | flag(new.code_is_dead, Self::CODE_DEAD)
                | flag(new.by_inquiry, Self::INQUIRY)
                | flag(new.paid != ExternalMark::Unpaid, Self::PAID)
                | flag(new.open_invoice_number == Some(new.invoice_number), Self::CODE_OPEN),
            channel: new.channel,
            amount: new.amount,
            planned_at_us: micros(new.planned_at),
            created_at_us: micros(new.created_at),
            expires_at_us: micros(new.expires_at),
            cancelled_at_us: micros(new.cancelled_at),
            paid_at_us: if let ExternalMark::At(at) = new.paid { at.as_microsecond() } else { NEVER },
            group,
            history,
        }
    }

    /// Its own number, out of the texts of all bills.
    pub(super) fn invoice_number<'t>(&self, texts: &'t str) -> &'t str {
        text_of(texts, self.text_at, 0, self.invoice_length)
    }

    /// Its code; empty when it has none.
    pub(super) fn payment_code<'t>(&self, texts: &'t str) -> &'t str {
        text_of(texts, self.text_at, self.invoice_length, self.code_length)
    }

    /// Where its history is among all histories, if it has one.
    pub(super) fn history(&self) -> Option<usize> {
        usize::try_from(self.history).ok()?.checked_sub(1)
    }

    /// Whether any code goes with its own number.
    pub(super) const fn has_open_code(&self) -> bool {
        self.has(Self::CODE_OPEN)
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) const fn reusable(&self) -> bool {
        self.has(Self::REUSABLE)
    }

    pub(super) const fn issue_in_doubt(&self) -> bool {
        self.has(Self::IN_DOUBT)
    }

    pub(super) const fn issued_otherwise(&self) -> bool {
        self.has(Self::OTHERWISE)
    }

    pub(super) const fn code_is_dead(&self) -> bool {
        self.has(Self::CODE_DEAD)
    }

    pub(super) const fn by_inquiry(&self) -> bool {
        self.has(Self::INQUIRY)
    }

    pub(super) const fn has_code(&self) -> bool {
        self.code_length > 0
    }

    pub(super) fn planned_at(&self) -> Option<Timestamp> {
        instant(self.planned_at_us)
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        instant(self.created_at_us)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        instant(self.expires_at_us)
    }

    pub(super) fn cancelled_at(&self) -> Option<Timestamp> {
        instant(self.cancelled_at_us)
    }

    pub(super) fn external_mark(&self) -> ExternalMark {
        match instant(self.paid_at_us) {
            _ if !self.has(Self::PAID) => ExternalMark::Unpaid,
            None => ExternalMark::Undated,
            Some(at) => ExternalMark::At(at),
        }
    }
}

fn text_of(texts: &str, at: u32, skip: u8, length: u8) -> &str {
    let start = usize::try_from(at).unwrap_or(usize::MAX).saturating_add(usize::from(skip));
    texts.get(start..start.saturating_add(usize::from(length))).unwrap_or_default()
}
