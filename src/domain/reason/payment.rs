//! Why a payment is found: what it was made for, how much it is, when it was made, and what was answered before it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ids, joined};
use crate::domain::amount::Amount;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::channel::Channel;
use crate::domain::language::{Language, Say, say};

/// What a payment was made for, and how much it is beside what is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentReason {
    /// The amount cannot be used.
    NoWholeRupiah,
    /// Several bills may be meant.
    Candidates(Vec<Ids>),
    /// The invoice and the code are of different bills, or only one of them is known.
    Disagrees {
        /// What was notified.
        notified: Ids,
        /// The bills that either names.
        known: Vec<Ids>,
    },
    /// No bill is meant.
    Unknown(Ids),
    /// The bill is paid already.
    Covered {
        /// How much was paid.
        paid: Amount,
        /// What the bill asks for.
        due: Amount,
    },
    /// Another bill of the same debt is paid already.
    GroupPaid {
        /// How much was paid.
        paid: Amount,
    },
    /// The bill asked for it before it was amended.
    EarlierAmount {
        /// How much was paid.
        paid: Amount,
        /// What the bill asks for now.
        due: Amount,
    },
    /// It was paid at another channel.
    OtherChannel {
        /// Whose code it is.
        code_of: Channel,
        /// Where it was paid.
        paid_at: Channel,
    },
    /// One amount beside what decisions had left of the bill.
    Decided {
        /// How much was paid.
        paid: Amount,
        /// What was owed still, in rupiah.
        owed: u64,
    },
    /// One amount beside the other.
    Paid {
        /// How much was paid.
        paid: Amount,
        /// What the bill asks for.
        due: Amount,
    },
}

impl Say for PaymentReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWholeRupiah => say!(
                to,
                language,
                "the amount notified is no whole number of rupiah",
                "jumlah yang diberitahukan bukan bilangan bulat rupiah"
            ),
            Self::Candidates(bills) => {
                let bills = joined(bills);
                say!(to, language, "candidates: {bills}", "calon: {bills}")
            }
            Self::Disagrees { notified, known } => {
                let known = joined(known);
                say!(to, language, "notified {notified}; known {known}", "diberitahukan {notified}; diketahui {known}")
            }
            Self::Unknown(Ids { invoice_number, payment_code }) => say!(
                to,
                language,
                "neither invoice {invoice_number} nor code {payment_code} is known",
                "faktur {invoice_number} maupun kode {payment_code} tidak dikenal"
            ),
            Self::Covered { paid, due } => say!(
                to,
                language,
                "paid {paid} although an earlier payment covers the {due} due",
                "dibayar {paid} padahal pembayaran sebelumnya sudah melunasi tagihan {due}"
            ),
            Self::GroupPaid { paid } => say!(
                to,
                language,
                "paid {paid} although another bill of the same group is paid",
                "dibayar {paid} padahal tagihan lain dalam kelompok yang sama sudah dibayar"
            ),
            Self::EarlierAmount { paid, due } => say!(
                to,
                language,
                "paid {paid}, an earlier amount of the bill; due now {due}",
                "dibayar {paid}, jumlah tagihan sebelum diubah; kini terutang {due}"
            ),
            Self::OtherChannel { code_of, paid_at } => {
                say!(to, language, "a code of {code_of} paid at {paid_at}", "kode {code_of} dibayar di {paid_at}")
            }
            Self::Decided { paid, owed } => say!(
                to,
                language,
                "paid {paid}; by what was decided about the bill, {owed} was owed still",
                "dibayar {paid}; menurut keputusan atas tagihan ini, yang masih terutang {owed}"
            ),
            Self::Paid { paid, due } => say!(to, language, "paid {paid}, due {due}", "dibayar {paid}, terutang {due}"),
        }
    }
}

/// When a payment was made, beside what was so at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeReason {
    /// The code was cancelled.
    Cancelled {
        /// When it was paid.
        paid_at: Timestamp,
        /// When it was cancelled.
        cancelled_at: Timestamp,
    },
    /// The code had expired.
    Expired {
        /// When it was paid.
        paid_at: Timestamp,
        /// When it expired.
        expired_at: Timestamp,
        /// For how many minutes beyond that it was payable.
        grace_minutes: i64,
    },
    /// The code did not exist yet.
    NotIssued {
        /// When it was paid.
        paid_at: Timestamp,
        /// When the code was made.
        issued_at: Timestamp,
    },
    /// The policy was not in force.
    PolicyLapsed {
        /// When it was paid.
        paid_at: Timestamp,
    },
    /// Check Status alone told of it.
    NotNotified {
        /// When it did.
        told_at: Timestamp,
    },
}

impl Say for TimeReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled { paid_at, cancelled_at } => {
                let [paid, cancelled] = [*paid_at, *cancelled_at].map(format_wib_seconds);
                say!(to, language, "paid {paid}, cancelled {cancelled}", "dibayar {paid}, dibatalkan {cancelled}")
            }
            Self::Expired { paid_at, expired_at, grace_minutes } => {
                let [paid, expired] = [*paid_at, *expired_at].map(format_wib_seconds);
                say!(
                    to,
                    language,
                    "paid {paid}, expired {expired}, grace {grace_minutes} minutes",
                    "dibayar {paid}, kedaluwarsa {expired}, tenggang {grace_minutes} menit"
                )
            }
            Self::NotIssued { paid_at, issued_at } => {
                let [paid, issued] = [*paid_at, *issued_at].map(format_wib_seconds);
                say!(to, language, "paid {paid}, issued {issued}", "dibayar {paid}, diterbitkan {issued}")
            }
            Self::PolicyLapsed { paid_at } => {
                let paid = format_wib_seconds(*paid_at);
                say!(to, language, "paid {paid} while the policy was lapsed or cancelled", "dibayar {paid} saat polis lapse atau batal")
            }
            Self::NotNotified { told_at } => {
                let told = format_wib_seconds(*told_at);
                say!(
                    to,
                    language,
                    "Check Status told of it {told}; no notification since",
                    "Check Status memberitahukannya {told}; sejak itu tidak ada notifikasi"
                )
            }
        }
    }
}

/// What was paid beside what was answered when DOKU asked before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InquiryReason {
    /// That it may not be paid.
    NotPayable {
        /// How much was paid, in rupiah.
        paid: u64,
    },
    /// Another amount.
    OtherAmount {
        /// How much was paid, in rupiah.
        paid: u64,
        /// What was answered, in rupiah.
        answered: u64,
    },
    /// DOKU did not ask.
    NotAsked {
        /// How much was paid, in rupiah.
        paid: u64,
    },
}

impl Say for InquiryReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPayable { paid } => say!(
                to,
                language,
                "paid {paid} although the last answer before was that it may not be",
                "dibayar {paid} padahal jawaban terakhir sebelumnya: tidak boleh dibayar"
            ),
            Self::OtherAmount { paid, answered } => {
                say!(to, language, "paid {paid}, answered {answered}", "dibayar {paid}, dijawab {answered}")
            }
            Self::NotAsked { paid } => say!(
                to,
                language,
                "paid {paid}, and no inquiry before is in the logs",
                "dibayar {paid}, tetapi tidak ada inkuiri sebelumnya di dalam log"
            ),
        }
    }
}
