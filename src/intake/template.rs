//! Templates over a row's columns, such as `{policy_number}-{cycle}`: the one grammar for invoice numbers, codes and reports.
//!
//! Belongs here: taking a template apart. Must not be here: what its pieces make.

use super::bill_column::BillColumn;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Stands as it is.
    Text(String),
    /// A column's cell, filled up with zeros on the left to a width if one is given: `{customer_number:8}`.
    Cell(BillColumn, Option<usize>),
    /// Something that is no column: `cycle`, `bin`, `sequence`.
    Other(String, Option<usize>),
}

/// Takes `template` apart. Words in `others` need not be columns; personal columns are refused, as what is made of them is
/// shown everywhere.
pub(super) fn pieces(template: &str, others: &[&str]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
        let (inner, after) = after.split_once('}').ok_or_else(|| "a `{` has no `}`".to_owned())?;
        let (name, width) = match inner.split_once(':') {
            None => (inner, None),
            Some((name, width)) => {
                let width = width.parse().ok().filter(|width| (1..=64).contains(width));
                (name, Some(width.ok_or_else(|| format!("`{{{inner}}}` needs a width from 1 to 64"))?))
            }
        };
        pieces.push(if others.contains(&name) {
            Piece::Other(name.into(), width)
        } else {
            let column = BillColumn::parse(name).ok_or_else(|| format!("`{name}` is neither a column nor `{}`", others.join("` nor `")))?;
            if column.is_personal() {
                return Err(format!("`{name}` is personal data, and what is made of it is shown everywhere"));
            }
            Piece::Cell(column, width)
        });
        rest = after;
    }
    if rest.contains('}') {
        return Err("a `}` has no `{`".into());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    Ok(pieces)
}

/// `text` with zeros before it, at least `width` characters long.
pub(super) fn filled(text: &str, width: Option<usize>) -> String {
    let missing = width.unwrap_or_default().saturating_sub(text.chars().count());
    format!("{}{text}", "0".repeat(missing))
}
