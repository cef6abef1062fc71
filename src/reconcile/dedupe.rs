//! Lines → unique payments: sorted by what makes them one, the first SUCCESS of each proves it, the others repeat or contradict it.
//!
//! Redeliveries vary in how they are written, so lines of several identities may tell of one payment (`domain::payment::Sameness`). It keeps
//! the identity of the line that proves it; the others are its aliases.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::domain::classify::{Class, RetrySlot, further_success, not_final, retry_slot};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Lines, Marks, NO_BILL};
use crate::domain::payment::Sameness;

/// One unique payment: where its SUCCESS lines are in [`Payments`], and what later passes need of the proving one, because
/// lines in the order of identities are far apart in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proved {
    start: u32,
    successes: u32,
    /// The bill its ids name together, or `NO_BILL`.
    pub(super) bill: u32,
    /// Whether N07 lines contradict it.
    pub(super) conflicting: bool,
    /// Whether some of its messages would have another identity.
    pub(super) varied: bool,
    /// Whether the store's own number of it is known.
    is_numbered: bool,
    /// Rupiah; 0 when unusable.
    pub(super) amount: u64,
}

/// The unique payments, in the order of their identities.
#[derive(Debug, Default)]
pub struct Payments {
    /// Lines, sorted by payment; of one payment SUCCESS first, verified first, earliest first.
    order: Vec<u32>,
    /// What else payments are or were called than by their identity, and the lines that prove them.
    aliases: HashMap<Digest, u32>,
    /// Lines without the store's number, and the payments they are of.
    joined: HashMap<u32, Digest>,
    /// Of each payment, sorted: when and how much for which code, whether the store's own number of it is known, and the line that
    /// proves it.
    moments: Vec<(u64, bool, u32)>,
    /// Payments without the store's number that one known from elsewhere has joined, by what they are called without it.
    numbered_since: HashSet<Digest>,
    pub(super) proved: Vec<Proved>,
    /// How many repeated notifications fit each slot of DOKU's schedule, in the order of [`RetrySlot::ALL`].
    pub retry_slots: [u64; 5],
}

impl Payments {
    /// The lines that say SUCCESS of a payment, the proving one first.
    pub(super) fn successes(&self, proved: &Proved) -> &[u32] {
        let start = usize::try_from(proved.start).unwrap_or(usize::MAX);
        let count = usize::try_from(proved.successes).unwrap_or(0);
        self.order.get(start..start.saturating_add(count)).unwrap_or_default()
    }

    /// The line that proves a payment.
    pub(super) fn proof(&self, proved: &Proved) -> u32 {
        self.successes(proved).first().copied().unwrap_or(u32::MAX)
    }

    /// The lines that prove one payment each.
    pub fn proofs(&self) -> impl Iterator<Item = u32> {
        self.proved.iter().map(|proved| self.proof(proved))
    }

    /// What makes the payment of a line this and no other, however its messages were written.
    #[must_use]
    pub fn canonical(&self, lines: &Lines, at: u32) -> Option<Digest> {
        payment_of(lines, &self.joined, at)
    }

    /// Adds payments that lines prove which came after the others were found, such as those of Check Status.
    pub(super) fn add(&mut self, lines: &Lines, more: impl IntoIterator<Item = u32>) {
        for at in more {
            let Some(line) = lines.get(at) else { continue };
            let start = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
            self.order.push(at);
            let (bill, amount) = (line.bill, line.amount);
            self.proved.push(Proved { start, successes: 1, bill, conflicting: false, varied: false, is_numbered: true, amount });
        }
        self.sort(lines);
    }

    /// Puts the payments in the order of their identities.
    fn sort(&mut self, lines: &Lines) {
        let order = &self.order;
        let identity_of = |proved: &Proved| {
            let at = order.get(usize::try_from(proved.start).ok()?)?;
            lines.get(*at).map(|line| &line.identity)
        };
        self.proved.par_sort_by(|a, b| identity_of(a).cmp(&identity_of(b)));
    }

    /// The line that proves the payment of this identity, whatever message of it gave that.
    pub(super) fn proof_of(&self, lines: &Lines, identity: &Digest) -> Option<u32> {
        self.find(lines, identity).map(|found| self.proof(found)).or_else(|| self.aliases.get(identity).copied())
    }

