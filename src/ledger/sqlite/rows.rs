//! A bill's state as a row of `bills`, and back.

use std::sync::LazyLock;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::read;
use crate::domain::check;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Code, CodeAnswer, Remark, Status, Superseded};
use crate::domain::owner::Paid;
use crate::ledger::rules::{live_payment_code, microseconds, truncated};

/// A row: the state, and what the store keeps beside it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) state: BillState,
    pub(super) kept: Kept,
}

/// What of a row does not follow from the bill's own events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its text in `terms`.
    pub(super) terms: i64,
    /// When it was first paid, as far as payments pair with it; microseconds.
    pub(super) first_paid_at: Option<i64>,
    /// By which of its codes notifications say it is paid.
    pub(super) paid: Option<Paid>,
}

/// The columns of `bills` in the order of [`columns_of`]; those from [`KEPT_FROM`] on are [`Kept`]'s.
pub(super) const COLUMNS: [&str; 27] = [
    "invoice_number",
    "status",
    "generation",
    "retired_count",
    "amount",
    "reusable",
    "planned_at",
    "cancelled_at",
    "in_doubt_since",
    "code",
    "code_is_live",
    "held_code",
    "wire_number",
    "accepted_at",
    "expires_at",
    "ends_at",
    "may_tell",
    "code_details",
    "open",
    "refusal",
    "checks",
    "hold",
    "former",
    "terms",
    "first_paid_at",
    "paid",
    "last_event",
];

/// Where what follows from the state ends.
const KEPT_FROM: usize = 23;

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("bills.{column}")).collect();
    format!("SELECT bills.id, terms.text, {} FROM bills JOIN terms ON terms.id = bills.terms", columns.join(", "))
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=COLUMNS.len()).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO bills ({}) VALUES ({})", COLUMNS.join(", "), places.join(", "))
});

static BY_NUMBER: LazyLock<String> = LazyLock::new(|| select("WHERE bills.invoice_number = ?1"));

/// What a query of rows is: `clause` is what follows the tables.
pub(super) fn select(clause: &str) -> String {
    format!("{} {clause}", *SELECT)
}

/// What of a code has no column of its own; most codes have nothing of it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct CodeDetails {
    /// Where its column, in microseconds, cannot say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<jiff::Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<jiff::Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    how_to_pay_page: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    how_to_pay_api: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_as: Option<RequestId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    superseded: Vec<Superseded>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remark: Option<Remark>,
}

/// The code a bill is found by first: the live one, the one it holds or held last, or the one it is promised.
fn principal_code(state: &BillState) -> Option<&PaymentCode> {
    let held = state.code.as_ref().map(|code| &code.answer.payment_code);
    live_payment_code(state).or(held).or(state.terms.payment_code.as_ref())
}

/// All its codes that its row is not found by.
pub(super) fn other_codes(state: &BillState) -> Vec<&PaymentCode> {
    let principal = principal_code(state);
    let mut codes: Vec<&PaymentCode> = state.payment_codes().filter(|code| Some(*code) != principal).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The columns of a row, in the order of [`COLUMNS`].
pub(super) fn columns_of(state: &BillState, kept: &Kept) -> Result<[Value; 27], Fault> {
    let code = state.code.as_ref();
    let (held, principal) = (code.map(|code| &code.answer.payment_code), principal_code(state));
    let wire = code.map(|code| &code.wire_invoice_number).filter(|number| **number != state.invoice_number);
    let is_finer = |at: &jiff::Timestamp| truncated(*at) != *at;
    let details = code.map(|code| CodeDetails {
        expires_at: code.answer.expires_at.filter(is_finer),
        created_at: code.answer.created_at,
        how_to_pay_page: code.answer.how_to_pay_page.clone(),
        how_to_pay_api: code.answer.how_to_pay_api.clone(),
        issued_as: code.issued_as,
        superseded: code.superseded.clone(),
        remark: code.remark.clone(),
    });
    let amount = i64::try_from(state.terms.amount.get()).map_err(|_| Fault::Failed("an amount is too large".into()))?;
    Ok([
        text(state.invoice_number.as_str()),
        text(state.status.name()),
        Value::Integer(state.generation.into()),
        Value::Integer(state.retired_count.into()),
        Value::Integer(amount),
        Value::Integer(state.terms.reusable.into()),
        instant(Some(state.planned_at)),
        instant(state.cancelled_at),
        instant(state.in_doubt_since),
        principal.map_or(Value::Null, |code| text(code.as_str())),
        Value::Integer(live_payment_code(state).is_some().into()),
        held.filter(|held| Some(*held) != principal).map_or(Value::Null, |held| text(held.as_str())),
        wire.map_or(Value::Null, |wire| text(wire.as_str())),
        instant(code.map(|code| code.accepted_at)),
        instant(code.and_then(|code| code.answer.expires_at)),
        instant(check::ends_at(state)),
        Value::Integer(check::may_tell(state).into()),
        json(details.as_ref().filter(|details| **details != CodeDetails::default()))?,
        json(state.open.as_deref())?,
        json(state.refusal.as_deref())?,
        json(state.checks.as_deref())?,
        json(state.hold.as_deref())?,
        json(Some(&state.former).filter(|former| !former.is_empty()))?,
        Value::Integer(kept.terms),
        kept.first_paid_at.map_or(Value::Null, Value::Integer),
        kept.paid.map_or(Value::Null, |paid| text(paid_name(paid))),
        Value::Integer(read::signed(state.last_event)?),
    ])
}

const fn paid_name(paid: Paid) -> &'static str {
    match paid {
        Paid::ByItsCode => "by_its_code",
        Paid::ByEarlierCode => "by_earlier_code",
    }
}

