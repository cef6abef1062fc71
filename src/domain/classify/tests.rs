//! Every rule from literals, and the order between them.

use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::bill::Expiry;
use crate::domain::channel::Channel;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rupiah(rupiah: u64) -> Amount {
    Amount::new(rupiah).unwrap()
}

fn october() -> Period {
    Period::new(date(2026, 10, 1), date(2026, 10, 31)).unwrap()
}

fn paid() -> PaymentFacts {
    PaymentFacts {
        amount: Some(rupiah(150_000)),
        paid_at: at("2026-10-05T03:00:00Z"),
        channel: Channel::Alfa,
        acquirer_agrees: true,
        by_status: false,
    }
}

fn billed() -> BillFacts<'static> {
    BillFacts {
        due: rupiah(150_000),
        channel: Channel::Alfa,
        reusable: false,
        created_at: Some(at("2026-10-01T00:00:00Z")),
        expires_at: Some(at("2026-10-20T00:00:00Z")),
        cancelled_at: None,
        earlier_amounts: &[],
        covered_before: false,
        paid_before: 0,
        settled_elsewhere: false,
        policy_lapsed: false,
    }
}

fn class(payment: &PaymentFacts, found: &Match<'_>) -> Class {
    payment_class(payment, found, &october(), &MatchingPolicy::default()).0
}

