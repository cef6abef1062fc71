//! The rows of files as a run takes them.

use crate::domain::bill::Bill;
use crate::intake::{Intake, KeepingError, RowVerdict};
use crate::jobs::issue::Orders;

/// The bills among the rows that were read.
#[derive(Debug)]
pub(super) struct FileOrders<'a>(pub(super) &'a Intake);

impl Orders for FileOrders<'_> {
    type Error = KeepingError;

    fn row_count(&self) -> usize {
        self.0.row_count()
    }

    fn parts<'s>(
        &'s self,
        wanted: &'s (dyn Fn(usize) -> bool + Sync),
    ) -> impl Iterator<Item = Result<Vec<(usize, Bill)>, KeepingError>> + 's {
        self.0.parts(wanted).map(|part| {
            let bills = part?.into_iter().filter_map(|row| match row.verdict {
                RowVerdict::Valid(bill) => Some((row.index, bill)),
                RowVerdict::Refused(_) | RowVerdict::Duplicate(_) => None,
            });
            Ok(bills.collect())
        })
    }
}