fn instant(at: Option<jiff::Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::Integer(microseconds(at)))
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn json(value: Option<&impl Serialize>) -> Result<Value, Fault> {
    let Some(value) = value else { return Ok(Value::Null) };
    serde_json::to_string(value).map(Value::Text).map_err(|error| Fault::Failed(error.to_string()))
}

/// Where the columns of `bills` begin in what [`select`] selects.
const FIRST: usize = 2;

/// Reads what [`select`] selects.
pub(super) fn row_of(row: &rusqlite::Row<'_>) -> Result<Row, Fault> {
    let invoice_number = InvoiceNumber::new(required(row, FIRST)?).map_err(|error| damaged(row, FIRST, &error))?;
    let status = Status::parse(required(row, FIRST + 1)?).ok_or_else(|| damaged(row, FIRST + 1, &"it is no status"))?;
    let columns = CodeColumns {
        code: FIRST + 9,
        held_code: FIRST + 11,
        wire_number: FIRST + 12,
        accepted_at: FIRST + 13,
        expires_at: FIRST + 14,
        details: FIRST + 17,
    };
    let code = code_of(row, &columns, &invoice_number)?;
    let state = BillState {
        status,
        generation: row.get(FIRST + 2)?,
        retired_count: row.get(FIRST + 3)?,
        terms: parsed(row, 1)?.ok_or_else(|| damaged(row, 1, &"it is missing"))?,
        code,
        planned_at: at(row, FIRST + 6)?.ok_or_else(|| damaged(row, FIRST + 6, &"it is missing"))?,
        cancelled_at: at(row, FIRST + 7)?,
        in_doubt_since: at(row, FIRST + 8)?,
        open: parsed(row, FIRST + 18)?.map(Box::new),
        refusal: parsed(row, FIRST + 19)?.map(Box::new),
        checks: parsed(row, FIRST + 20)?.map(Box::new),
        hold: parsed(row, FIRST + 21)?.map(Box::new),
        former: parsed(row, FIRST + 22)?.unwrap_or_default(),
        last_event: read::unsigned(row.get(FIRST + KEPT_FROM + 3)?)?,
        invoice_number,
    };
    let kept = Kept {
        terms: row.get(FIRST + KEPT_FROM)?,
        first_paid_at: row.get(FIRST + KEPT_FROM + 1)?,
        paid: paid_at_column(row, FIRST + KEPT_FROM + 2)?,
    };
    Ok(Row { id: row.get(0)?, state, kept })
}

/// Where the columns are that make a code.
pub(super) struct CodeColumns {
    pub(super) code: usize,
    pub(super) held_code: usize,
    pub(super) wire_number: usize,
    pub(super) accepted_at: usize,
    pub(super) expires_at: usize,
    pub(super) details: usize,
}

/// The code that a bill holds or held last.
pub(super) fn code_of(row: &rusqlite::Row<'_>, columns: &CodeColumns, invoice_number: &InvoiceNumber) -> Result<Option<Code>, Fault> {
    let Some(accepted_at) = at(row, columns.accepted_at)? else { return Ok(None) };
    let code_at = |column| -> Result<Option<PaymentCode>, Fault> {
        optional(row, column)?.map(PaymentCode::new).transpose().map_err(|error| damaged(row, column, &error))
    };
    let held = code_at(columns.held_code)?.map_or_else(|| code_at(columns.code), |held| Ok(Some(held)))?;
    let payment_code = held.ok_or_else(|| damaged(row, columns.code, &"it is missing"))?;
    let wire = optional(row, columns.wire_number)?.map(InvoiceNumber::new).transpose();
    let wire = wire.map_err(|error| damaged(row, columns.wire_number, &error))?;
    let CodeDetails { expires_at, created_at, how_to_pay_page, how_to_pay_api, issued_as, superseded, remark } =
        parsed(row, columns.details)?.unwrap_or_default();
    let expires_at = expires_at.map_or_else(|| at(row, columns.expires_at), |exact| Ok(Some(exact)))?;
    let answer = CodeAnswer { payment_code, created_at, expires_at, how_to_pay_page, how_to_pay_api };
    let wire_invoice_number = wire.unwrap_or_else(|| invoice_number.clone());
    Ok(Some(Code { answer, wire_invoice_number, issued_as, accepted_at, superseded, remark }))
}

