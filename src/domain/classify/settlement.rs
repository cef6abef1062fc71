//! Rules on settlement rows and on payments that none settles: first hit is the class, lower hits are flags.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::super::calendar::{WorkingDays, start_of_wib_day, wib_date};
use super::{Class, ClassSet, Nature, Period};

/// What a row's ids and date lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settles {
    /// The very same row has been read already.
    Repeated,
    /// A payment that another row settles already.
    SettledBefore,
    /// The same, of a row that is held: no money came twice.
    HeldBeside,
    /// Several payments could be meant.
    Several,
    /// No payment that is known.
    Nothing,
    /// One payment, and its rupiah as notified; `None` when that was unusable.
    Payment(Option<u64>),
    /// Not looked for: a refund has none of its own.
    NotSought,
}

/// Whose a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChannel {
    /// One of our channels.
    Ours,
    /// Another product.
    Other,
    /// Nobody said what the name means.
    Unknown,
}

/// Everything a row's class follows from. Amounts are rupiah.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts, each named where a rule reads it")]
pub struct RowFacts {
    /// Whose it is.
    pub channel: RowChannel,
    /// Whether it pays money out for a payment, and does not take any back.
    pub is_purchase: bool,
    /// What it leads to.
    pub settles: Settles,
    /// What the customer paid.
    pub amount: i64,
    /// What DOKU kept.
    pub fee: i64,
    /// What the contract says DOKU keeps; `None` where nobody said.
    pub fee_expected: Option<u64>,
    /// What was paid out.
    pub paid_out: i64,
    /// Amount less fee and discount.
    pub paid_out_expected: i64,
    /// Whether every share that is expected is there; `None` where nobody said.
    pub shares_are_right: Option<bool>,
    /// The WIB day of the payment.
    pub transaction_date: Date,
    /// The day of the pay-out, if known.
    pub paid_out_on: Option<Date>,
}

impl RowFacts {
    fn pays_in(&self, period: &Period) -> bool {
        within(period, self.transaction_date)
    }

    fn fee_differs(&self) -> bool {
        self.is_purchase && self.fee_expected.is_some_and(|expected| i128::from(expected) != i128::from(self.fee))
    }

    fn gross_differs(&self) -> bool {
        let Settles::Payment(notified) = self.settles else { return false };
        notified.is_none_or(|notified| i128::from(notified) != i128::from(self.amount))
    }

    fn is_of_another_period(&self, period: &Period) -> bool {
        !self.pays_in(period) || self.paid_out_on.is_none_or(|day| !within(period, day))
    }
}

fn within(period: &Period, day: Date) -> bool {
    period.from <= day && day <= period.to
}

type Rule = fn(&RowFacts, &Period) -> bool;

/// The rules in their order.
const RULES: [(Class, Rule); 10] = [
    (Class::S07, |row, _| matches!(row.settles, Settles::Repeated | Settles::SettledBefore)),
    (Class::S14, |row, _| row.settles == Settles::HeldBeside),
    (Class::S06, |row, _| !row.is_purchase),
    (Class::S13, |row, _| row.settles == Settles::Several),
    // The notification of a payment of another period is evidence of that period's run.
    (Class::S01, |row, period| row.settles == Settles::Nothing && row.pays_in(period)),
    (Class::S03, |row, _| row.gross_differs()),
    (Class::S05, |row, _| row.paid_out != row.paid_out_expected),
    (Class::S04, |row, _| row.fee_differs()),
    (Class::S09, |row, _| row.shares_are_right == Some(false)),
    (Class::S08, RowFacts::is_of_another_period),
];

/// The primary class of a readable row, and its lower hits.
#[must_use]
pub fn row_class(row: &RowFacts, period: &Period) -> (Class, ClassSet) {
    match row.channel {
        RowChannel::Unknown => return (Class::S11, ClassSet::EMPTY),
        // What others get of it lessens the transfer, too, so that has to be readable.
        RowChannel::Other if row.shares_are_right == Some(false) => return (Class::S09, ClassSet::EMPTY),
        RowChannel::Other => return (Class::S12, ClassSet::EMPTY),
        RowChannel::Ours => {}
    }
    let mut hits = RULES.iter().filter(|(_, rule)| rule(row, period)).map(|&(class, _)| class);
    (hits.next().unwrap_or(Class::S00), hits.collect())
}

/// The nature of a row of `class`: S01 is TIMING while the notification of that day may still come.
#[must_use]
pub fn row_nature(class: Class, transaction_date: Date, as_of: Timestamp, grace_hours: i64) -> Nature {
    if class != Class::S01 {
        return class.info().nature;
    }
    let ends_at = transaction_date.tomorrow().ok().and_then(start_of_wib_day).unwrap_or(Timestamp::MAX);
    let until = ends_at.checked_add(SignedDuration::from_hours(grace_hours)).unwrap_or(Timestamp::MAX);
    if as_of <= until { Nature::Timing } else { Nature::Break }
}

/// The last day on which a payment may rightly be unsettled (T+n).
#[must_use]
pub fn settlement_due(paid_at: Timestamp, count: u32, working_days: &WorkingDays) -> Date {
    working_days.after(wib_date(paid_at), count)
}

