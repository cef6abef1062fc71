//! Payments and codes against what was answered when DOKU asked about them.

use std::collections::BTreeMap;

use super::bills::Bills;
use super::dedupe::{Payments, Proved};
use super::finding::{Finding, id};
use super::findings::Findings;
use super::inputs::Inputs;
use super::judge::JudgedPayment;
use super::tally::{ControlIdentity, Tallies};
use super::terms::ReconcileTerms;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, ClassSet, Nature, inquiry_class, may_follow};
use crate::domain::line::{Line, NO_BILL};
use crate::domain::reason::{InquiryReason, Reason};
use crate::domain::sum::Sum;

/// What the inquiry logs come to.
#[derive(Debug, Default)]
pub struct Inquired {
    /// Payments by class (I00, I02, I03, I04), and codes nobody paid (I01).
    pub tallies: Tallies,
    /// Payments whose codes DOKU knows itself.
    others: Sum,
    /// Payments someone must look at, by their place.
    breaks: Vec<(usize, Class)>,
}

/// Holds the payments of the period against the answers; `None` without inquiry logs.
pub(super) fn judge(inputs: &Inputs, payments: &Payments, judged: &[JudgedPayment], terms: &ReconcileTerms) -> Option<Inquired> {
    let inquiries = inputs.inquiries.as_ref()?;
    let mut inquired = Inquired::default();
    let mut last_paid: BTreeMap<&str, jiff::Timestamp> = BTreeMap::new();
    for (place, (proved, payment)) in payments.proved.iter().zip(judged).enumerate() {
        let Some(line) = inputs.lines.get(payment.line) else { continue };
        let code = code_of(inputs, line);
        let answers = inquiries.by_code.get_key_value(code);
        if let Some((code, _)) = answers {
            let last = last_paid.entry(code).or_insert(jiff::Timestamp::MIN);
            *last = line.paid_at().max(*last);
        }
        if !payment.class.info().money.is_of_the_period() {
            continue;
        }
        let amount = Rupiah::new(proved.amount.into());
        if answers.is_none() && !is_by_inquiry(&inputs.bills, payment.bill, code) {
            inquired.others = inquired.others.plus(Sum::one(amount));
            continue;
        }
        let answers = answers.map_or(&[][..], |(_, answers)| answers);
        let class = inquiry_class(line.paid_at(), proved.amount, answers, &terms.policy);
        inquired.tallies.add(class, amount);
        if class.info().nature == Nature::Break {
            inquired.breaks.push((place, class));
        }
    }
    for (code, answers) in &inquiries.by_code {
        let mut payable =
            answers.iter().filter(|answer| terms.period.contains(answer.at)).filter_map(|answer| Some((answer.at, answer.payable?)));
        let Some(first) = payable.next() else { continue };
        let is_paid = last_paid.get(code.as_str()).is_some_and(|&paid_at| may_follow(paid_at, first.0, &terms.policy));
        if !is_paid {
            inquired.tallies.add(Class::I01, Rupiah::new(payable.next_back().unwrap_or(first).1.into()));
        }
    }
    Some(inquired)
}

fn code_of<'a>(inputs: &'a Inputs, line: &'a Line) -> &'a str {
    if line.bill == NO_BILL { inputs.lines.texts(line).1 } else { inputs.bills.payment_code(line.bill) }
}

/// Whether only we know this code, by the payment's bill or any other that holds it.
fn is_by_inquiry(bills: &Bills, bill: u32, code: &str) -> bool {
    let is = |bill: u32| bills.get(bill).is_some_and(super::bill::Bill::by_inquiry);
    is(bill) || bills.by_code(code).any(is)
}

/// What someone must look at: as the payment, under the class of its inquiry.
pub(super) fn findings(
    inputs: &Inputs,
    inquired: &Inquired,
    payments: &Payments,
    judged: &[JudgedPayment],
    terms: &ReconcileTerms,
) -> Vec<Finding> {
    let all = Findings::new(inputs, payments, judged, terms);
    let one = |&(place, class): &(usize, Class)| {
        let (proved, judged): (&Proved, &JudgedPayment) = (payments.proved.get(place)?, judged.get(place)?);
        let line = inputs.lines.get(judged.line)?;
        let answers = inputs.inquiries.as_ref()?.by_code.get(code_of(inputs, line)).map_or(&[][..], Vec::as_slice);
        let before = answers.iter().rfind(|answer| answer.at < line.paid_at());
        let about_then = || answers.iter().rfind(|answer| may_follow(line.paid_at(), answer.at, &terms.policy) && answer.payable.is_some());
        let answered = before.or_else(about_then).and_then(|answer| answer.payable).unwrap_or(0);
        Some(Finding {
            id: id(&[b"inquiry", &line.identity]),
            class,
            flags: ClassSet::EMPTY,
            nature: Nature::Break,
            severity: class.info().severity,
            reason: Reason::from(match class {
                Class::I03 => InquiryReason::NotPayable { paid: line.amount },
                Class::I04 => InquiryReason::OtherAmount { paid: line.amount, answered },
                _ => InquiryReason::NotAsked { paid: line.amount },
            }),
            ..all.payment(proved, judged)?
        })
    };
    inquired.breaks.iter().filter_map(one).collect()
}

/// Every payment of the period is of an inquiry class, or of a code that DOKU knows itself.
pub(super) fn identities(inquired: &Inquired, payment_tallies: &Tallies) -> [ControlIdentity; 2] {
    let of_the_period = payment_tallies.iter().filter(|(class, _)| class.info().money.is_of_the_period());
    let paid: Sum = of_the_period.map(|(_, sum)| sum).sum();
    let classes = [Class::I00, Class::I02, Class::I03, Class::I04];
    let found = classes.into_iter().map(|class| inquired.tallies.of(class)).fold(inquired.others, Sum::plus);
    let row = |name, left: i128, right: i128| ControlIdentity { name, left, right };
    [
        row("payments_of_the_period_equal_inquiry_classes_and_others", paid.count.into(), found.count.into()),
        row("payments_of_the_period_rupiah_equal_inquiry_classes_and_others_rupiah", paid.rupiah.get(), found.rupiah.get()),
    ]
}
