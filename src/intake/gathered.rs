//! Rows as they were read, on their way to be kept: some hundred that follow each other, gathered by one thread.
//!
//! Belongs here: what is noted of a row before its bytes are put away. Must not be here: comparing rows with each other (`sort`).

use super::advice::InputFacts;
use super::codes;
use super::kept_bill::KeptItem;
use super::kept_row::{put_bad, put_good};
use super::place::InputPlace;
use super::refused_row::RefusedRow;
use crate::domain::digest;
use crate::domain::ids::PaymentCode;
use crate::spool::KeepingError;

/// What two rows are compared by, or 0 for nothing.
pub(super) type Key = [u8; 16];

pub(super) const NOTHING: Key = [0; 16];

/// A short number as it is, with its length in the last byte; of a longer one half of its SHA-256, with the last bit set.
fn number_key(number: &str) -> Key {
    let mut key = NOTHING;
    if let Some((last, text)) = key.split_last_mut()
        && let (Some(slots), Ok(length)) = (text.get_mut(..number.len()), u8::try_from(number.len()))
    {
        slots.copy_from_slice(number.as_bytes());
        *last = length;
        return key;
    }
    let [mut half, _] = digest::halves(&digest::of_bytes(number.as_bytes()));
    if let Some(last) = half.last_mut() {
        *last |= 0x80;
    }
    half
}

/// A code as a number, with its length in the first byte: zeros in front count.
fn code_key(code: &PaymentCode) -> Key {
    let mut key = code.as_str().parse::<u128>().unwrap_or_default().to_be_bytes();
    if let Some(first) = key.first_mut() {
        *first = u8::try_from(code.as_str().len()).unwrap_or(u8::MAX);
    }
    key
}

/// What a row is compared by, and which it is.
#[derive(Debug)]
pub(super) struct Compared {
    /// Its index; while it is gathered, among the gathered.
    pub(super) index: usize,
    pub(super) number: Key,
    pub(super) item: Key,
    pub(super) code: Key,
    pub(super) is_bad: bool,
}

/// Rows that follow each other.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Their bytes, as [`super::kept`] keeps them.
    pub(super) bytes: Vec<u8>,
    pub(super) count: usize,
    /// Those that can be compared with others.
    pub(super) compared: Vec<Compared>,
    /// Where they stand: each that is not one row and one line below the one before it.
    pub(super) runs: Vec<(usize, InputPlace)>,
    /// What they come to.
    pub(super) facts: InputFacts,
    pub(super) bad: u64,
    /// Those that are no rows of their table.
    pub(super) malformed: u64,
    /// Of each, its amount as a total would count it.
    pub(super) amounts: Vec<u64>,
    /// Whether the last lacks a cell that it must have.
    pub(super) last_lacks: bool,
    /// Row and line of the last.
    pub(super) last: Option<(u64, u64)>,
}

impl Gathered {
    /// With room for so many rows of ordinary size.
    pub(super) fn with_room(rows: usize) -> Self {
        const ROW_BYTES: usize = 320;
        Self {
            bytes: Vec::with_capacity(rows.saturating_mul(ROW_BYTES)),
            compared: Vec::with_capacity(rows),
            amounts: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Takes a row as it was read.
    pub(super) fn take<T: KeptItem>(
        &mut self,
        place: &InputPlace,
        row: Result<T, Vec<RefusedRow>>,
        cells: &[(usize, String)],
        now: jiff::Timestamp,
    ) -> Result<(), KeepingError> {
        let index = self.count;
        self.count = self.count.saturating_add(1);
        let follows = self.last.is_some_and(|(row, line)| (row.saturating_add(1), line.saturating_add(1)) == (place.row, place.line));
        if !follows {
            self.runs.push((index, place.clone()));
        }
        self.last = Some((place.row, place.line));
        match row {
            Ok(item) => {
                self.facts = self.facts.and(item.facts(now));
                let at = put_good(&mut self.bytes, place, &item, cells)?;
                self.compared.push(Compared {
                    index,
                    number: number_key(item.invoice_number().as_str()),
                    item: item.likeness(self.bytes.get(at..).unwrap_or_default()),
                    code: item.live_code().map_or(NOTHING, code_key),
                    is_bad: false,
                });
                self.last_lacks = false;
            }
            Err(reasons) => {
                self.bad = self.bad.saturating_add(1);
                put_bad(&mut self.bytes, place, &reasons, cells)?;
                if let Some(number) = reasons.first().and_then(|refused| refused.invoice_number.as_deref()) {
                    self.compared.push(Compared { index, number: number_key(number), item: NOTHING, code: NOTHING, is_bad: true });
                }
                let lacks = |refused: &RefusedRow| [codes::CELL_EMPTY, codes::CELL_COUNT].contains(&refused.code);
                self.last_lacks = reasons.iter().any(lacks);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_numbers_and_codes_differ() {
        let numbers = ["A", "A\0", "AB", "INV-00000000001", "INV-000000000012", "INV-000000000013", &"X".repeat(64)];
        let keys: std::collections::BTreeSet<Key> = numbers.iter().map(|number| number_key(number)).collect();
        assert_eq!(keys.len(), numbers.len());
        assert!(!keys.contains(&NOTHING));
        let codes = ["0", "00", "1", "01", "99999999999999999999", "9999999999999999999"];
        let keys: std::collections::BTreeSet<Key> = codes.iter().map(|code| code_key(&PaymentCode::new(code).unwrap())).collect();
        assert_eq!(keys.len(), codes.len());
        assert!(!keys.contains(&NOTHING));
    }
}
