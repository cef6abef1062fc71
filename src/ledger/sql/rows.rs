//! A bill's state as a row of `bills`, and back; the same in every database.
//!
//! Belongs here: the columns, what they say of a state, and the seal that is checked whenever a row is read. Must not be here: asking a
//! database.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::cells::{self, Cells, Value, at, bytes_or_null, damaged, integer, integer_or_null, optional, parsed, required};
use super::fault::Fault;
use super::seal;
use crate::domain::bill::{Customer, Salt};
use crate::domain::check_status;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, CodeAnswer, IssuedCode, Remark, Status, Superseded};
use crate::domain::mark::TermsDigest;
use crate::domain::owner::Paid;
use crate::ledger::rules::{live_payment_code, microseconds, truncated};
use crate::ledger::seals::{Seal, Seals};

/// A row: the state, and what the store keeps beside it.
#[derive(Clone, Debug)]
pub(in crate::ledger) struct Row {
    pub(in crate::ledger) id: i64,
    pub(in crate::ledger) state: BillState,
    pub(in crate::ledger) kept: Kept,
    /// The hash of its last event.
    pub(in crate::ledger) last_hash: Digest,
}

/// What of a row does not follow from the bill's own events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Kept {
    /// Its text in `terms`.
    pub(in crate::ledger) terms: i64,
    /// And what stands for that.
    pub(in crate::ledger) terms_digest: TermsDigest,
    /// When it was first paid, as far as payments pair with it; microseconds.
    pub(in crate::ledger) first_paid_at: Option<i64>,
    /// By which of its codes notifications say it is paid.
    pub(in crate::ledger) paid: Option<Paid>,
    /// The event that purged it.
    pub(in crate::ledger) purged_by: Option<i64>,
}

/// The columns of `bills` in the order of [`columns_of`], all that a seal covers; those from [`KEPT_FROM`] on are the store's.
pub(in crate::ledger) const COLUMNS: [&str; COLUMNS_COUNT] = [
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
    "salt",
    "purged_by",
];
pub(in crate::ledger) const COLUMNS_COUNT: usize = 29;

/// Where what follows from the state ends.
pub(in crate::ledger) const KEPT_FROM: usize = 23;

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("bills.{column}")).collect();
    format!(
        "SELECT bills.id, terms.text, {}, bills.seal, (SELECT hash FROM events WHERE sequence = bills.last_event) \
         FROM bills LEFT JOIN terms ON terms.id = bills.terms",
        columns.join(", ")
    )
});

/// What a query of rows is: `clause` is what follows the tables.
pub(in crate::ledger) fn select(clause: &str) -> String {
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
pub(in crate::ledger) fn other_codes(state: &BillState) -> Vec<&PaymentCode> {
    let principal = principal_code(state);
    let mut codes: Vec<&PaymentCode> = state.payment_codes().filter(|code| Some(*code) != principal).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The columns of a row, in the order of [`COLUMNS`].
pub(in crate::ledger) fn columns_of(state: &BillState, kept: &Kept) -> Result<[Value; COLUMNS_COUNT], Fault> {
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
    let amount = i64::try_from(state.terms.amount.get()).map_err(|_| Fault::absurd())?;
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
        instant(check_status::ends_at(state)),
        Value::Integer(check_status::may_tell(state).into()),
        json(details.as_ref().filter(|details| **details != CodeDetails::default()))?,
        json(state.open.as_deref())?,
        json(state.refusal.as_deref())?,
        json(state.checks.as_deref())?,
        json(state.hold.as_deref())?,
        json(Some(&state.former).filter(|former| !former.is_empty()))?,
        Value::Integer(kept.terms),
        kept.first_paid_at.map_or(Value::Null, Value::Integer),
        paid_column(kept.paid),
        Value::Integer(cells::signed(state.last_event)?),
        state.salt.map_or(Value::Null, |salt| Value::Blob(salt.bytes().to_vec())),
        kept.purged_by.map_or(Value::Null, Value::Integer),
    ])
}