    fn find(&self, lines: &Lines, identity: &Digest) -> Option<&Proved> {
        let identity_of = |proved: &Proved| lines.get(self.proof(proved)).map(|line| &line.identity);
        let found = self.proved.binary_search_by(|proved| identity_of(proved).cmp(&Some(identity)));
        self.proved.get(found.ok()?)
    }

    /// Which of the payments that are known from elsewhere the evidence proves, and by which line: the rule of
    /// [`payment::join`](crate::domain::payment::join), without a record of every payment.
    pub(super) fn join<'a>(&mut self, lines: &Lines, told: &(impl Iterator<Item = &'a Sameness> + Clone)) -> Vec<Option<u32>> {
        let mut proofs: Vec<Option<u32>> = told.clone().map(|one| self.certain(lines, one)).collect();
        for is_numbered in [true, false] {
            for (one, proof) in told.clone().zip(&mut proofs).filter(|(one, proof)| proof.is_none() && one.is_numbered == is_numbered) {
                *proof = self.certain(lines, one).or_else(|| self.likely(lines, one));
            }
        }
        proofs
    }

    /// Gives the payments that lines prove the names they are known by, whatever this evidence would call them.
    pub(super) fn rename(&mut self, lines: &mut Lines, names: impl Iterator<Item = (u32, Digest)>) {
        let mut names: Vec<(u32, Digest)> = names.collect();
        names.par_sort_unstable();
        // One that has its own name among them keeps it; else it takes the first, whatever their order.
        let renamed = names.chunk_by(|(one, _), (other, _)| one == other).filter_map(|names| {
            let line = lines.get(names.first()?.0)?;
            let is_own = names.iter().any(|(_, name)| *name == line.identity);
            names.iter().filter(|_| !is_own).find(|(_, name)| self.find(lines, name).is_none()).copied()
        });
        let renamed: Vec<(u32, Digest)> = renamed.collect();
        for &(at, name) in &renamed {
            if let Some(line) = lines.get_mut(at) {
                self.aliases.insert(std::mem::replace(&mut line.identity, name), at);
            }
        }
        if !renamed.is_empty() {
            self.sort(lines);
        }
    }

    /// Nothing more that is known from elsewhere will be looked for among them.
    pub(super) fn end_joining(&mut self) {
        (self.moments, self.numbered_since) = Default::default();
    }

    fn certain(&mut self, lines: &Lines, one: &Sameness) -> Option<u32> {
        if let Some(proof) = self.proof_of(lines, &one.canonical) {
            return Some(proof);
        }
        // A number that came with what may be another payment's is told of by nothing but itself.
        if !(one.is_dated && one.is_numbered) {
            return self.proof_of(lines, &one.identity);
        }
        let without_number = |identity: &Digest| self.find(lines, identity).filter(|found| !found.is_numbered);
        let found = [one.identity, one.dated].iter().find_map(without_number)?;
        let proof = self.proof(found);
        self.hear(one, proof)
    }

    fn likely(&mut self, lines: &Lines, one: &Sameness) -> Option<u32> {
        let start = self.moments.partition_point(|&(moment, ..)| moment < one.moment);
        let there = self.moments.get(start..).unwrap_or_default().iter().take_while(|&&(moment, ..)| moment == one.moment);
        let may_be = there.filter(|&&(_, is_numbered, _)| !(one.is_numbered && is_numbered)).map(|&(.., at)| at);
        // Of several it is one as well as another, so the order of lines decides nothing.
        let proof = may_be.min_by_key(|at| lines.get(*at).map(|line| line.identity))?;
        if one.is_numbered { self.hear(one, proof) } else { Some(proof) }
    }

    /// The number of a payment that had none in the evidence; nothing if it has another already.
    fn hear(&mut self, one: &Sameness, proof: u32) -> Option<u32> {
        let is_first = self.numbered_since.insert(one.dated) && !self.aliases.contains_key(&one.canonical);
        is_first.then(|| *self.aliases.entry(one.canonical).or_insert(proof))
    }
}

