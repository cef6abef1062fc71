//! The period's payments by day and channel and by store, and every class by its nature.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::ageing::{date_of, wib_day_number};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, ClassMoney, Nature};
use crate::domain::sum::Sum;
use crate::reconcile::Reconciled;
use crate::reconcile::tally::{Tallies, place};

/// The payments of one day at one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// All.
    pub paid: Balance,
    /// Those that agree with their bill.
    pub agreed: Balance,
    /// Those of a bill with which something is wrong.
    pub differing: Balance,
    /// Those held in suspense.
    pub held: Balance,
}

/// The period's payments at one store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorePayments {
    /// Where.
    pub channel: Channel,
    /// `AGENT_ID`: the chain; empty when not named.
    pub agent_id: String,
    /// `AGENT_STORE_ID`; empty when not named.
    pub store_id: String,
}

/// How many of a class have which nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassNature {
    /// The class.
    pub class: Class,
    /// Its nature.
    pub nature: Nature,
    /// How many, and how much.
    pub balance: Balance,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Breakdowns {
    /// By WIB day and channel, those without payments left out.
    pub days: BTreeMap<(Date, Channel), DayFigures>,
    /// By store; `None` when there are more stores than can be told apart.
    pub stores: Option<BTreeMap<StorePayments, Balance>>,
    /// Every class that occurred, in the order of the rules.
    pub classes: Vec<ClassNature>,
}

impl Breakdowns {
    pub(super) fn of(outcome: &Reconciled) -> Self {
        let lines = &outcome.inputs.lines;
        let mut days: BTreeMap<(i32, Channel), DayFigures> = BTreeMap::new();
        let mut stores: BTreeMap<(Channel, u16), Balance> = BTreeMap::new();
        for judged in outcome.judged.iter().filter(|judged| judged.class != Class::P16) {
            let Some(proof) = outcome.proof(judged) else { continue };
            let one = Balance::one(Rupiah::new(proof.amount.into()));
            let day = days.entry((wib_day_number(proof.paid_at()), proof.channel)).or_default();
            day.paid = day.paid.plus(one);
            let part = match judged.class {
                class if class.info().money == ClassMoney::Unowned => &mut day.held,
                class if class.attaches() && class.info().nature != Nature::Break => &mut day.agreed,
                _ => &mut day.differing,
            };
            *part = part.plus(one);
            let store = stores.entry((proof.channel, proof.store)).or_default();
            *store = store.plus(one);
        }
        let named = |((channel, store), balance): ((Channel, u16), Balance)| {
            let (agent_id, store_id) = lines.stores().name(store);
            (StorePayments { channel, agent_id: agent_id.to_owned(), store_id: store_id.to_owned() }, balance)
        };
        Self {
            days: days.into_iter().map(|((day, channel), figures)| ((date_of(day), channel), figures)).collect(),
            stores: (!lines.stores().is_overflown()).then(|| stores.into_iter().map(named).collect()),
            classes: classes(outcome),
        }
    }

    /// All days together.
    #[must_use]
    pub fn paid(&self) -> Balance {
        self.days.values().map(|figures| figures.paid).sum()
    }
}

/// Only an expired bill's nature depends on more than its class: the TIMING ones are what other classes leave of that nature.
fn classes(outcome: &Reconciled) -> Vec<ClassNature> {
    let all = || [&outcome.line_tallies, &outcome.payment_tallies, &outcome.bill_tallies].into_iter().flat_map(Tallies::iter);
    let timing = outcome.natures.get(place(Nature::Timing)).copied().unwrap_or_default();
    let others = all().filter(|(class, _)| class.info().nature == Nature::Timing && *class != Class::L02);
    let young = others.fold(balance(timing), |left, (_, tally)| left.minus(balance(tally)));
    let mut rows = Vec::new();
    for (class, tally) in all() {
        let row = |nature, balance| ClassNature { class, nature, balance };
        if class == Class::L02 {
            let parts = [row(Nature::Timing, young), row(Nature::Break, balance(tally).minus(young))];
            rows.extend(parts.into_iter().filter(|part| part.balance != Balance::ZERO));
        } else {
            rows.push(row(class.info().nature, balance(tally)));
        }
    }
    rows
}

/// A tally as a balance.
pub(super) fn balance(tally: Sum) -> Balance {
    Balance { count: i64::try_from(tally.count).unwrap_or(i64::MAX), amount: tally.rupiah }
}
