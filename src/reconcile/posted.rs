//! The books of a run: what they were opened with, what was posted, and whether it holds.
//!
//! They are posted part by part, some in parallel. What a part comes to is written at once and forgotten, but for its sums, the items that
//! somebody is to see, and what the parts have in common.
//!
//! Belongs here: posting what a run found onto what the books knew. Must not be here: reading the month before, writing anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rayon::prelude::*;

use super::Reconciled;
use super::books_inputs::{BooksInputs, Opened};
use super::by_books::ByBooks;
use super::decision_grounds::grounded;
use super::facts_by_part::FactsByPart;
use super::figures::Figures;
use super::finding::Finding;
use super::listing::listed;
use super::month::prior::{PriorLine, prior_lines};
use super::open_items::{DueTerms as ItemTerms, Findings, Items, OpenItem, Todo, open_items};
use super::settlement_facts::paid_later;
use super::terms::ReconcileTerms;
use crate::books::breakdown::Breakdown;
use crate::books::carry::CarryError;
use crate::books::ground::grounds;
use crate::books::identities::{KnownBefore, MonthInputs, MonthResults, PostingIdentity, identities};
use crate::books::ledger_tie::Tie;
use crate::books::month::{Ageing, Statement};
use crate::books::pair::{Key, Pair};
use crate::books::take_on::begin;
use crate::books::{
    Account, BooksDecision, BooksError, BooksSettings, BooksSubject, Brief, Facts, ItemId, Known, Leg, Part, Parts, PostedMonth, Posting,
    PostingPeriod, SharedTotals,
};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Nature, Stands};
use crate::domain::digest::Digest;

/// Parts that are posted before the next ones are begun: with one for each thread, all would wait for the slowest.
const PARTS_PER_THREAD: usize = 2;

/// Keeps what is posted: the files of a report.
pub trait Keeper: Send {
    /// What is kept of one part.
    type Page: Send;
    /// Why it cannot be.
    type Error: From<BooksError> + From<CarryError>;

    /// Makes a page of a part, whose pairs have these keys. Several are made at once.
    ///
    /// # Errors
    /// When it cannot be written down.
    fn page(month: &PostedMonth, keys: &[Key], items: &[OpenItem], settings: &BooksSettings) -> Result<Self::Page, Self::Error>;

    /// Keeps a page, in the order of the parts.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&mut self, page: Self::Page) -> Result<(), Self::Error>;
}

/// Money that is held, and the payment it came with.
#[derive(Clone, Debug)]
pub struct HeldMoney {
    /// The item.
    pub item: OpenItem,
    /// When it was paid, and what makes it that payment; none for what is no payment.
    pub payment: Option<(jiff::Timestamp, Option<Digest>)>,
}

/// The books of a run.
#[derive(Clone, Debug)]
pub struct Posted {
    /// What all parts have in common: decisions, batches, alarms, money without a bill.
    pub common: PostedMonth,
    /// The settings.
    pub settings: BooksSettings,
    /// The hash of the head they were opened with; none for the first month.
    pub previous: Option<String>,
    /// The day to which ages are counted.
    pub today: Date,
    /// Every account that has something to say.
    pub statements: Vec<Statement>,
    /// How old the items of each account are.
    pub ageing: Vec<Ageing>,
    /// What customers owe by product, branch, agent.
    pub breakdown: Breakdown,
    /// From what the ledger asks for to what is owed; none if no ledger was read.
    pub tie: Option<Tie>,
    /// What was left aside, by why.
    pub aside: BTreeMap<&'static str, usize>,
    /// Everything that is open, and every alarm.
    pub items: Items,
    /// The money that is held.
    pub held: Vec<HeldMoney>,
    /// What became known of earlier periods.
    pub prior: Vec<PriorLine>,
    /// What stands where it was asked, if the books know the item.
    pub answers: BTreeMap<Leg, Rupiah>,
    /// What must hold.
    pub identities: Vec<PostingIdentity>,
}

