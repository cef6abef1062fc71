//! A bill's state as a row of `bills`, and back.

use std::sync::LazyLock;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Status};
use crate::ledger::rules::{live_payment_code, microseconds};

/// The columns of `bills` that follow from the state, in the order of [`columns_of`].
pub(super) const COLUMNS: [&str; 24] = [
    "invoice_number",
    "status",
    "generation",
    "retired_count",
    "terms",
    "code",
    "planned_at",
    "cancelled_at",
    "in_doubt_since",
    "open",
    "refusal",
    "checks",
    "hold",
    "former",
    "may_be_live",
    "channel",
    "method",
    "amount",
    "reusable",
    "payment_code",
    "live_code",
    "wire_invoice_number",
    "expires_at",
    "accepted_at",
];

/// The first columns: those [`state_of`] reads. The others repeat parts of them for SQL to see.
pub(super) static SELECT_STATE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM bills", join(COLUMNS.iter().take(14).copied())));

/// All columns, in order, of every bill.
pub(super) static SELECT_ROW: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM bills", join(COLUMNS)));

static SELECT_ONE: LazyLock<String> = LazyLock::new(|| format!("{} WHERE invoice_number = ?1", *SELECT_STATE));

static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let places = join((1..=COLUMNS.len()).map(|number| format!("?{number}")));
    let updates = join(COLUMNS.iter().skip(1).map(|column| format!("{column} = excluded.{column}")));
    format!("INSERT INTO bills ({}) VALUES ({places}) ON CONFLICT (invoice_number) DO UPDATE SET {updates}", join(COLUMNS))
});

fn join(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    parts.into_iter().enumerate().fold(String::new(), |mut joined, (index, part)| {
        if index > 0 {
            joined.push_str(", ");
        }
        joined.push_str(part.as_ref());
        joined
    })
}

/// The state's columns, in the order of [`COLUMNS`].
pub(super) fn columns_of(state: &BillState) -> Result<[Value; 24], Fault> {
    let terms = &state.terms;
    let code = state.code.as_ref();
    let instant = |at: Option<jiff::Timestamp>| at.map_or(Value::Null, |at| Value::Integer(microseconds(at)));
    let amount = i64::try_from(terms.amount.get()).map_err(|_| Fault::Failed("an amount is too large".into()))?;
    Ok([
        text(state.invoice_number.as_str()),
        text(state.status.name()),
        Value::Integer(state.generation.into()),
        Value::Integer(state.retired_count.into()),
        json(Some(terms))?,
        json(code)?,
        instant(Some(state.planned_at)),
        instant(state.cancelled_at),
        instant(state.in_doubt_since),
        json(state.open.as_ref())?,
        json(state.refusal.as_ref())?,
        json(state.checks.as_deref())?,
        json(state.hold.as_deref())?,
        json(Some(&state.former).filter(|former| !former.is_empty()))?,
        Value::Integer(state.status.may_be_live().into()),
        text(terms.channel.name()),
        text(terms.method.name()),
        Value::Integer(amount),
        Value::Integer(terms.reusable.into()),
        code.map_or(Value::Null, |code| text(code.answer.payment_code.as_str())),
        live_payment_code(state).map_or(Value::Null, |code| text(code.as_str())),
        code.map_or(Value::Null, |code| text(code.wire_invoice_number.as_str())),
        instant(state.expires_at()),
        instant(code.map(|code| code.accepted_at)),
    ])
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn json(value: Option<&impl Serialize>) -> Result<Value, Fault> {
    let Some(value) = value else { return Ok(Value::Null) };
    serde_json::to_string(value).map(Value::Text).map_err(|error| Fault::Failed(error.to_string()))
}

/// Reads what [`SELECT_STATE`] selects.
pub(super) fn state_of(row: &Row<'_>) -> Result<BillState, Fault> {
    let invoice_number = InvoiceNumber::new(required(row, 0)?).map_err(|error| damaged(row, 0, &error))?;
    let status = Status::parse(required(row, 1)?).ok_or_else(|| damaged(row, 1, &"it is no status"))?;
    Ok(BillState {
        invoice_number,
        status,
        generation: row.get(2)?,
        retired_count: row.get(3)?,
        terms: parsed(row, 4)?.ok_or_else(|| damaged(row, 4, &"it is missing"))?,
        code: parsed(row, 5)?,
        planned_at: at(row, 6)?.ok_or_else(|| damaged(row, 6, &"it is missing"))?,
        cancelled_at: at(row, 7)?,
        in_doubt_since: at(row, 8)?,
        open: parsed(row, 9)?,
        refusal: parsed(row, 10)?,
        checks: parsed(row, 11)?.map(Box::new),
        hold: parsed(row, 12)?.map(Box::new),
        former: parsed(row, 13)?.unwrap_or_default(),
    })
}

fn required<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row str, Fault> {
    optional(row, column)?.ok_or_else(|| damaged(row, column, &"it is missing"))
}

fn optional<'row>(row: &'row Row<'_>, column: usize) -> Result<Option<&'row str>, Fault> {
    row.get_ref(column)?.as_str_or_null().map_err(|error| damaged(row, column, &error))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>, Fault> {
    let Some(text) = optional(row, column)? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| damaged(row, column, &error))
}

/// The instant in a column of microseconds.
pub(super) fn at(row: &Row<'_>, column: usize) -> Result<Option<jiff::Timestamp>, Fault> {
    let Some(microseconds) = row.get::<_, Option<i64>>(column)? else { return Ok(None) };
    jiff::Timestamp::from_microsecond(microseconds).map(Some).map_err(|error| damaged(row, column, &error))
}

/// An unreadable cell, named by its column and the row's first text.
fn damaged(row: &Row<'_>, column: usize, why: &dyn std::fmt::Display) -> Fault {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let name = statement.column_name(column).unwrap_or("?");
    let key = match row.get_ref(0) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => "?".into(),
    };
    Fault::Damaged(format!("`{name}` of row `{key}` cannot be read: {why}"))
}

/// One bill's state, if the ledger has it.
pub(super) fn load(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<BillState>, Fault> {
    let mut statement = connection.prepare_cached(&SELECT_ONE)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    rows.next()?.map(state_of).transpose()
}

/// Writes the bill's row; refuses a code that is live for another bill.
pub(super) fn store(connection: &Connection, state: &BillState) -> Result<(), Fault> {
    let columns = columns_of(state)?;
    let mut statement = connection.prepare_cached(&UPSERT)?;
    match statement.execute(rusqlite::params_from_iter(columns)) {
        Ok(_) => Ok(()),
        Err(error) => Err(code_taken(connection, state)?.unwrap_or(Fault::Sql(error))),
    }
}

/// The better error for a violation of `bills_one_a_live_code`.
fn code_taken(connection: &Connection, state: &BillState) -> Result<Option<Fault>, Fault> {
    let Some(code) = live_payment_code(state) else { return Ok(None) };
    let sql = "SELECT invoice_number FROM bills WHERE live_code = ?1 AND invoice_number <> ?2";
    let other: Option<String> =
        connection.prepare_cached(sql)?.query_row([code.as_str(), state.invoice_number.as_str()], |row| row.get(0)).optional()?;
    let other = other.and_then(|other| InvoiceNumber::new(other).ok());
    Ok(other.map(|other| Fault::CodeTaken(state.invoice_number.clone(), other)))
}
