//! `tagih reconcile --settlement`: a month's settlement in CSV and XLSX, every class planted, and files that are none.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::reconcile::ours::{EXTERNAL as LEDGER, classes, line, summary};
use crate::support::world::{Ran, World, bytes_in};

const COLUMNS: &str = "NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,\
                       FEE,DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT,Share Agent";
const SETTINGS: &str = "[settlement]\nholidays = [\"2026-10-28\"]\n[settlement.channels]\n\"ALFA group\" = \"alfa\"\n\
                        \"Virtual Account BCA\" = \"other\"\n[settlement.shares]\n\"Share Agent\" = \"10%\"\n[settlement.alfa]\nfee_rupiah = 5000\n";

/// A row of a report; what is written is what the columns say.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) channel: &'static str,
    pub(crate) date: &'static str,
    pub(crate) invoice: String,
    pub(crate) code: String,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) paid_out: i64,
    pub(crate) out: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) share: i64,
}

/// What settles a payment of `code` as it should be: Rp100.000 less Rp5.550, a tenth of it the agent's.
pub(crate) fn row(code: u64) -> Row {
    Row {
        channel: "Alfa Group",
        date: "05-10-2026",
        invoice: format!("INV-{code}"),
        code: format!("{code:016}"),
        amount: 100_000,
        fee: 5_550,
        paid_out: 94_450,
        out: "09-10-2026",
        kind: "Purchase",
        share: 9_445,
    }
}

fn but(code: u64, change: impl FnOnce(&mut Row)) -> Row {
    let mut row = row(code);
    change(&mut row);
    row
}

impl Row {
    fn cells(&self, number: usize) -> Vec<String> {
        let (number, amount, fee, paid_out, share) =
            (number.to_string(), self.amount.to_string(), self.fee.to_string(), self.paid_out.to_string(), self.share.to_string());
        let texts = [
            &number,
            "PT Asuransi",
            self.channel,
            self.date,
            &self.invoice,
            "Canary Name",
            &self.code,
            &amount,
            &self.code,
            &fee,
            "0",
            &paid_out,
            self.out,
            self.kind,
            "",
            "",
            &share,
        ];
        texts.map(str::to_owned).to_vec()
    }
}

/// The totals above the rows, true to them: what is held is of no payment that the batch has already.
fn totals(rows: &[Row], batch: &str) -> Vec<(&'static str, String)> {
    let is_held_beside = |row: &Row| row.out.is_empty() && rows.iter().any(|other| !other.out.is_empty() && other.invoice == row.invoice);
    let rows: Vec<Row> = rows.iter().filter(|row| !is_held_beside(row)).cloned().collect();
    let purchases = || rows.iter().filter(|row| row.kind == "Purchase");
    let sum = |of: fn(&Row) -> i64| rows.iter().map(of).sum::<i64>().to_string();
    let refunds: i64 = rows.iter().filter(|row| row.kind != "Purchase").map(|row| row.amount).sum();
    vec![
        ("Total Amount Purchase_", purchases().map(|row| row.amount).sum::<i64>().to_string()),
        ("Total Fee_", sum(|row| row.fee)),
        ("Total Purchase_", purchases().count().to_string()),
        ("Total Amount Refund_", refunds.to_string()),
        ("Total Refund_", (rows.len() - purchases().count()).to_string()),
        ("Total Settlement Amount_", sum(|row| row.paid_out)),
        ("Total Discount_", "0".to_owned()),
        ("Total Transactions_", rows.len().to_string()),
        ("Batch ID_", batch.to_owned()),
    ]
}

pub(crate) fn csv(rows: &[Row], batch: &str) -> String {
    let totals = totals(rows, batch).iter().map(|(label, value)| format!("{label},{value}")).collect::<Vec<_>>().join("\n");
    let rows: String = rows.iter().zip(1..).map(|(row, number)| row.cells(number).join(",") + "\n").collect();
    format!("\u{feff}{totals}\n\n{COLUMNS}\n{rows}")
}

