//! Invoices as a person names them, and which may be meant by a name that none has.

use super::failure::Failure;
use super::waiting::wait;
use crate::domain::ids::InvoiceNumber;
use crate::domain::misspelling;
use crate::ledger::{Ledger as _, LedgerView as _, Store};

/// The number that `text` is.
pub(super) fn invoice_number(text: &str) -> Result<InvoiceNumber, Failure> {
    InvoiceNumber::new(text).map_err(|error| Failure::usage(format!("`{text}` is not an invoice number: {error}")))
}

/// That the ledger knows no such invoice, and which may be meant.
pub(super) fn unknown_invoice(ledger: &Store, text: &str) -> Result<Failure, Failure> {
    let question = meant_invoice(ledger, text)?.unwrap_or_else(|| "name it as `tagih issue` knows it".to_owned());
    Ok(Failure::usage(format!("the ledger holds no invoice `{text}`\nhint: {question}")))
}

/// Which invoice may be meant by a name the ledger does not hold, as a question.
pub(super) fn meant_invoice(ledger: &Store, text: &str) -> Result<Option<String>, Failure> {
    let edits: Vec<InvoiceNumber> = misspelling::edits(text).into_iter().filter_map(|edit| InvoiceNumber::new(edit).ok()).collect();
    let known = wait(async { ledger.view().await?.bills(&edits).await })?;
    let exists = |edit: &str| Ok::<_, Failure>(known.iter().any(|bill| bill.invoice_number.as_str() == edit));
    Ok(misspelling::question(&misspelling::nearest(text, exists)?))
}