/// What one part comes to.
struct Concluded<P> {
    handed: SharedTotals,
    aside: [(&'static str, usize); 10],
    unposted: BTreeSet<ItemId>,
    figures: Figures,
    items: Vec<OpenItem>,
    grounds: BTreeMap<(Option<Account>, ItemId), Facts>,
    held: Vec<HeldMoney>,
    prior: Vec<PriorLine>,
    answers: BTreeMap<Leg, Rupiah>,
    by_books: ByBooks,
    page: P,
}

/// A run whose books are being posted.
struct Run<'a> {
    found: FactsByPart<'a>,
    findings: Findings<'a>,
    outcome: &'a Reconciled,
    item_terms: ItemTerms<'a>,
    posting: Posting<'a>,
    parts: Parts,
    opened: &'a Opened,
    asked: &'a BTreeSet<Leg>,
}

/// What has been posted so far.
#[derive(Default)]
struct Sums {
    handed: SharedTotals,
    aside: BTreeMap<&'static str, usize>,
    unposted: BTreeSet<ItemId>,
    figures: Figures,
    items: Items,
    grounds: BTreeMap<(Option<Account>, ItemId), Facts>,
    held: Vec<HeldMoney>,
    prior: Vec<PriorLine>,
    answers: BTreeMap<Leg, Rupiah>,
    by_books: ByBooks,
}

impl Posted {
    /// Posts what `outcome` found, and makes its findings the one list of what somebody must look at.
    ///
    /// # Errors
    /// [`BooksError`], a state that no evidence can lead to; or the keeper's.
    pub fn of<K: Keeper<Error: Send>>(
        outcome: &mut Reconciled,
        terms: &ReconcileTerms,
        inputs: BooksInputs,
        keeper: &mut K,
    ) -> Result<Self, K::Error> {
        let BooksInputs { opened, decisions, asked, settings } = inputs;
        let period = PostingPeriod { from: terms.period.from, to: terms.period.to };
        let begun = Brief::of(&Known { began_on: Some(period.from), ..Known::default() });
        let (before, previous, items) = match &opened {
            Opened::Carried { folder, hash } => (folder.brief(), Some(hash.clone()), &[][..]),
            Opened::TakenOn { items } => (&begun, None, &items[..]),
        };
        let today = wib_date(terms.as_of).max(period.from);
        let (sums, common, by_books, lists_bills) = {
            let (found, parts) = FactsByPart::of(outcome, terms, before, &decisions, items);
            let paid_later = paid_later(outcome, period.to);
            let is_settlement_known = outcome.settled.is_some() || !before.common.batches.is_empty();
            let run = Run {
                posting: Posting { settings: &settings, period, lists_bills: found.lists_bills() },
                item_terms: ItemTerms {
                    terms,
                    today,
                    settings: &settings,
                    is_settlement_known,
                    paid_later: &paid_later,
                    decisions: &decisions,
                },
                parts,
                opened: &opened,
                findings: Findings::of(&outcome.findings),
                found,
                outcome,
                asked: &asked,
            };
            let (sums, common, by_books) = run.post(&decisions, keeper)?;
            (sums, common, by_books, run.posting.lists_bills)
        };
        outcome.follow(by_books, terms);
        let findings = std::mem::take(&mut outcome.findings);
        outcome.findings = listed(findings, &sums.items, &sums.grounds, &common.known, &sums.unposted);
        let Sums { figures, mut aside, items, held, prior, answers, .. } = sums;
        let copies = outcome.inputs.settlement.as_ref().map_or(0, |input| input.files.copies.rows);
        let of_files = aside.entry("copies").or_default();
        *of_files = of_files.saturating_add(usize::try_from(copies).unwrap_or(usize::MAX));
        let Figures { statements, ageing, breakdown, tie, identities } = figures.closed(lists_bills);
        let tie = lists_bills.then_some(tie);
        Ok(Self { common, settings, previous, today, statements, ageing, breakdown, tie, aside, items, held, prior, answers, identities })
    }

    /// Counts what is listed and stands on no account: what is to be done is what the list says, whether or not it has a balance. What somebody
    /// has accepted, by its id, is decided.
    pub fn count_listed(&mut self, listed: &[Finding], is_accepted: impl Fn(&str) -> bool) {
        let beside = listed.iter().filter(|finding| finding.books.is_none() && !finding.is_decided && finding.nature == Nature::Break);
        for finding in beside {
            let todo = if is_accepted(&finding.id) { Todo::Decided } else { Todo::Now };
            // What a row leaves at its batch is counted there.
            let is_at_batch = finding.class.info().stands == Stands::Clearing;
            self.items.add_beside(finding.class.info().owner, todo, if is_at_batch { Rupiah::ZERO } else { finding.at_stake() });
        }
    }

    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.identities.iter().all(PostingIdentity::holds)
    }

    /// What an account was from opening to closing; none if it has nothing to say.
    #[must_use]
    pub fn statement(&self, account: Account) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.account == account)
    }
}

