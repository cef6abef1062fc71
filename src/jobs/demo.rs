//! What customers do in the demo: exact payments, and every anomaly that reconciling must find. Knows the truth it plants.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::domain::amount::{Amount, Rupiah};
use crate::domain::ids::InvoiceNumber;
use crate::domain::sum::Sum;
use crate::sandbox::model::Model;
use crate::sandbox::notification::NotificationMessage;
use crate::sandbox::payment::{PayError, PaymentScript, Quirk};
use crate::sandbox::record::{Order, OrderState};

/// How many of each anomaly.
pub(crate) const EACH: usize = 3;

/// What reconciling must find: lines, payments and settlement by class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Evidence lines.
    pub lines: BTreeMap<&'static str, Sum>,
    /// Unique payments.
    pub payments: BTreeMap<&'static str, Sum>,
    /// Settlement rows, and payments without one (S02).
    pub settlement: BTreeMap<&'static str, Sum>,
}

impl Truth {
    fn line(&mut self, class: &'static str, amount: u64) {
        self.lines.entry(class).or_default().add(Rupiah::new(amount.into()));
    }

    fn payment(&mut self, class: &'static str, amount: u64) {
        self.payments.entry(class).or_default().add(Rupiah::new(amount.into()));
        self.line("N00", amount);
    }

    /// What becomes of a payment at settlement: rightly settled (S00), or not at all (S02).
    pub(crate) fn settled(&mut self, class: &'static str, amount: u64) {
        self.settlement.entry(class).or_default().add(Rupiah::new(amount.into()));
    }
}

/// Notifications in the order they arrive, and what they mean.
#[derive(Debug, Default)]
pub struct Planted {
    /// Each with when it arrived (UTC).
    pub messages: Vec<(Timestamp, NotificationMessage)>,
    /// What they mean.
    pub truth: Truth,
    /// Bills with one exact payment and nothing else: what the settlement report may get wrong.
    pub exact: Vec<(InvoiceNumber, u64)>,
    /// What every row of a faultless settlement report pays out: invoice number and gross.
    pub settled: Vec<(InvoiceNumber, u64)>,
    /// Of those the payments that were never notified.
    pub lost: BTreeSet<InvoiceNumber>,
}

/// What the demo did to the codes before they were paid.
#[derive(Debug)]
pub struct DemoStory {
    /// When the codes were issued (UTC).
    pub issued_at: Timestamp,
    /// When some were amended or cancelled (UTC).
    pub amended_at: Timestamp,
    /// The amounts that amended codes asked for before, in rupiah.
    pub superseded: BTreeMap<InvoiceNumber, Amount>,
    /// Bills whose policies had lapsed.
    pub lapsed: BTreeSet<InvoiceNumber>,
}

/// Lets customers pay the sandbox's codes: most exactly, three of each anomaly, some not at all.
pub fn plant(model: &mut Model, story: &DemoStory) -> Result<Planted, PayError> {
    let mut orders = model.orders().to_vec();
    orders.sort_by(|a, b| a.invoice_number.cmp(&b.invoice_number));
    let plain: Vec<Order> = orders.iter().filter(|order| is_plain(order, story)).cloned().collect();
    let mut counters = Counters { model, story, planted: Planted::default() };
    counters.cancelled(&orders)?;
    counters.amended(&orders)?;
    counters.reusable(&orders)?;
    counters.plain(&plain)?;
    let mut planted = counters.planted;
    planted.messages.sort_by_key(|(received_at, _)| *received_at);
    Ok(planted)
}

fn is_plain(order: &Order, story: &DemoStory) -> bool {
    order.state == OrderState::Live && !order.reusable && !story.superseded.contains_key(&order.invoice_number)
}

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

/// The shops' counters.
struct Counters<'a> {
    model: &'a mut Model,
    story: &'a DemoStory,
    planted: Planted,
}