/// Whether and how a bill is paid, from its column.
pub(super) fn paid_at_column(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<Paid>, Fault> {
    match optional(row, column)? {
        None => Ok(None),
        Some("by_its_code") => Ok(Some(Paid::ByItsCode)),
        Some("by_earlier_code") => Ok(Some(Paid::ByEarlierCode)),
        Some(other) => Err(damaged(row, column, &format!("`{other}` says nothing of payments"))),
    }
}

pub(super) fn required<'row>(row: &'row rusqlite::Row<'_>, column: usize) -> Result<&'row str, Fault> {
    optional(row, column)?.ok_or_else(|| damaged(row, column, &"it is missing"))
}

fn optional<'row>(row: &'row rusqlite::Row<'_>, column: usize) -> Result<Option<&'row str>, Fault> {
    row.get_ref(column)?.as_str_or_null().map_err(|error| damaged(row, column, &error))
}

pub(super) fn parsed<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<T>, Fault> {
    let Some(text) = optional(row, column)? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| damaged(row, column, &error))
}

/// The instant in a column of microseconds.
pub(super) fn at(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<jiff::Timestamp>, Fault> {
    let Some(microseconds) = row.get::<_, Option<i64>>(column)? else { return Ok(None) };
    jiff::Timestamp::from_microsecond(microseconds).map(Some).map_err(|error| damaged(row, column, &error))
}

/// An unreadable cell, named by its column and the row's first number or text.
pub(super) fn damaged(row: &rusqlite::Row<'_>, column: usize, why: &dyn std::fmt::Display) -> Fault {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let name = statement.column_name(column).unwrap_or("?");
    let key = match row.get_ref(0) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => "?".into(),
    };
    Fault::Damaged(format!("`{name}` of row `{key}` cannot be read: {why}"))
}

/// One bill's row, if the ledger has it.
pub(super) fn load(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Row>, Fault> {
    one(connection, &BY_NUMBER, [invoice_number.as_str()])
}

/// One bill's row by its id.
pub(super) fn load_by_id(connection: &Connection, id: i64) -> Result<Option<Row>, Fault> {
    static SQL: LazyLock<String> = LazyLock::new(|| select("WHERE bills.id = ?1"));
    one(connection, &SQL, [id])
}

fn one(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<Row>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(row_of).transpose()
}

/// Visits rows; `clause` is what follows the tables. Stops when `visit` says so.
pub(super) fn visit(
    connection: &Connection,
    clause: &str,
    parameters: impl rusqlite::Params,
    mut visit: impl FnMut(Row) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(&select(clause))?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        if !visit(row_of(row)?)? {
            break;
        }
    }
    Ok(())
}

/// The id of a bill.
pub(super) fn id_of(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM bills WHERE invoice_number = ?1")?;
    Ok(statement.query_row([invoice_number.as_str()], |row| row.get(0)).optional()?)
}

/// Writes the row of a bill that is new; gives its id. That its code is live for no other bill was looked at before
/// ([`code_taken`]); the index only sees to it.
pub(super) fn insert(connection: &Connection, state: &BillState, kept: &Kept) -> Result<i64, Fault> {
    connection.prepare_cached(&INSERT)?.execute(rusqlite::params_from_iter(columns_of(state, kept)?))?;
    Ok(connection.last_insert_rowid())
}

/// Writes what has changed of a row, so that no index is touched for nothing.
pub(super) fn update(connection: &Connection, before: &Row, state: &BillState, kept: &Kept) -> Result<(), Fault> {
    let (old, new) = (columns_of(&before.state, &before.kept)?, columns_of(state, kept)?);
    let changed: Vec<(&str, Value)> =
        COLUMNS.iter().zip(old).zip(new).filter(|((_, old), new)| old != new).map(|((column, _), new)| (*column, new)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let assignments: Vec<String> = changed.iter().zip(2..).map(|((column, _), number)| format!("{column} = ?{number}")).collect();
    let sql = format!("UPDATE bills SET {} WHERE id = ?1", assignments.join(", "));
    let values = std::iter::once(Value::Integer(before.id)).chain(changed.into_iter().map(|(_, value)| value));
    connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// The refusal of a code that is live for another bill, if the one of this bill is.
pub(super) fn code_taken(connection: &Connection, state: &BillState) -> Result<Option<Fault>, Fault> {
    let Some(code) = live_payment_code(state) else { return Ok(None) };
    let sql = "SELECT invoice_number FROM bills WHERE code = ?1 AND code_is_live AND invoice_number <> ?2";
    let other: Option<String> =
        connection.prepare_cached(sql)?.query_row([code.as_str(), state.invoice_number.as_str()], |row| row.get(0)).optional()?;
    let other = other.and_then(|other| InvoiceNumber::new(other).ok());
    Ok(other.map(|other| Fault::CodeTaken(state.invoice_number.clone(), other)))
}