/// The same as a workbook: amounts as numbers, codes as text, dates as text or as Excel's own.
pub(crate) fn xlsx(path: &Path, rows: &[Row], batch: &str) {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let mut at = 0;
    for (label, value) in totals(rows, batch) {
        sheet.write(at, 0, label).unwrap();
        match value.parse::<i64>() {
            Ok(number) => sheet.write(at, 1, number).unwrap(),
            Err(_) => sheet.write(at, 1, value).unwrap(),
        };
        at += 1;
    }
    at += 2;
    for (column, name) in (0..).zip(COLUMNS.split(',')) {
        sheet.write(at, column, name).unwrap();
    }
    let day = Format::new().set_num_format("dd-mm-yyyy");
    for (number, row) in rows.iter().enumerate() {
        at += 1;
        for (column, cell) in (0_u16..).zip(row.cells(number + 1)) {
            let name = COLUMNS.split(',').nth(column.into()).unwrap();
            match (name, cell.parse::<i64>()) {
                ("AMOUNT" | "FEE" | "DISCOUNT" | "PAY TO MERCHANT" | "Share Agent", Ok(amount)) => sheet.write(at, column, amount).unwrap(),
                ("TRANSACTION DATE" | "PAY OUT DATE", _) if number % 2 == 0 => {
                    let parts: Vec<u16> = cell.split('-').map(|part| part.parse().unwrap()).collect();
                    let date = ExcelDateTime::from_ymd(parts[2], parts[1] as u8, parts[0] as u8).unwrap();
                    sheet.write_with_format(at, column, &date, &day).unwrap()
                }
                _ => sheet.write(at, column, cell).unwrap(),
            };
        }
    }
    workbook.save(path).unwrap();
}

/// Bills 1 to 20 of Rp100.000 each, and notifications of those in `paid`, all on the 5th of October.
fn world(paid: &[u64]) -> World {
    let world = World::at("http://127.0.0.1:1", SETTINGS);
    let bills = (1..=20).map(|n| format!("INV-{n},{n:016},alfa,100000,ACTIVE,no,2026-10-01,2026-12-31,")).collect::<Vec<_>>().join("\n");
    world.file("ledger.csv", format!("{LEDGER}\n{bills}\n"));
    let lines: String = paid.iter().map(|n| notified(*n) + "\n").collect();
    world.file("log.jsonl", lines);
    world
}

fn notified(n: u64) -> String {
    line(&format!("INV-{n}"), &format!("{n:016}"), 100_000, "2026-10-05T05:00:00Z", &format!("T{n}"))
}

/// October, seen from the 2nd of November.
fn october(world: &World, settlement: &[&str], out: &str) -> Ran {
    let common = ["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z", "--out", out];
    world.run(&[&["reconcile", "--notifications", "log.jsonl", "--settlement"], settlement, &common].concat())
}

fn settled(world: &World, out: &str) -> String {
    let summary = summary(&world.path(out));
    for identity in summary["identities"].as_array().unwrap() {
        assert_eq!(identity["holds"], true, "{identity}");
    }
    classes(&summary, "settlement")
}

/// Everything a report concludes of settlement, without names and places of files.
fn conclusions(world: &World, out: &str) -> String {
    let summary = summary(&world.path(out));
    let keys = [
        "settlement",
        "settlement_natures",
        "settlement_totals",
        "settlement_batches",
        "flags",
        "identities",
        "not_evaluated",
        "bills",
        "run_id",
    ];
    let mut text = keys.map(|key| summary[key].to_string()).join("\n");
    for file in ["settlement.csv", "discrepancies.csv"] {
        for mut row in world.rows(&format!("{out}/{file}")) {
            // The digest is that of a line, or of cells.
            for place in ["file", "row", "evidence"] {
                row.remove(place);
            }
            write!(text, "\n{row:?}").unwrap();
        }
    }
    text
}

/// One row of every class, all but the last two of Alfa.
fn planted() -> Vec<Row> {
    vec![
        row(1),
        but(2, |row| row.invoice = String::new()),
        row(3),
        but(4, |row| (row.amount, row.paid_out, row.share) = (99_000, 93_450, 9_345)),
        but(5, |row| (row.fee, row.paid_out, row.share) = (6_000, 94_000, 9_400)),
        but(6, |row| (row.paid_out, row.share) = (94_000, 9_400)),
        but(7, |row| row.kind = "Refund"),
        row(8),
        but(8, |row| row.out = "12-10-2026"),
        but(8, |row| row.out = ""),
        but(9, |row| row.out = "02-11-2026"),
        but(10, |row| row.share = 9_000),
        but(11, |row| row.channel = "Alfamart"),
        but(12, |row| row.channel = "Virtual Account BCA"),
    ]
}

