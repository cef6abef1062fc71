//! Codes that exist at DOKU already → what the ledger adopts (`tagih ledger import CODES.csv`).
//!
//! Belongs here: the reading of such a file, with the same care as bills. Must not be here: the adoption itself.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::advice::InputFacts;
use super::bill_column::BillColumn;
use super::columns::Columns;
use super::error::{FileFault, IntakeError};
use super::file::Reading;
use super::judged::Input;
use super::kept_bill::KeptItem;
use super::refused_row::RefusedRow;
use super::row_cells::Cells;
use super::{gathered, row};
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::IssuanceMethod;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::CodeAnswer;
use crate::table::{AmountFormat, TableSettings};

/// The expiry of an adopted code whose file does not give one: no code is issued for 0 minutes, so it equals no other.
pub const EXPIRY_UNKNOWN: Expiry = Expiry::Minutes(0);

/// A code made before this ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedCode {
    /// Whose it is.
    pub invoice_number: InvoiceNumber,
    /// Its terms as far as the file gives them; the name's digest is empty, which marks them as adopted.
    pub terms: RecordedTerms,
    /// The code and its dates.
    pub answer: CodeAnswer,
    /// The number DOKU knows it by, where that is not the bill's own.
    pub wire_invoice_number: Option<InvoiceNumber>,
}

/// Reads files of codes. Columns: `invoice_number`, `payment_code`, `channel`, `amount`; optional `method` (`doku` without
/// it), `reusable` (no without it), `created_at`, `expires_at`, `wire_invoice_number` (the bill's own without it). Codes that have expired are read like the others.
///
/// # Errors
/// [`IntakeError`] when any file as a whole is refused; it lists every such file.
pub fn read(files: &[PathBuf], tables: &TableSettings, now: Timestamp) -> Result<Input<AdoptedCode>, IntakeError> {
    let reading = Reading { columns: BillColumn::OF_CODES, tables, allowed: &[], all_mapped: false, carries: false };
    gathered(files, &reading, now, |file| {
        require_columns(&file.head.columns)?;
        let format = file.head.layout.amount_format;
        Ok(move |cells: Cells<'_>| adopted(cells, format))
    })
}

fn require_columns(columns: &Columns) -> Result<(), FileFault> {
    let needed = [BillColumn::InvoiceNumber, BillColumn::PaymentCode, BillColumn::Channel, BillColumn::Amount];
    let is_missing = |column: &BillColumn| columns.index(*column).is_none();
    let missing: Vec<String> = needed.into_iter().filter(is_missing).map(|column| format!("`{}`", column.name())).collect();
    if missing.is_empty() { Ok(()) } else { Err(columns.missing(&missing)) }
}

fn adopted(mut cells: Cells<'_>, format: AmountFormat) -> Result<AdoptedCode, Vec<RefusedRow>> {
    let number = cells.required(BillColumn::InvoiceNumber).and_then(|_| {
        cells.parsed(BillColumn::InvoiceNumber, |text| {
            InvoiceNumber::new(text).map_err(|error| (super::codes::INVOICE_NUMBER, error.to_string()))
        })
    });
    let wire_invoice_number = cells.parsed(BillColumn::WireInvoiceNumber, |text| {
        InvoiceNumber::new(text).map_err(|error| (super::codes::INVOICE_NUMBER, error.to_string()))
    });
    let code = cells.required(BillColumn::PaymentCode).and_then(|_| cells.parsed(BillColumn::PaymentCode, row::parsed_code));
    let channel = row::channel(&mut cells, None);
    let amount = cells.amount(format);
    let method = cells.parsed(BillColumn::Method, row::parsed_method).unwrap_or(IssuanceMethod::Doku);
    if let Some(channel) = channel.filter(|channel| method != IssuanceMethod::Doku && !channel.profile().takes_merchant_codes) {
        let reason = format!("{channel} takes no codes of the merchant's making");
        cells.refuse(BillColumn::Method, (super::codes::MERCHANT_CODES, reason));
    }
    let reusable = cells.parsed(BillColumn::Reusable, super::cells::parsed_yes_or_no).unwrap_or(false);
    let created_at = cells.parsed(BillColumn::CreatedAt, row::parsed_instant);
    let expires_at = cells.parsed(BillColumn::ExpiresAt, row::parsed_instant);
    let name = number.as_ref().map(|number| number.as_str().to_owned());
    let read = number.zip(code).zip(channel.zip(amount)).map(|((invoice_number, payment_code), (channel, amount))| {
        let terms = RecordedTerms {
            channel,
            method,
            payment_code: (method != IssuanceMethod::Doku).then(|| payment_code.clone()),
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
        let answer = CodeAnswer { payment_code, created_at, expires_at, how_to_pay_page: None, how_to_pay_api: None };
        let wire_invoice_number = wire_invoice_number.filter(|wire| *wire != invoice_number);
        AdoptedCode { invoice_number, terms, answer, wire_invoice_number }
    });
    cells.finished(read, name.as_deref())
}

impl KeptItem for AdoptedCode {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        Some(&self.answer.payment_code)
    }

    fn facts(&self, _: jiff::Timestamp) -> InputFacts {
        InputFacts::default()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
