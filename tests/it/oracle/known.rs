//! The oracle against worlds small enough to class by hand.

use super::evidence;
use super::naive::{self, Outcome};
use super::world::{DAY, HOUR, Settings};
use crate::support::message::{Envelope, Message, SECRET, utc};

const FROM: i64 = 1_790_787_600;
pub(super) const UNTIL: i64 = FROM + 31 * DAY;
/// When the bill of these tests is issued, paid and due.
pub(super) const CREATED: i64 = FROM + DAY;
pub(super) const PAID: i64 = CREATED + HOUR;
pub(super) const EXPIRES: i64 = CREATED + DAY;

pub(super) fn settings() -> Settings {
    Settings { from: FROM, until: UNTIL, as_of: UNTIL + DAY, trust_log: false, expiry_grace: HOUR, tolerance: 500, skew: 600 }
}

/// The row of the one bill: `INV-1`, code `0073`, Rp150.000.
pub(super) fn row(status: &str, reusable: bool, cancelled: &str, paid: &str, history: &str) -> String {
    format!("INV-1,0073,alfa,150000,{status},{reusable},{},{},{cancelled},{paid},,{history},,", utc(CREATED), utc(EXPIRES))
}

pub(super) fn message() -> Message {
    Message::paid("INV-1", "0073", 150_000, utc(PAID)).by("ALFAMART", "S1", "T1")
}

pub(super) fn envelope(message: &Message, request: &str, second: i64) -> Envelope {
    Envelope::of(message, request, utc(second))
}

fn line(message: &Message) -> String {
    envelope(message, "r1", PAID + 30).line(SECRET)
}

fn run(rows: &[String], lines: &[String]) -> Outcome {
    let ledger = format!("{}\n{}\n", super::world::COLUMNS.join(","), rows.join("\n"));
    let log: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    naive::reconcile(&ledger, &[log], &settings())
}

/// The classes of a side, each with its count when that is not one.
pub(super) fn classes(totals: &naive::Totals) -> String {
    let name = |(class, (count, _)): (&String, &(u64, i128))| if *count == 1 { class.clone() } else { format!("{class}x{count}") };
    totals.iter().map(name).collect::<Vec<String>>().join(" ")
}

#[test]
fn the_oracles_hmac_agrees_with_the_published_vector() {
    // RFC 4231, test case 2; and test case 6, whose key is longer than a block.
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(evidence::hex(&evidence::hmac(b"Jefe", b"what do ya want for nothing?")), expected);
    let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
    assert_eq!(evidence::hex(&evidence::hmac(&[0xaa; 131], message)), expected);
}

#[test]
fn a_line_is_classed_by_the_first_rule_it_hits() {
    let good = message();
    let with = |change: &dyn Fn(&mut Message)| {
        let mut changed = message();
        change(&mut changed);
        line(&changed)
    };
    let foreign = Envelope { client: Some("MCH-2"), ..envelope(&good, "r1", PAID) };
    let headless = Envelope { missing: Some("Signature"), ..envelope(&good, "r1", PAID) };
    let cases = [
        (line(&good), "N00"),
        ("{\"received_at\":".to_owned(), "N01"),
        (foreign.line("another"), "N04"),
        (headless.line(SECRET), "N03"),
        (good.body(), "N03"),
        (envelope(&good, "r1", PAID).line("another"), "N02"),
        (with(&|m| m.missing = Some("order.invoice_number")), "N12"),
        (with(&|m| m.date = "12-08-2021".to_owned()), "N12"),
        (with(&|m| m.service = "VIRTUAL_ACCOUNT"), "N13"),
        (with(&|m| m.status = "FAILED"), "N09"),
        (with(&|m| m.amount_json = "0.5".to_owned()), "N00"),
    ];
    for (text, expected) in cases {
        assert_eq!(classes(&run(&[], std::slice::from_ref(&text)).lines), expected, "{text}");
    }
}

