//! A message as a row of the store, and back. The columns are a format others read: docs/formats-evidence.md.

use std::collections::HashMap;
use std::io;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::entry::FORMAT;
use crate::columns::parquet::Groups;
use crate::columns::stored::Stored;
use crate::columns::{Cells as _, Column, Value};
use crate::doku::claim::Claim;
use crate::doku::signature::SigningKey;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, Unverifiable};
use crate::domain::detail::Field;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::line::{Detail, Line, Lines, Marks};
use crate::evidence::fact::{Beside, Fact, Verdict, instant};
use crate::evidence::inspect::name;
use crate::evidence::parsed::Parsed;
use crate::evidence::read_options::ReadOptions;

/// A message of a log, with all that is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) log: &'a str,
    /// Its number in the log, from 1.
    pub(super) message: u64,
    pub(super) line: &'a Line,
    pub(super) beside: &'a Beside,
    pub(super) lines: &'a Lines,
    /// The fingerprints of the keys that were tried.
    pub(super) keys: &'a [String],
    pub(super) claim: Option<&'a Claim>,
}

/// What a line that tells of an attempt to pay may be kept as.
const CLASSES: [Class; 8] = [Class::N00, Class::N09, Class::N01, Class::N02, Class::N03, Class::N04, Class::N12, Class::N13];
const ACQUIRER_DIFFERS: &str = "acquirer_differs";
const NO_TRANSACTION: &str = "no_transaction";

