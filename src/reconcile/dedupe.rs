//! Lines → unique payments: sorted by identity, the first SUCCESS of each proves it, the others repeat or contradict it.

use std::cmp::Ordering;

use rayon::slice::ParallelSliceMut as _;

use crate::domain::classify::{Class, RetrySlot, further_success, not_final, retry_slot};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Lines, Marks};

/// One unique payment: where its SUCCESS lines are in [`Payments`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Proved {
    start: u32,
    successes: u32,
    /// Whether N07 lines contradict it.
    pub(super) conflicting: bool,
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

    /// Whether the evidence proves this payment.
    pub(super) fn contains(&self, lines: &Lines, identity: &Digest) -> bool {
        let identity_of = |proved: &Proved| lines.get(self.proof(proved)).map(|line| &line.identity);
        self.proved.binary_search_by(|proved| identity_of(proved).cmp(&Some(identity))).is_ok()
    }
}

/// Gives every message its final class (N00, N06–N09) and every reused Request-Id its flag.
pub fn dedupe(lines: &mut Lines) -> Payments {
    flag_reused_requests(lines);
    let mut payments = Payments { order: sorted(lines), ..Payments::default() };
    let mut start = 0_usize;
    while let Some(first) = payments.order.get(start).and_then(|&at| lines.get(at)) {
        let identity = first.identity;
        let rest = payments.order.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|&&at| lines.get(at).is_some_and(|line| line.identity == identity)).count();
        let run = rest.get(..length).unwrap_or_default();
        if let Some(mut proved) = settle(lines, run, &mut payments.retry_slots) {
            proved.start = u32::try_from(start).unwrap_or(u32::MAX);
            payments.proved.push(proved);
        }
        start = start.saturating_add(length);
    }
    payments
}

fn sorted(lines: &Lines) -> Vec<u32> {
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
    keys.into_iter().map(|(_, at)| at).collect()
}

/// SUCCESS before the rest, verified before not, then by arrival, then by digest: never by position.
fn within_identity(a: &Line, b: &Line) -> Ordering {
    let key = |line: &Line| (line.class != Class::N00, !line.marks.has(Marks::VERIFIED), line.received_at_us);
    a.identity.cmp(&b.identity).then_with(|| key(a).cmp(&key(b))).then_with(|| a.digest.cmp(&b.digest))
}

/// The classes of all lines of one identity.
fn settle(lines: &mut Lines, run: &[u32], slots: &mut [u64; 5]) -> Option<Proved> {
    let proof = run.first().and_then(|&at| lines.get(at)).filter(|line| line.class == Class::N00);
    let proof = proof.map(|line| (line.content_key, line.received_at()));
    let mut proved = Proved { start: 0, successes: 0, conflicting: false };
    for &at in run {
        let Some(line) = lines.get_mut(at) else { continue };
        let (Class::N00, Some((content_key, received_at))) = (line.class, proof) else {
            line.class = not_final(proof.is_some());
            continue;
        };
        if proved.successes > 0 {
            line.class = further_success(line.content_key == content_key);
            proved.conflicting |= line.class == Class::N07;
            if line.class == Class::N06 {
                count_slot(slots, retry_slot(received_at, line.received_at()));
            }
        }
        proved.successes = proved.successes.saturating_add(1);
    }
    proof.map(|_| proved)
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
