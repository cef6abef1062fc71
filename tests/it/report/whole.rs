//! A month with everything in it: carried on from a signed one, settled, with decisions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use calamine::{Data, DataType as _, Range, Reader as _};
use serde_json::{Value, json};

use super::{LEDGER, left_in_english, lines, page, summary, texts, workbook};
use crate::reconcile::ours::line;
use crate::support::world::{World, bytes_in};

const SETTINGS: &str =
    "[report]\nentity = \"PT Asuransi Contoh\"\n[settlement.channels]\n\"ALFA group\" = \"alfa\"\n[settlement.alfa]\nfee_rupiah = 5000\n";
const COLUMNS: &str = "NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,\
                       FEE,DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT";

/// A batch whose stated total is one rupiah too high, with a refund, a wrong amount, a strange channel and an unreadable row.
fn settlement() -> String {
    let rows = [
        ("Alfa Group", "A", "0001", "10000", 5_550, 4_450, "Purchase"),
        ("Alfa Group", "B", "0002", "18000", 5_550, 12_450, "Purchase"),
        ("Alfa Group", "C", "0003", "30000", 5_550, 24_450, "Refund"),
        ("Alfamart", "E", "0005", "50000", 5_550, 44_450, "Purchase"),
        ("Alfa Group", "H", "0099", "7.000", 0, 7_000, "Purchase"),
    ];
    let mut text = format!("Total Settlement Amount_,1\nBatch ID_,B-1\n\n{COLUMNS}\n");
    for (number, (channel, invoice, code, amount, fee, out, kind)) in rows.into_iter().enumerate() {
        writeln!(text, "{number},PT,{channel},05-10-2026,{invoice},Canary,{code},{amount},{code},{fee},0,{out},09-10-2026,{kind},,")
            .unwrap();
    }
    text
}

/// One code that was declined and paid, one with another amount, one that nobody paid.
fn inquiries() -> String {
    let asked = [("0001", "decline", 10_000), ("0002", "success", 1), ("0099", "success", 7_000)];
    let line = |(code, answer, amount): (&str, &str, u64)| {
        let body = json!({
            "service": {"id": "ONLINE_TO_OFFLINE"}, "channel": {"id": "ONLINE_TO_OFFLINE_ALFA"},
            "online_to_offline_info": {"payment_code": code},
        });
        json!({"received_at": "2026-10-01T01:00:00Z", "answer": answer, "amount": amount, "body": body.to_string()}).to_string() + "\n"
    };
    asked.into_iter().map(line).collect()
}

/// September, closed; then October with settlement and inquiries, its first discrepancy accepted, in either language.
fn october() -> World {
    let world = World::at("http://127.0.0.1:1", SETTINGS);
    world.file("ledger.csv", LEDGER);
    world.file("september.jsonl", line("Z", "0000000000000077", 77_000, "2026-09-12T05:00:00Z", "Z1") + "\n");
    world.file("log.jsonl", lines().join("\n") + "\n");
    world.file("s.csv", settlement());
    world.file("asked.jsonl", inquiries());
    let run = |month: &str, as_of: &str, log: &str, out: &str, more: &[&str]| {
        let common =
            ["reconcile", "--period", month, "--external-ledger", "ledger.csv", "--as-of", as_of, "--notifications", log, "--out", out];
        world.run(&[&common[..], more].concat()).expect(1);
    };
    run("2026-09", "2026-10-01T00:00:00Z", "september.jsonl", "september", &[]);
    world.run(&["period", "close", "2026-09", "--report", "september", "--by", "Sari", "--reason", "month end"]).expect(0);
    let october = |out: &str, language: &str| {
        let more = ["--opening", "september", "--settlement", "s.csv", "--inquiries", "asked.jsonl", "--lang", language];
        run("2026-10", "2026-11-02T00:00:00Z", "log.jsonl", out, &more);
    };
    october("taken", "en");
    world.run(&["discrepancies", "take", "taken", "--by", "Sari"]).expect(0);
    let id = world.column("taken/discrepancies.csv", "discrepancy_id").remove(0);
    world.run(&["discrepancies", "accept", &id, "--reason", "known", "--by", "Siti"]).expect(0);
    october("english", "en");
    october("indonesian", "id");
    october("again", "en");
    world
}