/// S02: TIMING up to and on the day it is due, because money is credited in the course of that day; then a BREAK. It stays TIMING if it is known
/// that the money came after the period, on the day `comes_on`.
#[must_use]
pub fn unsettled_nature(due_on: Date, comes_on: Option<Date>, as_of: Timestamp) -> Nature {
    if wib_date(as_of) <= due_on || comes_on.is_some() { Nature::Timing } else { Nature::Break }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn october() -> Period {
        Period::new(date(2026, 10, 1), date(2026, 10, 31)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Rp150.000 paid on the 5th, settled on the 9th, with the fee of the contract.
    fn settled() -> RowFacts {
        RowFacts {
            channel: RowChannel::Ours,
            is_purchase: true,
            settles: Settles::Payment(Some(150_000)),
            amount: 150_000,
            fee: 5_550,
            fee_expected: Some(5_550),
            paid_out: 144_450,
            paid_out_expected: 144_450,
            shares_are_right: None,
            transaction_date: date(2026, 10, 5),
            paid_out_on: Some(date(2026, 10, 9)),
        }
    }

    fn class(change: impl FnOnce(&mut RowFacts)) -> String {
        let mut row = settled();
        change(&mut row);
        let (class, flags) = row_class(&row, &october());
        let flags: Vec<_> = flags.iter().map(Class::id).collect();
        [&[class.id()][..], &flags].concat().join(" ")
    }

    #[test]
    fn every_rule_hits_alone_and_a_settled_row_hits_none() {
        assert_eq!(class(|_| {}), "S00");
        assert_eq!(class(|row| row.channel = RowChannel::Unknown), "S11");
        assert_eq!(class(|row| row.channel = RowChannel::Other), "S12");
        assert_eq!(class(|row| row.settles = Settles::Repeated), "S07");
        assert_eq!(class(|row| row.settles = Settles::SettledBefore), "S07");
        assert_eq!(class(|row| row.settles = Settles::HeldBeside), "S14");
        assert_eq!(class(|row| row.settles = Settles::Several), "S13");
        assert_eq!(class(|row| row.settles = Settles::Nothing), "S01");
        assert_eq!(class(|row| row.settles = Settles::Payment(Some(149_999))), "S03");
        assert_eq!(class(|row| row.settles = Settles::Payment(None)), "S03");
        assert_eq!(class(|row| row.paid_out = 144_449), "S05");
        assert_eq!(class(|row| row.fee_expected = Some(5_551)), "S04");
        assert_eq!(class(|row| row.shares_are_right = Some(false)), "S09");
        assert_eq!(class(|row| row.paid_out_on = Some(date(2026, 11, 1))), "S08");
        assert_eq!(class(|row| row.transaction_date = date(2026, 9, 30)), "S08");
        assert_eq!(class(|row| row.paid_out_on = None), "S08", "what is held has not been settled");
        assert_eq!(class(|row| (row.is_purchase, row.settles) = (false, Settles::NotSought)), "S06");
    }

    #[test]
    fn what_nobody_said_is_not_held_against_a_row() {
        assert_eq!(class(|row| (row.fee_expected, row.fee) = (None, 1)), "S00");
        assert_eq!(class(|row| row.shares_are_right = Some(true)), "S00");
        // The fee of a refund is not in the contract.
        assert_eq!(class(|row| (row.is_purchase, row.settles, row.fee) = (false, Settles::NotSought, 0)), "S06");
        // Of another period's payment, only that period's evidence can say whether it was notified.
        assert_eq!(class(|row| (row.settles, row.transaction_date) = (Settles::Nothing, date(2026, 9, 30))), "S08");
    }

    #[test]
    fn the_first_hit_is_the_class_and_the_rest_are_flags() {
        let everything = |row: &mut RowFacts| {
            row.settles = Settles::Payment(Some(1));
            row.paid_out = 0;
            row.fee = 0;
            row.shares_are_right = Some(false);
            row.paid_out_on = Some(date(2026, 11, 3));
        };
        assert_eq!(class(everything), "S03 S05 S04 S09 S08");
        assert_eq!(class(|row| (everything(row), row.settles = Settles::SettledBefore).1), "S07 S05 S04 S09 S08");
        assert_eq!(class(|row| (everything(row), row.settles = Settles::Nothing).1), "S01 S05 S04 S09 S08");
        let foreign = |row: &mut RowFacts| (everything(row), row.channel = RowChannel::Other).1;
        assert_eq!(class(|row| (foreign(row), row.shares_are_right = None).1), "S12");
        assert_eq!(class(foreign), "S09", "a share of another product that cannot be read");
    }

    #[test]
    fn a_notification_may_come_until_the_grace_after_the_day_of_payment() {
        let nature = |as_of| row_nature(Class::S01, date(2026, 10, 5), at(as_of), 24).name();
        // The 5th ends at 17:00 UTC.
        assert_eq!(nature("2026-10-06T17:00:00Z"), "TIMING");
        assert_eq!(nature("2026-10-06T17:00:01Z"), "BREAK");
        assert_eq!(row_nature(Class::S03, date(2026, 10, 5), at("2026-10-05T00:00:00Z"), 24), Nature::Break);
        assert_eq!(row_nature(Class::S01, Date::MAX, at("2026-10-05T00:00:00Z"), 24), Nature::Timing);
    }

    #[test]
    fn an_unsettled_payment_is_a_break_the_day_after_its_last_working_day() {
        let days = WorkingDays::without([date(2026, 10, 7)]);
        // 23:30 WIB on Monday the 5th; the 7th is a holiday, the 10th a Saturday.
        let due = settlement_due(at("2026-10-05T16:30:00Z"), 4, &days);
        assert_eq!(due, date(2026, 10, 12));
        assert_eq!(settlement_due(at("2026-10-05T17:00:00Z"), 4, &days), date(2026, 10, 13), "00:00 WIB is the next day");
        assert_eq!(unsettled_nature(due, None, at("2026-10-12T16:59:59Z")), Nature::Timing);
        assert_eq!(unsettled_nature(due, None, at("2026-10-12T17:00:00Z")), Nature::Break);
        assert_eq!(unsettled_nature(due, Some(date(2026, 11, 2)), at("2026-11-05T00:00:00Z")), Nature::Timing);
    }
}
