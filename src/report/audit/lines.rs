//! Evidence lines as they were read and verified: whose word each is, and what it says. Which of them prove payments is for the rules.

use super::kit::{Kit, KitFacts};
use crate::books::{BooksSubject, ItemId};
use crate::columns::{Column, Value};
use crate::domain::classify::{Class, InquiryAnswer};
use crate::domain::digest;
use crate::domain::line::{InputFile, Line, Marks, NO_BILL};
use crate::domain::payment::{self, Sameness};
use crate::reconcile::Inputs;
use crate::report::atomic::WriteError;

/// A line with what it is read in.
struct Row<'a> {
    place: u32,
    inputs: &'a Inputs,
    line: &'a Line,
}

impl<'a> Row<'a> {
    /// Invoice number and code as notified.
    fn ids(&self) -> (&'a str, &'a str) {
        let (bills, lines) = (&self.inputs.bills, &self.inputs.lines);
        match self.line.bill {
            NO_BILL => lines.texts(self.line),
            bill => (bills.invoice_number(bill), bills.payment_code(bill)),
        }
    }

    fn message<'v, T: Into<Value<'v>>>(&self, value: impl FnOnce(&Self) -> T) -> Value<'v> {
        if self.line.is_message() { value(self).into() } else { Value::Empty }
    }

    /// Whose word it is.
    fn verdict(&self) -> &'static str {
        match self.line.class {
            Class::N01 => "unread",
            Class::N04 => "foreign",
            Class::N02 => "forged",
            _ if self.line.marks.has(Marks::VERIFIED) => "verified",
            _ => "unverifiable",
        }
    }

    /// What it says, as far as that was read.
    fn says(&self) -> Option<&'static str> {
        match self.line.class {
            Class::N00 => Some("success"),
            Class::N09 => Some("not success"),
            Class::N12 => Some("unusable"),
            Class::N13 => Some("other service"),
            _ => None,
        }
    }

    /// What its payment would be called if every message of it were written alike.
    fn canonical(&self) -> String {
        digest::hex(&self.inputs.lines.canonical(self.line))
    }
}

/// What a message without the store's number would call the same payment; empty where the amount is unusable.
fn dated(row: &Row<'_>) -> Option<String> {
    let (number, code) = row.ids();
    let facts =
        payment::PaymentContent { channel: row.line.channel, code, number, amount: row.line.usable_amount()?, paid_at: row.line.paid_at() };
    Some(digest::hex(&Sameness::of(row.line.identity, row.inputs.lines.canonical(row.line), &facts).dated))
}

pub(super) fn write(kit: &mut Kit<'_>, facts: &KitFacts<'_>) -> Result<(), WriteError> {
    let inputs = facts.inputs;
    let columns: [Column<'_, Row<'_>>; 24] = [
        Column::count("place", |row| u64::from(row.place).into()),
        Column::count("file", |row| u64::from(row.line.file).into()),
        Column::count("line", |row| u64::from(row.line.number).into()),
        Column::count("byte", |row| row.line.byte.into()),
        Column::text("digest", |row| digest::hex(&row.line.digest).into()),
        Column::text("verdict", |row| row.verdict().into()),
        Column::text("says", |row| row.says().into()),
        Column::text("identity", |row| row.message(|row| digest::hex(&row.line.identity))),
        Column::text("canonical", |row| row.message(Row::canonical)),
        Column::text("dated", |row| row.message(dated)),
        Column::text("item", |row| row.message(|row| ItemId::of(BooksSubject::Payment, &[&row.line.identity]).to_string())),
        Column::foreign("invoice_number", |row| if row.line.is_message() { row.ids().0.into() } else { Value::Empty }),
        Column::foreign("payment_code", |row| if row.line.is_message() { row.ids().1.into() } else { Value::Empty }),
        Column::text("channel", |row| row.message(|row| row.line.channel.name())),
        Column::rupiah("amount", |row| row.line.usable_amount().map(crate::domain::amount::Amount::get).into()),
        Column::count("amount_key", |row| i64::from(row.line.content_key).into()),
        Column::instant("paid_at", |row| row.message(|row| row.line.paid_at())),
        Column::instant("received_at", |row| row.line.received_at().into()),
        Column::text("request_key", |row| row.line.request_key.to_string().into()),
        Column::count("body_key", |row| i64::from(row.line.body_key).into()),
        Column::text("acquirer_differs", |row| row.line.marks.has(Marks::ACQUIRER_DIFFERS).into()),
        Column::text("has_store_number", |row| (!row.line.marks.has(Marks::NO_TRANSACTION)).into()),
        Column::text("is_skewed", |row| row.line.marks.has(Marks::SKEWED).into()),
        Column::count("store", |row| i64::from(row.line.store).into()),
    ];
    kit.table("facts/lines", &columns, inputs.lines.iter().map(|(place, line)| Row { place, inputs, line }))?;
    let columns: [Column<'_, (i64, &InputFile)>; 5] = [
        Column::count("file", |(place, _)| (*place).into()),
        Column::foreign("path", |(_, file)| file.path.display().to_string().into()),
        Column::text("sha256", |(_, file)| digest::hex(&file.digest).into()),
        Column::count("bytes", |(_, file)| file.bytes.into()),
        Column::count("lines", |(_, file)| file.lines.into()),
    ];
    kit.table("facts/files", &columns, (0_i64..).zip(facts.files))?;
    let columns: [Column<'_, (&String, &InquiryAnswer)>; 3] = [
        Column::foreign("payment_code", |(code, _)| (*code).into()),
        Column::instant("answered_at", |(_, answer)| answer.at.into()),
        Column::rupiah("payable", |(_, answer)| answer.payable.into()),
    ];
    let answers = inputs.inquiries.iter().flat_map(|inquiries| &inquiries.by_code);
    kit.table("facts/inquiries", &columns, answers.flat_map(|(code, answers)| answers.iter().map(move |answer| (code, answer))))
}
