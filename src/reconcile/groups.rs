//! Bills that are owed together: the groups in which they are listed, and those in which the books have billed them.
//!
//! Belongs here: which group is which. Must not be here: what follows from it (`judge`, `findings`).

use std::collections::{BTreeMap, HashMap};

use crate::books::item::ItemId;

/// The groups of a run's bills, by numbers from 1 on; 0 is none.
#[derive(Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<String, u32>,
    debts: Vec<ItemId>,
}

impl Groups {
    /// The number of the group of this name.
    pub(super) fn named(&mut self, name: &str) -> u32 {
        match self.numbers.get(name) {
            Some(number) => *number,
            None => self.add(name.to_owned(), ItemId::group(name)),
        }
    }

    /// The number of the group that the books have as this debt; its name is theirs, unless it is listed with its own.
    pub(super) fn of_debt(&mut self, debt: ItemId) -> u32 {
        let known = (1_u32..).zip(&self.debts).find(|(_, one)| **one == debt).map(|(number, _)| number);
        known.unwrap_or_else(|| self.add(debt.to_string(), debt))
    }

    fn add(&mut self, name: String, debt: ItemId) -> u32 {
        self.debts.push(debt);
        let number = u32::try_from(self.debts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name, number);
        number
    }

    /// What the books call what a group owes.
    pub(super) fn debt(&self, number: u32) -> Option<ItemId> {
        self.debts.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    /// Their names, by their numbers.
    pub(super) fn names(&self) -> BTreeMap<u32, &str> {
        self.numbers.iter().map(|(name, number)| (*number, name.as_str())).collect()
    }
}
