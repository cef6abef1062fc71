//! What a report is made from, before anything is concluded: for who hands it to somebody else to conclude from.

use super::bills::Billed;
use super::books::inputs;
use super::error::ReconcileError;
use super::gathered::Gathered;
use super::options::ReconcileOptions;
use super::{cover, opening_of};
use crate::books::BooksDecision;
use crate::domain::line::InputFile;
use crate::reconcile::books_inputs::Opened;
use crate::reconcile::{Inputs, ReconcileTerms};

/// See the module.
#[derive(Debug)]
pub struct Unjudged {
    /// Bills and evidence.
    pub inputs: Inputs,
    /// Period, as-of and policy.
    pub terms: ReconcileTerms,
    /// The logs.
    pub files: Vec<InputFile>,
    /// What the books of the month before handed on, or what they are begun with.
    pub opened: Opened,
    /// What people decided.
    pub decisions: Vec<BooksDecision>,
}

/// Reads everything that a report is made from.
///
/// # Errors
/// As for [`run`](super::run).
pub fn told(mut billed: Billed, options: &ReconcileOptions) -> Result<Unjudged, ReconcileError> {
    let terms = options.terms()?;
    let opening = options.opening.as_ref().map(|folder| opening_of(folder, terms.period)).transpose()?;
    let gathered = Gathered::read(&billed.bills, options)?;
    let before = cover(&mut billed, options, opening.as_ref(), &gathered)?;
    let Gathered { mut evidence, settlement, bank, inquiries, journal } = gathered;
    let files = std::mem::take(&mut evidence.files);
    let (mut read, _) = billed.inputs(evidence, &files, settlement);
    (read.inquiries, read.bank) = (inquiries, bank);
    let books = inputs(before, opening.as_ref(), &journal.register()?, options);
    Ok(Unjudged { inputs: read, terms, files, opened: books.opened, decisions: books.decisions })
}
