//! Settlement rows of earlier months that wait for their payment, and are in no file of this run: every run looks for theirs anew.
//!
//! Belongs here: which they are, and what they are about by now. Must not be here: which payment is whose (`settle`).

use std::collections::{HashMap, HashSet};

use super::bills::Bills;
use super::item_names::row_id;
use crate::books::Brief;
use crate::books::item::ItemId;
use crate::books::known::BookedRow;
use crate::domain::settlement::Settlement;

/// A row in suspense.
#[derive(Clone, Debug)]
pub(super) struct WaitingRow {
    /// What it is called.
    pub(super) id: ItemId,
    /// As the books have it.
    pub(super) booked: BookedRow,
    /// Rupiah.
    pub(super) amount: i64,
    /// The bill it names, by its number of this run.
    pub(super) bill: Option<u32>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct WaitingRows {
    /// In no file of this run, by what they are called.
    pub(super) apart: Vec<WaitingRow>,
    /// Of all, what they are called.
    ids: HashSet<ItemId>,
}

impl WaitingRows {
    /// Those of the books. `files` are what this run is given; `bills` are the bills that rows name, by their numbers.
    #[must_use]
    pub fn of(before: &Brief, files: Option<&Settlement>, bills: &HashMap<ItemId, u32>) -> Self {
        let ids: HashSet<ItemId> = before.unclaimed_rows().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return Self::default();
        }
        let listed = files.into_iter().flat_map(|files| &files.rows).map(|row| row_id(&row.content(), 0));
        let listed: HashSet<ItemId> = listed.filter(|id| ids.contains(id)).collect();
        let waiting = |(id, row): (&ItemId, &BookedRow)| {
            let amount = i64::try_from(row.gross.get()).ok()?;
            Some(WaitingRow { id: *id, booked: row.clone(), amount, bill: bills.get(id).copied() })
        };
        Self { apart: before.unclaimed_rows().filter(|(id, _)| !listed.contains(id)).filter_map(waiting).collect(), ids }
    }

    /// The bills that they could be about.
    pub(super) fn bills<'b>(&'b self, bills: &'b Bills) -> impl Iterator<Item = u32> + 'b {
        self.apart.iter().flat_map(|row| {
            let by_code = row.booked.codes.iter().filter(|code| !code.is_empty()).flat_map(|code| bills.by_code(code));
            row.bill.into_iter().chain(bills.numbered(&row.booked.invoice_number)).chain(by_code)
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether a row waits, listed again or not.
    pub(super) fn has(&self, row: ItemId) -> bool {
        self.ids.contains(&row)
    }
}
