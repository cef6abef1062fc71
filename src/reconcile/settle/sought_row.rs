//! A row whose payment is looked for: one of this run's files, or one of an earlier month that waits.
//!
//! Belongs here: what pairing asks of either. Must not be here: which payment it is.

use jiff::civil::Date;

use crate::books::item::ItemId;
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;
use crate::reconcile::item_names::{batch_id, batch_of, nameless_batch, row_id};
use crate::reconcile::waiting_rows::WaitingRow;

/// Where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum SoughtRow<'a> {
    /// In a file of this run.
    Listed(&'a SettlementRow),
    /// In suspense since an earlier month, and in no file of this run.
    Waiting(&'a WaitingRow),
}

/// Of rows that are alike in everything that counts, what is known the longest comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precedence<'a> {
    /// It waits since an earlier month, listed again or not.
    Known(ItemId),
    /// By batch, number and content.
    New(&'a str, &'a str, Digest),
}

impl<'a> SoughtRow<'a> {
    /// What the row is called in the books.
    pub(super) fn id(self) -> ItemId {
        match self {
            Self::Listed(row) => row_id(&row.content(), 0),
            Self::Waiting(row) => row.id,
        }
    }

    /// The WIB day of the payment; none where the books of an earlier month did not keep it.
    pub(super) const fn day(self) -> Option<Date> {
        match self {
            Self::Listed(row) => Some(row.transaction_date),
            Self::Waiting(row) => row.booked.paid_on,
        }
    }

    /// Rupiah.
    pub(super) const fn amount(self) -> i64 {
        match self {
            Self::Listed(row) => row.amount,
            Self::Waiting(row) => row.amount,
        }
    }

    /// The day it was paid out; unknown while held.
    pub(super) const fn paid_out_on(self) -> Option<Date> {
        match self {
            Self::Listed(row) => row.paid_out_on,
            Self::Waiting(row) => Some(row.booked.paid_out_on),
        }
    }

    /// Its batch, if files name it.
    pub(super) fn batch(self) -> Option<ItemId> {
        match self {
            Self::Listed(row) => (!row.batch_id.is_empty()).then(|| batch_id(&row.batch_id)),
            Self::Waiting(row) => Some(row.booked.batch).filter(|batch| *batch != nameless_batch(row.booked.paid_out_on)),
        }
    }

    /// Its batch, as the books call it.
    pub(super) fn batch_item(self) -> ItemId {
        match self {
            Self::Listed(row) => batch_of(row),
            Self::Waiting(row) => row.booked.batch,
        }
    }

    /// Its number in the batch; may be empty.
    pub(super) fn number(self) -> &'a str {
        match self {
            Self::Listed(row) => &row.number,
            Self::Waiting(row) => &row.booked.number,
        }
    }

    /// What it names; may be empty.
    pub(super) fn invoice_number(self) -> &'a str {
        match self {
            Self::Listed(row) => &row.invoice_number,
            Self::Waiting(row) => &row.booked.invoice_number,
        }
    }

    /// The codes it names.
    pub(super) fn codes(self) -> [&'a str; 2] {
        match self {
            Self::Listed(row) => [&row.report_code, &row.recon_code],
            Self::Waiting(row) => [0, 1].map(|at| row.booked.codes.get(at).map_or("", |code| &**code)),
        }
    }

    /// See there.
    pub(super) fn precedence(self, is_known: bool) -> Precedence<'a> {
        match self {
            Self::Listed(row) if !is_known => Precedence::New(&row.batch_id, &row.number, row.content()),
            _ => Precedence::Known(self.id()),
        }
    }

    /// Whether a payment has its amount.
    pub(super) fn is_of(self, amount: Option<u64>) -> bool {
        amount.map(i128::from) == Some(self.amount().into())
    }
}