fn class_of(change: impl FnOnce(&mut PaymentFacts, &mut BillFacts<'static>)) -> Class {
    let (mut payment, mut bill) = (paid(), billed());
    change(&mut payment, &mut bill);
    class(&payment, &Match::One(bill))
}

#[test]
fn each_payment_rule_alone_gives_its_class() {
    assert_eq!(class_of(|_, _| {}), Class::P00);
    assert_eq!(class_of(|payment, _| payment.amount = None), Class::P17);
    assert_eq!(class_of(|payment, _| payment.paid_at = at("2026-10-31T17:00:00Z")), Class::P16);
    assert_eq!(class_of(|payment, _| payment.paid_at = at("2026-09-30T16:59:59Z")), Class::P16);
    assert_eq!(class(&paid(), &Match::Several), Class::P15);
    assert_eq!(class(&paid(), &Match::Unknown), Class::P01);
    assert_eq!(class(&paid(), &Match::Disagree), Class::P02);
    assert_eq!(class_of(|_, bill| bill.covered_before = true), Class::P06);
    assert_eq!(class_of(|_, bill| bill.settled_elsewhere = true), Class::P12);
    assert_eq!(class_of(|_, bill| bill.cancelled_at = Some(at("2026-10-05T02:59:59Z"))), Class::P08);
    assert_eq!(class_of(|_, bill| bill.expires_at = Some(at("2026-10-05T02:54:59Z"))), Class::P07);
    assert_eq!(class_of(|payment, _| payment.amount = Some(rupiah(149_999))), Class::P03);
    assert_eq!(class_of(|payment, _| payment.amount = Some(rupiah(150_001))), Class::P04);
    assert_eq!(class_of(|payment, _| payment.channel = Channel::Indomaret), Class::P11);
    assert_eq!(class_of(|payment, _| payment.acquirer_agrees = false), Class::P11);
    assert_eq!(class_of(|_, bill| bill.policy_lapsed = true), Class::P18);
    assert_eq!(class_of(|_, bill| bill.created_at = Some(at("2026-10-05T03:10:01Z"))), Class::P09);
    assert_eq!(class_of(|payment, _| payment.by_status = true), Class::P19);
    assert_eq!(class_of(|payment, bill| (payment.by_status, bill.reusable) = (true, true)), Class::P19);
    assert_eq!(class_of(|_, bill| bill.reusable = true), Class::P13);
}

#[test]
fn the_edges_of_time_and_money_still_match() {
    assert_eq!(class_of(|payment, bill| bill.cancelled_at = Some(payment.paid_at)), Class::P00);
    assert_eq!(class_of(|_, bill| bill.expires_at = Some(at("2026-10-05T02:55:00Z"))), Class::P00);
    assert_eq!(class_of(|_, bill| bill.created_at = Some(at("2026-10-05T03:10:00Z"))), Class::P00);
    assert_eq!(class_of(|payment, _| payment.paid_at = at("2026-09-30T17:00:00Z")), Class::P09, "the first instant of October in WIB");
    assert_eq!(class_of(|_, bill| (bill.created_at, bill.expires_at) = (None, None)), Class::P00);
}

#[test]
fn the_tolerance_is_inclusive_and_named() {
    let policy = MatchingPolicy { tolerance_rupiah: 100, ..MatchingPolicy::default() };
    for (amount, wanted) in
        [(149_899, Class::P03), (149_900, Class::P05), (150_000, Class::P00), (150_100, Class::P05), (150_101, Class::P04)]
    {
        let payment = PaymentFacts { amount: Some(rupiah(amount)), ..paid() };
        assert_eq!(payment_class(&payment, &Match::One(billed()), &october(), &policy).0, wanted, "{amount}");
    }
}

#[test]
fn a_payment_is_held_against_what_earlier_ones_left_open() {
    let policy = MatchingPolicy { tolerance_rupiah: 100, ..MatchingPolicy::default() };
    for (before, amount, wanted) in [
        (60_000, 90_000, Class::P14),
        (60_000, 89_950, Class::P05),
        (60_000, 90_100, Class::P05),
        (60_000, 89_899, Class::P03),
        (60_000, 90_101, Class::P04),
        (60_000, 150_000, Class::P04),
        (0, 150_000, Class::P00),
    ] {
        let payment = PaymentFacts { amount: Some(rupiah(amount)), ..paid() };
        let bill = BillFacts { paid_before: before, ..billed() };
        assert_eq!(payment_class(&payment, &Match::One(bill), &october(), &policy).0, wanted, "{before} and {amount}");
    }
    let once_more = |bill: &mut BillFacts<'static>| (bill.reusable, bill.paid_before) = (true, 60_000);
    assert_eq!(class_of(|_, bill| once_more(bill)), Class::P13, "a reusable code asks for all of it every time");
}

#[test]
fn what_was_paid_in_earlier_periods_counts_for_the_bill() {
    for (before, attached, wanted) in
        [(60_000, 90_000, Class::L00), (150_000, 0, Class::L00), (60_000, 0, Class::L11), (60_000, 100_000, Class::L12)]
    {
        let wanted_of = |bill: &mut BillSituation| {
            (bill.paid_before, bill.attached) = (Rupiah::new(before), Rupiah::new(attached));
            bill.attached_count = u64::from(attached > 0);
        };
        assert_eq!(judged(wanted_of).0, wanted, "{before} and {attached}");
    }
}

#[test]
fn superseded_terms_are_told_from_a_wrong_amount() {
    const EARLIER: [Amount; 1] = [match Amount::new(100_000) {
        Ok(amount) => amount,
        Err(_) => panic!(),
    }];
    let hit = |amount| {
        let payment = PaymentFacts { amount: Some(rupiah(amount)), ..paid() };
        let bill = BillFacts { earlier_amounts: &EARLIER, ..billed() };
        payment_class(&payment, &Match::One(bill), &october(), &MatchingPolicy::default())
    };
    assert_eq!(hit(100_000), (Class::P10, [Class::P03].into_iter().collect()));
    assert_eq!(hit(100_001).0, Class::P03);
    assert_eq!(hit(150_000).0, Class::P00);
}

#[test]
fn of_several_hits_the_first_of_the_rules_is_the_class_and_the_rest_are_flags() {
    // Each step takes the cause of the class away, so the next rule of the list shows.
    let (mut payment, mut bill) = (paid(), billed());
    payment.amount = Some(rupiah(150_001));
    payment.paid_at = at("2026-10-05T03:00:00Z");
    payment.channel = Channel::Indomaret;
    bill.covered_before = true;
    bill.settled_elsewhere = true;
    bill.cancelled_at = Some(at("2026-10-01T00:00:00Z"));
    bill.expires_at = Some(at("2026-10-02T00:00:00Z"));
    bill.created_at = Some(at("2026-10-06T00:00:00Z"));
    let order = [Class::P06, Class::P12, Class::P08, Class::P07, Class::P04, Class::P11, Class::P09];
    let fixes: [fn(&mut PaymentFacts, &mut BillFacts<'_>); 7] = [
        |_, bill| bill.covered_before = false,
        |_, bill| bill.settled_elsewhere = false,
        |_, bill| bill.cancelled_at = None,
        |_, bill| bill.expires_at = None,
        |payment, _| payment.amount = Some(rupiah(150_000)),
        |payment, _| payment.channel = Channel::Alfa,
        |_, bill| bill.created_at = None,
    ];
    for (step, (wanted, fix)) in order.into_iter().zip(fixes).enumerate() {
        let (class, flags) = payment_class(&payment, &Match::One(bill), &october(), &MatchingPolicy::default());
        assert_eq!(class, wanted);
        assert_eq!(flags, order[step + 1..].iter().copied().collect(), "flags beside {wanted}");
        fix(&mut payment, &mut bill);
    }
    assert_eq!(class(&payment, &Match::One(bill)), Class::P00);
    payment.paid_at = at("2026-11-05T00:00:00Z");
    assert_eq!(class(&payment, &Match::Unknown), Class::P16, "another period before unknown ids");
    payment.amount = None;
    assert_eq!(class(&payment, &Match::Unknown), Class::P17, "an unusable amount before all else");
}

#[test]
fn a_reusable_code_has_no_second_payment() {
    assert_eq!(class_of(|_, bill| (bill.reusable, bill.covered_before, bill.settled_elsewhere) = (true, true, true)), Class::P13);
    assert_eq!(class_of(|payment, bill| (bill.reusable, payment.amount) = (true, Some(rupiah(1)))), Class::P03);
}

fn open_bill() -> BillSituation {
    BillSituation {
        due: rupiah(150_000),
        reusable: false,
        has_code: true,
        issue_in_doubt: false,
        cancelled_at: None,
        expires_at: Some(at("2026-11-20T00:00:00Z")),
        attached_count: 0,
        attached: Rupiah::ZERO,
        paid_before: Rupiah::ZERO,
        taken_off: Rupiah::ZERO,
        mark: PaidMark::None,
        paid_outside_period: false,
        settled: false,
    }
}

fn judged(change: impl FnOnce(&mut BillSituation)) -> (Class, Nature) {
    let mut bill = open_bill();
    change(&mut bill);
    bill_class(&bill, at("2026-11-03T00:00:00Z"), &MatchingPolicy::default())
}

fn with_money(rupiah: i128) -> impl FnOnce(&mut BillSituation) {
    move |bill| (bill.attached_count, bill.attached) = (1, Rupiah::new(rupiah))
}

#[test]
fn each_bill_rule_alone_gives_its_class() {
    assert_eq!(judged(|_| {}), (Class::L01, Nature::Timing));
    assert_eq!(judged(|bill| bill.issue_in_doubt = true), (Class::L06, Nature::Break));
    assert_eq!(judged(with_money(149_999)), (Class::L11, Nature::Break));
    assert_eq!(judged(with_money(150_001)), (Class::L12, Nature::Break));
    assert_eq!(judged(with_money(150_000)), (Class::L00, Nature::Ok));
    assert_eq!(judged(|bill| bill.mark = PaidMark::InPeriod), (Class::L04, Nature::Break));
    assert_eq!(judged(|bill| bill.has_code = false), (Class::L05, Nature::Break));
    assert_eq!(judged(|bill| (bill.has_code, bill.taken_off) = (false, Rupiah::new(150_000))), (Class::L00, Nature::Ok));
    assert_eq!(judged(|bill| bill.taken_off = Rupiah::new(100_000)).0, Class::L01, "something is owed still");
    assert_eq!(
        judged(|bill| (bill.attached_count, bill.attached, bill.taken_off) = (1, Rupiah::new(100_000), Rupiah::new(50_000))).0,
        Class::L00
    );
    assert_eq!(judged(|bill| bill.cancelled_at = Some(at("2026-11-02T00:00:00Z"))), (Class::L03, Nature::Ok));
    assert_eq!(judged(|bill| bill.cancelled_at = Some(at("2026-11-04T00:00:00Z"))).0, Class::L01, "cancelled after as-of");
    assert_eq!(judged(|bill| bill.expires_at = Some(at("2026-11-02T23:54:59Z"))), (Class::L02, Nature::Timing));
    assert_eq!(judged(|bill| bill.expires_at = Some(at("2026-11-02T23:55:00Z"))).0, Class::L01, "inside the grace");
    assert_eq!(judged(|bill| bill.expires_at = Some(at("2026-09-03T23:59:59Z"))), (Class::L02, Nature::Break));
    assert_eq!(judged(|bill| bill.expires_at = Some(at("2026-09-04T00:00:00Z"))), (Class::L02, Nature::Timing));
}

#[test]
fn a_bill_paid_outside_the_period_is_not_expired_unpaid() {
    let expired = |bill: &mut BillSituation| bill.expires_at = Some(at("2026-11-01T00:00:00Z"));
    assert_eq!(judged(expired).0, Class::L02);
    assert_eq!(judged(|bill| (expired(bill), bill.paid_outside_period = true).0).0, Class::L01);
    assert_eq!(judged(|bill| (expired(bill), bill.mark = PaidMark::Elsewhere).0).0, Class::L01);
}

#[test]
fn bill_rules_are_tried_in_their_order() {
    let everything = |bill: &mut BillSituation| {
        bill.issue_in_doubt = true;
        bill.mark = PaidMark::InPeriod;
        bill.has_code = false;
        bill.cancelled_at = Some(at("2026-11-01T00:00:00Z"));
        bill.expires_at = Some(at("2026-11-01T00:00:00Z"));
    };
    assert_eq!(judged(|bill| (everything(bill), with_money(1)(bill)).0).0, Class::L11, "money ends the doubt");
    assert_eq!(judged(everything).0, Class::L06);
    assert_eq!(judged(|bill| (everything(bill), bill.issue_in_doubt = false).0).0, Class::L04);
    let fixed = |bill: &mut BillSituation| (everything(bill), bill.issue_in_doubt = false, bill.mark = PaidMark::None).0;
    assert_eq!(judged(fixed).0, Class::L05);
    assert_eq!(judged(|bill| (fixed(bill), bill.has_code = true).0).0, Class::L03);
}

#[test]
fn money_on_a_reusable_bill_settles_it_whatever_it_adds_up_to() {
    for rupiah in [1, 150_000, 450_000] {
        assert_eq!(judged(|bill| (with_money(rupiah)(bill), bill.reusable = true).0).0, Class::L00);
    }
}

#[test]
fn repeated_notifications_fall_into_the_slots_of_dokus_schedule() {
    let first = Some(at("2026-10-05T00:00:00Z"));
    for (this, slot) in [
        ("2026-10-05T00:14:59Z", RetrySlot::Immediate),
        ("2026-10-05T00:30:10Z", RetrySlot::HalfHour),
        ("2026-10-05T06:00:00Z", RetrySlot::SixHours),
        ("2026-10-05T12:02:00Z", RetrySlot::TwelveHours),
        ("2026-10-07T00:00:00Z", RetrySlot::Manual),
    ] {
        assert_eq!(retry_slot(first, Some(at(this))), slot, "{this}");
    }
    assert_eq!(retry_slot(first, None), RetrySlot::Manual);
    assert_eq!(further_success(true), Class::N06);
    assert_eq!(further_success(false), Class::N07);
    assert_eq!((not_final(true), not_final(false)), (Class::N08, Class::N09));
}

#[test]
fn skew_and_lateness_are_flagged_beyond_their_windows() {
    let flags = |received: &str, stamped: Option<&str>| {
        let facts = LateFacts { received_at: at(received), stamped_at: stamped.map(at), paid_at: at("2026-10-05T00:00:00Z") };
        let flags = line_flags(&facts, &MatchingPolicy::default());
        (flags.skewed, flags.late)
    };
    assert_eq!(flags("2026-10-05T13:00:00Z", Some("2026-10-05T13:00:00Z")), (false, false));
    assert_eq!(flags("2026-10-05T13:00:01Z", Some("2026-10-04T13:00:00Z")), (true, true));
    assert_eq!(flags("2026-10-05T00:00:00Z", Some("2026-10-06T00:00:01Z")), (true, false));
    assert_eq!(flags("2026-10-05T00:00:00Z", None), (true, false));
}

#[test]
fn terms_differ_when_dokus_expiry_is_off_by_more_than_the_grace() {
    let policy = MatchingPolicy::default();
    let (created, expires) = (Some(at("2026-10-05T00:00:00Z")), |text| Some(at(text)));
    assert!(!issued_otherwise(Expiry::Minutes(60), created, expires("2026-10-05T01:05:00Z"), &policy));
    assert!(issued_otherwise(Expiry::Minutes(60), created, expires("2026-10-05T01:05:01Z"), &policy));
    assert!(issued_otherwise(Expiry::At(at("2026-10-05T02:00:00Z")), None, expires("2026-10-05T01:00:00Z"), &policy));
    assert!(!issued_otherwise(Expiry::Minutes(60), None, expires("2026-10-05T01:00:00Z"), &policy));
}

#[test]
fn a_period_is_wib_days() {
    assert_eq!(october().starts_at(), at("2026-09-30T17:00:00Z"));
    assert_eq!(october().ends_at(), at("2026-10-31T17:00:00Z"));
    assert!(Period::new(date(2026, 10, 2), date(2026, 10, 1)).is_none());
}

#[test]
fn what_only_check_status_told_of_becomes_a_break_after_the_grace_and_nothing_else_does() {
    let policy = MatchingPolicy { status_grace_hours: 72, ..MatchingPolicy::default() };
    let nature = |class, as_of: &str| payment_nature(class, Some(at("2026-10-05T00:00:00Z")), at(as_of), &policy);
    assert_eq!(nature(Class::P19, "2026-10-08T00:00:00Z"), Nature::Timing);
    assert_eq!(nature(Class::P19, "2026-10-08T00:00:01Z"), Nature::Break);
    assert_eq!(nature(Class::P16, "2026-12-08T00:00:00Z"), Nature::Ok);
    assert_eq!(payment_nature(Class::P03, None, at("2026-10-01T00:00:00Z"), &policy), Nature::Break);
}

#[test]
fn a_policy_is_lapsed_by_the_words_configured_in_any_letter_case() {
    let policy = MatchingPolicy { lapsed_policy_statuses: vec!["batal".into()], ..MatchingPolicy::default() };
    assert!(policy.is_lapsed(" Batal ") && !policy.is_lapsed("lapsed") && !policy.is_lapsed(""));
}
