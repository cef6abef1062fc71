//! Settlement files: what they add up to, and in which layouts.

use super::*;
use crate::domain::channel::Channel;
use crate::sandbox::payment::{PaymentScript, Quirk};
use crate::sandbox::settlement::{Layout, fee, payout_date};

/// Three paid orders and a failed one; Monday 2026-10-05 and Friday 2026-10-09.
fn paid() -> Model {
    let mut model = model();
    let mut reusable = alfa_body("INV-2");
    reusable["online_to_offline_info"]["reusable_status"] = true.into();
    reusable["online_to_offline_info"]["expired_time"] = 20_000.into();
    reusable["customer"]["name"] = "Sari, \"Ibu\"".into();
    post(&mut model, ALFA, "id-2", &reusable);
    post(&mut model, INDOMARET, "id-3", &indomaret_body("INV-3"));
    let first = issued(&mut model, "INV-1");
    let failed = issued(&mut model, "INV-4");
    let code = |model: &Model, invoice: &str| model.order(invoice).unwrap().payment_code.to_string();
    let (second, third) = (code(&model, "INV-2"), code(&model, "INV-3"));
    let monday = PaymentScript::at(at("2026-10-05T05:10:00Z"));
    let friday = PaymentScript::at(at("2026-10-09T05:10:00Z"));
    model.pay(&first, &monday).unwrap();
    model.pay(&third, &monday.clone().paying(99_000)).unwrap();
    model.pay(&second, &friday).unwrap();
    model.pay(&failed, &monday.with(Quirk::Status("FAILED".into()))).unwrap();
    model
}

fn summary<'a>(file: &'a str, label: &str) -> &'a str {
    file.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix("_,")).unwrap()
}

#[test]
fn fees_hold_vat_and_money_is_paid_out_four_working_days_later() {
    assert_eq!((fee(Channel::Alfa), fee(Channel::Indomaret)), (5_550, 7_215));
    let payout = |paid_at: &str| payout_date(at(paid_at)).to_string();
    assert_eq!(payout("2026-10-05T05:00:00Z"), "2026-10-09", "Monday to Friday");
    assert_eq!(payout("2026-10-09T05:00:00Z"), "2026-10-15", "over a weekend");
    assert_eq!(payout("2026-10-05T17:30:00Z"), "2026-10-12", "the WIB day counts: this is Tuesday there");
}

#[test]
fn its_totals_are_the_sums_of_its_rows_and_only_successes_are_settled() {
    let file = paid().settlement(None, Layout::Current);
    let rows: Vec<Vec<&str>> = file.split_once("\n\n").unwrap().1.lines().skip(1).map(|line| line.rsplit(',').collect()).collect();
    assert_eq!(rows.len(), 3);
    // From the right, because a name may hold a comma.
    let sum = |column: usize| rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>().to_string();
    assert_eq!((sum(8), sum(6), sum(4)), ("399000".into(), "18315".into(), "380685".into()));
    assert_eq!(summary(&file, "Total Amount Purchase"), sum(8));
    assert_eq!(summary(&file, "Total Fee"), sum(6));
    assert_eq!(summary(&file, "Total Settlement Amount"), sum(4));
    assert_eq!((summary(&file, "Total Transactions"), summary(&file, "Total Refund")), ("3", "0"));
    assert!(file.contains(",05-10-2026,INV-1,Anton Budiman,6059"), "{file}");
    assert!(file.contains(",\"Sari, \"\"Ibu\"\"\","), "{file}");
}

#[test]
fn a_payout_day_holds_its_own_payments_in_the_current_and_in_the_old_layout() {
    let model = paid();
    let current = model.settlement("2026-10-09".parse().ok(), Layout::Current);
    let lines: Vec<&str> = current.lines().collect();
    assert_eq!((lines.len(), lines[9], summary(&current, "Total Transactions")), (13, "", "2"));
    assert!(lines[10].starts_with("NO,MERCHANT NAME,") && lines[10].ends_with(",PROMO CODE,SUB ACCOUNT"));
    assert!(lines[11].ends_with(",09-10-2026,Purchase,,") && lines[11].starts_with("1,"));
    let old = model.settlement("2026-10-15".parse().ok(), Layout::Old);
    let lines: Vec<&str> = old.lines().collect();
    assert_eq!((lines.len(), summary(&old, "Total Transactions")), (11, "1"));
    assert!(lines[9].starts_with("No,MERCHANT NAME,") && lines[9].ends_with(",PROMO CODE"));
    assert_eq!(model.settlement("2026-10-10".parse().ok(), Layout::Current).lines().count(), 11);
}