impl Counters<'_> {
    /// Takes money and sends the notification, which arrives a second later.
    fn pay(&mut self, order: &Order, script: &PaymentScript) -> Result<NotificationMessage, PayError> {
        let message = self.model.pay(order.payment_code.as_str(), script)?;
        self.deliver(message.clone());
        let makes_no_payment = |quirk: &Quirk| matches!(quirk, Quirk::Forged | Quirk::Conflicting);
        let is_strange = |quirk: &Quirk| matches!(quirk, Quirk::Invoice(_) | Quirk::Code(_));
        let amount = script.amount.unwrap_or(order.amount.get());
        if script.quirks.iter().any(is_strange) {
            // Money under ids that no order has: DOKU's own books know nothing of it.
            self.planted.truth.settled("S02", amount);
        } else if !script.quirks.iter().any(makes_no_payment) {
            self.planted.settled.push((order.invoice_number.clone(), amount));
        }
        Ok(message)
    }

    /// An exact payment, unless it is for a policy that had lapsed: then that is what must be found.
    fn exact(&mut self, class: &'static str, order: &Order, amount: u64) {
        let class = if self.story.lapsed.contains(&order.invoice_number) { "P18" } else { class };
        self.planted.truth.payment(class, amount);
    }

    fn deliver(&mut self, message: NotificationMessage) {
        let received_at = message.sent_at.checked_add(SignedDuration::from_secs(1)).unwrap_or(message.sent_at);
        self.planted.messages.push((received_at, message));
    }

    /// P08: three cancelled codes are paid all the same.
    fn cancelled(&mut self, orders: &[Order]) -> Result<(), PayError> {
        let paid_at = later(self.story.amended_at, 120);
        for order in orders.iter().filter(|order| order.state == OrderState::Cancelled).take(EACH) {
            self.pay(order, &PaymentScript::at(paid_at).with(Quirk::Anyway))?;
            self.planted.truth.payment("P08", order.amount.get());
        }
        Ok(())
    }

    /// P10: three customers bring the amount of the old slip; the other amended codes are paid as they now stand.
    fn amended(&mut self, orders: &[Order]) -> Result<(), PayError> {
        let paid_at = later(self.story.amended_at, 90);
        let story = self.story;
        let amended = orders.iter().filter_map(|order| Some((order, story.superseded.get(&order.invoice_number)?)));
        for (index, (order, before)) in amended.filter(|(order, _)| order.state == OrderState::Live && !order.reusable).enumerate() {
            if index < EACH {
                self.pay(order, &PaymentScript::at(paid_at).paying(before.get()))?;
                self.planted.truth.payment("P10", before.get());
            } else {
                self.pay(order, &PaymentScript::at(paid_at))?;
                self.exact("P00", order, order.amount.get());
            }
        }
        Ok(())
    }

    /// P13: every other reusable code is paid twice, which is its purpose.
    fn reusable(&mut self, orders: &[Order]) -> Result<(), PayError> {
        let story = self.story;
        let reusable = orders.iter().filter(|order| order.reusable && order.state == OrderState::Live);
        for order in reusable.filter(|order| !story.superseded.contains_key(&order.invoice_number)).step_by(2) {
            for minutes in [100, 700] {
                self.pay(order, &PaymentScript::at(later(story.amended_at, minutes)))?;
                self.exact("P13", order, order.amount.get());
            }
        }
        Ok(())
    }

    /// Codes nothing was done to: first the anomalies, then four of five are paid exactly.
    fn plain(&mut self, plain: &[Order]) -> Result<(), PayError> {
        let mut overdue_left = EACH;
        let mut position = 0_usize;
        for (order, minute) in plain.iter().zip(0_i64..) {
            let paid_at = later(self.story.issued_at, 180 + minute % 900);
            let is_short = order.expires_at <= later(self.story.issued_at, 2_880);
            if is_short && overdue_left > 0 {
                overdue_left = overdue_left.saturating_sub(1);
                self.pay(order, &PaymentScript::at(later(order.expires_at, 120)).with(Quirk::Anyway))?;
                self.planted.truth.payment("P07", order.amount.get());
                continue;
            }
            self.anomaly(position, order, plain, PaymentScript::at(paid_at))?;
            position = position.saturating_add(1);
        }
        Ok(())
    }

    fn anomaly(&mut self, position: usize, order: &Order, plain: &[Order], exact: PaymentScript) -> Result<(), PayError> {
        let due = order.amount.get();
        let paid_at = exact.paid_at;
        match position / EACH {
            0 => {
                self.pay(order, &exact.paying(due.saturating_sub(1_000)))?;
                self.planted.truth.payment("P03", due.saturating_sub(1_000));
            }
            1 => {
                self.pay(order, &exact.paying(due.saturating_add(5_000)))?;
                self.planted.truth.payment("P04", due.saturating_add(5_000));
            }
            2 => {
                self.pay(order, &exact)?;
                self.pay(order, &PaymentScript::at(later(paid_at, 30)).with(Quirk::Anyway))?;
                self.exact("P00", order, due);
                self.planted.truth.payment("P06", due);
            }
            3 => {
                let stranger = format!("TIDAK-DIKENAL-{position}");
                let code = format!("99999900000000{position:02}");
                self.pay(order, &exact.with(Quirk::Invoice(stranger)).with(Quirk::Code(code)))?;
                self.planted.truth.payment("P01", due);
            }
            4 => {
                let other = plain.last().map_or_else(String::new, |other| other.invoice_number.to_string());
                self.pay(order, &exact.with(Quirk::Invoice(other)))?;
                self.planted.truth.payment("P02", due);
            }
            5 => {
                self.pay(order, &exact.with(Quirk::Forged))?;
                self.planted.truth.line("N02", 0);
            }
            6 => {
                self.pay(order, &exact)?;
                let conflicting = due.saturating_add(10_000);
                let again = PaymentScript::at(paid_at).paying(conflicting).with(Quirk::Conflicting);
                let again = PaymentScript { sent_at: Some(later(paid_at, 30)), ..again };
                self.pay(order, &again)?;
                self.exact("P00", order, due);
                self.planted.truth.line("N07", conflicting);
            }
            7..=10 => {
                let message = self.pay(order, &exact)?;
                let again = self.model.redeliver(&message, later(message.sent_at, 30));
                self.deliver(again);
                self.exact("P00", order, due);
                self.planted.truth.line("N06", due);
            }
            _ if !position.is_multiple_of(5) => {
                self.pay(order, &exact)?;
                self.exact("P00", order, due);
                self.planted.exact.push((order.invoice_number.clone(), due));
            }
            _ if self.planted.lost.len() < EACH => {
                self.model.pay(order.payment_code.as_str(), &exact)?;
                self.planted.settled.push((order.invoice_number.clone(), due));
                self.planted.lost.insert(order.invoice_number.clone());
            }
            _ => {}
        }
        Ok(())
    }
}
