//! Which rows there are: the seals of all bills, and of all payments, under one digest each, so that a row that was put back, added or
//! removed is found by whoever reads its neighbours, at a cost that hardly grows with the ledger.
//!
//! The seals of sixteen rows with ids that follow one another are added up, and sixty sums are a node; sixty nodes' digests are a node
//! again, five levels high. The last digests are in the [`Top`], sealed with the end of the chain. A sum need not be hidden: the node
//! that has it is sealed, and the few rows a history knows of sixteen ids do not add up to one another's sums.
//!
//! Belongs here: where a row's seal is counted, and what follows from a change. Must not be here: reading and writing nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use crate::ledger::LedgerHead;
use crate::ledger::seals::{Seal, Seals};

/// Rows whose seals are added up.
const ROWS: i64 = 16;
/// Seals of a node: four nodes of this size share a page of SQLite's.
const CHILDREN: i64 = 60;
const LEVELS: i64 = 5;

/// What has a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ledger) enum Set {
    /// By id.
    Bills,
    /// By the number of their event.
    Payments,
}

impl Set {
    /// Both.
    pub(in crate::ledger) const ALL: [Self; 2] = [Self::Bills, Self::Payments];

    /// Ids and seals of rows; a clause follows.
    pub(in crate::ledger) const fn seals(self) -> &'static str {
        match self {
            Self::Bills => "SELECT id, seal FROM bills",
            Self::Payments => "SELECT sequence, seal FROM payments",
        }
    }

    /// What its rows are ordered by.
    pub(in crate::ledger) const fn key(self) -> &'static str {
        match self {
            Self::Bills => "id",
            Self::Payments => "sequence",
        }
    }

    /// What is said of a row without a seal.
    pub(in crate::ledger) fn unsealed(self, id: i64) -> Fault {
        let what = match self {
            Self::Bills => "bill",
            Self::Payments => "payment",
        };
        Fault::Damaged(format!("{what} {id} has no seal: its seal does not fit"))
    }

    /// What is said where a row is not the one that was written last, is missing, or is one too many.
    pub(in crate::ledger) fn broken(self) -> Fault {
        Fault::Damaged(match self {
            Self::Bills => "bills were put back, added or removed: their seals do not add up".into(),
            Self::Payments => "payments were put back, added or removed: their seals do not add up".into(),
        })
    }
}

/// Where the [`Top`] is kept, beside the nodes.
pub(in crate::ledger) const TOP: i64 = 0;

/// Where a node is kept. The upper levels come first, so that they share a page.
pub(in crate::ledger) type Place = i64;

const fn place(set: Set, level: i64, node: i64) -> Place {
    let number = (LEVELS - level) * 2
        + match set {
            Set::Bills => 1,
            Set::Payments => 2,
        };
    number << 48 | node
}

/// The group a row is in.
pub(in crate::ledger) const fn group_of(id: i64) -> i64 {
    id.div_euclid(ROWS)
}

/// The first and the last id of a group.
pub(in crate::ledger) const fn span_of(group: i64) -> [i64; 2] {
    [group * ROWS, group * ROWS + (ROWS - 1)]
}

/// Nodes by their places: what each has of its children.
pub(in crate::ledger) type Nodes = BTreeMap<Place, Vec<u8>>;

/// The nodes above a group, from the lowest to the highest, each with the place of the one below in it.
fn path(set: Set, group: i64) -> [(Place, usize); 5] {
    let mut node = group;
    [1, 2, 3, 4, LEVELS].map(|level| {
        let slot = usize::try_from(node.rem_euclid(CHILDREN)).unwrap_or_default();
        node = node.div_euclid(CHILDREN);
        (place(set, level, node), slot)
    })
}

fn slot_of(node: Option<&Vec<u8>>, slot: usize) -> Seal {
    let (slots, _) = node.map_or(&[][..], Vec::as_slice).as_chunks::<16>();
    slots.get(slot).copied().unwrap_or_default()
}

fn put(node: &mut Vec<u8>, slot: usize, seal: Seal) {
    let end = slot.saturating_add(1).saturating_mul(16);
    if node.len() < end {
        node.resize(end, 0);
    }
    if let Some(place) = node.as_chunks_mut::<16>().0.get_mut(slot) {
        *place = seal;
    }
}

/// What stands for a node in the one above it; nothing for one that is not there.
fn digest_of(seals: &Seals, place: Place, node: Option<&Vec<u8>>) -> Seal {
    node.map_or_else(Seal::default, |node| seals.seal(b"node", &[&place.to_be_bytes(), node]))
}

