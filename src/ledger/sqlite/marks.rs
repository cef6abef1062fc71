//! What is asked of most bills of a file: a few columns, and of their terms as little as can be.

use rusqlite::Connection;
use serde::Deserialize;

use super::fault::Fault;
use super::rows::{CodeColumns, at, code_of, damaged, paid_at_column, parsed, required};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::Status;
use crate::domain::mark::{Held, Mark, TermsDigest};

/// One bill's mark, if the ledger has it. Its terms are not parsed.
pub(super) fn mark(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Mark>, Fault> {
    const SQL: &str = "SELECT bills.invoice_number, status, reusable, expires_at, paid, \
                       open IS NULL AND hold IS NULL AND checks IS NULL, accepted_at IS NOT NULL, terms.text \
                       FROM bills JOIN terms ON terms.id = bills.terms WHERE bills.invoice_number = ?1";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let has_code: bool = row.get(6)?;
    Ok(Some(Mark {
        status: Status::parse(required(row, 1)?).ok_or_else(|| damaged(row, 1, &"it is no status"))?,
        terms: TermsDigest::of_text(required(row, 7)?),
        reusable: row.get(2)?,
        expires_at: at(row, 3)?.filter(|_| has_code),
        paid: paid_at_column(row, 4)?,
        is_plain: row.get(5)?,
    }))
}

/// Of a bill's terms, what its result rows tell.
#[derive(Deserialize)]
struct Told {
    channel: Channel,
}

/// One bill and its code, if the ledger has it. Of its terms only what is told is parsed.
pub(super) fn held(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Held>, Fault> {
    const SQL: &str = "SELECT bills.id, terms.text, status, amount, code, held_code, wire_number, accepted_at, expires_at, code_details \
                       FROM bills JOIN terms ON terms.id = bills.terms WHERE bills.invoice_number = ?1";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let Told { channel } = parsed(row, 1)?.ok_or_else(|| damaged(row, 1, &"it is missing"))?;
    let amount = u64::try_from(row.get::<_, i64>(3)?).map_err(|error| damaged(row, 3, &error))?;
    let amount = Amount::new(amount).map_err(|error| damaged(row, 3, &error))?;
    let columns = CodeColumns { code: 4, held_code: 5, wire_number: 6, accepted_at: 7, expires_at: 8, details: 9 };
    let status = Status::parse(required(row, 2)?).ok_or_else(|| damaged(row, 2, &"it is no status"))?;
    let code = code_of(row, &columns, invoice_number)?;
    Ok(Some(Held { invoice_number: invoice_number.clone(), status, channel, amount, code }))
}