/// Count and rupiah beside `label`, wherever on the sheet they stand; columns from 0.
fn beside(sheet: &Range<Data>, label: &str, columns: [usize; 2]) -> Vec<[i64; 2]> {
    let found = sheet.rows().filter(|row| row[0] == Data::String(label.to_owned()));
    found.filter_map(|row| Some([row.get(columns[0])?.as_i64()?, row.get(columns[1])?.as_i64()?])).collect()
}

fn pair(balance: &Value) -> [i64; 2] {
    [balance["count"].as_i64().unwrap(), balance["amount"].as_i64().unwrap()]
}

#[test]
fn a_month_with_everything_says_the_same_in_every_file_and_either_language() {
    let world = october();
    the_same_inputs_give_the_same_bytes(&world);
    sheets_stand_in_the_order_in_which_finance_reads(&world);
    roll_forwards_end_where_summary_json_ends_and_name_the_close_they_open_with(&world);
    settlement_goes_from_gross_to_net_as_in_summary_json(&world);
    the_summary_counts_settlement_and_the_cover_what_was_decided_apart(&world);
    assert_eq!(left_in_english(&world, "english", "indonesian"), Vec::<String>::new());
}

fn the_same_inputs_give_the_same_bytes(world: &World) {
    assert!(bytes_in(&world.path("english")) == bytes_in(&world.path("again")));
}

fn sheets_stand_in_the_order_in_which_finance_reads(world: &World) {
    let names = workbook(world, "english").sheet_names();
    let is_account = |name: &str| super::ACCOUNT_SHEETS.iter().any(|(_, sheet)| sheet.replace('\'', "") == name);
    let main: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_account(name)).collect();
    let expected = [
        "Cover",
        "Accounts",
        "Alarms",
        "Discrepancies",
        "Settlement",
        "Summary",
        "Classes",
        "Control totals",
        "Roll-forward",
        "Ageing",
        "By day and channel",
        "Breakdowns",
        "Prior period",
        "Inputs",
        "Method",
    ];
    let accounts = names.iter().skip(2).take_while(|name| is_account(name)).count();
    assert!(accounts >= 3 && accounts + expected.len() == names.len(), "accounts follow their overview: {names:?}");
    assert_eq!(main, expected);
    let without = workbook(world, "september").sheet_names();
    assert!(!without.iter().any(|name| name == "Settlement" || name == "Prior period"), "nothing to tell, no sheet: {without:?}");
    let anchors: Vec<String> =
        ["roll-forward", "ageing", "breakdowns", "settlement", "prior-period"].map(|id| format!("<section id=\"{id}\"")).into();
    assert!(anchors.iter().all(|anchor| page(world, "english").contains(anchor)));
    assert!(!page(world, "september").contains("<section id=\"settlement\""));
}

fn roll_forwards_end_where_summary_json_ends_and_name_the_close_they_open_with(world: &World) {
    let month = &summary(&world.path("english"))["month"];
    let sheet = workbook(world, "english").worksheet_range("Roll-forward").unwrap();
    let balances = ["outstanding_codes", "suspense"];
    assert_eq!(month["roll_forwards"].as_object().unwrap().len(), balances.len());
    let of = |key: &str| balances.map(|balance| pair(&month["roll_forwards"][balance][key])).to_vec();
    assert_eq!(beside(&sheet, "Opening balance", [1, 2]), of("opening"));
    assert_eq!(beside(&sheet, "Carried: opening and movements", [1, 2]), of("carried"));
    assert_eq!(beside(&sheet, "Closing balance, counted by itself", [1, 2]), of("closing"));
    assert_eq!(beside(&sheet, "Difference", [1, 2]), [[0, 0]; 2]);
    assert_ne!(of("opening")[1], [0, 0], "there is something to carry on");
    let signed = summary(&world.path("september"))["month"]["closing_hash"].as_str().unwrap().to_owned();
    assert_eq!(month["opening_from"]["hash"], signed.as_str());
    for text in [&*signed, "1 September 2026 to 30 September 2026, equal to its signed closing"] {
        assert!(sheet.used_cells().any(|(_, _, cell)| *cell == Data::String(text.to_owned())), "{text}");
        assert!(texts(&page(world, "english")).contains(&text.to_owned()), "{text}");
    }
    let ageing = workbook(world, "english").worksheet_range("Ageing").unwrap();
    let tables = ["unpaid_bills_by_due_date", "exceptions_by_open_date"].map(|table| &month["ageing"][table]);
    assert_eq!(beside(&ageing, "Total", [2, 3]), tables.map(|table| pair(&table["total"])));
    let names = ["Unpaid bills by due date", "Open discrepancies by the day they were opened"];
    for (name, table) in names.into_iter().zip(tables) {
        assert_eq!(beside(&ageing, name, [1, 2]), [pair(&table["past_60_days"])], "{name}");
    }
}

