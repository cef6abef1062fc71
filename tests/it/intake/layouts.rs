//! Layouts, sheets and workbooks, for every command that takes a table: files as others write them, end to end.

use std::collections::BTreeMap;
use std::fs;

use rust_xlsxwriter::Workbook;

use crate::reconcile::ours::EXTERNAL as LEDGER;
use crate::support::world::{Doku, World};

/// A workbook whose first sheet is empty; digits are numbers where `numbers` says so.
fn workbook(world: &World, name: &str, sheet: &str, rows: &[&[&str]], numbers: &[&str]) {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("Catatan").unwrap().write(0, 0, "Budi Utomo").unwrap();
    let table = workbook.add_worksheet().set_name(sheet).unwrap();
    for (row, cells) in (0..).zip(rows) {
        for ((column, cell), header) in (0_u16..).zip(*cells).zip(rows[0]) {
            match cell.parse::<f64>() {
                Ok(number) if numbers.contains(header) => table.write_number(row, column, number).unwrap(),
                _ => table.write_string(row, column, *cell).unwrap(),
            };
        }
    }
    workbook.save(world.path(name)).unwrap();
}

const INSURER: &str = r#"
[layouts.insurer]
amount_format = "dot_thousands"
date_format = "day_first"
[layouts.insurer.columns]
invoice_number = "NO_TAGIHAN"
amount = "PREMI"
customer_name = "NAMA"
channel = "KANAL"
payment_code = "KODE"
[layouts.insurer.values]
channel.ALFAMART = "alfa"
[layouts.insurer.constants]
method = "merchant"
expiry_minutes = "60"
"#;

#[test]
fn a_workbook_of_an_insurer_is_issued_by_its_layout_and_numbers_in_code_columns_are_refused_with_their_cells() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), INSURER);
    let header: &[&str] = &["NO_TAGIHAN", "PREMI", "NAMA", "KANAL", "KODE"];
    let rows: &[&[&str]] =
        &[header, &["0001", "1.250.000", "Siti", "alfamart", "00012345"], &["2", "90000", "Tini", "ALFAMART", "00012346"]];
    workbook(&world, "good.xlsx", "Premi", rows, &["PREMI"]);
    world.run(&["check", "good.xlsx", "--sheet", "Premi"]).expect(0);
    world.run(&["check", "good.xlsx", "--sheet", "Premy"]).expect(7).says(&["E0218", "`Catatan`", "`Premi`"]);
    world.issue("good.xlsx", &["--sheet", "Premi"]).expect(0);
    let orders: Vec<_> = doku.orders().into_iter().map(|(number, order)| (number, order.amount, order.code)).collect();
    assert_eq!(orders, [("0001".into(), 1_250_000, "00012345".into()), ("2".into(), 90_000, "00012346".into())]);
    workbook(&world, "bad.xlsx", "Premi", rows, &["PREMI", "KODE"]);
    world.run(&["check", "bad.xlsx", "--sheet", "Premi"]).expect(1).says(&["cell E2 of the workbook holds a number", "cell E3", "E0110"]);
    assert_eq!(doku.calls().len(), 2);
}

#[test]
fn codes_are_adopted_by_a_layout_and_corrections_only_when_asked() {
    let world = World::at(
        "http://127.0.0.1:1",
        &INSURER.replace(
            "[layouts.insurer.constants]\nmethod = \"merchant\"\nexpiry_minutes = \"60\"",
            "[layouts.insurer.constants]\nmethod = \"doku\"",
        ),
    );
    let file = |amount: &str| world.file("codes.csv", format!("NO_TAGIHAN;PREMI;NAMA;KANAL;KODE\nA;{amount};Siti;Alfamart;00012345\n"));
    file("1.250.000");
    let import = |more: &[&str]| world.run(&[&["ledger", "import", "codes.csv"], more].concat());
    assert!(import(&[]).expect(0).stdout.contains("1 rows: 1 adopted, 0 known"));
    assert!(import(&[]).expect(0).stdout.contains("0 adopted, 1 known"));
    file("1.500.000");
    let told = import(&["--layout", "insurer"])
        .expect(1)
        .says(&["invoice `A`: the amount is Rp1.250.000 in the ledger and Rp1.500.000 in the file"]);
    assert!(told.stdout.contains("1 known with other terms (`--update` takes them over)"), "{}", told.stdout);
    assert!(world.run(&["status"]).expect(0).stdout.contains("1.250.000"), "nothing is taken over unasked");
    assert!(import(&["--update"]).expect(0).stdout.contains("0 adopted, 1 updated, 0 known"));
    assert!(world.run(&["status"]).expect(0).stdout.contains("1.500.000"));
    assert!(import(&[]).expect(0).stdout.contains("1 known"));
    world.run(&["ledger", "verify"]).expect(0);
    world.run(&["ledger", "import", "codes.csv", "--layout", "insuer"]).expect(2).says(&["there is no layout `insuer`", "insurer"]);
}