/// Gives every message its final class (N00, N06–N09) and every reused Request-Id its flag.
pub fn dedupe(lines: &mut Lines) -> Payments {
    flag_reused_requests(lines);
    let joined = joined(lines);
    let keys = sorted(lines, &joined);
    let settled = {
        let lines = &*lines;
        let runs = keys.par_chunk_by(|a, b| a.0 == b.0 && payment_of(lines, &joined, a.1) == payment_of(lines, &joined, b.1));
        let stretches: Vec<_> = runs.fold(Settled::default, |settled, run| settled.and(lines, run)).collect();
        let count = stretches.iter().map(|stretch| stretch.proved.len()).sum();
        let empty = Settled { proved: Vec::with_capacity(count), ..Settled::default() };
        stretches.into_iter().fold(empty, Settled::plus)
    };
    for (at, class) in settled.changed {
        if let Some(line) = lines.get_mut(at) {
            line.class = class;
        }
    }
    let order = keys.iter().map(|&(_, at)| at).collect();
    let (aliases, mut moments) = (settled.aliases, settled.moments);
    moments.par_sort_unstable();
    let (proved, retry_slots) = (settled.proved, settled.retry_slots);
    let mut payments = Payments { order, aliases, joined, moments, numbered_since: HashSet::new(), proved, retry_slots };
    payments.sort(lines);
    payments
}

/// Lines that leave the store's number out, and the payments that agree with them in everything else: the earliest of each. What is told
/// of alike goes along, whatever amount it names.
fn joined(lines: &Lines) -> HashMap<u32, Digest> {
    let is_message = |line: &Line| line.class.info().money.names_a_payment();
    let lacks_number = || lines.iter().filter(|(_, line)| is_message(line) && line.marks.has(Marks::NO_TRANSACTION));
    let mut earliest: HashMap<u64, Option<&Line>> =
        lacks_number().filter(|(_, line)| line.amount > 0).map(|(_, line)| (line.moment, None)).collect();
    if earliest.is_empty() {
        return HashMap::new();
    }
    let with = |line: &Line| line.class == Class::N00 && line.amount > 0 && !line.marks.has(Marks::NO_TRANSACTION);
    for (_, line) in lines.iter().filter(|(_, line)| with(line)) {
        if let Some(found) = earliest.get_mut(&line.moment)
            && found.is_none_or(|earlier| within_payment(line, earlier) == Ordering::Less)
        {
            *found = Some(line);
        }
    }
    let payment = |line: &Line| earliest.get(&line.moment).copied().flatten();
    let mut alike: HashMap<Digest, &Line> = HashMap::new();
    for (line, found) in lacks_number().filter_map(|(_, line)| Some((line, payment(line)?))) {
        let known = alike.entry(lines.canonical(line)).or_insert(found);
        if within_payment(found, known) == Ordering::Less {
            *known = found;
        }
    }
    let of = |line: &Line| payment(line).or_else(|| alike.get(&lines.canonical(line)).copied()).map(|found| lines.canonical(found));
    lacks_number().filter_map(|(at, line)| Some((at, of(line)?))).collect()
}

/// What makes the payment of a message this and no other.
fn payment_of(lines: &Lines, joined: &HashMap<u32, Digest>, at: u32) -> Option<Digest> {
    joined.get(&at).copied().or_else(|| lines.get(at).map(|line| lines.canonical(line)))
}

/// The messages by payment, each with the start of what makes it this one.
fn sorted(lines: &Lines, joined: &HashMap<u32, Digest>) -> Vec<(u64, u32)> {
    let messages = lines.iter().filter(|(_, line)| line.class.info().money.names_a_payment());
    let prefix = |at| {
        let payment = payment_of(lines, joined, at);
        payment.as_ref().and_then(|digest| digest.first_chunk::<8>()).copied().map_or(0, u64::from_be_bytes)
    };
    let mut keys: Vec<(u64, u32)> = Vec::with_capacity(lines.len());
    keys.extend(messages.map(|(at, _)| (prefix(at), at)));
    keys.par_sort_unstable_by(|a, b| {
        let lines = || match (lines.get(a.1), lines.get(b.1)) {
            (Some(first), Some(second)) => {
                payment_of(lines, joined, a.1).cmp(&payment_of(lines, joined, b.1)).then_with(|| within_payment(first, second))
            }
            _ => Ordering::Equal,
        };
        a.0.cmp(&b.0).then_with(lines).then(a.1.cmp(&b.1))
    });
    keys
}

/// SUCCESS before the rest, verified before not, then by arrival, then by digest: never by position.
fn within_payment(a: &Line, b: &Line) -> Ordering {
    let key = |line: &Line| (line.class != Class::N00, !line.marks.has(Marks::VERIFIED), line.received_at_us);
    key(a).cmp(&key(b)).then_with(|| a.digest.cmp(&b.digest))
}