/// What the sums of groups have become more by, or less.
#[derive(Clone, Debug, Default)]
pub(in crate::ledger) struct Growth(BTreeMap<(Set, i64), u128>);

impl Growth {
    /// A row has another seal than before, or is new.
    pub(in crate::ledger) fn row(&mut self, set: Set, id: i64, before: Option<Seal>, after: Seal) {
        let sum = self.0.entry((set, group_of(id))).or_default();
        let before = before.map_or(0, u128::from_be_bytes);
        *sum = sum.wrapping_add(u128::from_be_bytes(after)).wrapping_sub(before);
    }

    /// Whether nothing has changed.
    pub(in crate::ledger) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The nodes that are above what has changed.
    pub(in crate::ledger) fn places(&self) -> BTreeSet<Place> {
        self.0.keys().flat_map(|(set, group)| path(*set, *group).map(|(place, _)| place)).collect()
    }

    /// Changes the nodes, which must be all of [`Self::places`] that there are, and what is above them.
    pub(in crate::ledger) fn apply(self, seals: &Seals, top: &mut Top, nodes: &mut Nodes) -> Result<BTreeSet<Place>, Fault> {
        let mut checked = BTreeSet::new();
        for (set, group) in self.0.keys() {
            check_path(seals, top, *set, *group, nodes, &mut checked)?;
        }
        let places = self.places();
        let mut changed: BTreeMap<(Set, i64), Seal> = BTreeMap::new();
        for ((set, group), more) in self.0 {
            let (place, slot) = path(set, group)[0];
            let sum = u128::from_be_bytes(slot_of(nodes.get(&place), slot)).wrapping_add(more);
            put(nodes.entry(place).or_default(), slot, sum.to_be_bytes());
            changed.insert((set, group.div_euclid(CHILDREN)), Seal::default());
        }
        for level in 1..=LEVELS {
            let mut above = BTreeMap::new();
            for (set, node) in changed.into_keys() {
                let below = place(set, level, node);
                let digest = digest_of(seals, below, nodes.get(&below));
                if level == LEVELS {
                    if node != 0 {
                        return Err(Fault::absurd());
                    }
                    *top.root_mut(set) = digest;
                    continue;
                }
                let slot = usize::try_from(node.rem_euclid(CHILDREN)).unwrap_or_default();
                put(nodes.entry(place(set, level.saturating_add(1), node.div_euclid(CHILDREN))).or_default(), slot, digest);
                above.insert((set, node.div_euclid(CHILDREN)), Seal::default());
            }
            changed = above;
        }
        Ok(places)
    }
}

/// The nodes above a group.
pub(in crate::ledger) fn places_above(set: Set, group: i64) -> [Place; 5] {
    path(set, group).map(|(place, _)| place)
}

/// Whether the nodes above a group are those that the top stands for; gives the sum of the group. What is in `checked` was looked at, with
/// all that is above it.
pub(in crate::ledger) fn check_path(
    seals: &Seals,
    top: &Top,
    set: Set,
    group: i64,
    nodes: &Nodes,
    checked: &mut BTreeSet<Place>,
) -> Result<u128, Fault> {
    let path = path(set, group);
    let above = path.iter().skip(1).map(|(place, slot)| slot_of(nodes.get(place), *slot)).chain([top.root(set)]);
    for ((place, _), wanted) in path.iter().zip(above) {
        if checked.contains(place) {
            break;
        }
        if digest_of(seals, *place, nodes.get(place)) != wanted {
            return Err(set.broken());
        }
    }
    checked.extend(path.iter().map(|(place, _)| place));
    let (lowest, slot) = path[0];
    Ok(u128::from_be_bytes(slot_of(nodes.get(&lowest), slot)))
}

/// A tree made of all its rows, in the order of their ids; each node is given out when it is whole.
pub(in crate::ledger) struct Builder<'s, E> {
    seals: &'s Seals,
    set: Set,
    emit: E,
    group: Option<(i64, u128)>,
    /// Of each level the node that is being made.
    nodes: [Option<(i64, Vec<u8>)>; 5],
    root: Seal,
}

impl<'s, E: FnMut(Place, &[u8]) -> Result<(), Fault>> Builder<'s, E> {
    pub(in crate::ledger) const fn new(seals: &'s Seals, set: Set, emit: E) -> Self {
        Self { seals, set, emit, group: None, nodes: [const { None }; 5], root: [0; 16] }
    }

