//! `tagih reconcile --bank`: statements as banks write them, and files that are none.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::reconcile::ours::{EXTERNAL as LEDGER, line, summary};
use crate::reconcile::settlement::{csv, row};
use crate::support::world::{Ran, World};

const STATEMENT: &str = "date,amount,description\n2026-10-09,94450,DOKU SETTLEMENT BATCH-1\n";
const SETTINGS: &str = "[bank]\nstatement = true\nfilter = [\"DOKU\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n[layouts.bca]\ndate_format = \"day_first\"\namount_format = \"comma_thousands\"\n\
                        [layouts.bca.columns]\ndate = \"Tanggal\"\namount = \"Mutasi\"\ndescription = \"Keterangan\"\n";

fn world(settings: &str) -> World {
    let world = World::at("http://127.0.0.1:1", settings);
    world.file("ledger.csv", format!("{LEDGER}\nINV-1,{:016},alfa,100000,ACTIVE,no,2026-10-01,2026-12-31,\n", 1));
    world.file("settlement.csv", csv(&[row(1)], "BATCH-1"));
    world.file("log.jsonl", line("INV-1", &format!("{:016}", 1), 100_000, "2026-10-05T05:00:00Z", "T1") + "\n");
    world
}

fn october(world: &World, bank: &[&str], out: &str) -> Ran {
    let common = ["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z", "--out", out];
    let evidence = ["reconcile", "--notifications", "log.jsonl", "--settlement", "settlement.csv", "--bank"];
    world.run(&[&evidence[..], bank, &common].concat())
}

/// Count and rupiah of an account at the end.
fn closing(world: &World, out: &str, account: &str) -> (i64, i64) {
    let summary = summary(&world.path(out));
    let accounts = summary["books"]["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|found| found["account"] == account).map(|found| found["closing"].clone()).unwrap_or_default();
    (found["count"].as_i64().unwrap_or(0), found["amount"].as_i64().unwrap_or(0))
}

#[test]
fn a_pay_out_stays_open_until_a_line_pays_it_and_a_line_that_none_explains_is_held() {
    let world = world(SETTINGS);
    let of = |out: &str| ["payouts", "suspense", "doku", "clearing"].map(|account| closing(&world, out, account));
    world.file("none.csv", "date,amount,description\n2026-10-09,94450,GAJI\n2026-11-03,94450,DOKU BATCH-1\n");
    october(&world, &["none.csv"], "none").expect(1);
    assert_eq!(of("none"), [(1, 94_450), (0, 0), (0, 0), (0, 0)], "another's line, and one after the period, pay nothing");
    world.file("paid.csv", STATEMENT);
    october(&world, &["paid.csv"], "paid").expect(0);
    assert_eq!(of("paid"), [(0, 0); 4]);
    assert_eq!(closing(&world, "paid", "bank").1, 94_450);
    world.file("parts.csv", "date,amount,description\n2026-10-10,90000,DOKU BATCH-1\n2026-10-10,4450,DOKU BATCH-1\n2026-10-11,7,DOKU\n");
    october(&world, &["parts.csv"], "parts").expect(1);
    assert_eq!(of("parts"), [(0, 0), (1, 7), (0, 0), (0, 0)], "two transfers of a day pay one pay-out, the third is nobody's");
    let page = std::fs::read_to_string(world.path("parts/report.html")).unwrap();
    assert!(page.contains("<section id=\"suspense\"") && !page.contains("<section id=\"payouts\""));
}

#[test]
fn a_statement_is_told_by_what_it_says_in_any_format_any_number_of_times() {
    let world = world(SETTINGS);
    world.file("plain.csv", STATEMENT);
    world.file("own.csv", "Nama;PT CONTOH;;\nTanggal;Keterangan;Mutasi;Saldo\n09/10/2026;DOKU SETTLEMENT BATCH-1;94,450.00 CR;94,450.00\n");
    let (mut workbook, date) = (Workbook::new(), Format::new().set_num_format("dd/mm/yyyy"));
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["date", "amount", "description"]).unwrap();
    sheet.write_with_format(1, 0, ExcelDateTime::from_ymd(2026, 10, 9).unwrap(), &date).unwrap();
    sheet.write(1, 1, 94_450).unwrap();
    sheet.write(1, 2, "DOKU SETTLEMENT BATCH-1").unwrap();
    workbook.save(world.path("book.xlsx")).unwrap();
    october(&world, &["plain.csv"], "plain").expect(0);
    let run = summary(&world.path("plain"))["run_id"].clone();
    let swift = ":20:S1\r\n:25:1234567890\r\n:60F:C261008IDR0,00\r\n:61:261009C94450,00NTRFNONREF\r\n:86:DOKU SETTLEMENT BATCH-1\r\n:62F:C261009IDR94450,00\r\n-\r\n";
    world.file("swift.sta", swift);
    world.file("cut.sta", swift.split_once(":62F").unwrap().0);
    october(&world, &["cut.sta"], "cut").says(&["E0710", "cut.sta:5:closing balance", "cut off"]);
    october(&world, &["swift.sta", "swift.sta"], "swift").expect(0);
    assert_eq!(closing(&world, "swift", "bank"), closing(&world, "plain", "bank"));
    let several = &["plain.csv", "book.xlsx", "own.csv"];
    for (files, out) in [(&["own.csv"][..], "own"), (&["book.xlsx"], "book"), (several, "all")] {
        let ran = october(&world, files, out).expect(0);
        if out == "all" {
            ran.says(&["2 lines of the bank statements stand in another file too"]);
        }
        let summary = summary(&world.path(out));
        assert_eq!(summary["run_id"], run, "{out}: what a run is made from is what statements say");
        let kinds = summary["inputs"].as_array().unwrap().iter().filter(|input| input["kind"] == "bank").count();
        assert_eq!(kinds, files.len());
    }
}

