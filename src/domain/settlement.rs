//! What a settlement report says, as facts: rows, the totals above them, and what the contract says they should be.
//!
//! Belongs here: value types. Must not be here: reading files, matching, judging.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::calendar::WorkingDays;
use super::channel::{Channel, PerChannel};
use super::digest::{self, Digest};
use super::fee::{FeeSchedule, FeeShare};
use super::line::InputFile;
use super::reason::CellFault;

/// Where a row is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowPlace {
    /// Which file, by its place in the list of settlement files.
    pub file: u32,
    /// Its line (CSV: where the record starts) or row of the sheet, from 1.
    pub row: u64,
    /// Where it starts in the decompressed file; 0 in a workbook.
    pub byte: u64,
}

/// One row of a settlement report. Amounts are rupiah.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementRow {
    /// Where it stands.
    pub place: RowPlace,
    /// SHA-256 of the raw line; of a workbook's row, of its cells.
    pub digest: Digest,
    /// The batch it was settled in; empty when the file does not say.
    pub batch_id: String,
    /// Its number in the batch.
    pub number: String,
    /// The channel in the report's words.
    pub channel_name: String,
    /// The WIB day of the payment.
    pub transaction_date: Date,
    /// The day it was paid out; unknown while held.
    pub paid_out_on: Option<Date>,
    /// The invoice number; may be empty when there is a code.
    pub invoice_number: String,
    /// `REPORT CODE`.
    pub report_code: String,
    /// `RECON CODE`.
    pub recon_code: String,
    /// `Purchase`, or a word for taking money back.
    pub transaction_type: String,
    /// What the customer paid; of a refund, what was given back.
    pub amount: i64,
    /// What DOKU kept, VAT included.
    pub fee: i64,
    /// A discount borne by the merchant.
    pub discount: i64,
    /// `PAY TO MERCHANT`.
    pub paid_out: i64,
    /// `SUB ACCOUNT`.
    pub sub_account: String,
    /// Columns beyond DOKU's own, by their names: report keys.
    pub custom: BTreeMap<String, String>,
}

impl SettlementRow {
    /// Whether it pays money out for a customer's payment.
    #[must_use]
    pub fn is_purchase(&self) -> bool {
        self.transaction_type.eq_ignore_ascii_case("purchase")
    }

    /// What should be paid out: amount less fee and discount; a refund takes its amount back.
    #[must_use]
    pub fn paid_out_expected(&self) -> i64 {
        let gross = if self.is_purchase() { self.amount } else { self.amount.saturating_abs().saturating_neg() };
        gross.saturating_sub(self.fee).saturating_sub(self.discount)
    }

    /// What the column `name` says of a split settlement, in rupiah; `None` when it is no whole number. An empty cell is zero, and so is a
    /// column that is not there.
    #[must_use]
    pub fn share(&self, name: &str) -> Option<i64> {
        self.custom.get(name).filter(|text| !text.is_empty()).map_or(Some(0), |text| text.parse().ok())
    }

    /// Equal for the same row in another file, or in another format.
    #[must_use]
    pub fn content(&self) -> Digest {
        let day = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
        let amounts = [self.amount, self.fee, self.discount, self.paid_out].map(|amount| amount.to_string()).join(" ");
        let mut parts: Vec<&[u8]> = vec![self.batch_id.as_bytes(), self.number.as_bytes(), self.channel_name.as_bytes()];
        let days = [day(Some(self.transaction_date)), day(self.paid_out_on)];
        parts.extend(days.iter().map(String::as_bytes));
        let texts = [&self.invoice_number, &self.report_code, &self.recon_code, &self.transaction_type, &self.sub_account];
        parts.extend(texts.map(String::as_bytes));
        parts.push(amounts.as_bytes());
        parts.extend(self.custom.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        digest::of_parts(&parts)
    }
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedSettlementRow {
    /// Where it stands.
    pub place: RowPlace,
    /// SHA-256 of the raw line; of a workbook's row, of its cells.
    pub digest: Digest,
    /// The batch it stands in.
    pub batch_id: String,
    /// Its invoice number, if that can be read.
    pub invoice_number: String,
    /// The column at fault.
    pub column: String,
    /// What is wrong with it.
    pub reason: CellFault,
}

/// The totals above the rows of a batch, in rupiah; those the file gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BatchTotals {
    /// The batch; empty when the file does not say.
    pub batch_id: String,
    /// `Total Amount Purchase_`.
    pub amount: Option<i64>,
    /// `Total Fee_`.
    pub fee: Option<i64>,
    /// `Total Purchase_`: how many rows.
    pub purchases: Option<i64>,
    /// `Total Amount Refund_`.
    pub refund: Option<i64>,
    /// `Total Refund_`: how many rows.
    pub refunds: Option<i64>,
    /// `Total Settlement Amount_`.
    pub paid_out: Option<i64>,
    /// `Total Discount_`.
    pub discount: Option<i64>,
    /// `Total Transactions_`: how many rows.
    pub transactions: Option<i64>,
}

/// Sums taken while rows are read, before anything is concluded from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettlementRaw {
    /// Rows, readable or not.
    pub rows: u64,
    /// Amounts of purchases.
    pub amount: i128,
    /// Amounts of everything else.
    pub refund: i128,
    /// Fees of all.
    pub fee: i128,
    /// Discounts of all.
    pub discount: i128,
}

