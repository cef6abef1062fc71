//! Codes that exist at DOKU already → what the ledger adopts (`tagih ledger import CODES.csv`).
//!
//! Belongs here: the reading of such a file, with the same care as bills. Must not be here: the adoption itself.

use std::path::PathBuf;

use super::cells::{self, AmountFormat};
use super::columns::{Column, Mapping};
use super::error::{Fault, IntakeError};
use super::row::{self, Cells};
use super::sort::Keyed;
use super::table::{Shape, Table};
use super::{Input, Limits, RefusedRow, gathered};
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::Method;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::CodeAnswer;

/// The expiry of an adopted code whose file does not give one: no code is issued for 0 minutes, so it equals no other.
pub const EXPIRY_UNKNOWN: Expiry = Expiry::Minutes(0);

/// A code made before this ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedCode {
    /// Whose it is.
    pub invoice_number: InvoiceNumber,
    /// Its terms as far as the file gives them; the name's digest is empty, which marks them as adopted.
    pub terms: RecordedTerms,
    /// The code and its dates.
    pub answer: CodeAnswer,
}

impl Keyed for AdoptedCode {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        Some(&self.answer.payment_code)
    }
}

/// How a file of codes is to be understood.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The user's own headers.
    pub columns: Mapping,
    /// What separates cells; sniffed when not given.
    pub delimiter: Option<u8>,
    /// How amounts are written.
    pub amount_format: AmountFormat,
    /// What a file may at most hold.
    pub limits: Limits,
}

/// Reads files of codes. Columns: `invoice_number`, `payment_code`, `channel`, `amount`; optional `method` (`doku` without
/// it), `reusable` (no without it), `created_at`, `expires_at`. Codes that have expired are read like the others.
///
/// # Errors
/// [`IntakeError`] when any file as a whole is refused; it lists every such file.
pub fn read(files: &[PathBuf], options: &ImportOptions) -> Result<Input<AdoptedCode>, IntakeError> {
    let shape = Shape { wanted: Column::OF_CODES, mapping: &options.columns, delimiter: options.delimiter, limits: &options.limits };
    gathered(files, &shape, |table| {
        require_columns(table)?;
        let format = options.amount_format;
        Ok(move |cells: Cells<'_>| adopted(cells, format))
    })
}

fn require_columns(table: &Table) -> Result<(), Fault> {
    let needed = [Column::InvoiceNumber, Column::PaymentCode, Column::Channel, Column::Amount];
    let is_missing = |column: &Column| table.columns.index(*column).is_none();
    let missing: Vec<String> = needed.into_iter().filter(is_missing).map(|column| format!("`{}`", column.name())).collect();
    if missing.is_empty() { Ok(()) } else { Err(table.columns.missing(&missing)) }
}

fn adopted(mut cells: Cells<'_>, format: AmountFormat) -> Result<AdoptedCode, Vec<RefusedRow>> {
    let number = cells.required(Column::InvoiceNumber).and_then(|_| {
        cells.parsed(Column::InvoiceNumber, |text| {
            InvoiceNumber::new(text).map_err(|error| (super::codes::INVOICE_NUMBER, error.to_string()))
        })
    });
    let code = cells.required(Column::PaymentCode).and_then(|_| cells.parsed(Column::PaymentCode, row::parsed_code));
    let channel = row::channel(&mut cells, None);
    let amount = cells.required(Column::Amount).and_then(|_| cells.parsed(Column::Amount, |text| cells::amount(text, format)));
    let method = cells.parsed(Column::Method, row::parsed_method).unwrap_or(Method::Doku);
    if let Some(channel) = channel.filter(|channel| method != Method::Doku && !channel.profile().takes_merchant_codes) {
        let reason = format!("{channel} takes no codes of the merchant's making");
        cells.refuse(Column::Method, (super::codes::MERCHANT_CODES, reason));
    }
    let reusable = cells.parsed(Column::Reusable, row::parsed_yes_or_no).unwrap_or(false);
    let created_at = cells.parsed(Column::CreatedAt, row::parsed_instant);
    let expires_at = cells.parsed(Column::ExpiresAt, row::parsed_instant);
    let name = number.as_ref().map(|number| number.as_str().to_owned());
    let read = number.zip(code).zip(channel.zip(amount)).map(|((invoice_number, payment_code), (channel, amount))| {
        let terms = RecordedTerms {
            channel,
            method,
            payment_code: (method != Method::Doku).then(|| payment_code.clone()),
            amount,
            expiry: expires_at.map_or(EXPIRY_UNKNOWN, Expiry::At),
            reusable,
            name_digest: String::new(),
            email_digest: String::new(),
            account_name_digest: String::new(),
            info: None,
            receipt_description: None,
            receipt_footer: None,
            policy: Policy::default(),
            bill_group: None,
            additional: None,
        };
        AdoptedCode {
            invoice_number,
            terms,
            answer: CodeAnswer { payment_code, created_at, expires_at, how_to_pay_page: None, how_to_pay_api: None },
        }
    });
    cells.finished(read, name.as_deref())
}
