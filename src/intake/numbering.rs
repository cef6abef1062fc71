//! Invoice numbers: from their column, or from a template. Never from the clock: a late run would bill another month.

use super::bill_column::BillColumn;
use super::codes;
use super::columns::Columns;
use super::error::FileFault;
use super::options::Options;
use super::row_cells::Cells;
use super::template::{self, Piece};
use crate::domain::ids::InvoiceNumber;

/// Where a file's invoice numbers come from.
pub(super) enum Numbering {
    /// Its own column.
    Column,
    /// These pieces, joined.
    Template(Vec<Piece>),
}

impl Numbering {
    /// The column if the file has one; else the configured template, with the cycle filled in.
    pub(super) fn of(columns: &Columns, options: &Options) -> Result<Self, FileFault> {
        if columns.index(BillColumn::InvoiceNumber).is_some() {
            return Ok(Self::Column);
        }
        let Some(template) = &options.invoice_number_template else {
            return Err(columns.missing(&["`invoice_number` (or `intake.invoice_number_template`)".into()]));
        };
        let invalid = |reason: String| FileFault::Template { template: template.clone(), reason };
        let mut pieces = template::pieces(template, &["cycle"]).map_err(&invalid)?;
        for piece in &mut pieces {
            match piece {
                Piece::Other(_, width) => {
                    let cycle = options.cycle.as_deref().ok_or_else(|| FileFault::CycleMissing(template.clone()))?;
                    *piece = Piece::Text(template::filled(cycle, *width));
                }
                Piece::Cell(column, _) if columns.index(*column).is_none() => {
                    return Err(columns.missing(&[format!("`{}`, which the template `{template}` needs", column.name())]));
                }
                Piece::Text(_) | Piece::Cell(..) => {}
            }
        }
        if pieces.iter().any(|piece| matches!(piece, Piece::Cell(..))) {
            Ok(Self::Template(pieces))
        } else {
            Err(invalid("every row would have the same number".into()))
        }
    }

    /// The row's invoice number; a refusal is noted in `cells`.
    pub(super) fn number(&self, cells: &mut Cells<'_>) -> Option<InvoiceNumber> {
        let (column, text) = match self {
            Self::Column => (BillColumn::InvoiceNumber, cells.required(BillColumn::InvoiceNumber)?.to_owned()),
            Self::Template(pieces) => {
                let mut text = String::new();
                let mut source = BillColumn::PolicyNumber;
                for piece in pieces {
                    match piece {
                        Piece::Text(fixed) => text.push_str(fixed),
                        Piece::Cell(column, width) => {
                            source = *column;
                            text.push_str(&template::filled(cells.required(*column)?, *width));
                        }
                        Piece::Other(..) => {}
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
