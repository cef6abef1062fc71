//! What is asked of most bills of a file, out of their rows: of their terms as little as can be.

use serde::Deserialize;

use super::cells::{Cells, ValueRef, at, damaged, integer, parsed};
use super::fault::Fault;
use super::rows::{FIRST, KEPT_FROM, checked, code_of, paid_at_column, salt_of, status_of};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::ids::InvoiceNumber;
use crate::domain::mark::{BillMark, BillWithCode};
use crate::ledger::seals::Seals;

/// A bill's mark, of what [`select`](super::rows::select) selects. Its terms are not parsed.
pub(in crate::ledger) fn mark(row: &impl Cells, seals: &Seals) -> Result<BillMark, Fault> {
    let (terms, _) = checked(row, seals, true)?;
    let is_there = |column: usize| -> Result<bool, Fault> { Ok(row.cell(FIRST + column)? != ValueRef::Null) };
    let has_code = is_there(13)?;
    Ok(BillMark {
        status: status_of(row)?,
        terms,
        reusable: integer(row, FIRST + 5)? != 0,
        expires_at: at(row, FIRST + 14)?.filter(|_| has_code),
        paid: paid_at_column(row, FIRST + KEPT_FROM + 2)?,
        is_plain: !is_there(18)? && !is_there(20)? && !is_there(21)?,
        salt: salt_of(row)?,
    })
}

/// Of a bill's terms, what its result rows tell.
#[derive(Deserialize)]
struct Told {
    channel: Channel,
}

/// A bill and its code. Of its terms only what is told is parsed.
pub(in crate::ledger) fn held(row: &impl Cells, invoice_number: &InvoiceNumber, seals: &Seals) -> Result<BillWithCode, Fault> {
    const AMOUNT: usize = FIRST + 4;
    checked(row, seals, true)?;
    let Told { channel } = parsed(row, 1)?.ok_or_else(|| damaged(row, 1, &"it is missing"))?;
    let amount = u64::try_from(integer(row, AMOUNT)?).map_err(|error| damaged(row, AMOUNT, &error))?;
    let amount = Amount::new(amount).map_err(|error| damaged(row, AMOUNT, &error))?;
    Ok(BillWithCode {
        invoice_number: invoice_number.clone(),
        status: status_of(row)?,
        channel,
        amount,
        code: code_of(row, invoice_number)?,
    })
}
