//! The roll-forward of suspense: money that no bill can be named for, until somebody applies or refunds it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Window;
use super::opening::{Opening, SuspenseItem};
use super::prior::{Moves, PriorLine};
use crate::domain::amount::Rupiah;
use crate::domain::balance::{Balance, Movement, RollForward};
use crate::domain::classify::Class;
use crate::domain::line::NO_BILL;
use crate::reconcile::findings::payment_id;
use crate::reconcile::{JudgedPayment, Outcome};

/// How somebody ended what was in suspense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It was booked on a bill.
    Applied,
    /// It was paid back.
    Refunded,
}

/// A decision on one item, as it stands after all that were taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspenseDecision {
    /// On which discrepancy.
    pub discrepancy_id: String,
    /// What was done.
    pub ending: Ending,
    /// When it was decided.
    pub at: Timestamp,
}

/// Whether a payment of this class is held until somebody decides: an orphan, or one whose bill is not certain.
#[must_use]
pub const fn is_held(class: Class) -> bool {
    matches!(class, Class::P01 | Class::P02 | Class::P15)
}

/// The money held at the end, and how it came to that.
#[derive(Debug)]
pub(super) struct Suspense {
    pub(super) roll: RollForward,
    pub(super) held: Vec<SuspenseItem>,
    /// Decisions on money of an earlier period that its balances did not know.
    pub(super) prior: Vec<PriorLine>,
}

impl Suspense {
    /// `late` are the prior-period lines of payments.
    pub(super) fn of(
        outcome: &Outcome,
        window: Window,
        opening: Option<&Opening>,
        late: &[PriorLine],
        decided: &[SuspenseDecision],
    ) -> Self {
        let carried = opening.map_or(&[][..], |opening| &opening.held);
        let late_ids: BTreeSet<&str> =
            late.iter().filter(|line| line.moves == Moves::Suspense).map(|line| line.discrepancy_id.as_str()).collect();
        let is_late = |id: &str| late_ids.contains(id);
        let mut all: BTreeMap<String, (SuspenseItem, Origin)> = BTreeMap::new();
        for item in carried {
            all.insert(item.discrepancy_id.clone(), (item.clone(), Origin::Carried));
        }
        for judged in &outcome.judged {
            let late = judged.class == Class::P16 && judged.bill == NO_BILL;
            if (is_held(judged.class) || late)
                && let Some(item) = item(outcome, judged)
                && (!late || is_late(&item.discrepancy_id))
                && window.reached(item.paid_at_us)
            {
                all.entry(item.discrepancy_id.clone()).or_insert((item, if late { Origin::Late } else { Origin::New }));
            }
        }
        let decided: BTreeMap<&str, &SuspenseDecision> =
            decided.iter().map(|decision| (decision.discrepancy_id.as_str(), decision)).collect();
        Self::roll(&all, &decided, window, opening.map_or(Balance::ZERO, |opening| opening.suspense))
    }

    fn roll(
        all: &BTreeMap<String, (SuspenseItem, Origin)>,
        decided: &BTreeMap<&str, &SuspenseDecision>,
        window: Window,
        opening: Balance,
    ) -> Self {
        let decision = |id: &str| decided.get(id).map(|decision| (decision.ending, decision.at.as_microsecond()));
        let came = |origin: Origin| -> Balance {
            all.values().filter(|(_, from)| *from == origin).map(|(item, _)| Balance::one(item.amount)).sum()
        };
        // Movements go from the decisions to the items, the closing balance from the items to the decisions.
        let ended = |wanted: Ending| -> Balance {
            let inside = decided.values().filter(|decision| decision.ending == wanted && window.contains(decision.at.as_microsecond()));
            inside.filter_map(|decision| all.get(&decision.discrepancy_id)).map(|(item, _)| Balance::one(item.amount)).sum()
        };
        let earlier = all.values().filter_map(|(item, _)| {
            let (_, at) = decision(&item.discrepancy_id).filter(|&(_, at)| at < window.start_us)?;
            Some(decided_before(item, at))
        });
        let prior: Vec<PriorLine> = earlier.collect();
        let is_open = |id: &str| decision(id).is_none_or(|(_, at)| at >= window.close_us);
        let held: Vec<SuspenseItem> = all.values().map(|(item, _)| item).filter(|item| is_open(&item.discrepancy_id)).cloned().collect();
        let line = |name, balance| Movement { name, balance };
        let movements = vec![
            line("prior_period", came(Origin::Late).plus(prior.iter().map(PriorLine::balance).sum())),
            line("orphan_and_held", came(Origin::New)),
            line("applied", ended(Ending::Applied).negated()),
            line("refunded", ended(Ending::Refunded).negated()),
        ];
        let closing = held.iter().map(|item| Balance::one(item.amount)).sum();
        Self { roll: RollForward { name: "suspense", opening, movements, closing }, held, prior }
    }
}

/// Where an item is from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Carried,
    Late,
    New,
}

fn decided_before(item: &SuspenseItem, at_us: i64) -> PriorLine {
    let balance = Balance::one(item.amount).negated();
    PriorLine {
        moves: Moves::Suspense,
        kind: "decided",
        invoice_number: item.invoice_number.clone(),
        payment_code: item.payment_code.clone(),
        channel: item.channel,
        at_us: Some(at_us),
        count: balance.count,
        amount: balance.amount,
        discrepancy_id: item.discrepancy_id.clone(),
    }
}

fn item(outcome: &Outcome, judged: &JudgedPayment) -> Option<SuspenseItem> {
    let proof = outcome.proof(judged)?;
    let (invoice_number, payment_code) = outcome.notified_ids(judged);
    Some(SuspenseItem {
        discrepancy_id: payment_id(&proof.identity),
        class: judged.class.id().to_owned(),
        invoice_number: invoice_number.to_owned(),
        payment_code: payment_code.to_owned(),
        channel: proof.channel,
        amount: Rupiah::new(proof.amount.into()),
        paid_at_us: proof.paid_at_us,
        identity: proof.identity,
    })
}