impl SettlementRaw {
    /// Counts one more row.
    pub fn add(&mut self, row: &SettlementRow) {
        self.rows = self.rows.saturating_add(1);
        if row.is_purchase() {
            self.amount = self.amount.saturating_add(row.amount.into());
        } else {
            self.refund = self.refund.saturating_add(row.amount.saturating_abs().into());
        }
        self.fee = self.fee.saturating_add(row.fee.into());
        self.discount = self.discount.saturating_add(row.discount.into());
    }

    /// What is left without `other`.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(other.rows),
            amount: self.amount.saturating_sub(other.amount),
            refund: self.refund.saturating_sub(other.refund),
            fee: self.fee.saturating_sub(other.fee),
            discount: self.discount.saturating_sub(other.discount),
        }
    }
}

/// Everything settlement files say.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// The files, in the order given; `lines` are rows.
    pub files: Vec<InputFile>,
    /// The rows that can be read.
    pub rows: Vec<SettlementRow>,
    /// The others.
    pub malformed: Vec<MalformedSettlementRow>,
    /// Totals, each as often as it was read.
    pub totals: Vec<BatchTotals>,
    /// The reader's own sums, of all rows.
    pub raw: SettlementRaw,
    /// What of them several files list: copies, which are not among the rows.
    pub copies: SettlementRaw,
}

/// Whose a row is, by the name of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NamedChannel {
    /// One of ours.
    Ours(Channel),
    /// Another product of the same account.
    Other,
}

/// What the contract says of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelTerms {
    /// Whether DOKU settles it, so that a missing row is remarkable.
    pub is_settled: bool,
    /// Working days from payment to pay-out.
    pub working_days: u32,
    /// What it costs; without one S04 is not evaluated.
    pub fee: Option<FeeSchedule>,
}

/// What the merchant knows of settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettlementTerms {
    /// Channel names of the report, in lower case.
    pub channels: BTreeMap<String, NamedChannel>,
    /// What the contract says of each channel.
    pub terms: PerChannel<ChannelTerms>,
    /// When banks work.
    pub working_days: WorkingDays,
    /// Hours after the day of payment in which its notification may still come.
    pub notification_grace_hours: i64,
    /// Custom columns that hold shares of a split settlement.
    pub shares: BTreeMap<String, FeeShare>,
    /// Those of them that are others': DOKU pays them to third parties, and not to us.
    pub third_parties: BTreeSet<String>,
}

impl SettlementTerms {
    /// What of `row` DOKU pays to third parties, in rupiah; `None` when a cell that says so is no whole number. Empty cells are zero, and so are
    /// columns that the file does not have. Of a refund it is what they give back, with whichever sign it is written, as its amount is.
    #[must_use]
    pub fn shared(&self, row: &SettlementRow) -> Option<i64> {
        let sign = if row.is_purchase() { i64::signum } else { |_| -1 };
        let share = |name: &String| row.share(name).map(|share| share.saturating_abs().saturating_mul(sign(share)));
        self.third_parties.iter().try_fold(0_i64, |sum, name| sum.checked_add(share(name)?))
    }

    /// The terms of `channel`.
    #[must_use]
    pub const fn of(&self, channel: Channel) -> &ChannelTerms {
        self.terms.of(channel)
    }

    /// Our channel of this name.
    #[must_use]
    pub fn ours(&self, name: &str) -> Option<Channel> {
        if let Some(NamedChannel::Ours(channel)) = self.channel(name) { Some(channel) } else { None }
    }

    /// Whose channel is called `name`; `None` when nobody said.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<NamedChannel> {
        self.channels.get(&name.trim().to_lowercase()).copied()
    }
}