#[test]
fn what_others_get_of_a_settlement_is_booked_as_theirs_and_the_bank_shows_the_rest() {
    let split =
        |parties: &str| format!("[settlement]\nthird_parties = [{parties}]\n{SETTINGS}[settlement.shares]\n\"Share Agent\" = \"10%\"\n");
    let rest = "date,amount,description\n2026-10-09,85005,DOKU SETTLEMENT BATCH-1\n";
    for (parties, code, shares, open) in [("\"Share Agent\"", 0, 9_445, [(0, 0), (0, 0)]), ("", 1, 0, [(1, 94_450), (1, 85_005)])] {
        let world = world(&split(parties));
        world.file("rest.csv", rest);
        october(&world, &["rest.csv"], "report").expect(code);
        assert_eq!(closing(&world, "report", "shares").1, shares, "{parties}");
        assert_eq!(["payouts", "suspense"].map(|account| closing(&world, "report", account)), open, "{parties}");
        assert_eq!(closing(&world, "report", "clearing"), (0, 0));
    }
    // What they give back of a refund, with whichever sign it is written.
    for share in [-1_000, 1_000] {
        let world = world(&split("\"Share Agent\""));
        let back = crate::reconcile::settlement::Row { kind: "Refund", amount: 10_000, fee: 0, paid_out: -10_000, share, ..row(1) };
        world.file("settlement.csv", csv(&[row(1), back], "BATCH-1"));
        world.file("rest.csv", rest.replace("85005", "76005"));
        october(&world, &["rest.csv"], "refund").expect(1);
        assert_eq!(["payouts", "bank", "shares"].map(|account| closing(&world, "refund", account).1), [0, 76_005, 8_445], "{share}");
    }
    // The batch again, with another day: nothing is taken off a second time.
    let world = world(&split("\"Share Agent\""));
    let again = crate::reconcile::settlement::Row { out: "12-10-2026", ..row(1) };
    world.file("again.csv", csv(&[again], "BATCH-1"));
    world.file("rest.csv", rest);
    let common = ["--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z", "--out", "again"];
    let files = ["--notifications", "log.jsonl", "--settlement", "settlement.csv", "again.csv", "--bank", "rest.csv"];
    world.run(&[&["reconcile", "--period", "2026-10"], &files[..], &common].concat());
    assert_eq!(["payouts", "suspense", "bank", "shares"].map(|account| closing(&world, "again", account).1), [0, 0, 85_005, 9_445]);
    let world = self::world(&split("\"Share Agnet\""));
    world.file("rest.csv", rest);
    october(&world, &["rest.csv"], "report").expect(2).says(&["`Share Agnet`", "settlement.shares"]);
}