#[test]
fn every_class_planted_is_found_and_none_is_invented() {
    // Bill 3 is settled and not notified; 7, 13 and 14 are notified and not settled, and 11 only under a name nobody knows.
    let world = world(&[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]);
    let mut text = csv(&planted(), "B-1");
    text += "14,PT Asuransi,Alfa Group,05-10-2026,INV-13,Canary Name,,100.000,,5550,0,94450,09-10-2026,Purchase,,,9445\n";
    world.file("s.csv", text);
    october(&world, &["s.csv"], "report").expect(1).says(&["s.csv:26:AMOUNT: `100.000` is no plain integer"]);
    assert_eq!(settled(&world, "report"), "S00x3 S01 S02x5 S03 S04 S05 S06 S07 S08 S09 S10 S11 S12 S14");
    let found = world.rows("report/discrepancies.csv");
    let of = |class: &str| found.iter().filter(|row| row["class"] == class).collect::<Vec<_>>();
    let side = |class: &str| {
        let row = of(class)[0];
        [&row["invoice_number"], &row["amount_expected"], &row["amount_paid"], &row["amount_difference"]].map(String::as_str)
    };
    assert_eq!(side("S01"), ["INV-3", "", "100000", ""]);
    assert_eq!(side("S03"), ["INV-4", "100000", "99000", "-1000"]);
    assert_eq!(side("S04"), ["INV-5", "5550", "6000", "450"]);
    assert!(of("S05").iter().any(|row| row["invoice_number"] == "INV-6" && row["amount_difference"] == "-450"));
    assert!(of("S05").iter().any(|row| row["invoice_number"] == "B-1"), "what nobody explains of the batch");
    assert_eq!(side("S07"), ["INV-8", "0", "100000", "100000"]);
    assert_eq!(of("S02").iter().map(|row| row["invoice_number"].as_str()).filter(|invoice| *invoice == "INV-14").count(), 1);
    assert!(of("S10")[0]["reason"].starts_with("AMOUNT: `100.000` is no plain integer"), "{:?}", of("S10")[0]);
    assert!(of("S11")[0]["reason"].contains("`Alfamart`"));
    assert_eq!(of("S08").len() + of("S12").len() + of("S00").len() + of("S14").len(), 0, "no BREAKs");
    // Each row once, and names nowhere.
    assert_eq!(world.rows("report/settlement.csv").len(), 15);
    for (name, bytes) in bytes_in(&world.path("report")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("Canary"), "{name}");
    }
    let totals = &summary(&world.path("report"))["settlement_totals"]["alfa"];
    assert_eq!((totals["rows"].as_u64(), totals["refund"].as_u64(), totals["gross"].as_u64()), (Some(11), Some(100_000), Some(999_000)));
}

#[test]
fn a_workbook_says_the_same_as_the_text_and_parts_of_a_batch_the_same_as_the_whole() {
    let world = world(&[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]);
    let rows = planted();
    let text = csv(&rows, "B-1");
    world.file("s.csv", &text);
    xlsx(&world.path("s.xlsx"), &rows, "B-1");
    october(&world, &["s.csv"], "csv").expect(1);
    october(&world, &["s.xlsx"], "xlsx").expect(1);
    assert_eq!(conclusions(&world, "xlsx"), conclusions(&world, "csv"));
    // Split in two, each part under the whole batch's totals, in reverse, one of them packed, named by a pattern.
    let (head, body) = text.split_once("Share Agent\n").unwrap();
    let mut body: Vec<&str> = body.lines().collect();
    body.reverse();
    let (first, second) = body.split_at(5);
    let part = |rows: &[&str]| format!("{head}Share Agent\n{}\n", rows.join("\n"));
    world.file("part-1.csv.zst", zstd::encode_all(part(first).as_bytes(), 1).unwrap());
    world.file("part-2.csv", part(second).replace('\n', "\r\n"));
    october(&world, &["part-*"], "parts").expect(1);
    assert_eq!(conclusions(&world, "parts"), conclusions(&world, "csv"));
}

