//! All bills of a run, found by invoice number and by code: those of the ledger or of an external file, and after them those that only the
//! books know.

use jiff::Timestamp;

use super::bill::Bill;
use super::former_codes::{Former, FormerCodes};
use super::groups::Groups;
use super::month_facts::Side;
use super::new_bill::NewBill;
use super::text_index::{Index, hash};
use crate::books::item::ItemId;
use crate::domain::amount::Amount;

/// What an invoice number and a code lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BillMatch {
    /// One bill.
    One(u32),
    /// More than one.
    Several,
    /// One of the two is known, or both but not as a pair.
    Disagree,
    /// Neither is known.
    Unknown,
}

/// More bills than one run can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// All bills of a run.
#[derive(Debug, Default)]
pub struct Bills {
    all: Vec<Bill>,
    /// What the books call those at the end of `all` that the ledger lists no more: they match, and are in nobody's scope.
    unlisted: Vec<ItemId>,
    texts: String,
    /// What only the month's figures ask for.
    side: Side,
    histories: Vec<Vec<Amount>>,
    groups: Groups,
    /// Of the few bills whose policy was ever lapsed or cancelled.
    lapses: std::collections::HashMap<u32, Vec<(Timestamp, bool)>>,
    /// Other numbers than the bill's own.
    aliases: Vec<Alias>,
    /// Codes that bills have lost.
    former: FormerCodes,
    by_invoice: Index,
    by_code: Index,
    by_alias: Index,
}

/// A number DOKU knows, or may know, a bill by.
#[derive(Clone, Debug)]
struct Alias {
    bill: u32,
    /// Whether its code is not known, so that any goes with it.
    any_code: bool,
    number: Box<str>,
}

