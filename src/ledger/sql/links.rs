//! Events and payments as rows, and the lines of an export; the same in every database.

use std::borrow::Cow;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::cells::{Cells, Value, at, bytes, bytes_or_null, count, integer, integer_or_null, signed};
use super::fault::Fault;
use super::seal;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::Event;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::ledger::LedgerHead;
use crate::ledger::chain::{Covered, KeyRecord, Kind, NumberRecord, Origin, PaymentRecord};
use crate::ledger::rules::microseconds;
use crate::ledger::seals::{Seal, Seals};
use crate::ledger::terms::{digest_of, put_back};

/// A row of `events`, borrowed.
pub(in crate::ledger) struct Link<'row> {
    pub(in crate::ledger) sequence: u64,
    pub(in crate::ledger) at: i64,
    pub(in crate::ledger) kind: &'row str,
    pub(in crate::ledger) invoice_number: &'row str,
    pub(in crate::ledger) json: &'row str,
    pub(in crate::ledger) hash: Digest,
    /// The text its row refers to for its terms.
    pub(in crate::ledger) terms: Option<&'row str>,
    /// The event of the same bill before it.
    pub(in crate::ledger) previous: Option<i64>,
    /// What stands for the customer that was given with it.
    pub(in crate::ledger) beside: Option<&'row [u8]>,
    /// The number of its writer's lease.
    pub(in crate::ledger) fence: Option<i64>,
}

/// Events as [`Link`] reads them; a clause follows.
pub(in crate::ledger) const LINKS: &str = "SELECT sequence, at, kind, invoice_number, event, hash, terms.text, previous, beside, fence FROM events \
                     LEFT JOIN terms ON terms.id = events.terms";

impl<'row> Link<'row> {
    /// Reads what [`LINKS`] selects.
    pub(in crate::ledger) fn of(row: &'row impl Cells) -> Result<Self, Fault> {
        let unreadable = |error: &dyn std::fmt::Display| Fault::Damaged(format!("an event cannot be read: {error}"));
        let text = |column: usize| row.cell(column)?.as_str().map_err(|error| unreadable(&error));
        Ok(Self {
            sequence: count(row, 0)?,
            at: integer(row, 1)?,
            kind: text(2)?,
            invoice_number: text(3)?,
            json: text(4)?,
            hash: bytes(row, 5)?,
            terms: row
                .cell(6)?
                .as_str_or_null()
                .map_err(|error| Fault::Damaged(format!("the terms of an event cannot be read: {error}")))?,
            previous: integer_or_null(row, 7)?,
            beside: row.cell(8)?.as_blob_or_null().map_err(|_| Fault::Damaged("what is beside an event cannot be read".into()))?,
            fence: integer_or_null(row, 9)?,
        })
    }

    /// Whether it is the next after `previous`, with the hash that belongs to it.
    pub(in crate::ledger) fn follows(&self, origin: &Origin, previous: &LedgerHead) -> bool {
        previous.then(origin, &self.covered()) == Some(self.head())
    }

    /// What is said of one that does not follow from the one before it.
    pub(in crate::ledger) fn edited(&self) -> Fault {
        Fault::Damaged(format!("event {} does not follow from the one before it: it was edited, or one is missing", self.sequence))
    }

    /// What its hash covers.
    pub(in crate::ledger) const fn covered(&self) -> Covered<'row> {
        let Self { at, kind, invoice_number, json, beside, fence, .. } = *self;
        Covered { at, kind, invoice_number, json, beside, fence }
    }

    /// The head when this was the last event.
    pub(in crate::ledger) const fn head(&self) -> LedgerHead {
        LedgerHead { sequence: self.sequence, hash: self.hash }
    }

    /// The event's instant.
    pub(in crate::ledger) fn timestamp(&self) -> Result<Timestamp, Fault> {
        Timestamp::from_microsecond(self.at).map_err(|error| self.damaged(&error))
    }

    /// The bill it names.
    pub(in crate::ledger) fn invoice(&self) -> Result<InvoiceNumber, Fault> {
        InvoiceNumber::new(self.invoice_number).map_err(|error| self.damaged(&error))
    }

    /// The event of a [`Kind::Bill`].
    pub(in crate::ledger) fn event(&self) -> Result<Event, Fault> {
        serde_json::from_str(&self.whole()?).map_err(|error| self.damaged(&error))
    }

    /// Its text with its terms in it.
    fn whole(&self) -> Result<Cow<'row, str>, Fault> {
        put_back(self.json, self.terms).map_err(|why| self.damaged(&why))
    }

    /// Of a [`Kind::Payment`] that tells of a number only: whose it is, and what that payment is called by now.
    pub(in crate::ledger) fn number(&self) -> Result<Option<(Digest, Digest)>, Fault> {
        let Ok(record) = serde_json::from_str::<NumberRecord>(self.json) else { return Ok(None) };
        record.digests().map(Some).ok_or_else(|| self.damaged(&"a digest in it is none"))
    }

    /// The payment of any other [`Kind::Payment`].
    pub(in crate::ledger) fn payment(&self) -> Result<Payment, Fault> {
        let record: PaymentRecord = serde_json::from_str(self.json).map_err(|error| self.damaged(&error))?;
        record.into_payment(self.invoice()?).ok_or_else(|| self.damaged(&"a digest in it is none"))
    }

    /// What a [`Kind::Key`](crate::ledger::chain::Kind) says.
    pub(in crate::ledger) fn key(&self) -> Result<KeyRecord, Fault> {
        serde_json::from_str(self.json).map_err(|error| self.damaged(&error))
    }

    /// What a person said about one of DOKU's keys, if that is what a [`Kind::Key`](crate::ledger::chain::Kind) tells of.
    pub(in crate::ledger) fn revocation(&self) -> Option<Revocation> {
        serde_json::from_str(self.json).ok().filter(|_| self.kind == Kind::Key.name())
    }

    fn damaged(&self, why: &dyn std::fmt::Display) -> Fault {
        Fault::Damaged(format!("event {} cannot be read: {why}", self.sequence))
    }
}

