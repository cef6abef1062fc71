//! Codes of our own making for rows that bring none (`merchant_code.template`): from the row's own columns, or the next number.
//!
//! Belongs here: what a template may be, and the code it makes of a row. Must not be here: which number is next; only the
//! ledger knows (`domain::plan`).

use super::bill_column::BillColumn;
use super::cells::Wrong;
use super::codes;
use super::row_cells::Cells;
use super::template::{self, Piece};
use crate::domain::ids::PaymentCode;
use crate::domain::plan::Minting;

/// How codes of our own making come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTemplate {
    making: Making,
    length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Making {
    /// Given out one after the other when the run is planned.
    Sequence(Minting),
    /// Made of the row.
    Columns(Vec<Piece>),
}

impl CodeTemplate {
    /// Takes `template` apart: digits, `{bin}`, and either `{sequence}` at its end or columns. One column at most may be without
    /// a width; it is filled up with zeros so that the code has `length` digits.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(template: &str, bin: Option<&str>, length: usize) -> Result<Self, String> {
        if !(1..=PaymentCode::LENGTH_MAX).contains(&length) {
            return Err(format!("a code has 1 to {} digits, not {length}", PaymentCode::LENGTH_MAX));
        }
        let mut parts = Vec::new();
        let mut has_sequence = false;
        for piece in template::pieces(template, &["bin", "sequence"])? {
            parts.push(match piece {
                Piece::Other(name, None) if name == "bin" => {
                    Piece::Text(bin.ok_or_else(|| "`{bin}` needs `intake.merchant_bin`".to_owned())?.to_owned())
                }
                Piece::Other(name, None) if name == "sequence" => {
                    has_sequence = true;
                    continue;
                }
                Piece::Other(name, Some(_)) => return Err(format!("`{{{name}}}` takes no width")),
                piece @ (Piece::Text(_) | Piece::Cell(..) | Piece::Other(..)) => piece,
            });
        }
        let fixed: String =
            parts.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None }).collect();
        if !fixed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("beside its placeholders it may hold digits only".into());
        }
        if let Some(bin) = bin
            && !matches!(parts.first(), Some(Piece::Text(text)) if text.starts_with(bin))
        {
            return Err("it must begin with `{bin}`, as every code does".into());
        }
        if has_sequence {
            let is_last = template.ends_with("{sequence}") && template.matches("{sequence}").count() == 1;
            if !is_last || parts.iter().any(|piece| !matches!(piece, Piece::Text(_))) {
                return Err("`{sequence}` must be its only variable part, and the last".into());
            }
            if fixed.len() >= length {
                return Err(format!("`{fixed}` leaves none of the {length} digits to count with"));
            }
            return Ok(Self { making: Making::Sequence(Minting { prefix: fixed, length, from: 1 }), length });
        }
        let widths = || parts.iter().filter_map(|piece| if let Piece::Cell(_, width) = piece { Some(*width) } else { None });
        if widths().count() == 0 {
            return Err("every row would have the same code".into());
        }
        let known = fixed.len().saturating_add(widths().flatten().fold(0, usize::saturating_add));
        match widths().filter(Option::is_none).count() {
            0 if known != length => Err(format!("its parts have {known} digits, `merchant_code.length` is {length}")),
            1 if known >= length => Err(format!("its fixed parts leave none of the {length} digits to the rest")),
            0 | 1 => Ok(Self { making: Making::Columns(parts), length }),
            _ => Err("only one column may be without a width: `{policy_type:2}{customer_number}`".into()),
        }
    }

    /// The numbers to give out, if that is the way.
    #[must_use]
    pub fn minting(&self) -> Option<Minting> {
        match &self.making {
            Making::Sequence(minting) => Some(minting.clone()),
            Making::Columns(_) => None,
        }
    }

    /// The row's code; none when it is to be a number, or was refused.
    pub(super) fn code(&self, cells: &mut Cells<'_>) -> Option<PaymentCode> {
        let Making::Columns(pieces) = &self.making else { return None };
        let known: usize = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Cell(_, width) | Piece::Other(_, width) => width.unwrap_or_default(),
            })
            .fold(0, usize::saturating_add);
        let mut code = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => code.push_str(text),
                Piece::Cell(column, width) => {
                    let width = width.unwrap_or_else(|| self.length.saturating_sub(known));
                    code.push_str(&part(cells, *column, width)?);
                }
                Piece::Other(..) => {}
            }
        }
        PaymentCode::new(code).ok()
    }
}

/// The digits of one cell, filled up with zeros.
fn part(cells: &mut Cells<'_>, column: BillColumn, width: usize) -> Option<String> {
    let Some(text) = cells.given(column) else {
        let reason = "the cell is empty, and the row's payment code is made of it";
        cells.refuse(column, (codes::PAYMENT_CODE_MISSING, reason.into()));
        return None;
    };
    let wrong = |reason: String| -> Wrong { (codes::CODE_PART, reason) };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        cells.refuse(column, wrong("the row's payment code is made of it, so it may hold digits only".into()));
        return None;
    }
    if text.len() > width {
        cells.refuse(column, wrong(format!("it has {} digits, the payment code has room for {width}", text.len())));
        return None;
    }
    Some(template::filled(text, Some(width)))
}