fn columns<'a>() -> [Column<'static, Row<'a>>; 28] {
    [
        Column::text("log", |row: &Row<'a>| row.log.into()),
        Column::count("message", |row: &Row<'a>| row.message.into()),
        Column::count("line", |row: &Row<'a>| u64::from(row.line.number).into()),
        Column::count("byte", |row: &Row<'a>| row.line.byte.into()),
        Column::digest("digest", |row: &Row<'a>| Value::digest(&row.line.digest)),
        Column::text("verdict", |row: &Row<'a>| row.verdict().into()),
        Column::text("reason", |row: &Row<'a>| or_empty(row.reason().map(text_of))),
        Column::text("key", |row: &Row<'a>| or_empty(row.key())),
        Column::text("class", |row: &Row<'a>| row.line.class.info().code.id.into()),
        Column::text("field", |row: &Row<'a>| or_empty(row.field().map(Field::path))),
        Column::instant("received_at", |row: &Row<'a>| time(row.beside.arrived_at_us)),
        Column::instant("stamped_at", |row: &Row<'a>| time(row.beside.stamped_at_us)),
        Column::text("channel", |row: &Row<'a>| or_empty(row.told().map(|line| line.channel.name()))),
        Column::text("invoice_number", |row: &Row<'a>| or_empty(row.told().map(|line| row.lines.texts(line).0))),
        Column::text("payment_code", |row: &Row<'a>| or_empty(row.told().map(|line| row.lines.texts(line).1))),
        Column::rupiah("amount", |row: &Row<'a>| row.told().filter(|line| line.amount > 0).map_or(Value::Empty, |line| line.amount.into())),
        Column::count("amount_key", |row: &Row<'a>| u64::from(row.line.content_key).into()),
        Column::instant("paid_at", |row: &Row<'a>| row.told().map_or(Value::Empty, |line| time(line.paid_at_us))),
        Column::text("agent_id", |row: &Row<'a>| or_empty(row.store().map(|store| store.0))),
        Column::text("store_id", |row: &Row<'a>| or_empty(row.store().map(|store| store.1))),
        Column::list("remarks", |row: &Row<'a>| row.remarks()),
        Column::digest("identity", |row: &Row<'a>| row.told().map_or(Value::Empty, |line| Value::digest(&line.identity))),
        Column::digest("canonical", |row: &Row<'a>| row.canonical()),
        Column::count("request_key", |row: &Row<'a>| row.line.request_key.cast_signed().into()),
        Column::count("body_key", |row: &Row<'a>| u64::from(row.line.body_key).into()),
        Column::text("claim_code", |row: &Row<'a>| {
            or_empty(row.claim.and_then(|claim| claim.payment_code.as_ref()).map(PaymentCode::as_str))
        }),
        Column::text("claim_number", |row: &Row<'a>| {
            or_empty(row.claim.and_then(|claim| claim.invoice_number.as_ref()).map(InvoiceNumber::as_str))
        }),
        Column::text("claim_reason", |row: &Row<'a>| or_empty(row.claim.map(|claim| claim.reason.as_str()))),
    ]
}

fn or_empty<'v>(text: Option<impl Into<Value<'v>>>) -> Value<'v> {
    text.map_or(Value::Empty, Into::into)
}

fn time(us: i64) -> Value<'static> {
    instant(us).map_or(Value::Empty, Value::Instant)
}

/// A reason by its name in files.
fn text_of(detail: Detail) -> String {
    match serde_json::to_value(detail) {
        Ok(Json::String(text)) => text,
        _ => String::new(),
    }
}

impl Row<'_> {
    /// The line, if it tells of an attempt to pay.
    fn told(&self) -> Option<&Line> {
        Some(self.line).filter(|line| line.is_message())
    }

    const fn verdict(&self) -> &'static str {
        match self.beside.verdict {
            Verdict::Unread => "unread",
            Verdict::Foreign => "foreign",
            Verdict::Forged(_) => "forged",
            Verdict::Signed(_) => "verified",
            Verdict::Withdrawn(_) => "withdrawn",
            Verdict::Unverifiable(_) => "unverifiable",
        }
    }

    fn reason(&self) -> Option<Detail> {
        match self.beside.verdict {
            Verdict::Forged(why) | Verdict::Unverifiable(why) => Some(why),
            Verdict::Unread | Verdict::Foreign => self.line.detail,
            Verdict::Signed(_) | Verdict::Withdrawn(_) => None,
        }
    }

    fn field(&self) -> Option<Field> {
        if let Some(Detail::Field(field)) = self.line.detail { Some(field) } else { None }
    }

    fn key(&self) -> Option<&str> {
        let (Verdict::Signed(place) | Verdict::Withdrawn(place)) = self.beside.verdict else { return None };
        self.keys.get(usize::from(place)).map(String::as_str)
    }

    fn store(&self) -> Option<(&str, &str)> {
        (self.line.store > 0).then(|| self.lines.stores().name(self.line.store))
    }

    fn remarks(&self) -> Value<'static> {
        let remarks = [(Marks::ACQUIRER_DIFFERS, ACQUIRER_DIFFERS), (Marks::NO_TRANSACTION, NO_TRANSACTION)];
        let mut words = remarks.into_iter().filter(|(mark, _)| self.line.marks.has(*mark)).map(|(_, word)| word).peekable();
        if words.peek().is_none() { Value::Empty } else { Value::list(words) }
    }

    fn canonical(&self) -> Value<'static> {
        let is_other = self.line.marks.has(Marks::EVENED);
        if is_other { Value::Digest(self.lines.canonical(self.line).to_vec().into()) } else { Value::Empty }
    }
}

/// The rows as the bytes of a file.
///
/// # Errors
/// That a value has no place in the format.
pub(super) fn encoded<'a>(rows: impl Iterator<Item = Row<'a>>) -> io::Result<Vec<u8>> {
    let (mut bytes, columns) = (Vec::new(), columns());
    let notes = vec![("tagih.evidence.format".to_owned(), FORMAT.to_string())];
    let mut groups = Groups::lasting(&mut bytes, &columns, notes)?;
    for row in rows {
        groups.row(&columns, &row)?;
    }
    groups.finish()?;
    Ok(bytes)
}

/// Keys by their fingerprints.
pub(super) type Keys<'a> = [(String, &'a SigningKey)];

/// What rows are read back with.
pub(super) struct Reader<'a> {
    pub(super) options: &'a ReadOptions<'a>,
    pub(super) keys: &'a Keys<'a>,
    /// The place of the log among the files.
    pub(super) file: u32,
    /// Messages from this one on are another part's.
    pub(super) until_message: u64,
}

/// The cells of a file, column by column.
struct Cells<'s> {
    message: Vec<Option<i64>>,
    line: Vec<Option<i64>>,
    byte: Vec<Option<i64>>,
    amount: Vec<Option<i64>>,
    amount_key: Vec<Option<i64>>,
    request_key: Vec<Option<i64>>,
    body_key: Vec<Option<i64>>,
    received_at: Vec<Option<i64>>,
    stamped_at: Vec<Option<i64>>,
    paid_at: Vec<Option<i64>>,
    verdict: Vec<Option<&'s str>>,
    reason: Vec<Option<&'s str>>,
    key: Vec<Option<&'s str>>,
    class: Vec<Option<&'s str>>,
    field: Vec<Option<&'s str>>,
    channel: Vec<Option<&'s str>>,
    invoice_number: Vec<Option<&'s str>>,
    payment_code: Vec<Option<&'s str>>,
    agent_id: Vec<Option<&'s str>>,
    store_id: Vec<Option<&'s str>>,
    remarks: Vec<Option<&'s str>>,
    claims: [Vec<Option<&'s str>>; 3],
    digest: Vec<Option<&'s [u8]>>,
    identity: Vec<Option<&'s [u8]>>,
    canonical: Vec<Option<&'s [u8]>>,
}

impl<'s> Cells<'s> {
    fn of(stored: &'s Stored) -> io::Result<Self> {
        let (numbers, texts, digests) = (|name| stored.numbers(name), |name| stored.texts(name), |name| stored.digests(name));
        Ok(Self {
            message: numbers("message")?,
            line: numbers("line")?,
            byte: numbers("byte")?,
            amount: numbers("amount")?,
            amount_key: numbers("amount_key")?,
            request_key: numbers("request_key")?,
            body_key: numbers("body_key")?,
            received_at: numbers("received_at_us")?,
            stamped_at: numbers("stamped_at_us")?,
            paid_at: numbers("paid_at_us")?,
            verdict: texts("verdict")?,
            reason: texts("reason")?,
            key: texts("key")?,
            class: texts("class")?,
            field: texts("field")?,
            channel: texts("channel")?,
            invoice_number: texts("invoice_number")?,
            payment_code: texts("payment_code")?,
            agent_id: texts("agent_id")?,
            store_id: texts("store_id")?,
            remarks: texts("remarks")?,
            claims: [texts("claim_code")?, texts("claim_number")?, texts("claim_reason")?],
            digest: digests("digest")?,
            identity: digests("identity")?,
            canonical: digests("canonical")?,
        })
    }
}

/// Cell `row` of a column, empty where the column ends.
fn at<T: Copy>(column: &[Option<T>], row: usize) -> Option<T> {
    column.get(row).copied().flatten()
}

fn digest_at(column: &[Option<&[u8]>], row: usize) -> Option<Digest> {
    at(column, row)?.try_into().ok()
}

fn number<T: TryFrom<i64> + Default>(column: &[Option<i64>], row: usize) -> io::Result<T> {
    at(column, row).map_or_else(|| Ok(T::default()), |number| T::try_from(number).map_err(|_| wrong("a number")))
}

fn wrong(what: &str) -> io::Error {
    io::Error::other(format!("holds {what} that this version does not know"))
}

impl Reader<'_> {
    /// What the rows of a file say, for the present settings, keys and bills.
    ///
    /// # Errors
    /// That they are no such rows.
    pub(super) fn parsed(&self, stored: &Stored) -> io::Result<Parsed> {
        let cells = Cells::of(stored)?;
        let (mut parsed, mut names) = (Parsed::default(), Names::default());
        parsed.lines.reserve(stored.height());
        for row in 0..stored.height() {
            if number::<u64>(&cells.message, row)? < self.until_message {
                self.row(&cells, row, &mut names, &mut parsed)?;
            }
        }
        Ok(parsed)
    }

    fn row(&self, cells: &Cells<'_>, row: usize, names: &mut Names, parsed: &mut Parsed) -> io::Result<()> {
        let digest = digest_at(&cells.digest, row).ok_or_else(|| wrong("a digest"))?;
        let class = at(&cells.class, row).and_then(|id| CLASSES.into_iter().find(|class| class.info().code.id == id));
        let mut line = Line::of_class(class.ok_or_else(|| wrong("a class"))?, digest);
        let arrived_at_us = at(&cells.received_at, row).unwrap_or(Line::UNKNOWN_TIME);
        let reason = at(&cells.reason, row).map(|text| names.reason(text)).transpose()?;
        let field = at(&cells.field, row).map(|text| names.field(text)).transpose()?;
        let stamped_at_us = at(&cells.stamped_at, row).unwrap_or(Line::UNKNOWN_TIME);
        let paid_at_us = at(&cells.paid_at, row).unwrap_or(Line::UNKNOWN_TIME);
        let mut beside = Beside { verdict: Verdict::Unread, stamped_at_us, arrived_at_us };
        let came_at = beside.came_at(paid_at_us, self.options.policy);
        let verdict = self.verdict(cells, row, reason, came_at)?;
        beside.verdict = verdict;
        line.detail = field.map(Detail::Field).or(if matches!(verdict, Verdict::Unverifiable(_)) { None } else { reason });
        line.file = self.file;
        (line.number, line.byte) = (number(&cells.line, row)?, number(&cells.byte, row)?);
        line.request_key = number::<i64>(&cells.request_key, row)?.cast_unsigned();
        line.body_key = number(&cells.body_key, row)?;
        let counts = match verdict {
            Verdict::Signed(_) => true,
            Verdict::Unverifiable(_) => self.options.policy.unverifiable == Unverifiable::TrustLog,
            _ => false,
        };
        if let Some(identity) = digest_at(&cells.identity, row).filter(|_| counts) {
            line.identity = identity;
            line.received_at_us = arrived_at_us;
            self.told(cells, row, &mut line, parsed)?;
        }
        if matches!(verdict, Verdict::Signed(_)) {
            parsed.signers.add(at(&cells.key, row).unwrap_or_default(), came_at);
            let [code, invoice_number, reason] = cells.claims.each_ref().map(|column| at(column, row));
            parsed.kept.claims.extend(reason.map(|reason| (digest, claim(code, invoice_number, reason))));
        }
        parsed.conclude(Fact { line, beside }.concluded(self.options.policy));
        Ok(())
    }

    /// What a line says that tells of an attempt to pay.
    fn told(&self, cells: &Cells<'_>, row: usize, line: &mut Line, parsed: &mut Parsed) -> io::Result<()> {
        line.channel = at(&cells.channel, row).and_then(Channel::parse).ok_or_else(|| wrong("a channel"))?;
        line.paid_at_us = at(&cells.paid_at, row).ok_or_else(|| wrong("a time"))?;
        (line.amount, line.content_key) = (number(&cells.amount, row)?, number(&cells.amount_key, row)?);
        let text = |column: &[Option<_>]| at(column, row).unwrap_or_default();
        if line.class == Class::N00 {
            line.store = parsed.kept.stores.number(text(&cells.agent_id), text(&cells.store_id));
        }
        let remarks = text(&cells.remarks);
        line.marks = line.marks.and(Marks::ACQUIRER_DIFFERS, remarks.contains(ACQUIRER_DIFFERS));
        line.marks = line.marks.and(Marks::NO_TRANSACTION, remarks.contains(NO_TRANSACTION));
        let ids = (text(&cells.invoice_number), text(&cells.payment_code));
        name(line, ids, digest_at(&cells.canonical, row), self.options.pairs, &mut parsed.kept.texts);
        Ok(())
    }

    /// Whose word it is: as it was found once, but for a key whose end is known now, or that was revoked.
    fn verdict(&self, cells: &Cells<'_>, row: usize, reason: Option<Detail>, came_at: Option<Timestamp>) -> io::Result<Verdict> {
        let why = || reason.ok_or_else(|| wrong("a refusal without a reason"));
        let signed = |as_found| {
            let Some(fingerprint) = at(&cells.key, row) else { return as_found };
            match self.keys.iter().find(|(known, _)| known == fingerprint).map(|(_, key)| key.is_believed(came_at)) {
                Some(true) => Verdict::Signed(0),
                None if self.options.keys.revoked().believes(fingerprint, came_at) => as_found,
                Some(false) | None => Verdict::Withdrawn(0),
            }
        };
        Ok(match at(&cells.verdict, row) {
            Some("verified") => signed(Verdict::Signed(0)),
            Some("withdrawn") => signed(Verdict::Withdrawn(0)),
            Some("unread") => Verdict::Unread,
            Some("foreign") => Verdict::Foreign,
            Some("forged") => Verdict::Forged(why()?),
            Some("unverifiable") => Verdict::Unverifiable(why()?),
            _ => return Err(wrong("a verdict")),
        })
    }
}

fn claim(code: Option<&str>, invoice_number: Option<&str>, reason: &str) -> Claim {
    Claim {
        payment_code: code.and_then(|code| PaymentCode::new(code).ok()),
        invoice_number: invoice_number.and_then(|number| InvoiceNumber::new(number).ok()),
        reason: reason.to_owned(),
    }
}

/// Reasons and fields by their names, each looked up once.
#[derive(Default)]
struct Names {
    reasons: HashMap<String, Detail>,
    fields: HashMap<String, Field>,
}

impl Names {
    fn reason(&mut self, text: &str) -> io::Result<Detail> {
        named(&mut self.reasons, text)
    }

    fn field(&mut self, text: &str) -> io::Result<Field> {
        named(&mut self.fields, text)
    }
}

fn named<T: Copy + serde::de::DeserializeOwned>(known: &mut HashMap<String, T>, text: &str) -> io::Result<T> {
    if let Some(found) = known.get(text) {
        return Ok(*found);
    }
    let found: T = serde_json::from_value(Json::String(text.to_owned())).map_err(|_| wrong("a reason"))?;
    known.insert(text.to_owned(), found);
    Ok(found)
}
