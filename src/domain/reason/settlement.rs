//! Why a settlement row, a payment without one or a batch is found. Amounts are rupiah, as the report has them.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Ids, joined};
use crate::domain::language::{Language, Say, say};

/// Both sides' values of a settlement row, or of what lacks one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementReason {
    /// The very same row stands elsewhere.
    Repeated {
        /// Its number in its batch.
        number: String,
        /// Its batch.
        batch_id: String,
    },
    /// Another row settles the same payment.
    SettledBefore {
        /// Its amount.
        amount: i64,
        /// Its day of payment.
        on: Date,
    },
    /// It takes money back.
    TakenBack {
        /// The report's word for that.
        transaction_type: String,
        /// Its amount.
        amount: i64,
    },
    /// Several payments may be meant.
    Candidates(Candidates),
    /// No payment that it could settle was notified.
    NotNotified {
        /// Its amount.
        amount: i64,
        /// Its day of payment.
        on: Date,
    },
    /// Another amount was notified.
    OtherAmount {
        /// Its amount.
        amount: i64,
        /// What was notified; none where that cannot be used.
        notified: Option<u64>,
    },
    /// What was paid out is not what is left of the amount.
    NotAddedUp {
        /// What was paid out.
        paid_out: i64,
        /// Its amount.
        amount: i64,
        /// What was kept.
        fee: i64,
        /// What the merchant bears.
        discount: i64,
        /// What should have been paid out.
        left: i64,
    },
    /// The fee is not that of the contract.
    OtherFee {
        /// What was kept.
        fee: i64,
        /// What may be.
        by_contract: u64,
    },
    /// Shares are not those of the contract.
    Shares {
        /// What was paid out.
        paid_out: i64,
        /// Whose share, and what the report says of it.
        shares: Vec<(String, String)>,
    },
    /// The channel's name means nothing.
    ChannelUnknown {
        /// The name.
        name: String,
        /// How many rows go by it.
        rows: usize,
    },
    /// No row settles the payment.
    NotSettled {
        /// When it was due.
        due_on: Date,
    },
}

impl Say for SettlementReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { number, batch_id } => say!(
                to,
                language,
                "row {number} of batch `{batch_id}` stands elsewhere too",
                "baris {number} dari batch `{batch_id}` juga ada di tempat lain"
            ),
            Self::SettledBefore { amount, on } => say!(
                to,
                language,
                "{amount} of {on} is settled by another row already",
                "{amount} tanggal {on} sudah masuk setelmen lewat baris lain"
            ),
            Self::TakenBack { transaction_type, amount } => {
                say!(to, language, "a {transaction_type} of {amount}", "{transaction_type} sebesar {amount}")
            }
            Self::Candidates(candidates) => {
                let candidates = candidates.told(language);
                say!(to, language, "candidates: {candidates}", "calon: {candidates}")
            }
            Self::NotNotified { amount, on } => say!(
                to,
                language,
                "settled {amount} for {on}, and no notification of it is known",
                "setelmen {amount} untuk {on}, tetapi notifikasinya tidak diketahui"
            ),
            Self::OtherAmount { amount, notified: Some(notified) } => {
                say!(to, language, "settled {amount}, notified {notified}", "setelmen {amount}, diberitahukan {notified}")
            }
            Self::OtherAmount { amount, notified: None } => say!(
                to,
                language,
                "settled {amount}, notified no usable amount",
                "setelmen {amount}, jumlah yang diberitahukan tidak dapat dipakai"
            ),
            Self::NotAddedUp { paid_out, amount, fee, discount, left } => say!(
                to,
                language,
                "paid out {paid_out}, but amount {amount}, fee {fee} and discount {discount} leave {left}",
                "dibayarkan {paid_out}, padahal jumlah {amount}, biaya {fee}, dan diskon {discount} menyisakan {left}"
            ),
            Self::OtherFee { fee, by_contract } => {
                say!(to, language, "fee {fee}, by contract {by_contract}", "biaya {fee}, menurut kontrak {by_contract}")
            }
            Self::Shares { paid_out, shares } => {
                let shares = shares.iter().map(|(name, paid)| format!("{name} {paid}")).collect::<Vec<_>>().join(", ");
                say!(to, language, "of {paid_out} paid out: {shares}", "dari {paid_out} yang dibayarkan: {shares}")
            }
            Self::ChannelUnknown { name, rows } => say!(
                to,
                language,
                "`settlement.channels` does not know `{name}`, the channel of {rows} rows",
                "`settlement.channels` tidak mengenal `{name}`, kanal dari {rows} baris"
            ),
            Self::NotSettled { due_on } => {
                say!(to, language, "no settlement row; it was due on {due_on}", "tidak ada baris setelmen; jatuh temponya {due_on}")
            }
        }
    }
}

/// What a row could settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Candidates {
    /// Payments of these bills.
    Bills(Vec<Ids>),
    /// Payments of one day.
    Payments {
        /// What the row calls the invoice.
        invoice_number: String,
        /// The day.
        on: Date,
        /// How much each is; none where that cannot be used.
        amounts: Vec<Option<u64>>,
    },
}

impl Say for Candidates {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bills(bills) => to.write_str(&joined(bills)),
            Self::Payments { invoice_number, on, amounts } => {
                let amounts = amounts.iter().map(|amount| amount.map_or_else(String::new, |rupiah| rupiah.to_string()));
                let amounts = amounts.collect::<Vec<_>>().join(", ");
                say!(to, language, "payments of {invoice_number} on {on}: {amounts}", "pembayaran {invoice_number} tanggal {on}: {amounts}")
            }
        }
    }
}

/// Why a batch does not add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchReason {
    /// Which.
    pub batch_id: String,
    /// Whether its files contradict each other.
    pub is_contradicted: bool,
    /// Totals that are not their sums.
    pub totals: Vec<TotalReason>,
    /// How many of its rows could not be read.
    pub malformed: u64,
}

/// A total that is not its sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalReason {
    /// Which, as the file calls it.
    pub total: Cow<'static, str>,
    /// What the file states.
    pub stated: i64,
    /// What its rows come to.
    pub sum: i64,
}

impl Say for BatchReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "batch `{}`: ", self.batch_id)?;
        let mut separator = "";
        if self.is_contradicted {
            say!(to, language, "its files state different totals", "berkas-berkasnya menulis total yang berbeda")?;
            separator = "; ";
        }
        for TotalReason { total, stated, sum } in &self.totals {
            say!(to, language, "{separator}{total} {stated}, rows {sum}", "{separator}{total} {stated}, jumlah baris {sum}")?;
            separator = "; ";
        }
        let malformed = self.malformed;
        if malformed > 0 {
            say!(to, language, "{separator}{malformed} rows could not be read", "{separator}{malformed} baris tidak dapat dibaca")?;
        }
        Ok(())
    }
}
