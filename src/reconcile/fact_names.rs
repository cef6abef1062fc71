//! What bills are called in the books' facts.

use std::collections::HashMap;

use super::Reconciled;
use super::item_names::place;
use crate::books::Brief;
use crate::books::item::{BooksSubject, ItemId};

/// What bills are called. One invoice number is one bill, unless the ledger lists it with several codes: then the codes tell them apart,
/// and together they are owed once.
#[derive(Debug)]
pub(super) struct Names {
    /// By the bill's number.
    pub(super) bills: Vec<ItemId>,
    /// What each is part of: as the books know it, else as it is listed.
    pub(super) debts: Vec<ItemId>,
}

impl Names {
    pub(super) fn of(outcome: &Reconciled, before: &Brief) -> Self {
        let bills = &outcome.inputs.bills;
        let groups = bills.group_names();
        let (mut ids, mut debts) = (Vec::with_capacity(bills.len()), Vec::with_capacity(bills.len()));
        // A bill that is listed twice, in two groups, is of one of them, whichever row comes first.
        let mut listed: HashMap<ItemId, ItemId> = HashMap::new();
        for (number, bill) in bills.iter_all() {
            let invoice_number = bills.invoice_number(number);
            let is_one = bills.numbered(invoice_number).nth(1).is_none();
            let parts = [invoice_number, bill.channel.name(), bills.payment_code(number)];
            let by_list = || if is_one { ItemId::bill(invoice_number) } else { ItemId::of(BooksSubject::Bill, &parts.map(str::as_bytes)) };
            let id = bills.unlisted(number).unwrap_or_else(by_list);
            let debt = groups.get(&bill.group).map_or_else(|| ItemId::debt_of(invoice_number), |name| ItemId::group(name));
            if !is_one {
                listed.entry(id).and_modify(|of| *of = debt.min(*of)).or_insert(debt);
            }
            ids.push(id);
            debts.push(debt);
        }
        for (id, debt) in ids.iter().zip(&mut debts) {
            let of = before.debt_of_bill(*id).or_else(|| listed.get(id).copied());
            *debt = of.unwrap_or(*debt);
        }
        Self { bills: ids, debts }
    }

    /// The id of a bill, by its number.
    pub(super) fn bill(&self, number: u32) -> Option<ItemId> {
        self.bills.get(place(number)?).copied()
    }

    /// What a bill is part of, by its number.
    pub(super) fn debt(&self, number: u32) -> Option<ItemId> {
        self.debts.get(place(number)?).copied()
    }
}
