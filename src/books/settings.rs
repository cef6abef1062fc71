//! The settings that postings depend on. They are carried with the month, so that a replay knows by which rules it was made.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::amount::Rupiah;
use crate::domain::channel::{Channel, PerChannel};
use crate::domain::statement_text::StatementText;

/// The WIB days of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostingPeriod {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl PostingPeriod {
    /// The day that something of the day `original` is posted on: that day, or the first of the period if the period before did not
    /// know it; `None` if it is still to come.
    #[must_use]
    pub fn posting_day(self, original: Date) -> Option<Date> {
        (original <= self.to).then(|| original.max(self.from))
    }

    /// Whether `day` is one of its days.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    /// Its month in words for a cause that may recur every period.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}..{}", self.from, self.to)
    }
}

/// Who books what outside these books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booked {
    /// The core system books it: it is not exported.
    #[default]
    Core,
    /// It is booked from here.
    Tagih,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BooksSettings {
    /// What a payment may differ from its debt, in rupiah.
    pub tolerance: u64,
    /// A debt whose last code expired so many days ago has lapsed; none: only a decision lapses it.
    pub lapse_after_days: Option<u32>,
    /// Whether payments after expiry count like others.
    pub accept_late: bool,
    /// Which channels DOKU settles.
    pub settled_by_doku: PerChannel<bool>,
    /// VAT in percent of DOKU's fee, contained in what it charges.
    pub vat_percent: PerChannel<u32>,
    /// Whether bank statements are given. Without them a pay-out counts as banked at once.
    pub bank_statement: bool,
    /// Days a pay-out may take to the bank.
    pub bank_window_days: u32,
    /// A bank line counts if its text holds one of these, in any case; empty: all do.
    pub bank_filter: Vec<String>,
    /// Months after which what is settled is no longer carried.
    pub known_months: u32,
    /// Who books premiums.
    pub premium: Booked,
    /// Who books receipts.
    pub receipts: Booked,
}

impl Default for BooksSettings {
    fn default() -> Self {
        Self {
            tolerance: 0,
            lapse_after_days: None,
            accept_late: false,
            settled_by_doku: PerChannel::from_fn(|_| true),
            vat_percent: PerChannel::default(),
            bank_statement: false,
            bank_window_days: 5,
            bank_filter: Vec::new(),
            known_months: 25,
            premium: Booked::Core,
            receipts: Booked::Tagih,
        }
    }
}

impl BooksSettings {
    /// Whether DOKU settles `channel`.
    #[must_use]
    pub const fn is_settled_by_doku(&self, channel: Channel) -> bool {
        *self.settled_by_doku.of(channel)
    }

    /// VAT in percent of the fee of `channel`.
    #[must_use]
    pub const fn vat_percent_of(&self, channel: Channel) -> u32 {
        *self.vat_percent.of(channel)
    }

    /// The tolerance as a sum.
    #[must_use]
    pub fn tolerance(&self) -> Rupiah {
        Rupiah::new(self.tolerance.into())
    }

    /// Whether a line of the bank counts.
    #[must_use]
    pub fn counts(&self, text: &StatementText) -> bool {
        self.bank_filter.is_empty() || self.bank_filter.iter().any(|words| text.holds(words))
    }
}
