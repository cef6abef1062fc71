//! Why a bill or an open item is found.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::format_wib_seconds;
use crate::domain::language::{Language, Say, say};

/// What is remarkable about a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillReason {
    /// Nobody knows whether it was issued, and no payment is attached.
    InDoubt,
    /// Its payments beside what it asks for.
    Payments {
        /// How many.
        count: usize,
        /// What they come to.
        attached: Rupiah,
        /// What it asks for.
        due: Amount,
    },
    /// It is marked paid, and nothing proves it.
    NotProved,
    /// It has no code.
    NoCode,
    /// It has expired and is not paid.
    Expired {
        /// When.
        expired_at: Timestamp,
    },
    /// Another invoice holds its live code.
    CodeTwice,
    /// The external ledger does not list its code.
    NotListed,
    /// Bills that are one debt do not ask for the same.
    GroupDiffers {
        /// What they share.
        group: String,
        /// How many are not cancelled.
        count: usize,
        /// The least that one of them asks for.
        least: Amount,
        /// The most.
        most: Amount,
    },
}

impl Say for BillReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InDoubt => say!(
                to,
                language,
                "its issue is in doubt and no payment is attached",
                "penerbitannya diragukan dan tidak ada pembayaran yang terkait"
            ),
            Self::Payments { count, attached, due } => say!(
                to,
                language,
                "{count} payments add up to {attached}, due {due}",
                "{count} pembayaran berjumlah {attached}, terutang {due}"
            ),
            Self::NotProved => say!(
                to,
                language,
                "marked paid, but neither a valid notification nor a settlement row is in the evidence",
                "ditandai lunas, tetapi tidak ada notifikasi sah maupun baris setelmen dalam bukti"
            ),
            Self::NoCode => say!(to, language, "it has no payment code", "tidak memiliki kode bayar"),
            Self::Expired { expired_at } => {
                let at = format_wib_seconds(*expired_at);
                say!(to, language, "expired {at} and unpaid", "kedaluwarsa {at} dan belum dibayar")
            }
            Self::CodeTwice => {
                say!(to, language, "another invoice holds the same live code", "faktur lain memegang kode aktif yang sama")
            }
            Self::NotListed => say!(
                to,
                language,
                "our request history has this code, the external ledger has not",
                "riwayat permintaan kita memuat kode ini, data tagihan luar tidak"
            ),
            Self::GroupDiffers { group, count, least, most } => say!(
                to,
                language,
                "the {count} bills of group `{group}` ask for {least} to {most}; {most} counts as owed",
                "{count} tagihan kelompok `{group}` bernilai {least} sampai {most}; {most} dianggap terutang"
            ),
        }
    }
}

/// An item of the books is open of which the evidence of this period does not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReason {
    /// Since when.
    pub since: Date,
    /// On which account; `alarm` for none.
    pub account: Cow<'static, str>,
    /// How much, whichever side it is on.
    pub size: Rupiah,
}

impl Say for OpenReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, account, size } = self;
        say!(to, language, "open since {since} on {account}: {size}", "terbuka sejak {since} pada akun {account}: {size}")
    }
}
