//! The last row of a file that is a total of the rows above it, and no bill.

use super::bill_column::BillColumn;
use super::cells;
use super::file::Head;
use crate::table::Row;

/// Rows a total is at least the sum of.
const ROWS_MIN: usize = 3;
const WORDS: [&str; 9] = ["total", "jumlah", "grand total", "subtotal", "sub total", "jml", "total keseluruhan", "sum", "grandtotal"];

/// The amounts of a file's rows, good or bad, as far as they can be read.
#[derive(Debug, Default)]
pub(super) struct Totals {
    amounts: Vec<u64>,
    last_has_word: bool,
}

impl Totals {
    /// Takes the next rows; whether the last can be a total is known at the end only.
    pub(super) fn take(&mut self, amounts: &[u64]) {
        self.amounts.extend_from_slice(amounts);
    }

    /// Looks at the last of the rows that were taken.
    pub(super) fn look_at_last(&mut self, row: &Row) {
        self.last_has_word = row.iter().any(is_total_word);
    }

    /// Whether the last row is the sum of all rows above it, or of the last few, and `lacks` something or says that it is a total.
    pub(super) fn ends_in_total(&self, lacks: bool) -> bool {
        let Some((&last, others)) = self.amounts.split_last().filter(|(last, _)| **last > 0) else { return false };
        if !lacks && !self.last_has_word {
            return false;
        }
        let mut sum = 0_u64;
        others.iter().rev().zip(1_usize..).any(|(amount, count)| {
            sum = sum.saturating_add(*amount);
            count >= ROWS_MIN && sum == last
        })
    }
}

/// A row's amount in rupiah as far as it can be read, else 0.
pub(super) fn amount(row: &Row, head: &Head<'_>) -> u64 {
    let text = head.columns.index(BillColumn::Amount).and_then(|place| row.text(place)).unwrap_or_default();
    cells::amount(text.trim(), head.layout.amount_format).map_or(0, crate::domain::amount::Amount::get)
}

fn is_total_word(cell: &[u8]) -> bool {
    let text = String::from_utf8_lossy(cell).to_lowercase();
    let text = text.trim_matches(|c: char| c.is_whitespace() || ":;.=*".contains(c));
    WORDS.contains(&text) || WORDS.iter().any(|word| text.starts_with(&format!("{word} ")))
}