/// How a bill is paid, for its column.
pub(in crate::ledger) fn paid_column(paid: Option<Paid>) -> Value {
    match paid {
        None => Value::Null,
        Some(Paid::ByItsCode) => text("by_its_code"),
        Some(Paid::ByEarlierCode) => text("by_earlier_code"),
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

/// Where the columns begin in what [`select`] selects.
pub(in crate::ledger) const FIRST: usize = 2;

/// The digest of a row's terms and the hash of its last event, if its seal fits; `is_sealed` is whether it must.
pub(in crate::ledger) fn checked(row: &impl Cells, seals: &Seals, is_sealed: bool) -> Result<(TermsDigest, Digest), Fault> {
    let terms = TermsDigest::of_text(required(row, 1)?);
    let Some(last_hash) = bytes_or_null(row, FIRST + COLUMNS_COUNT + 1)? else {
        return Err(damaged(row, FIRST, &"its last event is missing"));
    };
    if is_sealed {
        let fields = (FIRST..FIRST + COLUMNS_COUNT).map(|column| row.cell(column)).collect::<Result<Vec<_>, _>>()?;
        let wanted = seal::of(seals, integer(row, 0)?, terms, &last_hash, fields.into_iter());
        if bytes_or_null::<{ size_of::<Seal>() }>(row, FIRST + COLUMNS_COUNT)? != Some(wanted) {
            let number = optional(row, FIRST)?.unwrap_or("?");
            return Err(Fault::Damaged(format!("the row of invoice `{number}`, or what it refers to, was edited: its seal does not fit")));
        }
    }
    Ok((terms, last_hash))
}

/// Reads what [`select`] selects, if its seal fits.
pub(in crate::ledger) fn row_of(row: &impl Cells, seals: &Seals) -> Result<Row, Fault> {
    checked(row, seals, true).and_then(|seen| unsealed(row, seen))
}

/// The same, whatever its seal.
pub(in crate::ledger) fn unsealed(row: &impl Cells, (terms_digest, last_hash): (TermsDigest, Digest)) -> Result<Row, Fault> {
    let invoice_number = InvoiceNumber::new(required(row, FIRST)?).map_err(|error| damaged(row, FIRST, &error))?;
    let small = |column| u32::try_from(integer(row, column)?).map_err(|error| damaged(row, column, &error));
    let state = BillState {
        status: status_of(row)?,
        generation: small(FIRST + 2)?,
        retired_count: small(FIRST + 3)?,
        terms: parsed(row, 1)?.ok_or_else(|| damaged(row, 1, &"it is missing"))?,
        code: code_of(row, &invoice_number)?,
        planned_at: at(row, FIRST + 6)?.ok_or_else(|| damaged(row, FIRST + 6, &"it is missing"))?,
        cancelled_at: at(row, FIRST + 7)?,
        in_doubt_since: at(row, FIRST + 8)?,
        open: parsed(row, FIRST + 18)?.map(Box::new),
        refusal: parsed(row, FIRST + 19)?.map(Box::new),
        checks: parsed(row, FIRST + 20)?.map(Box::new),
        hold: parsed(row, FIRST + 21)?.map(Box::new),
        former: parsed(row, FIRST + 22)?.unwrap_or_default(),
        last_event: cells::count(row, FIRST + KEPT_FROM + 3)?,
        salt: salt_of(row)?,
        invoice_number,
    };
    let kept = Kept {
        terms: integer(row, FIRST + KEPT_FROM)?,
        terms_digest,
        first_paid_at: integer_or_null(row, FIRST + KEPT_FROM + 1)?,
        paid: paid_at_column(row, FIRST + KEPT_FROM + 2)?,
        purged_by: integer_or_null(row, FIRST + KEPT_FROM + 5)?,
    };
    Ok(Row { id: integer(row, 0)?, state, kept, last_hash })
}

/// The status of what [`select`] selects.
pub(in crate::ledger) fn status_of(row: &impl Cells) -> Result<Status, Fault> {
    Status::parse(required(row, FIRST + 1)?).ok_or_else(|| damaged(row, FIRST + 1, &"it is no status"))
}

/// And the salt.
pub(in crate::ledger) fn salt_of(row: &impl Cells) -> Result<Option<Salt>, Fault> {
    Ok(bytes_or_null(row, FIRST + KEPT_FROM + 4)?.map(Salt::new))
}

/// The code that a bill holds or held last, of what [`select`] selects.
pub(in crate::ledger) fn code_of(row: &impl Cells, invoice_number: &InvoiceNumber) -> Result<Option<IssuedCode>, Fault> {
    const CODE: usize = FIRST + 9;
    const WIRE_NUMBER: usize = FIRST + 12;
    let Some(accepted_at) = at(row, FIRST + 13)? else { return Ok(None) };
    let code_at = |column| -> Result<Option<PaymentCode>, Fault> {
        optional(row, column)?.map(PaymentCode::new).transpose().map_err(|error| damaged(row, column, &error))
    };
    let held = code_at(FIRST + 11)?.map_or_else(|| code_at(CODE), |held| Ok(Some(held)))?;
    let payment_code = held.ok_or_else(|| damaged(row, CODE, &"it is missing"))?;
    let wire = optional(row, WIRE_NUMBER)?.map(InvoiceNumber::new).transpose().map_err(|error| damaged(row, WIRE_NUMBER, &error))?;
    let CodeDetails { expires_at, created_at, how_to_pay_page, how_to_pay_api, issued_as, superseded, remark } =
        parsed(row, FIRST + 17)?.unwrap_or_default();
    let expires_at = expires_at.map_or_else(|| at(row, FIRST + 14), |exact| Ok(Some(exact)))?;
    let answer = CodeAnswer { payment_code, created_at, expires_at, how_to_pay_page, how_to_pay_api };
    let wire_invoice_number = wire.unwrap_or_else(|| invoice_number.clone());
    Ok(Some(IssuedCode { answer, wire_invoice_number, issued_as, accepted_at, superseded, remark }))
}

/// Whether and how a bill is paid, from its column.
pub(in crate::ledger) fn paid_at_column(row: &impl Cells, column: usize) -> Result<Option<Paid>, Fault> {
    match optional(row, column)? {
        None => Ok(None),
        Some("by_its_code") => Ok(Some(Paid::ByItsCode)),
        Some("by_earlier_code") => Ok(Some(Paid::ByEarlierCode)),
        Some(other) => Err(damaged(row, column, &format!("`{other}` says nothing of payments"))),
    }
}

/// The names that follow from a state, sorted: what a bill goes by beside its own number and its code.
pub(in crate::ledger) fn names_of(state: &BillState) -> Vec<Name> {
    let codes = other_codes(state).into_iter().map(|code| ("code", code.to_string()));
    codes.chain(state.other_numbers().into_iter().map(|number| ("number", number.to_string()))).collect()
}

/// Whether the customer that is kept of a bill is the one that was given: `given` is what stands for it beside the last event that has such.
/// Events of before have none; what stands for it then is for `ledger verify` to find.
pub(in crate::ledger) fn check_customer(row: &Row, kept: Option<&Customer>, given: Option<&[u8]>) -> Result<(), Fault> {
    let is_right = match (kept, row.state.salt, given) {
        (None, salt, _) => salt.is_none(),
        (Some(_), None, _) => false,
        (Some(customer), Some(salt), given) => given.is_none_or(|given| salt.digest_of_customer(customer) == given),
    };
    let number = &row.state.invoice_number;
    if is_right { Ok(()) } else { Err(Fault::Damaged(format!("the customer of invoice `{number}` is not the one that was given"))) }
}

/// A kind of name, and the name.
pub(in crate::ledger) type Name = (&'static str, String);
