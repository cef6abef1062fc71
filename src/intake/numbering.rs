//! Invoice numbers: from their column, or from a template. Never from the clock: a late run would bill another month.

use super::Options;
use super::codes;
use super::columns::{Column, Columns};
use super::error::Fault;
use super::row::Cells;
use crate::domain::ids::InvoiceNumber;

/// Where a file's invoice numbers come from.
pub(super) enum Numbering {
    /// Its own column.
    Column,
    /// These pieces, joined.
    Template(Vec<Piece>),
}

/// A part of a template.
pub(super) enum Piece {
    Text(String),
    Cell(Column),
}

impl Numbering {
    /// The column if the file has one; else the configured template, with the cycle filled in.
    pub(super) fn of(columns: &Columns, options: &Options) -> Result<Self, Fault> {
        if columns.index(Column::InvoiceNumber).is_some() {
            return Ok(Self::Column);
        }
        let Some(template) = &options.invoice_number_template else {
            return Err(columns.missing(&["`invoice_number` (or `intake.invoice_number_template`)".into()]));
        };
        let invalid = |reason: String| Fault::Template { template: template.clone(), reason };
        let mut pieces = Vec::new();
        let mut rest = template.as_str();
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| invalid("a `{` has no `}`".into()))?;
            pieces.push(Piece::Text(text.into()));
            pieces.push(match (name, &options.cycle) {
                ("cycle", Some(cycle)) => Piece::Text(cycle.clone()),
                ("cycle", None) => return Err(Fault::CycleMissing(template.clone())),
                (name, _) => {
                    let column = Column::parse(name).ok_or_else(|| invalid(format!("`{name}` is neither a column nor `cycle`")))?;
                    if column.is_personal() {
                        return Err(invalid(format!("`{name}` is personal data, and an invoice number is shown everywhere")));
                    }
                    if columns.index(column).is_none() {
                        return Err(columns.missing(&[format!("`{name}`, which the template `{template}` needs")]));
                    }
                    Piece::Cell(column)
                }
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.into()));
        if pieces.iter().any(|piece| matches!(piece, Piece::Cell(_))) {
            Ok(Self::Template(pieces))
        } else {
            Err(invalid("every row would have the same number".into()))
        }
    }

    /// The row's invoice number; a refusal is noted in `cells`.
    pub(super) fn number(&self, cells: &mut Cells<'_>) -> Option<InvoiceNumber> {
        let (column, text) = match self {
            Self::Column => (Column::InvoiceNumber, cells.required(Column::InvoiceNumber)?.to_owned()),
            Self::Template(pieces) => {
                let mut text = String::new();
                let mut source = Column::PolicyNumber;
                for piece in pieces {
                    match piece {
                        Piece::Text(fixed) => text.push_str(fixed),
                        Piece::Cell(column) => {
                            source = *column;
                            text.push_str(cells.required(*column)?);
                        }
                    }
                }
                (source, text)
            }
        };
        let made = match self {
            Self::Template(_) => format!(" (`{text}`, made by the template)"),
            Self::Column => String::new(),
        };
        InvoiceNumber::new(&text).map_err(|error| cells.refuse(column, (codes::INVOICE_NUMBER, format!("{error}{made}")))).ok()
    }
}