impl Run<'_> {
    fn post<K: Keeper<Error: Send>>(&self, decisions: &[BooksDecision], keeper: &mut K) -> Result<(Sums, PostedMonth, ByBooks), K::Error> {
        let mut sums = Sums::default();
        let apart: Vec<Part> = self.parts.apart().collect();
        let mut turns = apart.chunks(rayon::current_num_threads().saturating_mul(PARTS_PER_THREAD));
        let mut next_turn = || turns.next().unwrap_or_default();
        let mut before = self.opened.before(&self.parts)?;
        let mut known = before.take(next_turn())?;
        let mut ready: Vec<Concluded<K::Page>> = Vec::new();
        // While some parts are posted, those before are written, and what is known of those after is read.
        while !known.is_empty() {
            let following = next_turn();
            let post = || known.into_par_iter().map(|(part, known)| self.apart::<K>(part, known)).collect::<Result<Vec<_>, K::Error>>();
            let write = || std::mem::take(&mut ready).into_iter().try_for_each(|part| Self::take(&mut sums, part, keeper, &self.findings));
            let ((made, kept), read) = rayon::join(|| rayon::join(post, write), || before.take(following));
            kept?;
            ready = made?.into_iter().flatten().collect();
            known = read?;
        }
        std::mem::take(&mut ready).into_iter().try_for_each(|part| Self::take(&mut sums, part, keeper, &self.findings))?;
        let facts = self.found.facts(Part::Together);
        let known = before.take(&[Part::Together])?.pop().and_then(|(_, known)| known);
        let before = self.opening(Part::Together, known, &facts)?;
        let decisions = grounded(&before, &facts, decisions, &self.posting)?;
        let known_before = KnownBefore::of(&before);
        let mut month = self.posting.together(before, &facts, &decisions, std::mem::take(&mut sums.handed))?;
        let made = MonthInputs { before: &known_before, facts: &facts, decisions: &decisions, settings: self.posting.settings };
        let mut by_books = ByBooks::of(&mut month, &self.found, self.outcome, self.item_terms.terms);
        let findings = by_books.found(&self.findings);
        let concluded = self.conclude::<K>(Part::Together, &mut month, &made, (&findings, &sums.items))?;
        Self::take(&mut sums, concluded, keeper, &findings)?;
        sums.items.trim(&findings);
        by_books.join(std::mem::take(&mut sums.by_books));
        sums.held.sort_by_cached_key(|held| held.item.rank());
        self.widen::<K::Error>(&mut sums, &month)?;
        month.pairs = Vec::new();
        Ok((sums, month, by_books))
    }

    /// Posts a part; nothing if it is empty.
    fn apart<K: Keeper>(&self, part: Part, known: Option<Known>) -> Result<Option<Concluded<K::Page>>, K::Error> {
        let Some((before, facts)) = self.part(part, known)? else { return Ok(None) };
        let known_before = KnownBefore::of(&before);
        let mut month = self.posting.apart(before, &facts)?;
        let made = MonthInputs { before: &known_before, facts: &facts, decisions: &[], settings: self.posting.settings };
        self.conclude::<K>(part, &mut month, &made, (&self.findings, &Items::default())).map(Some)
    }

    fn part(&self, part: Part, known: Option<Known>) -> Result<Option<(Known, Facts)>, BooksError> {
        let facts = self.found.facts(part);
        let is_empty = facts == Facts::default() && known.is_none();
        if is_empty { Ok(None) } else { Ok(Some((self.opening(part, known, &facts)?, facts))) }
    }

    /// What the books knew of a part before; on their first day, what was open then.
    fn opening(&self, part: Part, known: Option<Known>, facts: &Facts) -> Result<Known, BooksError> {
        let taken = match self.opened {
            Opened::Carried { folder, .. } => {
                return Ok(known.unwrap_or_else(|| Known { began_on: folder.head().began_on, ..Known::default() }));
            }
            Opened::TakenOn { items } if part == Part::Together => &items[..],
            Opened::TakenOn { .. } => &[],
        };
        let Posting { settings, period, .. } = self.posting;
        Ok(begin(&facts.bills, &self.found.paid_before(part), taken, settings, period.from)?.known)
    }

    fn conclude<K: Keeper>(
        &self,
        part: Part,
        month: &mut PostedMonth,
        made: &MonthInputs<'_>,
        (findings, before): (&Findings<'_>, &Items),
    ) -> Result<Concluded<K::Page>, K::Error> {
        // What the parts leave to it stays with the one that is posted last.
        let handed = if month.is_apart { std::mem::take(&mut month.handed) } else { SharedTotals::default() };
        let (month, today) = (&*month, self.item_terms.today);
        let known = &month.known;
        let mut items = open_items(month, self.outcome, findings, &self.item_terms);
        before.tell_with_money(&mut items);
        let (statements, ageing) = (month.statements(), month.ageing(today));
        let keys: Vec<Key> = month.pairs.iter().map(Pair::key).collect();
        let mut identities = identities(month, &MonthResults { keys: &keys, statements: &statements, ages: &ageing }, made);
        identities.push(super::open_items::identity(known, &items));
        let wanted: Vec<&OpenItem> = items.iter().filter(|item| item.todo == Todo::Now || findings.has(&item.discrepancy_id)).collect();
        let named: Vec<_> = wanted.iter().map(|item| (item.account.map(|account| Leg::of(account, item.id)), Some(item.id))).collect();
        let grounds = wanted.iter().map(|item| (item.account, item.id)).zip(grounds(made.facts, known, &named)).collect();
        let answers = self.asked.iter().filter(|leg| known.has(**leg)).map(|leg| (*leg, known.balance(*leg))).collect();
        let held = items.iter().filter(|item| item.account == Some(Account::Suspense)).map(|item| {
            let payment = known.payments.get(&item.id).map(|payment| (payment.paid_at, payment.identity));
            HeldMoney { item: item.clone(), payment }
        });
        let held = held.collect();
        let page = K::page(month, &keys, &items, made.settings)?;
        let (prior, aside) = (prior_lines(month), month.aside.counts());
        let (breakdown, tie) = (Breakdown::of(month, today), Tie::of(known, &made.facts.bills, month.period));
        let later = month.aside.later.iter().filter(|id| id.subject() == BooksSubject::Bill);
        let unposted = month.aside.too_old.iter().chain(later).copied().collect();
        let figures = Figures { statements, ageing, breakdown, tie, identities };
        let is_carried = matches!(self.opened, Opened::Carried { .. });
        let by_books = if is_carried { ByBooks::late(month, &self.found, self.outcome, part) } else { ByBooks::default() };
        Ok(Concluded { handed, aside, unposted, figures, items, grounds, held, prior, answers, by_books, page })
    }

    /// Adds what a part comes to, and has it kept.
    fn take<K: Keeper>(sums: &mut Sums, part: Concluded<K::Page>, keeper: &mut K, findings: &Findings<'_>) -> Result<(), K::Error> {
        let Concluded { handed, aside, unposted, figures, items, grounds, held, prior, answers, by_books, page } = part;
        sums.by_books.join(by_books);
        keeper.keep(page)?;
        sums.figures.add(figures);
        for (why, count) in aside {
            let sum = sums.aside.entry(why).or_default();
            *sum = sum.saturating_add(count);
        }
        sums.unposted.extend(unposted);
        sums.items.add(items, findings);
        sums.grounds.extend(grounds);
        sums.held.extend(held);
        sums.prior.extend(prior);
        sums.answers.extend(answers);
        sums.handed.add(handed);
        Ok(())
    }

    /// What is open on a batch, a pay-out or at the bank rests on rows of all parts.
    fn widen<E: From<BooksError> + From<CarryError>>(&self, sums: &mut Sums, common: &PostedMonth) -> Result<(), E> {
        let is_wide = |id: ItemId| matches!(id.subject(), BooksSubject::Batch | BooksSubject::Payout | BooksSubject::BankLine);
        let wide: Vec<(Option<Account>, ItemId)> = sums.grounds.keys().filter(|(_, id)| is_wide(*id)).copied().collect();
        if wide.is_empty() {
            return Ok(());
        }
        let batch = |id: ItemId| common.known.payouts.get(&id).map_or(id, |payout| payout.batch);
        let named: Vec<_> = wide.iter().map(|(account, id)| (account.map(|account| Leg::of(account, *id)), Some(batch(*id)))).collect();
        let mut before = self.opened.before(&self.parts)?;
        for part in self.parts.apart() {
            let known = before.take(&[part])?.pop().and_then(|(_, known)| known);
            let Some((before, facts)) = self.part(part, known)?.filter(|(_, facts)| !facts.rows.is_empty()) else { continue };
            let month = self.posting.apart(before, &facts)?;
            for (of, more) in wide.iter().zip(grounds(&facts, &month.known, &named)) {
                sums.grounds.entry(*of).or_default().extend(more);
            }
        }
        sums.grounds.values_mut().for_each(Facts::sort);
        Ok(())
    }
}