const BANKERS: &str = r#"
[settlement]
holidays = ["2026-12-25"]
[settlement.channels]
"Alfa Group" = "alfa"
[layouts.bank]
date_format = "month_first"
amount_format = "comma_thousands"
[layouts.bank.columns]
invoice_number = "Invoice No"
amount = "Gross"
pay_to_merchant = "Net"
transaction_date = "Date"
[layouts.bank.values]
payment_channel_name.ALFAMART = "Alfa Group"
[layouts.old]
date_format = "day_first"
amount_format = "dot_thousands"
[layouts.old.columns]
invoice_number = "NOMOR"
amount = "NILAI"
[layouts.old.constants]
reusable = "no"
cancelled_at = ""
"#;

/// The class of each settlement row.
fn classes(world: &World, folder: &str) -> BTreeMap<String, String> {
    world.rows(&format!("{folder}/settlement.csv")).into_iter().map(|row| (row["invoice_number"].clone(), row["class"].clone())).collect()
}

#[test]
fn settlement_files_and_external_ledgers_are_read_by_their_layouts_in_reconcile_and_in_why() {
    let world = World::at("http://127.0.0.1:1", BANKERS);
    world.file("n.jsonl", "{\"received_at\":\"2026-10-15T05:00:00Z\",\"target\":\"/x\",\"headers\":{},\"body\":\"{}\"}\n");
    world.file("plain.csv", format!("{LEDGER}\nINV-1,6059000000000001,alfa,100000,ACTIVE,no,2026-10-01,2026-11-30,\n"));
    world.file(
        "theirs.csv",
        "NOMOR;payment_code;channel;NILAI;status;created_at;expires_at\nINV-1;6059000000000001;alfa;100.000;ACTIVE;01/10/2026;30/11/2026\n",
    );
    let doku_s =
        "NO,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,AMOUNT,FEE,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,REPORT CODE";
    world.file("plain-s.csv", format!("{doku_s}\n1,Alfa Group,15-10-2026,INV-1,100000,5550,94450,21-10-2026,Purchase,6059000000000001\n"));
    let header: &[&str] =
        &["NO", "PAYMENT CHANNEL NAME", "Date", "Invoice No", "Gross", "FEE", "Net", "PAY OUT DATE", "TRANSACTION TYPE", "REPORT CODE"];
    let row: &[&str] = &["1", "ALFAMART", "10/15/2026", "INV-1", "100,000", "5550", "94,450", "10/21/2026", "Purchase", "6059000000000001"];
    workbook(&world, "theirs-s.xlsx", "Data", &[header, row], &["FEE"]);
    let reconciled = |ledger: &str, settlement: &str, out: &str, more: &[&str]| {
        let all = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-05T12:00:00+07:00", "--notifications", "n.jsonl"];
        world.run(&[&all[..], &["--external-ledger", ledger, "--settlement", settlement, "--out", out], more].concat())
    };
    let plain = reconciled("plain.csv", "plain-s.csv", "plain", &[]);
    assert_eq!(classes(&world, "plain"), [("INV-1".to_owned(), "S01".to_owned())].into());
    let theirs = reconciled("theirs.csv", "theirs-s.xlsx", "theirs", &["--sheet", "Data"]);
    assert_eq!((theirs.code, classes(&world, "theirs")), (plain.code, classes(&world, "plain")), "{}", theirs.stderr);
    let bills = |out: &str| {
        serde_json::from_slice::<serde_json::Value>(&fs::read(world.path(&format!("{out}/summary.json"))).unwrap()).unwrap()["bills"]
            .clone()
    };
    assert_eq!(bills("theirs"), bills("plain"));
    // `why` takes the same flags.
    world.file(
        "codes.csv",
        "invoice_number,payment_code,channel,amount,created_at,expires_at\nINV-1,6059000000000001,alfa,100000,2026-10-01,2026-11-30\n",
    );
    world.run(&["ledger", "import", "codes.csv"]).expect(0);
    let why = world.run(&["why", "INV-1", "--settlement", "theirs-s.xlsx", "--sheet", "Data", "--layout", "bank", "--period", "2026-10"]);
    assert!(why.stdout.contains("S01"), "{why:#?}");
    world.run(&["why", "INV-1", "--settlement", "theirs-s.xlsx", "--sheet", "Datum"]).expect(7);
}