#[test]
fn lines_of_one_identity_prove_one_payment() {
    let good = line(&message());
    let again = envelope(&message(), "r2", PAID + 1_830).line(SECRET);
    let failed = line(&Message { status: "FAILED", ..message() });
    let differs = envelope(&Message { amount_json: "149000".to_owned(), ..message() }, "r3", PAID + 60).line(SECRET);
    let outcome = run(&[], &[again, differs, failed, good.clone(), good]);
    assert_eq!(classes(&outcome.lines), "N00 N06x2 N07 N08");
    assert_eq!(outcome.flags["conflicting"], 1);
    assert_eq!(outcome.payments["P01"], (1, 150_000));
}

#[test]
fn a_payment_is_classed_by_the_first_rule_it_hits() {
    let plain = row("ACTIVE", false, "", "", "");
    let other = plain.replace("INV-1", "INV-2").replace("0073", "0074");
    let with = |change: &dyn Fn(&mut Message)| {
        let mut changed = message();
        change(&mut changed);
        line(&changed)
    };
    let paid = |amount: &str| with(&|m| m.amount_json = amount.to_owned());
    let dated = |second: i64| with(&|m| m.date = utc(second));
    let cancelled = row("CANCELLED", false, &utc(PAID - 1), "", "");
    let cases: Vec<(Vec<String>, String, &str, &str)> = vec![
        (vec![plain.clone()], paid("150000"), "P00", "L00"),
        (vec![plain.clone()], paid("\"150000.0\""), "P00", "L00"),
        (vec![plain.clone()], paid("150000.5"), "P17", "L02"),
        (vec![plain.clone()], paid("1000000000000"), "P17", "L02"),
        (vec![plain.clone()], dated(FROM - 1), "P16", "L01"),
        (vec![plain.clone()], dated(UNTIL), "P16", "L01"),
        (vec![plain.clone()], with(&|m| (m.invoice, m.code_json) = ("X".to_owned(), "\"1\"".to_owned())), "P01", "L02"),
        (vec![plain.clone()], with(&|m| m.invoice = "X".to_owned()), "P02", "L02"),
        (vec![plain.clone()], with(&|m| m.code_json = "\"1\"".to_owned()), "P02", "L02"),
        (vec![plain.clone(), other.clone()], with(&|m| m.invoice = "INV-2".to_owned()), "P02", "L02x2"),
        (vec![cancelled.clone()], paid("150000"), "P08", "L00"),
        (vec![plain.clone()], dated(EXPIRES + HOUR), "P00", "L00"),
        (vec![plain.clone()], dated(EXPIRES + HOUR + 1), "P07", "L00"),
        (vec![plain.clone()], paid("149500"), "P05", "L00"),
        (vec![plain.clone()], paid("149499"), "P03", "L11"),
        (vec![plain.clone()], paid("150501"), "P04", "L12"),
        (vec![plain.clone()], with(&|m| m.channel = "indomaret"), "P11", "L00"),
        (vec![row("ACTIVE", true, "", "", "")], paid("150000"), "P13", "L00"),
        (vec![plain.clone()], dated(CREATED - 600), "P00", "L00"),
        (vec![plain.clone()], dated(CREATED - 601), "P09", "L00"),
        (vec![row("ACTIVE", false, "", "", "100000")], paid("100000"), "P10", "L11"),
        (vec![row("ACTIVE", false, "", "", "100000")], paid("150000"), "P00", "L00"),
        (vec![plain.clone(), plain.clone()], paid("150000"), "P15", "L02x2"),
        (vec![plain.clone(), plain.replace("INV-1", "INV-2")], with(&|m| m.invoice = "X".to_owned()), "P15", "L02x2"),
        (vec![plain.clone(), plain.replace("INV-1", "INV-2")], paid("150000"), "P00", "L00 L02"),
        (vec![plain.replace("0073", "")], paid("150000"), "P02", "L05"),
        (vec![cancelled], dated(UNTIL), "P16", "L03"),
    ];
    for (rows, text, payment, bill) in cases {
        let outcome = run(&rows, std::slice::from_ref(&text));
        assert_eq!((classes(&outcome.payments).as_str(), classes(&outcome.bills).as_str()), (payment, bill), "{rows:?}\n{text}");
    }
}