#[test]
fn doku_is_found_inside_a_broken_word_and_rows_that_cannot_be_read_are_in_the_report() {
    let world = world(SETTINGS);
    // The bank breaks its text inside words; the balances have the sen of interest that is nobody's here.
    let swift = ":20:S1\n:25:1\n:60F:C261008IDR10,25\n:61:261009C94450,00NTRFNONREF\n:86:TRSF CR DO\nKU SETTLEMENT BAT\nCH-1\n\
                 :61:261030C12,50NINTNONREF\n:86:BUNGA\n:62F:C261030IDR94472,75\n-\n";
    world.file("swift.sta", swift);
    october(&world, &["swift.sta"], "swift").expect(0);
    assert_eq!(["payouts", "suspense", "bank"].map(|account| closing(&world, "swift", account).1), [0, 0, 94_450]);
    let of_bank = |out: &str| {
        let inputs = summary(&world.path(out))["inputs"].clone();
        let bank = inputs.as_array().unwrap().iter().find(|input| input["kind"] == "bank").cloned().unwrap();
        [bank["lines"].as_u64(), bank["malformed"].as_u64()].map(Option::unwrap)
    };
    assert_eq!(of_bank("swift"), [2, 0]);
    let page = |out: &str| std::fs::read_to_string(world.path(&format!("{out}/report.html"))).unwrap();
    assert!(!page("swift").contains("E0710"));
    world.file("torn.csv", format!("{STATEMENT}2026-10-10,12O,DOKU\n"));
    october(&world, &["torn.csv"], "torn").expect(0).says(&["E0710", "torn.csv:3:amount"]);
    assert_eq!(of_bank("torn"), [2, 1]);
    let torn = page("torn");
    assert!(torn.contains("1: a transfer may be missing (E0710)") && torn.contains("Rows of bank statements that cannot be read"));
    assert_ne!(summary(&world.path("torn"))["run_id"], summary(&world.path("swift"))["run_id"]);
}

#[test]
fn what_is_no_line_is_named_and_what_is_no_statement_ends_with_seven() {
    let world = world(SETTINGS);
    world.file("rows.csv", format!("{STATEMENT}31/10/2026,1,X\n2026-10-10,1.000,X\n2026-10-11,5,Y\n2026-10-12,5,Y\n"));
    let (date, amount) = ("rows.csv:3:date: `31/10/2026` is no date", "rows.csv:4:amount: `1.000` is no whole number");
    october(&world, &["rows.csv"], "rows").expect(0).says(&["E0710", date, "day_first", amount, "dot_thousands"]);
    world.file("mostly.csv", format!("{STATEMENT}31/10/2026,1,X\n30/10/2026,1,X\n29/10/2026,1,X\n"));
    october(&world, &["mostly.csv"], "mostly").expect(7).says(&["3 of 4 rows", "E0219", "hint:"]);
    assert!(world.path("mostly/summary.json").exists());
    for (name, content, code) in [
        ("empty.csv", String::new(), "E0709"),
        ("no-text.csv", STATEMENT.replace("description", "branch"), "E0709"),
        ("twice.csv", STATEMENT.replace("description", "description,amount"), "E0709"),
        ("page.csv", "<html>".to_owned(), "E0217"),
    ] {
        world.file(name, content);
        october(&world, &["rows.csv", name], "refused").expect(7).says(&[code, name, "hint:"]);
        assert!(!world.path("refused").exists(), "{name}");
    }
    october(&world, &["absent-*.csv"], "refused").expect(7).says(&["absent-*.csv"]);
}

#[test]
fn a_statement_that_the_settings_do_not_expect_is_refused_before_it_banks_anything_twice() {
    let world = world("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n");
    world.file("plain.csv", STATEMENT);
    october(&world, &["plain.csv"], "report").expect(2).says(&["E0711", "bank.statement = true", "settings were read from"]);
    assert!(!world.path("report").exists());
}

/// The first open item on an account.
fn open_item(world: &World, out: &str, account: &str) -> std::collections::BTreeMap<String, String> {
    let mut of = world.rows(&format!("{out}/open_items.csv")).into_iter().filter(|row| row["account"] == account);
    of.next().unwrap_or_else(|| panic!("nothing is open on {account} in {out}"))
}