    /// The next row.
    pub(in crate::ledger) fn row(&mut self, id: i64, seal: Seal) -> Result<(), Fault> {
        let (group, seal) = (group_of(id), u128::from_be_bytes(seal));
        match &mut self.group {
            Some((current, sum)) if *current == group => *sum = sum.wrapping_add(seal),
            current => {
                if let Some((before, sum)) = current.replace((group, seal)) {
                    self.put(0, before, sum.to_be_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Something of a level below has become whole.
    fn put(&mut self, level: usize, below: i64, seal: Seal) -> Result<(), Fault> {
        let node = below.div_euclid(CHILDREN);
        let Some(place) = self.nodes.get_mut(level) else {
            if below != 0 {
                return Err(Fault::absurd());
            }
            self.root = seal;
            return Ok(());
        };
        let whole = place.take_if(|(current, _)| *current != node);
        let slot = usize::try_from(below.rem_euclid(CHILDREN)).unwrap_or_default();
        put(&mut place.get_or_insert_with(|| (node, Vec::new())).1, slot, seal);
        whole.map_or(Ok(()), |(node, bytes)| self.give(level, node, &bytes))
    }

    fn give(&mut self, level: usize, node: i64, bytes: &Vec<u8>) -> Result<(), Fault> {
        let place = place(self.set, i64::try_from(level).unwrap_or_default().saturating_add(1), node);
        (self.emit)(place, bytes)?;
        self.put(level.saturating_add(1), node, digest_of(self.seals, place, Some(bytes)))
    }

    /// The digest of them all.
    pub(in crate::ledger) fn finish(mut self) -> Result<Seal, Fault> {
        if let Some((group, sum)) = self.group.take() {
            self.put(0, group, sum.to_be_bytes())?;
        }
        for level in 0..self.nodes.len() {
            if let Some((node, bytes)) = self.nodes.get_mut(level).and_then(Option::take) {
                self.give(level, node, &bytes)?;
            }
        }
        Ok(self.root)
    }
}

/// What stands for all there is, sealed with the end of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Top {
    bills: Seal,
    payments: Seal,
    /// The sum of what stands for each row of `totals`. What stands for a row is nowhere to be seen, and the sum is kept masked, so that
    /// nobody finds other rows with the same sum.
    pub(in crate::ledger) totals: u128,
}

impl Top {
    /// The digest of a set.
    pub(in crate::ledger) const fn root(&self, set: Set) -> Seal {
        match set {
            Set::Bills => self.bills,
            Set::Payments => self.payments,
        }
    }

    pub(in crate::ledger) const fn root_mut(&mut self, set: Set) -> &mut Seal {
        match set {
            Set::Bills => &mut self.bills,
            Set::Payments => &mut self.payments,
        }
    }

    /// As it is kept when `head` is the end of the chain.
    pub(in crate::ledger) fn sealed(&self, seals: &Seals, head: &LedgerHead) -> Vec<u8> {
        let masked = self.totals.wrapping_add(mask(seals, head));
        let mut bytes = [self.bills, self.payments, masked.to_be_bytes()].concat();
        let seal = seal_of(seals, head, &bytes);
        bytes.extend_from_slice(&seal);
        bytes
    }

    /// What was kept, if `head` is where the chain ended then.
    pub(in crate::ledger) fn of(seals: &Seals, head: &LedgerHead, kept: Option<&[u8]>) -> Result<Self, Fault> {
        let broken = || {
            Fault::Damaged(format!(
                "its seals were made when the chain ended elsewhere than at event {}: events or seals were put back or removed",
                head.sequence
            ))
        };
        let ([bills, payments, masked, seal], []) = kept.ok_or_else(broken)?.as_chunks::<16>() else { return Err(broken()) };
        if *seal != seal_of(seals, head, &[*bills, *payments, *masked].concat()) {
            return Err(broken());
        }
        let totals = u128::from_be_bytes(*masked).wrapping_sub(mask(seals, head));
        Ok(Self { bills: *bills, payments: *payments, totals })
    }
}

fn seal_of(seals: &Seals, head: &LedgerHead, bytes: &[u8]) -> Seal {
    seals.seal(b"top", &[bytes, &head.sequence.to_be_bytes(), &head.hash])
}

fn mask(seals: &Seals, head: &LedgerHead) -> u128 {
    u128::from_be_bytes(seals.seal(b"mask", &[&head.sequence.to_be_bytes(), &head.hash]))
}

/// What stands for a row of `totals`; nothing for one that counts nothing.
pub(in crate::ledger) fn of_total(seals: &Seals, (what, paid, held, ends_on): (&str, bool, bool, i64), sums: (i64, i64)) -> u128 {
    if sums == (0, 0) {
        return 0;
    }
    let digits = [ends_on, sums.0, sums.1].map(i64::to_be_bytes).concat();
    u128::from_be_bytes(seals.seal(b"total", &[what.as_bytes(), &[u8::from(paid), u8::from(held)], &digits]))
}
