//! The stores named in notifications, each once, so that a line holds a number of two bytes.

use std::collections::HashMap;

/// A chain and one of its stores; either may be empty, not both.
type Store = (Box<str>, Box<str>);

/// Stores by number, from 1.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    names: Vec<Store>,
    /// By chain, then store, so that looking one up copies no text.
    numbers: HashMap<Box<str>, HashMap<Box<str>, u16>>,
    overflown: bool,
}

impl Stores {
    /// The number of a store; 0 when it has no name, or when there are more than 65,535.
    pub fn number(&mut self, agent_id: &str, store_id: &str) -> u16 {
        if agent_id.is_empty() && store_id.is_empty() {
            return 0;
        }
        if let Some(&number) = self.numbers.get(agent_id).and_then(|stores| stores.get(store_id)) {
            return number;
        }
        let Ok(number) = u16::try_from(self.names.len().saturating_add(1)) else {
            self.overflown = true;
            return 0;
        };
        self.names.push((agent_id.into(), store_id.into()));
        self.numbers.entry(agent_id.into()).or_default().insert(store_id.into(), number);
        number
    }

    /// The chain and the store of a number.
    #[must_use]
    pub fn name(&self, number: u16) -> (&str, &str) {
        let store = usize::from(number).checked_sub(1).and_then(|place| self.names.get(place));
        store.map_or(("", ""), |(agent_id, store_id)| (agent_id, store_id))
    }

    /// Whether there were more than can be told apart, so that figures by store would be wrong.
    #[must_use]
    pub const fn is_overflown(&self) -> bool {
        self.overflown
    }

    /// Adds those of `others`; their new numbers, in their order.
    pub(super) fn take(&mut self, others: &Self) -> Vec<u16> {
        self.overflown |= others.overflown;
        others.names.iter().map(|(agent_id, store_id)| self.number(agent_id, store_id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_keeps_its_name_when_tables_are_joined() {
        let (mut first, mut second) = (Stores::default(), Stores::default());
        assert_eq!([first.number("A", "1"), first.number("A", "2"), first.number("A", "1"), first.number("", "")], [1, 2, 1, 0]);
        assert_eq!([second.number("B", "1"), second.number("A", "2")], [1, 2]);
        assert_eq!(first.take(&second), [3, 2]);
        assert_eq!((first.name(3), first.name(2), first.name(0)), (("B", "1"), ("A", "2"), ("", "")));
    }
}