#[test]
fn decisions_that_shift_or_are_swallowed_are_never_recorded() {
    let world = World::at(
        "http://127.0.0.1:1",
        "[discrepancies]\nfour_eyes = true\n[layouts.meeting.columns]\naction = \"KEPUTUSAN\"\nreason = \"ALASAN\"\n[layouts.meeting.values]\naction.terima = \"accept\"\n",
    );
    world.file("n.jsonl", "{\"received_at\":\"2026-10-15T05:00:00Z\",\"target\":\"/x\",\"headers\":{},\"body\":\"{}\"}\n");
    let row = |n: u32| format!("INV-{n},605900000000000{n},alfa,100000,PAID,no,2026-10-01,2026-11-30,\n");
    world.file("ledger.csv", format!("{LEDGER}\n{}", (1..=4).map(row).collect::<String>()));
    let all = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-05T12:00:00+07:00", "--notifications", "n.jsonl"];
    world.run(&[&all[..], &["--external-ledger", "ledger.csv", "--out", "report"]].concat()).expect(1);
    world.run(&["discrepancies", "take", "report", "--by", "Rina"]).expect(0);
    // The setting is recorded once, whatever comes of the command that meets it first.
    world.run(&["discrepancies", "four-eyes", "on", "--by", "Rina", "--reason", "as configured"]).expect(0);
    world.run(&["discrepancies", "export", "--out", "items.csv"]).expect(0);
    let journal = || fs::read(world.path("tagih.journal")).unwrap();
    let (before, exported) = (journal(), fs::read_to_string(world.path("items.csv")).unwrap());
    let lines: Vec<&str> = exported.lines().collect();
    let import = |content: String, more: &[&str]| {
        world.file("back.csv", content);
        world.run(&[&["discrepancies", "import", "back.csv", "--by", "Budi"], more].concat())
    };
    // Typed into one line without quotes: 37 cells under 33 would name another actor and reviewer.
    let shifted = lines[1].replacen(",,,,,,", ",refund,salah bayar, dobel, minta Budi, Rina,,,,,", 1);
    assert_eq!((lines[0].split(',').count(), shifted.split(',').count() - lines[1].split(',').count()), (33, 4));
    let content = format!("{}\n{shifted}\n{}\n", lines[0], lines[2..].join("\n"));
    import(content.clone(), &[]).expect(7).says(&["back.csv:2:row: it has", "the header has 33"]);
    assert_eq!(journal(), before);
    // An open quote in the last cell does not swallow the decisions below it.
    let decided = |line: &str| line.replacen(",,,,,,", ",accept,known,,,,", 1);
    let open = format!(
        "{}\n{}\"\n{}\n",
        lines[0],
        lines[1].rsplit_once(',').map(|(start, _)| format!("{start},\"x")).unwrap().trim_end_matches('"'),
        lines[2..].iter().map(|line| decided(line)).collect::<Vec<_>>().join("\n")
    );
    let open = open.replacen("x\"\n", "x\n", 1);
    import(open, &["--partial"]).expect(7).says(&["stray quote in row 2"]);
    assert_eq!(journal(), before);
    // In a workbook, under the meeting's own headers and words, on a sheet of its own.
    let cells: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(exported.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let mut rows = vec![vec!["discrepancy_id".to_owned(), "facts".into(), "KEPUTUSAN".into(), "ALASAN".into()]];
    rows.extend(cells[1..].iter().map(|row| vec![row[0].clone(), row[1].clone(), "Terima".into(), "diketahui".into()]));
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    workbook(&world, "back.xlsx", "Rapat", &rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[]);
    let ran = world.run(&["discrepancies", "import", "back.xlsx", "--sheet", "Rapat", "--by", "Rina"]).expect(0);
    assert!(ran.stdout.contains("5 decisions recorded"), "{}", ran.stdout);
}