impl Bills {
    /// Room for `count` bills.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self { all: Vec::with_capacity(count), ..Self::default() }
    }

    /// Adds one; its index.
    ///
    /// # Errors
    /// [`TooMany`] beyond 4 GiB of ids.
    pub fn push(&mut self, new: &NewBill<'_>) -> Result<u32, TooMany> {
        let bill = u32::try_from(self.all.len()).map_err(|_| TooMany)?;
        let code = new.payment_code.unwrap_or_default();
        let text_at = u32::try_from(self.texts.len()).map_err(|_| TooMany)?;
        self.texts.push_str(new.invoice_number);
        self.texts.push_str(code);
        self.former.add(bill, new.former);
        let former = new.former.iter().map(|order| order.wire_invoice_number);
        let other = former.chain(new.answered_as.iter().copied()).map(|number| (Some(number), false));
        for (number, any_code) in [(new.wire_invoice_number, false), (new.open_invoice_number, true)].into_iter().chain(other) {
            if let Some(number) = number.filter(|&number| number != new.invoice_number) {
                self.aliases.push(Alias { bill, any_code, number: number.into() });
            }
        }
        if new.lapses.iter().any(|&(_, lapsed)| lapsed) {
            self.lapses.insert(bill, new.lapses.to_vec());
        }
        let group = new.bill_group.map_or(0, |name| self.groups.named(name));
        let history = self.history(new.earlier_amounts);
        self.side.push(new);
        self.all.push(Bill::of(new, text_at, group, history));
        Ok(bill)
    }

    /// Adds one that only the books know, as `id`; after all that are listed.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub(super) fn push_unlisted(&mut self, new: &NewBill<'_>, id: ItemId) -> Result<u32, TooMany> {
        let bill = self.push(new)?;
        self.unlisted.push(id);
        Ok(bill)
    }

    /// The names of the groups, by the numbers that bills have of them.
    pub(super) fn group_names(&self) -> std::collections::BTreeMap<u32, &str> {
        self.groups.names()
    }

    /// What the group owes that a bill is of, if it is of one.
    pub(super) fn debt_of_group(&self, bill: u32) -> Option<ItemId> {
        self.groups.debt(self.get(bill)?.group)
    }

    /// Takes bills for part of the debts that the books have billed them in, whatever group they are listed in now.
    pub(super) fn stay_in(&mut self, debts: &[(u32, ItemId)]) {
        for (number, debt) in debts {
            let group = self.groups.of_debt(*debt);
            if let Some(bill) = usize::try_from(*number).ok().and_then(|at| self.all.get_mut(at)) {
                bill.group = group;
            }
        }
    }

    fn history(&mut self, amounts: &[Amount]) -> u32 {
        if amounts.is_empty() {
            return 0;
        }
        self.histories.push(amounts.to_vec());
        u32::try_from(self.histories.len()).unwrap_or(0)
    }

    /// Makes the bills findable; call it after the last `push`.
    pub fn build_index(&mut self) {
        let (bills, texts) = (&self.all, &self.texts);
        let number = |bill: &Bill| bill.invoice_number(texts);
        let code = |bill: &Bill| bill.payment_code(texts);
        let numbered = (0_u32..).zip(bills);
        let coded = (0_u32..).zip(bills).filter(|(_, bill)| bill.has_code());
        (self.by_invoice, self.by_code) = rayon::join(
            || Index::build(bills.len(), numbered.map(|(at, bill)| (hash(number(bill)), at))),
            || Index::build(bills.len(), coded.map(|(at, bill)| (hash(code(bill)), at))),
        );
        let aliases = (0_u32..).zip(&self.aliases);
        self.by_alias = Index::build(self.aliases.len(), aliases.map(|(at, alias)| (hash(&alias.number), at)));
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// How many the ledger lists.
    pub(super) fn listed(&self) -> usize {
        self.all.len().saturating_sub(self.unlisted.len())
    }

    /// Whether the ledger lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed() == 0
    }

    /// What the books call a bill that the ledger lists no more.
    pub(super) fn unlisted(&self, bill: u32) -> Option<ItemId> {
        self.unlisted.get(usize::try_from(bill).ok()?.checked_sub(self.listed())?).copied()
    }

    /// Those that the ledger lists.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Bill)> {
        self.iter_all().take(self.listed())
    }

    pub(super) fn iter_all(&self) -> impl Iterator<Item = (u32, &Bill)> {
        (0_u32..).zip(&self.all)
    }

    pub(super) fn get(&self, bill: u32) -> Option<&Bill> {
        self.all.get(usize::try_from(bill).ok()?)
    }

    /// A bill's own number.
    #[must_use]
    pub fn invoice_number(&self, bill: u32) -> &str {
        self.get(bill).map_or("", |bill| bill.invoice_number(&self.texts))
    }

    /// A bill's code; empty when it has none.
    #[must_use]
    pub fn payment_code(&self, bill: u32) -> &str {
        self.get(bill).map_or("", |bill| bill.payment_code(&self.texts))
    }

    pub(super) fn earlier_amounts(&self, bill: &Bill) -> &[Amount] {
        bill.history().and_then(|place| self.histories.get(place)).map_or(&[], Vec::as_slice)
    }

    /// Whether a bill's policy was lapsed or cancelled at `at`, by the last state recorded until then.
    pub(super) fn policy_lapsed(&self, bill: u32, at: Timestamp) -> bool {
        let until_then = self.lapses.get(&bill).and_then(|lapses| lapses.iter().rfind(|(recorded_at, _)| *recorded_at <= at));
        until_then.is_some_and(|&(_, lapsed)| lapsed)
    }

    /// When policies' states were recorded, of bills whose policy was ever lapsed or cancelled.
    pub(super) fn lapses(&self) -> impl Iterator<Item = (u32, &[(Timestamp, bool)])> {
        self.lapses.iter().map(|(bill, states)| (*bill, states.as_slice()))
    }

    /// Numbers other than bills' own: whose, which, and whether any code goes with it.
    pub(super) fn aliases(&self) -> impl Iterator<Item = (u32, &str, bool)> {
        self.aliases.iter().map(|alias| (alias.bill, &*alias.number, alias.any_code))
    }

    /// What only the month's figures ask for.
    pub(super) const fn side(&self) -> &Side {
        &self.side
    }

    /// Runs of bills whose codes may be equal, for L07.
    pub(super) fn same_code_runs(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.by_code.runs()
    }

    /// The bills known by `invoice_number`: their own, DOKU's, or an open issue's; each with whether any code goes with it.
    fn by_number<'a>(&'a self, invoice_number: &'a str) -> impl Iterator<Item = (u32, bool)> + 'a {
        let hashed = hash(invoice_number);
        let own = self.by_invoice.get(hashed).filter(move |&bill| self.invoice_number(bill) == invoice_number);
        let aliases = self.by_alias.get(hashed).filter_map(move |at| self.aliases.get(usize::try_from(at).ok()?));
        let aliases = aliases.filter(move |alias| *alias.number == *invoice_number).map(|alias| (alias.bill, alias.any_code));
        own.map(|bill| (bill, self.get(bill).is_some_and(Bill::has_open_code))).chain(aliases)
    }

    pub(super) fn by_code<'a>(&'a self, code: &'a str) -> impl Iterator<Item = u32> + 'a {
        self.by_code.get(hash(code)).filter(move |&bill| self.payment_code(bill) == code)
    }

    /// What a payment's ids lead to.
    pub(super) fn find(&self, invoice_number: &str, payment_code: &str) -> BillMatch {
        let mut numbered: Vec<u32> = Vec::new();
        let mut pairs = Vec::new();
        for (bill, any_code) in self.by_number(invoice_number) {
            if !numbered.contains(&bill) {
                numbered.push(bill);
            }
            if (any_code || self.has_or_had(bill, payment_code)) && !pairs.contains(&bill) {
                pairs.push(bill);
            }
        }
        match *pairs {
            [bill] => return BillMatch::One(bill),
            [_, _, ..] => return BillMatch::Several,
            [] => {}
        }
        let mut coded: Vec<u32> = self.by_code(payment_code).chain(self.former.of(payment_code).map(|former| former.bill)).collect();
        coded.sort_unstable();
        coded.dedup();
        match (numbered.len(), coded.len()) {
            (0, 0) => BillMatch::Unknown,
            (0, 2..) | (2.., 0) => BillMatch::Several,
            _ => BillMatch::Disagree,
        }
    }

    /// Every bill that one of the two ids leads to, sorted by number.
    pub(super) fn candidates(&self, invoice_number: &str, payment_code: &str) -> Vec<u32> {
        let former = self.former.of(payment_code).map(|former| former.bill);
        let mut all: Vec<u32> =
            self.by_number(invoice_number).map(|(bill, _)| bill).chain(self.by_code(payment_code)).chain(former).collect();
        all.sort_unstable();
        all.dedup();
        all.sort_by_key(|&bill| (self.invoice_number(bill), self.payment_code(bill)));
        all
    }

    /// Codes that bills have lost.
    pub(super) const fn former(&self) -> &FormerCodes {
        &self.former
    }

    /// The bills that go by this number, whatever their codes.
    pub(super) fn numbered<'a>(&'a self, invoice_number: &'a str) -> impl Iterator<Item = u32> + 'a {
        self.by_number(invoice_number).map(|(bill, _)| bill)
    }

    /// The only bill that goes by both ids, if the code is the one it has.
    #[must_use]
    pub fn pair(&self, invoice_number: &str, payment_code: &str) -> Option<u32> {
        let mut pairs = self.by_number(invoice_number).filter(|&(bill, any_code)| any_code || self.has_or_had(bill, payment_code));
        let (first, any_code) = pairs.next()?;
        let has_it = any_code || self.payment_code(first) == payment_code;
        (has_it && pairs.all(|(other, _)| other == first)).then_some(first)
    }

    fn has_or_had(&self, bill: u32, payment_code: &str) -> bool {
        self.payment_code(bill) == payment_code || self.lost(bill, payment_code).is_some()
    }

    /// The code as the bill had it, if it has lost it and has another now.
    pub(super) fn lost(&self, bill: u32, payment_code: &str) -> Option<&Former> {
        self.former.of(payment_code).find(|former| former.bill == bill).filter(|_| self.payment_code(bill) != payment_code)
    }
}