/// What a stretch of the sorted messages comes to.
#[derive(Default)]
struct Settled {
    /// How many messages it has.
    length: u32,
    proved: Vec<Proved>,
    /// Lines whose class is another than it seemed.
    changed: Vec<(u32, Class)>,
    aliases: HashMap<Digest, u32>,
    moments: Vec<(u64, bool, u32)>,
    retry_slots: [u64; 5],
}

impl Settled {
    /// Takes all lines of the next payment.
    fn and(mut self, lines: &Lines, run: &[(u64, u32)]) -> Self {
        let members = || run.iter().filter_map(|&(_, at)| Some((at, lines.get(at)?)));
        // SUCCESS lines are first, so that without one here there is none.
        let proved_by = members().next().filter(|(_, line)| line.class == Class::N00);
        let (mut successes, mut conflicting, mut varied, mut is_numbered) = (0_u32, false, false, false);
        for (at, line) in members() {
            let Some((first, proof)) = proved_by.filter(|_| line.class == Class::N00) else {
                self.changed.push((at, not_final(proved_by.is_some())));
                continue;
            };
            is_numbered |= !line.marks.has(Marks::NO_TRANSACTION);
            if line.identity != proof.identity {
                varied = true;
                self.aliases.insert(line.identity, first);
            }
            if line.marks.has(Marks::EVENED) {
                self.aliases.insert(lines.canonical(line), first);
            }
            if successes > 0 {
                let class = further_success(says_the_same(lines, line, proof));
                self.changed.push((at, class));
                conflicting |= class == Class::N07;
                if class == Class::N06 {
                    count_slot(&mut self.retry_slots, retry_slot(proof.received_at(), line.received_at()));
                }
            }
            successes = successes.saturating_add(1);
        }
        if let Some((at, &Line { bill, amount, moment, .. })) = proved_by {
            self.proved.push(Proved { start: self.length, successes, bill, conflicting, varied, is_numbered, amount });
            self.moments.push((moment, is_numbered, at));
        }
        self.length = self.length.saturating_add(u32::try_from(run.len()).unwrap_or(u32::MAX));
        self
    }

    /// This stretch and the one after it.
    fn plus(mut self, later: Self) -> Self {
        let moved = |proved: Proved| Proved { start: proved.start.saturating_add(self.length), ..proved };
        self.proved.extend(later.proved.into_iter().map(moved));
        self.changed.extend(later.changed);
        self.aliases.extend(later.aliases);
        self.moments.extend(later.moments);
        for (slot, more) in self.retry_slots.iter_mut().zip(later.retry_slots) {
            *slot = slot.saturating_add(more);
        }
        self.length = self.length.saturating_add(later.length);
        self
    }
}

fn count_slot(slots: &mut [u64; 5], slot: RetrySlot) {
    let place = RetrySlot::ALL.iter().position(|&known| known == slot);
    if let Some(count) = place.and_then(|place| slots.get_mut(place)) {
        *count = count.saturating_add(1);
    }
}

/// Whether two lines of one payment say the same of it. What decides is compared as it is: a key of 32 bits tells only apart what cannot be
/// read as an amount, and whoever knows the secret could make two that are equal.
fn says_the_same(lines: &Lines, a: &Line, b: &Line) -> bool {
    let whole_second = |line: &Line| line.paid_at_us.div_euclid(1_000_000);
    let is_of_one = a.bill == b.bill && (a.bill != NO_BILL || lines.texts(a).0 == lines.texts(b).0);
    a.content_key == b.content_key && a.amount == b.amount && whole_second(a) == whole_second(b) && is_of_one
}

/// N05: verified lines that share a Request-Id but not a body.
fn flag_reused_requests(lines: &mut Lines) {
    let mut keys: Vec<(u64, u32)> = Vec::with_capacity(lines.len());
    keys.extend(lines.iter().filter(|(_, line)| line.marks.has(Marks::VERIFIED)).map(|(at, line)| (line.request_key, at)));
    keys.par_sort_unstable();
    for run in keys.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        let of_run = || run.iter().filter_map(|&(_, at)| lines.get(at));
        let first = of_run().next();
        let is_same = |line: &Line| first.is_some_and(|first| line.body_key == first.body_key && says_the_same(lines, line, first));
        if of_run().all(is_same) {
            continue;
        }
        for &(_, at) in run {
            if let Some(line) = lines.get_mut(at) {
                line.marks = line.marks.and(Marks::REQUEST_REUSED, true);
            }
        }
    }
}

#[cfg(test)]
mod tests;
