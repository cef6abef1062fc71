//! Lines of bank statements that were taken for ones given before.

use std::collections::BTreeSet;

use super::settlement_facts::bank_line;
use crate::books::ItemId;
use crate::evidence::bank::{BankLine, Statements};

/// Those that stand in another file, and those of an earlier month, which the books know as `known`; in the order of files and rows.
#[must_use]
pub fn bank_copies<'a>(statements: &'a Statements, known: &BTreeSet<ItemId>) -> Vec<&'a BankLine> {
    let is_known = |line: &&BankLine| {
        let fact = bank_line(line);
        std::iter::once(fact.id).chain(fact.former).any(|id| known.contains(&id))
    };
    let mut copies: Vec<&BankLine> = statements.copies.iter().chain(statements.lines.iter().filter(is_known)).collect();
    copies.sort_by_key(|line| (line.place.file, line.place.row));
    copies
}