#[test]
fn the_second_payment_of_a_non_reusable_code_is_the_later_one() {
    let second = Message { date: utc(PAID + 60), agent: Some(("ALFAMART".into(), "S2".into(), "T9".into())), ..message() };
    let outcome = run(&[row("ACTIVE", false, "", "", "")], &[line(&second), line(&message())]);
    assert_eq!((classes(&outcome.payments).as_str(), classes(&outcome.bills).as_str()), ("P00 P06", "L12"));
    let outcome = run(&[row("ACTIVE", true, "", "", "")], &[line(&second), line(&message())]);
    assert_eq!((classes(&outcome.payments).as_str(), classes(&outcome.bills).as_str()), ("P13x2", "L00"));
}

#[test]
fn an_unpaid_bill_is_classed_by_what_the_ledger_says_and_the_clock() {
    assert_eq!(classes(&run(&[row("PAID", false, "", &utc(PAID), "")], &[]).bills), "L04");
    assert_eq!(classes(&run(&[row("CANCELLED", false, &utc(PAID), "", "")], &[]).bills), "L03");
    assert_eq!(classes(&run(&[row("ACTIVE", false, "", "", "")], &[]).bills), "L02");
    let later = row("ACTIVE", false, "", "", "").replace(&utc(EXPIRES), &utc(UNTIL + 2 * DAY));
    assert_eq!(classes(&run(&[later], &[]).bills), "L01");
}

#[test]
fn a_debt_settled_through_another_bill_of_its_group_is_settled_elsewhere() {
    let first = row("ACTIVE", false, "", "", "").strip_suffix(',').map(|row| format!("{row}G1,")).unwrap();
    let second = first.replace("INV-1", "INV-2").replace("0073", "0074");
    let later = Message { invoice: "INV-2".into(), code_json: "\"0074\"".into(), date: utc(PAID + 60), ..message() };
    let outcome = run(&[first.clone(), second.clone()], &[line(&later), line(&message())]);
    assert_eq!((classes(&outcome.payments).as_str(), classes(&outcome.bills).as_str()), ("P00 P12", "L00x2"));
    let outcome = run(&[first, second.replace("G1", "G2")], &[line(&later), line(&message())]);
    assert_eq!((classes(&outcome.payments).as_str(), classes(&outcome.bills).as_str()), ("P00x2", "L00x2"));
}

#[test]
fn findings_carry_their_lower_hits_and_their_evidence() {
    let late = Message { date: utc(EXPIRES + 2 * HOUR), amount_json: "149000".into(), ..message() };
    let text = envelope(&late, "r1", UNTIL).line(SECRET);
    let outcome = run(&[row("ACTIVE", false, "", "", "")], std::slice::from_ref(&text));
    let digest = evidence::hex(&<sha2::Sha256 as sha2::Digest>::digest(&text));
    let payment = format!("P07 [P03;late_evidence] BREAK high INV-1 0073 due 150000 paid 149000 {} {digest}", late.date);
    let bill = format!("L11 [] BREAK high INV-1 0073 due 150000 paid 149000 {digest}");
    assert_eq!(outcome.findings.into_keys().collect::<Vec<_>>(), [bill, payment]);
}

#[test]
fn a_live_code_on_two_invoices_is_flagged_and_a_row_nobody_can_read_is_counted_apart() {
    let live = row("ACTIVE", false, "", "", "").replace(&utc(EXPIRES), &utc(UNTIL + 2 * DAY));
    let outcome = run(&[live.clone(), live.replace("INV-1", "INV-2"), live.replace("150000", "150.000")], &[]);
    assert_eq!((classes(&outcome.bills).as_str(), outcome.flags["L07"], outcome.malformed_rows), ("L01x2", 2, 1));
    assert_eq!(outcome.findings.len(), 2);
}