#[test]
fn a_pay_out_that_the_bank_shows_otherwise_is_closed_by_its_line_and_a_decision_about_the_rest() {
    let world = world(&format!("{SETTINGS}[discrepancies]\nfour_eyes = false\n"));
    world.file("less.csv", "date,amount,description\n2026-10-09,94400,DOKU SETTLEMENT BATCH-1\n");
    let decide = |id: &str, more: &[&str]| {
        let all = ["discrepancies", "accept", id, "--reason", "as the bank says", "--by", "Rina", "--effective", "2026-10-31"];
        world.run(&[&all[..], more].concat()).expect(0)
    };
    let run = |out: &str| {
        october(&world, &["less.csv"], out);
        world.run(&["discrepancies", "take", out, "--by", "Rina"]).expect(0);
        ["payouts", "suspense"].map(|account| closing(&world, out, account))
    };
    assert_eq!(run("first"), [(1, 94_450), (1, 94_400)], "50 rupiah apart, so nobody says they are the same money");
    let (payout, line) = (open_item(&world, "first", "payouts"), open_item(&world, "first", "suspense"));
    decide(&payout["discrepancy_id"], &["--action", "received", "--target", &line["item"]]);
    assert_eq!(run("second"), [(1, 50), (0, 0)]);
    decide(&open_item(&world, "second", "payouts")["discrepancy_id"], &["--action", "write_off"]);
    assert_eq!(run("third"), [(0, 0), (0, 0)]);
    let summary = summary(&world.path("third"));
    assert!(summary["books"]["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true));
    let postings = world.rows("third/postings.csv");
    let of =
        |movement: &str| postings.iter().filter(|row| row["movement"] == movement).map(|row| row["amount"].clone()).collect::<Vec<_>>();
    assert_eq!(of("written_off"), ["50"]);
}

#[test]
fn an_item_that_is_not_due_yet_can_be_taken_up_and_decided() {
    let world = world(&format!("{SETTINGS}[discrepancies]\nfour_eyes = false\n"));
    world.file("ledger.csv", format!("{LEDGER}\nINV-1,{:016},alfa,100000,ACTIVE,no,2026-10-01,2026-12-31,\nINV-2,{:016},alfa,70000,ACTIVE,no,2026-10-01,2026-12-31,\n", 1, 2));
    world.file("paid.csv", STATEMENT);
    october(&world, &["paid.csv"], "first").expect(0);
    let owed = open_item(&world, "first", "receivable");
    assert_eq!((&*owed["invoice_number"], &*owed["status"], &*owed["amount"]), ("INV-2", "not_yet_due", "70000"));
    world.run(&["discrepancies", "take", "first", "--by", "Rina"]).expect(0);
    let id = owed["discrepancy_id"].as_str();
    let waive = ["discrepancies", "accept", id, "--action", "waive", "--reason", "good will", "--by", "Rina", "--effective", "2026-10-31"];
    assert_ne!(world.run(&waive).code, 0, "nobody has taken it up");
    world.run(&["discrepancies", "take", "first", "--item", "d-nowhere", "--by", "Rina"]).expect(2).says(&["`nowhere` is no open item"]);
    world.run(&["discrepancies", "take", "first", "--item", id, "--by", "Rina"]).expect(0);
    world.run(&waive).expect(0);
    october(&world, &["paid.csv"], "second").expect(0);
    assert_eq!(closing(&world, "second", "receivable"), (0, 0));
}

#[test]
fn an_equal_line_of_the_next_months_statement_is_another_if_the_account_held_something_else_and_else_a_copy_that_is_told() {
    let month = |world: &World, period: &str, bank: &[&str]| {
        let as_of = if period == "2026-10" { "2026-11-02T00:00:00Z" } else { "2026-12-02T00:00:00Z" };
        let opening: &[&str] = if period == "2026-10" { &[] } else { &["--opening", "2026-10"] };
        let common = [
            "reconcile",
            "--period",
            period,
            "--external-ledger",
            "ledger.csv",
            "--as-of",
            as_of,
            "--out",
            period,
            "--notifications",
            "log.jsonl",
            "--bank",
        ];
        world.run(&[&common[..], bank, opening].concat());
        (closing(world, period, "bank").1, std::fs::read_to_string(world.path(&format!("{period}/report.html"))).unwrap())
    };
    let swift = |number: &str, from: &str, held: u64| {
        let closing = held + 50_000;
        format!(
            ":20:S\n:25:1\n:28C:{number}\n:60F:C{from}IDR{held},00\n:61:261031C50000,00NTRFNONREF\n:86:DOKU\n:62F:C{from}IDR{closing},00\n-\n"
        )
    };
    let world = world(SETTINGS);
    world.file("october.sta", swift("10/1", "261031", 0));
    world.file("november.sta", swift("11/1", "261130", 900_000));
    assert_eq!(month(&world, "2026-10", &["october.sta"]).0, 50_000);
    for files in [&["november.sta"][..], &["october.sta", "november.sta"], &["november.sta", "october.sta", "november.sta"]] {
        assert_eq!(month(&world, "2026-11", files).0, 100_000, "{files:?}");
    }
    let (held, page) = month(&world, "2026-11", &["october.sta"]);
    assert!(held == 50_000 && page.contains("Bank lines taken for ones given before") && page.contains("october.sta"));
    world.file("october.csv", "date,amount,description\n2026-10-31,50000,DOKU\n");
    world.file("november.csv", "date,amount,description\n2026-10-31,50000,DOKU\n2026-11-05,1000,DOKU\n");
    assert_eq!(month(&world, "2026-10", &["october.csv"]).0, 50_000);
    let (held, page) = month(&world, "2026-11", &["november.csv"]);
    assert!(held == 51_000 && page.contains("Bank lines taken for ones given before") && page.contains("november.csv"));
}