fn settlement_goes_from_gross_to_net_as_in_summary_json(world: &World) {
    let summary = summary(&world.path("english"));
    let sheet = workbook(world, "english").worksheet_range("Settlement").unwrap();
    for (class, tally) in summary["settlement"].as_object().unwrap() {
        assert_eq!(beside(&sheet, class, [3, 4]), [pair(tally)], "{class}");
    }
    let alfa = &summary["settlement_totals"]["alfa"];
    let row = sheet.rows().find(|row| row[0] == Data::String("Alfa".to_owned())).unwrap();
    let shown: Vec<i64> = row[1..9].iter().map(|cell| cell.as_i64().unwrap()).collect();
    let of = |key: &str| alfa[key].as_i64().unwrap();
    let check = of("net") - of("gross") + of("fee") + of("discount") + of("refund");
    assert_eq!(shown, [of("rows"), of("gross"), of("fee"), 3 * 550, of("discount"), of("refund"), of("net"), check]);
    assert_ne!(check, 0, "the refund was paid out as if it were a payment");
    let batch = &summary["settlement_batches"][0];
    let row = sheet.rows().find(|row| row[0] == Data::String("B-1".to_owned())).unwrap();
    let cells = [7, 8, 9].map(|at: usize| row[at].as_i64().unwrap());
    let (net, stated) = (batch["net"].as_i64().unwrap(), batch["net_stated"].as_i64().unwrap());
    assert_eq!((cells, &row[10]), ([net, stated, stated - net], &Data::String("No".to_owned())));
    let unsettled = beside(&sheet, "Total", [2, 3]).pop().unwrap();
    assert_eq!(unsettled, pair(&summary["settlement"]["S02"]), "the last table adds up to S02");
}

fn the_summary_counts_settlement_and_the_cover_what_was_decided_apart(world: &World) {
    let (summary, page) = (summary(&world.path("english")), page(world, "english"));
    let by_subject = workbook(world, "english").worksheet_range("Summary").unwrap();
    for (nature, columns) in [("BREAK", [1, 2]), ("TIMING", [3, 4]), ("OK", [5, 6])] {
        let [first, second] = [pair(&summary["natures"][nature]), pair(&summary["settlement_natures"][nature])];
        let all = [first[0] + second[0], first[1] + second[1]];
        assert_eq!(beside(&by_subject, "Settlement", columns), [second], "{nature}");
        assert!(beside(&by_subject, "Total", columns).contains(&all), "{nature}");
    }
    for identity in summary["identities"].as_array().unwrap() {
        assert!(!page.contains(identity["name"].as_str().unwrap()), "{identity} has a name in words");
    }
    let found = &summary["discrepancies"];
    assert_eq!(found["accepted"], 1);
    let decided = summary["books"]["items"]["decided"].as_object().unwrap();
    let decided: i64 = decided.iter().filter(|(name, _)| *name != "alarm").map(|(_, of)| of["count"].as_i64().unwrap()).sum();
    assert!(page.contains(&format!("<h2>Decided</h2>\n<p class=\"figure\">{decided}</p>")));
    let needing = |title: &str| by_subject.rows().find(|row| row[0] == Data::String(title.to_owned())).unwrap()[1].as_i64();
    assert_eq!(needing("Need a person (BREAK, not accepted)"), found["breaks"].as_i64());
    let listed = beside(&by_subject, "Total", [3, 3]);
    assert_eq!(listed.first().map(|total| total[0]), found["count"].as_i64().map(|count| count - 1), "what was accepted needs nobody");
}

#[test]
fn of_a_month_with_everything_the_schema_knows_every_key() {
    let world = october();
    for out in ["september", "english"] {
        let schema: Value = serde_json::from_slice(&fs::read(world.path(out).join("summary.schema.json")).unwrap()).unwrap();
        let summary = summary(&world.path(out));
        assert_eq!(super::schema::faults(&schema, &schema, &summary, ""), Vec::<String>::new(), "{out}");
    }
    let schema: Value = serde_json::from_slice(&fs::read(world.path("english/summary.schema.json")).unwrap()).unwrap();
    let known: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let written: BTreeSet<String> = summary(&world.path("english")).as_object().unwrap().keys().cloned().collect();
    assert_eq!(written, known, "the schema knows each key, and each key is written");
}
