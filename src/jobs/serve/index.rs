//! Which bill a payment code belongs to: compact, because there are millions.

use std::collections::HashMap;

use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::ledger::CodeChanges;

/// Codes by their digits and length, because leading zeros count.
type Key = u128;

/// The codes of all bills, as of one event of the ledger.
#[derive(Debug, Default)]
pub(super) struct Index {
    bills: HashMap<Key, InvoiceNumber>,
    sequence: u64,
}

impl Index {
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn len(&self) -> usize {
        self.bills.len()
    }

    pub(super) fn get(&self, payment_code: &PaymentCode) -> Option<&InvoiceNumber> {
        self.bills.get(&key(payment_code))
    }

    /// Takes what has changed. A code that is live for a bill is that bill's; one that is not stays with whoever had it last.
    pub(super) fn take(&mut self, changes: CodeChanges) {
        if self.bills.is_empty() {
            self.bills.reserve(changes.codes.len());
        }
        for held in changes.codes {
            let key = key(&held.payment_code);
            if held.live {
                self.bills.insert(key, held.invoice_number);
            } else {
                self.bills.entry(key).or_insert(held.invoice_number);
            }
        }
        self.sequence = self.sequence.max(changes.sequence);
    }
}

/// At most 20 digits and their number: 72 bits.
fn key(payment_code: &PaymentCode) -> Key {
    let text = payment_code.as_str();
    let digits =
        text.bytes().fold(0_u128, |number, digit| number.saturating_mul(10).saturating_add(u128::from(digit.saturating_sub(b'0'))));
    let length = u128::try_from(text.len()).unwrap_or(0);
    digits.saturating_mul(32).saturating_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::HeldCode;

    fn changes(sequence: u64, codes: &[(&str, &str, bool)]) -> CodeChanges {
        let held = |&(code, number, live): &(&str, &str, bool)| HeldCode {
            payment_code: PaymentCode::new(code).unwrap(),
            invoice_number: InvoiceNumber::new(number).unwrap(),
            live,
        };
        CodeChanges { codes: codes.iter().map(held).collect(), sequence }
    }

    #[test]
    fn a_code_belongs_to_the_bill_it_is_live_for_and_zeros_count() {
        let mut index = Index::default();
        let owner = |index: &Index, code: &str| index.get(&PaymentCode::new(code).unwrap()).map(ToString::to_string);
        index.take(changes(3, &[("7", "GONE", false), ("7", "A", true), ("07", "B", true), ("99999999999999999999", "C", true)]));
        assert_eq!(owner(&index, "7").as_deref(), Some("A"));
        assert_eq!(owner(&index, "07").as_deref(), Some("B"));
        assert_eq!(owner(&index, "99999999999999999999").as_deref(), Some("C"));
        assert_eq!((owner(&index, "007"), owner(&index, "9999999999999999999"), index.len(), index.sequence()), (None, None, 3, 3));
        // A loses it without another bill having it: it stays A's, for whoever asks. Then D gets it.
        index.take(changes(4, &[("7", "A", false), ("7", "GONE", false)]));
        assert_eq!(owner(&index, "7").as_deref(), Some("A"));
        index.take(changes(5, &[("7", "A", false), ("7", "D", true)]));
        assert_eq!(owner(&index, "7").as_deref(), Some("D"));
    }
}
