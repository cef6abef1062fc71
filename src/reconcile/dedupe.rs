//! Lines → unique payments: sorted by identity, the first SUCCESS of each proves it, the others repeat or contradict it.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::domain::classify::{Class, RetrySlot, further_success, not_final, retry_slot};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Lines, Marks};

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
    /// Rupiah; 0 when unusable.
    pub(super) amount: u64,
}

/// The unique payments, in the order of their identities.
#[derive(Debug, Default)]
pub struct Payments {
    /// Lines, sorted by identity; of one identity SUCCESS first, verified first, earliest first.
    order: Vec<u32>,
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

    /// Adds payments that lines prove which came after the others were found, such as those of Check Status.
    pub(super) fn add(&mut self, lines: &Lines, more: impl IntoIterator<Item = u32>) {
        for at in more {
            let Some(line) = lines.get(at) else { continue };
            let start = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
            self.order.push(at);
            self.proved.push(Proved { start, successes: 1, bill: line.bill, conflicting: false, amount: line.amount });
        }
        let order = &self.order;
        let identity_of = |proved: &Proved| {
            let at = order.get(usize::try_from(proved.start).ok()?)?;
            lines.get(*at).map(|line| &line.identity)
        };
        self.proved.sort_by(|a, b| identity_of(a).cmp(&identity_of(b)));
    }

    /// Whether the evidence proves this payment.
    pub(super) fn contains(&self, lines: &Lines, identity: &Digest) -> bool {
        let identity_of = |proved: &Proved| lines.get(self.proof(proved)).map(|line| &line.identity);
        self.proved.binary_search_by(|proved| identity_of(proved).cmp(&Some(identity))).is_ok()
    }
}

/// Gives every message its final class (N00, N06–N09) and every reused Request-Id its flag.
pub fn dedupe(lines: &mut Lines) -> Payments {
    flag_reused_requests(lines);
    let keys = sorted(lines);
    let settled = {
        let lines = &*lines;
        let identity_of = |at| lines.get(at).map(|line| line.identity);
        let runs = keys.par_chunk_by(|a, b| a.0 == b.0 && identity_of(a.1) == identity_of(b.1));
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
    Payments { order, proved: settled.proved, retry_slots: settled.retry_slots }
}

/// The messages by identity, each with the start of its identity.
fn sorted(lines: &Lines) -> Vec<(u64, u32)> {
    let messages = lines.iter().filter(|(_, line)| matches!(line.class, Class::N00 | Class::N09));
    let prefix = |line: &Line| line.identity.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
    let mut keys: Vec<(u64, u32)> = Vec::with_capacity(lines.len());
    keys.extend(messages.map(|(at, line)| (prefix(line), at)));
    keys.par_sort_unstable_by(|a, b| {
        let lines = || match (lines.get(a.1), lines.get(b.1)) {
            (Some(a), Some(b)) => within_identity(a, b),
            _ => Ordering::Equal,
        };
        a.0.cmp(&b.0).then_with(lines).then(a.1.cmp(&b.1))
    });
    keys
}

/// SUCCESS before the rest, verified before not, then by arrival, then by digest: never by position.
fn within_identity(a: &Line, b: &Line) -> Ordering {
    let key = |line: &Line| (line.class != Class::N00, !line.marks.has(Marks::VERIFIED), line.received_at_us);
    a.identity.cmp(&b.identity).then_with(|| key(a).cmp(&key(b))).then_with(|| a.digest.cmp(&b.digest))
}

/// What a stretch of the sorted messages comes to.
#[derive(Default)]
struct Settled {
    /// How many messages it has.
    length: u32,
    proved: Vec<Proved>,
    /// Lines whose class is another than it seemed.
    changed: Vec<(u32, Class)>,
    retry_slots: [u64; 5],
}

impl Settled {
    /// Takes all lines of the next identity.
    fn and(mut self, lines: &Lines, run: &[(u64, u32)]) -> Self {
        let members = || run.iter().filter_map(|&(_, at)| Some((at, lines.get(at)?)));
        // SUCCESS lines are first, so that without one here there is none.
        let proof = members().next().map(|(_, line)| line).filter(|line| line.class == Class::N00);
        let (mut successes, mut conflicting) = (0_u32, false);
        for (at, line) in members() {
            let Some(proof) = proof.filter(|_| line.class == Class::N00) else {
                self.changed.push((at, not_final(proof.is_some())));
                continue;
            };
            if successes > 0 {
                let class = further_success(line.content_key == proof.content_key);
                self.changed.push((at, class));
                conflicting |= class == Class::N07;
                if class == Class::N06 {
                    count_slot(&mut self.retry_slots, retry_slot(proof.received_at(), line.received_at()));
                }
            }
            successes = successes.saturating_add(1);
        }
        if let Some(&Line { bill, amount, .. }) = proof {
            self.proved.push(Proved { start: self.length, successes, bill, conflicting, amount });
        }
        self.length = self.length.saturating_add(u32::try_from(run.len()).unwrap_or(u32::MAX));
        self
    }

    /// This stretch and the one after it.
    fn plus(mut self, later: Self) -> Self {
        let moved = |proved: Proved| Proved { start: proved.start.saturating_add(self.length), ..proved };
        self.proved.extend(later.proved.into_iter().map(moved));
        self.changed.extend(later.changed);
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

/// N05: verified lines that share a Request-Id but not a body.
fn flag_reused_requests(lines: &mut Lines) {
    let mut keys: Vec<(u64, u32)> = Vec::with_capacity(lines.len());
    keys.extend(lines.iter().filter(|(_, line)| line.marks.has(Marks::VERIFIED)).map(|(at, line)| (line.request_key, at)));
    keys.par_sort_unstable();
    for run in keys.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        let bodies = || run.iter().filter_map(|&(_, at)| lines.get(at)).map(|line| line.body_key);
        let first = bodies().next();
        if bodies().all(|body| Some(body) == first) {
            continue;
        }
        for &(_, at) in run {
            if let Some(line) = lines.get_mut(at) {
                line.marks = line.marks.and(Marks::REQUEST_REUSED, true);
            }
        }
    }
}