/// Payments as [`payment_of`] reads them; a clause follows.
pub(in crate::ledger) const PAYMENTS: &str = "SELECT sequence, identity, invoice_number, payment_code, channel, amount, paid_at, received_at, line_digest, canonical, seal FROM payments";

/// The columns of a payment's row, in the order of [`PAYMENTS`], without its seal.
pub(in crate::ledger) fn payment_columns(sequence: i64, payment: &Payment) -> Result<[Value; PAYMENT_SEAL], Fault> {
    let is_called_otherwise = payment.canonical != payment.identity;
    Ok([
        Value::Integer(sequence),
        Value::Blob(payment.identity.to_vec()),
        Value::Text(payment.invoice_number.to_string()),
        Value::Text(payment.payment_code.to_string()),
        Value::Text(payment.channel.name().into()),
        Value::Integer(signed(payment.amount.get())?),
        Value::Integer(microseconds(payment.paid_at)),
        payment.received_at.map_or(Value::Null, |at| Value::Integer(microseconds(at))),
        Value::Blob(payment.line_digest.to_vec()),
        if is_called_otherwise { Value::Blob(payment.canonical.to_vec()) } else { Value::Null },
    ])
}

/// Where its seal is in it, after all that the seal covers.
const PAYMENT_SEAL: usize = 10;

/// The event and the payment of what [`PAYMENTS`] selects, if its seal fits.
pub(in crate::ledger) fn payment_of(row: &impl Cells, seals: &Seals) -> Result<(u64, Payment), Fault> {
    if bytes_or_null(row, PAYMENT_SEAL)? != Some(payment_seal(row, seals)?) {
        return Err(Fault::Damaged(format!("the payment of event {} was edited: its seal does not fit", integer(row, 0)?)));
    }
    unsealed_payment_of(row)
}

/// The seal that a row of [`PAYMENTS`] must have.
pub(in crate::ledger) fn payment_seal(row: &impl Cells, seals: &Seals) -> Result<Seal, Fault> {
    let fields = (0..PAYMENT_SEAL).map(|column| row.cell(column)).collect::<Result<Vec<_>, _>>()?;
    Ok(seal::of_payment(seals, fields.into_iter()))
}

/// The same, whatever its seal.
pub(in crate::ledger) fn unsealed_payment_of(row: &impl Cells) -> Result<(u64, Payment), Fault> {
    let sequence = count(row, 0)?;
    let unreadable = || Fault::Damaged(format!("the payment of event {sequence} cannot be read"));
    let text = |column: usize| row.cell(column)?.as_str().map_err(|_| unreadable());
    let identity = bytes(row, 1)?;
    let payment = Payment {
        identity,
        canonical: bytes_or_null(row, 9)?.unwrap_or(identity),
        invoice_number: InvoiceNumber::new(text(2)?).map_err(|_| unreadable())?,
        payment_code: PaymentCode::new(text(3)?).map_err(|_| unreadable())?,
        channel: Channel::parse(text(4)?).ok_or_else(unreadable)?,
        amount: Amount::new(count(row, 5)?).map_err(|_| unreadable())?,
        paid_at: at(row, 6)?.ok_or_else(unreadable)?,
        received_at: at(row, 7)?,
        line_digest: bytes(row, 8)?,
    };
    Ok((sequence, payment))
}

#[derive(Serialize)]
struct ExportedEvent<'a> {
    sequence: u64,
    at: Timestamp,
    kind: &'a str,
    invoice_number: &'a str,
    event: &'a RawValue,
    /// What stands for the event's terms in what the hash covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms_digest: Option<String>,
    /// What stands for the customer that was given with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<i64>,
    hash: String,
}

#[derive(Serialize)]
struct ExportedHead {
    head: HeadLine,
}

#[derive(Serialize)]
struct HeadLine {
    sequence: u64,
    hash: String,
}

/// An export on its way: every event in order as a JSON line, then the head. The same ledger gives the same bytes.
pub(in crate::ledger) struct Export<'o> {
    out: &'o mut dyn Write,
    last: LedgerHead,
}

impl<'o> Export<'o> {
    /// Before the first event.
    pub(in crate::ledger) fn new(out: &'o mut dyn Write) -> Self {
        Self { out, last: LedgerHead::EMPTY }
    }

    /// The next event.
    pub(in crate::ledger) fn event(&mut self, link: &Link<'_>) -> Result<(), Fault> {
        let whole = link.whole()?;
        let event: &RawValue = serde_json::from_str(&whole).map_err(|error| link.damaged(&error))?;
        let (sequence, kind, invoice_number, terms_digest) = (link.sequence, link.kind, link.invoice_number, link.terms.map(digest_of));
        let (customer_digest, fence, hash) = (link.beside.map(digest::hex), link.fence, digest::hex(&link.hash));
        let at = link.timestamp()?;
        let exported = ExportedEvent { sequence, at, kind, invoice_number, event, terms_digest, customer_digest, fence, hash };
        self.last = link.head();
        write_line(self.out, &exported)
    }

    /// The head, after the last one.
    pub(in crate::ledger) fn finish(self) -> Result<LedgerHead, Fault> {
        let Self { out, last } = self;
        write_line(out, &ExportedHead { head: HeadLine { sequence: last.sequence, hash: digest::hex(&last.hash) } })?;
        out.flush()?;
        Ok(last)
    }
}

fn write_line(out: &mut dyn Write, line: &impl Serialize) -> Result<(), Fault> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}
