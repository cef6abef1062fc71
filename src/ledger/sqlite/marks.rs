//! What is asked of most bills of a file: their rows, checked like any other, and of their terms as little as can be.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Deserialize;

use super::fault::Fault;
use super::rows::{BY_NUMBER, FIRST, KEPT_FROM, at, checked, code_of, damaged, paid_at_column, parsed, required};
use crate::domain::amount::Amount;
use crate::domain::bill::Salt;
use crate::domain::channel::Channel;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::Status;
use crate::domain::mark::{Held, Mark, TermsDigest};

/// One bill's row, if the ledger has it, and what stands for its terms.
fn asked<T>(
    connection: &Connection,
    invoice_number: &InvoiceNumber,
    read: impl FnOnce(&Row<'_>, TermsDigest) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(&BY_NUMBER)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (terms, _) = checked(row, true)?;
    read(row, terms).map(Some)
}

fn status(row: &Row<'_>) -> Result<Status, Fault> {
    Status::parse(required(row, FIRST + 1)?).ok_or_else(|| damaged(row, FIRST + 1, &"it is no status"))
}

/// One bill's mark, if the ledger has it. Its terms are not parsed.
pub(super) fn mark(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Mark>, Fault> {
    asked(connection, invoice_number, |row, terms| {
        let is_there = |column: usize| -> Result<bool, Fault> { Ok(row.get_ref(FIRST + column)? != ValueRef::Null) };
        let has_code = is_there(13)?;
        Ok(Mark {
            status: status(row)?,
            terms,
            reusable: row.get(FIRST + 5)?,
            expires_at: at(row, FIRST + 14)?.filter(|_| has_code),
            paid: paid_at_column(row, FIRST + KEPT_FROM + 2)?,
            is_plain: !is_there(18)? && !is_there(20)? && !is_there(21)?,
            salt: row.get::<_, Option<[u8; 16]>>(FIRST + KEPT_FROM + 4)?.map(Salt::new),
        })
    })
}

/// Of a bill's terms, what its result rows tell.
#[derive(Deserialize)]
struct Told {
    channel: Channel,
}

/// One bill and its code, if the ledger has it. Of its terms only what is told is parsed.
pub(super) fn held(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Held>, Fault> {
    const AMOUNT: usize = FIRST + 4;
    asked(connection, invoice_number, |row, _| {
        let Told { channel } = parsed(row, 1)?.ok_or_else(|| damaged(row, 1, &"it is missing"))?;
        let amount = u64::try_from(row.get::<_, i64>(AMOUNT)?).map_err(|error| damaged(row, AMOUNT, &error))?;
        let amount = Amount::new(amount).map_err(|error| damaged(row, AMOUNT, &error))?;
        Ok(Held { invoice_number: invoice_number.clone(), status: status(row)?, channel, amount, code: code_of(row, invoice_number)? })
    })
}