#[test]
fn a_file_given_twice_is_one_and_a_row_twice_in_one_file_is_two() {
    let world = world(&[1, 2]);
    world.file("s.csv", csv(&[row(1), row(2)], "B-1"));
    october(&world, &["s.csv"], "once").expect(0);
    world.file("copy.csv", csv(&[row(1), row(2)], "B-1"));
    october(&world, &["s.csv", "copy.csv"], "twice").expect(0).says(&["2 settlement rows", "each counts once"]);
    assert_eq!((settled(&world, "once"), settled(&world, "twice")), ("S00x2".to_owned(), "S00x2".to_owned()));
    assert_eq!(summary(&world.path("twice"))["books"]["aside"]["copies"], 2);
    let totals = |out: &str| summary(&world.path(out))["settlement_totals"].clone();
    assert_eq!(totals("once"), totals("twice"));
    let books = |out: &str| summary(&world.path(out))["books"]["accounts"].clone();
    assert_eq!(books("once"), books("twice"), "a copy posts nothing");
    // Three times in one file and twice in another is three times; one that cannot be read is one, too.
    let unreadable = |rows: &[Row]| csv(rows, "B-1") + csv(&[but(2, |row| row.date = "31-02-2026")], "B-1").lines().last().unwrap() + "\n";
    world.file("three.csv", unreadable(&[row(1), row(1), row(1)]));
    world.file("two.csv", unreadable(&[row(1), row(1)]));
    for order in [["three.csv", "two.csv"], ["two.csv", "three.csv"]] {
        october(&world, &order, "times").expect(1);
        assert_eq!(settled(&world, "times"), "S00 S02 S05 S07x2 S10", "{order:?}");
    }
    // Held in one file and paid out in the next, which says the whole batch again.
    world.file("held.csv", csv(&[but(1, |row| row.out = ""), row(2)], "B-1"));
    october(&world, &["held.csv", "s.csv"], "held");
    let closing = |out: &str| {
        let accounts = books(out);
        let of = |name: &str| accounts.as_array().unwrap().iter().find(|one| one["account"] == name).map(|one| one["closing"].clone());
        ["bank", "suspense", "clearing", "doku", "fees"].map(of)
    };
    assert_eq!(closing("held"), closing("once"));
    assert_eq!(settled(&world, "held"), "S00x2 S14", "a payment is in its batch's totals once");
    // A batch that was paid out later, held first, in another batch: each file states its own rows.
    world.file("first.csv", csv(&[but(1, |row| row.out = ""), row(2)], "B-0"));
    october(&world, &["first.csv", "s.csv"], "first");
    assert_eq!(settled(&world, "first"), "S00x2 S07 S14");
}

