//! Bills as compact records, found by invoice number and by code. Built from the ledger's states or an external file.

use jiff::Timestamp;

use super::former_codes::{Former, FormerCodes};
use super::month_facts::Side;
use super::new_bill::{ExternalMark, NewBill};
use super::text_index::{Index, hash};
use crate::books::item::ItemId;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;

/// One bill.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    text_at: u32,
    invoice_length: u8,
    code_length: u8,
    /// [`Bill::IN_DOUBT`] and its like.
    flags: u8,
    pub(super) channel: Channel,
    pub(super) amount: Amount,
    planned_at_us: i64,
    created_at_us: i64,
    expires_at_us: i64,
    cancelled_at_us: i64,
    paid_at_us: i64,
    /// 0: none.
    pub(super) group: u32,
    /// Index into the histories plus one; 0: none.
    history: u32,
}

const _: () = assert!(size_of::<Bill>() <= 64, "a month holds millions of bills");

const NEVER: i64 = i64::MIN;

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(NEVER, Timestamp::as_microsecond)
}

fn instant(at: i64) -> Option<Timestamp> {
    if at == NEVER { None } else { Timestamp::from_microsecond(at).ok() }
}

impl Bill {
    const REUSABLE: u8 = 1;
    const IN_DOUBT: u8 = 2;
    const OTHERWISE: u8 = 4;
    const PAID: u8 = 8;
    const CODE_OPEN: u8 = 16;
    const CODE_DEAD: u8 = 32;
    const INQUIRY: u8 = 64;

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) const fn reusable(&self) -> bool {
        self.has(Self::REUSABLE)
    }

    pub(super) const fn issue_in_doubt(&self) -> bool {
        self.has(Self::IN_DOUBT)
    }

    pub(super) const fn issued_otherwise(&self) -> bool {
        self.has(Self::OTHERWISE)
    }

    pub(super) const fn code_is_dead(&self) -> bool {
        self.has(Self::CODE_DEAD)
    }

    pub(super) const fn by_inquiry(&self) -> bool {
        self.has(Self::INQUIRY)
    }

    pub(super) const fn has_code(&self) -> bool {
        self.code_length > 0
    }

    pub(super) fn planned_at(&self) -> Option<Timestamp> {
        instant(self.planned_at_us)
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        instant(self.created_at_us)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        instant(self.expires_at_us)
    }

    pub(super) fn cancelled_at(&self) -> Option<Timestamp> {
        instant(self.cancelled_at_us)
    }

    pub(super) fn external_mark(&self) -> ExternalMark {
        match instant(self.paid_at_us) {
            _ if !self.has(Self::PAID) => ExternalMark::Unpaid,
            None => ExternalMark::Undated,
            Some(at) => ExternalMark::At(at),
        }
    }
}

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
    groups: std::collections::HashMap<String, u32>,
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
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let flags = flag(new.reusable, Bill::REUSABLE)
            | flag(new.issue_in_doubt, Bill::IN_DOUBT)
            | flag(new.issued_otherwise, Bill::OTHERWISE)
            | flag(new.code_is_dead, Bill::CODE_DEAD)
            | flag(new.by_inquiry, Bill::INQUIRY)
            | flag(new.paid != ExternalMark::Unpaid, Bill::PAID)
            | flag(new.open_invoice_number == Some(new.invoice_number), Bill::CODE_OPEN);
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
        let group = new.bill_group.map_or(0, |name| self.group(name));
        let history = self.history(new.earlier_amounts);
        self.side.push(new);
        self.all.push(Bill {
            text_at,
            invoice_length: u8::try_from(new.invoice_number.len()).unwrap_or(u8::MAX),
            code_length: u8::try_from(code.len()).unwrap_or(u8::MAX),
            flags,
            channel: new.channel,
            amount: new.amount,
            planned_at_us: micros(new.planned_at),
            created_at_us: micros(new.created_at),
            expires_at_us: micros(new.expires_at),
            cancelled_at_us: micros(new.cancelled_at),
            paid_at_us: if let ExternalMark::At(at) = new.paid { at.as_microsecond() } else { NEVER },
            group,
            history,
        });
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

    fn group(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.groups.len().saturating_add(1)).unwrap_or(u32::MAX);
        match self.groups.get(name) {
            Some(&group) => group,
            None => *self.groups.entry(name.to_owned()).or_insert(next),
        }
    }

    /// The names of the groups, by the numbers that bills have of them.
    pub(super) fn group_names(&self) -> std::collections::BTreeMap<u32, &str> {
        self.groups.iter().map(|(name, number)| (*number, name.as_str())).collect()
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
        let number = |bill: &Bill| text_of(texts, bill.text_at, 0, bill.invoice_length);
        let code = |bill: &Bill| text_of(texts, bill.text_at, bill.invoice_length, bill.code_length);
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
        self.get(bill).map_or("", |bill| text_of(&self.texts, bill.text_at, 0, bill.invoice_length))
    }

    /// A bill's code; empty when it has none.
    #[must_use]
    pub fn payment_code(&self, bill: u32) -> &str {
        self.get(bill).map_or("", |bill| text_of(&self.texts, bill.text_at, bill.invoice_length, bill.code_length))
    }

    pub(super) fn earlier_amounts(&self, bill: &Bill) -> &[Amount] {
        let place = usize::try_from(bill.history).ok().and_then(|history| history.checked_sub(1));
        place.and_then(|place| self.histories.get(place)).map_or(&[], Vec::as_slice)
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
        own.map(|bill| (bill, self.get(bill).is_some_and(|bill| bill.has(Bill::CODE_OPEN)))).chain(aliases)
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

    /// Whether any code goes with a bill's own number.
    pub(super) const fn has_open_code(bill: &Bill) -> bool {
        bill.has(Bill::CODE_OPEN)
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

fn text_of(texts: &str, at: u32, skip: u8, length: u8) -> &str {
    let start = usize::try_from(at).unwrap_or(usize::MAX).saturating_add(usize::from(skip));
    texts.get(start..start.saturating_add(usize::from(length))).unwrap_or_default()
}