#[test]
fn what_is_held_or_paid_out_later_is_owed_at_the_end_in_summary_and_books_alike() {
    let world = world(&[1, 2, 3]);
    // Held, paid out in November, and paid out; seen when all of them are overdue.
    world.file("s.csv", csv(&[but(1, |row| row.out = ""), but(2, |row| row.out = "02-11-2026"), row(3)], "B-1"));
    october(&world, &["s.csv"], "report").expect(1);
    assert_eq!(settled(&world, "report"), "S00 S02x2 S08x2");
    let of = |file: &str, column: &str| {
        let rows = world.rows(&format!("report/{file}"));
        rows.into_iter().filter(|row| row["class"] == "S02").map(|row| row[column].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("open_items.csv", "invoice_number").len(), 2);
    // What came in November is known to have come; what is held is to be asked for.
    assert_eq!(of("discrepancies.csv", "invoice_number"), ["INV-1"]);
}

#[test]
fn others_get_their_share_of_what_is_not_ours_and_a_share_that_cannot_be_read_is_told() {
    let settings = SETTINGS.replacen("[settlement]\n", "[settlement]\nthird_parties = [\"Share Agent\"]\n", 1);
    let world = World::at("http://127.0.0.1:1", &settings);
    world.file("ledger.csv", format!("{LEDGER}\nINV-1,{:016},alfa,100000,ACTIVE,no,2026-10-01,2026-12-31,\n", 1));
    world.file("log.jsonl", notified(1) + "\n");
    let other = || but(2, |row| row.channel = "Virtual Account BCA");
    world.file("s.csv", csv(&[row(1), other()], "B-1"));
    october(&world, &["s.csv"], "report").expect(0);
    let closing = |out: &str| {
        let accounts = summary(&world.path(out))["books"]["accounts"].clone();
        let of = |name: &str| {
            let account = accounts.as_array().unwrap().iter().find(|one| one["account"] == name);
            account.and_then(|account| account["closing"]["amount"].as_i64()).unwrap_or(0)
        };
        ["bank", "shares", "other_products", "clearing"].map(of)
    };
    assert_eq!(closing("report"), [2 * (94_450 - 9_445), 2 * 9_445, 94_450, 0]);
    let text = csv(&[row(1), other()], "B-1");
    let (first, last) = text.rsplit_once("9445").unwrap();
    world.file("s.csv", format!("{first}a tenth{last}"));
    october(&world, &["s.csv"], "unread").expect(1);
    assert_eq!(settled(&world, "unread"), "S00 S09");
    assert_eq!(closing("unread"), [2 * 94_450 - 9_445, 9_445, 94_450, 0], "what cannot be read stays ours until it can");
}

#[test]
fn wrong_totals_of_a_batch_are_one_finding_and_no_broken_identity() {
    let world = world(&[1, 2]);
    let text = csv(&[row(1), row(2)], "B-1").replace("Total Settlement Amount_,188900", "Total Settlement Amount_,188901");
    world.file("s.csv", text.replace("Total Fee_,11100", "Total Fee_,0"));
    october(&world, &["s.csv"], "report").expect(1);
    assert_eq!(settled(&world, "report"), "S00x2 S05");
    let found = &world.rows("report/discrepancies.csv")[0];
    assert_eq!(found["reason"], "batch `B-1`: Total Fee 0, rows 11100; Total Settlement Amount 188901, rows 188900");
    assert_eq!(found["amount_difference"], "-1");
    assert_eq!(summary(&world.path("report"))["settlement_batches"][0]["holds"], false);
}

#[test]
fn a_mark_without_a_notification_is_no_l04_when_the_money_came() {
    let world = world(&[]);
    world.file("ledger.csv", format!("{LEDGER}\nINV-1,{:016},alfa,100000,PAID,no,2026-10-01,2026-10-09,\n", 1));
    world.file("s.csv", csv(&[row(1)], "B-1"));
    let bills = |out: &str| classes(&summary(&world.path(out)), "bills");
    let without = ["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z", "--out", "without"];
    world.run(&[&["reconcile", "--notifications", "log.jsonl"], &without[..]].concat()).expect(1);
    october(&world, &["s.csv"], "with").expect(1);
    assert_eq!((bills("without"), bills("with")), ("L04".to_owned(), "L01".to_owned()));
    assert_eq!(settled(&world, "with"), "S01");
    assert!(!world.path("without/settlement.csv").exists());
    let missing = summary(&world.path("without"))["not_evaluated"].to_string();
    assert!(["S00", "S01", "S02", "S05", "S09"].iter().all(|class| missing.contains(class)) && !missing.contains("L04"), "{missing}");
}

#[test]
fn what_an_earlier_month_knows_is_held_against_the_rows_of_this_one() {
    let world = world(&[]);
    world.file("log.jsonl", line("INV-1", "0000000000000001", 100_000, "2026-10-30T05:00:00Z", "T1"));
    let common = ["--external-ledger", "ledger.csv", "--notifications", "log.jsonl"];
    let month = |more: &[&str]| world.run(&[&["reconcile"], &common[..], more].concat());
    month(&["--period", "2026-10", "--as-of", "2026-11-02T00:00:00Z", "--out", "october"]).expect(0);
    world.file("log.jsonl", "");
    world.file(
        "s.csv",
        csv(
            &[but(1, |row| (row.date, row.out, row.amount, row.paid_out, row.share) = ("30-10-2026", "05-11-2026", 99_000, 93_450, 9_345))],
            "B-1",
        ),
    );
    let november = ["--period", "2026-11", "--as-of", "2026-12-01T00:00:00Z", "--settlement", "s.csv", "--out"];
    month(&[&november[..], &["alone"]].concat()).expect(1);
    assert_eq!(settled(&world, "alone"), "S08", "nothing here says what was notified in October");
    assert_eq!(world.column("alone/discrepancies.csv", "class"), ["S01"], "so its money waits in suspense");
    month(&[&november[..], &["carried", "--carry-in", "october"]].concat()).expect(1);
    assert_eq!(settled(&world, "carried"), "S03");
    assert_eq!(world.column("carried/settlement.csv", "amount_notified"), ["100000"]);
}

#[test]
fn an_unsettled_payment_waits_its_working_days_and_holidays() {
    let world = world(&[]);
    // Paid on Friday the 23rd: T+4 is Thursday the 29th, for the 28th is a holiday; Friday the 30th without that day.
    world.file("log.jsonl", line("INV-1", "0000000000000001", 100_000, "2026-10-23T05:00:00Z", "T1"));
    world.file("s.csv", csv(&[], "B-1"));
    let as_of = |at: &str| {
        let common = ["--settlement", "s.csv", "--period", "2026-10", "--external-ledger", "ledger.csv", "--out", "report", "--as-of", at];
        world.run(&[&["reconcile", "--notifications", "log.jsonl"], &common[..]].concat())
    };
    as_of("2026-10-30T16:59:59Z").expect(0);
    assert_eq!(settled(&world, "report"), "S02");
    as_of("2026-10-30T17:00:00Z").expect(1);
    assert_eq!(world.rows("report/discrepancies.csv")[0]["reason"], "no settlement row; it was due on 2026-10-30");
    world.reconfigure("[\"2026-10-28\"]", "[]");
    as_of("2026-10-29T17:00:00Z").expect(1).says(&["warning", "settlement.holidays", "2026"]);
    world.reconfigure("fee_rupiah = 5000", "fee_rupiah = 5000\nsettled_by_doku = false");
    as_of("2026-10-30T17:00:00Z").expect(0);
    assert_eq!(settled(&world, "report"), "", "this channel is not DOKU's to pay out");
}

#[test]
fn files_that_are_no_settlement_report_are_exit_seven_and_leave_no_report() {
    let world = world(&[1]);
    let good = csv(&[row(1)], "B-1");
    world.file("s.csv", &good);
    xlsx(&world.path("s.xlsx"), &[row(1)], "B-1");
    let workbook = fs::read(world.path("s.xlsx")).unwrap();
    for (name, content, code) in [
        ("empty.csv", Vec::new(), "E0705"),
        ("log.csv", notified(1).into_bytes(), "E0705"),
        ("ledger2.csv", fs::read(world.path("ledger.csv")).unwrap(), "E0705"),
        ("cut.xlsx", workbook[..workbook.len() / 2].to_vec(), "E0704"),
        ("no-fee.csv", good.replace("RECON CODE,FEE,", "RECON CODE,COST,").into_bytes(), "E0706"),
        ("twice.csv", good.replace("PROMO CODE", "AMOUNT").into_bytes(), "E0706"),
        ("separators.csv", good.replace("Total Fee_,5550", "Total Fee_,5.550").into_bytes(), "E0707"),
        ("no.csv.gz", b"not gzip".to_vec(), "E0705"),
    ] {
        world.file(name, content);
        october(&world, &["s.csv", name], "report").expect(7).says(&[code, name, "hint:"]);
        assert!(!world.path("report").exists(), "{name}");
    }
    // What a file is follows from its content, its delimiter from its header; an open quote spoils its own row.
    for (name, content, class) in [
        ("semicolons.csv", good.replace(',', ";").into_bytes(), None),
        ("workbook.csv", workbook, None),
        ("text.xlsx", good.clone().into_bytes(), None),
        ("open.csv", good.replace("Canary Name", "\"Canary").into_bytes(), Some("S10")),
    ] {
        world.file(name, content);
        october(&world, &["s.csv", name], "read").expect(i32::from(class.is_some()));
        assert_eq!(world.column("read/discrepancies.csv", "class").first().map(String::as_str), class, "{name}");
        let copies = &summary(&world.path("read"))["books"]["aside"]["copies"];
        assert_eq!(copies == 0, class.is_some(), "{name}: {copies}");
    }
    october(&world, &["absent-*.csv"], "report").expect(7).says(&["absent-*.csv", "hint:"]);
    october(&world, &["s.csv"], "report").expect(0);
}
