//! Files of rows as they come: each is read whole, or refused with a reason, and nothing of it is lost or sent in error.

use std::io::Write as _;
use std::process::Stdio;

use crate::reconcile::ours::EXTERNAL as LEDGER;
use crate::support::world::{CLIENT, Doku, Ran, SECRET, World, program};

const SETTLEMENT: &str = "NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,FEE,DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT";

fn bill(number: u32) -> String {
    format!("INV-{number},605900000000000{number},alfa,100000,ACTIVE,no,2026-10-01,2026-11-30,")
}

fn settled(number: u32) -> String {
    format!(
        "{number},PT Contoh,Alfa Group,15-10-2026,INV-{number},Pelanggan,605900000000000{number},100000,605900000000000{number},5550,0,94450,21-10-2026,Purchase,,"
    )
}

/// A folder whose DOKU is nowhere: nothing may be sent from it.
fn alone(more: &str) -> World {
    World::at("http://127.0.0.1:1", more)
}

/// The program without the folder's configuration, in the folder.
fn bare(world: &World, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    Ran::from(program().current_dir(world.path("")).envs(variables.iter().copied()).args(arguments).output().unwrap())
}

/// A world with nothing but a log of no payment of ours.
fn quiet(more: &str) -> World {
    let world = alone(more);
    world.file(
        "n.jsonl",
        "{\"received_at\":\"2026-10-15T05:00:00Z\",\"target\":\"/payments/notifications\",\"headers\":{},\"body\":\"{}\"}\n",
    );
    world
}

/// Reconciles October and gives the exit code, stderr and the discrepancies.
fn reconciled(world: &World, arguments: &[&str]) -> (i32, String, String) {
    let all = [
        &["reconcile", "--period", "2026-10", "--as-of", "2026-11-05T12:00:00+07:00", "--notifications", "n.jsonl", "--out", "report"],
        arguments,
    ]
    .concat();
    let ran = world.run(&all);
    (ran.code, ran.stderr, std::fs::read_to_string(world.path("report/discrepancies.csv")).unwrap_or_default())
}

#[test]
fn an_external_ledger_with_stray_quotes_loses_no_bill() {
    for quoted in [
        vec![format!("{},\"belum", bill(1)), format!("{},ok", bill(2)), format!("{},ok", bill(3)), format!("{},ok", bill(4))],
        vec![format!("{},\"belum", bill(1)), format!("{},ok", bill(2)), format!("{},sudah\"", bill(3)), format!("{},ok", bill(4))],
    ] {
        let world = quiet("");
        world.file("ledger.csv", format!("{LEDGER},note\n{}\n", quoted.join("\n")));
        let (code, stderr, found) = reconciled(&world, &["--external-ledger", "ledger.csv"]);
        assert_eq!(code, 1, "{stderr}");
        assert_eq!(found.lines().filter(|line| line.contains("L10")).count(), 1, "{found}");
        let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(world.path("report/summary.json")).unwrap()).unwrap();
        let in_scope: u64 = summary["bills"].as_object().unwrap().values().map(|tally| tally["count"].as_u64().unwrap()).sum();
        assert_eq!(in_scope, 3, "the row that is no bill is counted apart: {summary}");
    }
}

#[test]
fn an_external_ledger_with_two_amounts_is_refused_with_both_places_and_rows_said_twice_count_once() {
    let world = quiet("");
    world.file("two.csv", format!("amount,{LEDGER}\n75000,{}\n", bill(1)));
    let (code, stderr, _) = reconciled(&world, &["--external-ledger", "two.csv"]);
    assert!(code == 7 && stderr.contains("columns 1 and 5"), "{stderr}");
    world.file("twice.csv", format!("{LEDGER}\n{}\n{}\n{}\n", bill(1), bill(2), bill(1)));
    let (_, stderr, _) = reconciled(&world, &["--external-ledger", "twice.csv"]);
    assert!(stderr.contains("1 rows say word for word"), "{stderr}");
    world.file("less.csv", "invoice_number,payment_code,channel,amout,status\nA,1,alfa,1,ACTIVE\n");
    let (code, stderr, _) = reconciled(&world, &["--external-ledger", "less.csv"]);
    assert!(
        code == 7 && stderr.contains("`amount`, did you mean your `amout`?") && stderr.contains("`reusable`, `created_at`"),
        "{stderr}"
    );
}

#[test]
fn an_external_ledger_that_is_mostly_unreadable_ends_with_7_and_its_commonest_cause() {
    let world = quiet("[layouts.old]\namount_format = \"dot_thousands\"\ndate_format = \"day_first\"\n");
    let rows: Vec<String> = (1..=4).map(|n| bill(n).replace("100000", "100.000").replace("2026-10-01", "01/10/2026")).collect();
    world.file("ledger.csv", format!("{LEDGER}\n{}\n", rows.join("\n")));
    let (code, stderr, _) = reconciled(&world, &["--external-ledger", "ledger.csv"]);
    assert!(code == 7 && stderr.contains("4 of 4 rows") && stderr.contains("dot_thousands"), "{stderr}");
    let rest = |row: &String| row.replace("2026-11-30", "30/11/2026");
    world.file("ledger.csv", format!("{LEDGER}\n{}\n", rows.iter().map(rest).collect::<Vec<_>>().join("\n")));
    let (code, stderr, found) = reconciled(&world, &["--external-ledger", "ledger.csv", "--layout", "old"]);
    assert!(code != 7 && !found.contains("L10"), "{stderr}");
}

#[test]
fn no_settlement_row_vanishes_wherever_it_stands() {
    for (lines, malformed) in [
        (vec![settled(2), settled(3), SETTLEMENT.into(), settled(1), "Batch ID_,B-1".into()], 2),
        (vec![SETTLEMENT.into(), settled(1), "Batch ID_,B-2".into(), settled(2)], 1),
        (vec![SETTLEMENT.into(), settled(2).replace("PT Contoh", "\"PT Contoh"), settled(1).replace("PT Contoh", "PT Contoh\"")], 1),
    ] {
        let world = quiet("[settlement]\nholidays = [\"2026-12-25\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n");
        world.file("ledger.csv", format!("{LEDGER}\n{}\n{}\n{}\n", bill(1), bill(2), bill(3)));
        world.file("s.csv", format!("{}\n", lines.join("\n")));
        let (_, stderr, found) = reconciled(&world, &["--external-ledger", "ledger.csv", "--settlement", "s.csv"]);
        assert_eq!(found.lines().filter(|line| line.contains("S10")).count(), malformed, "{lines:?}\n{stderr}\n{found}");
    }
}

/// Name, content, and what `check` must do with it: its exit code, and words of its message.
fn corpus() -> Vec<(&'static str, Vec<u8>, i32, &'static str)> {
    const HEAD: &str = "invoice_number,amount,customer_name,channel";
    const GOOD: &str = "A,1000,Budi,alfa";
    let text = |name, text: String, code, words| (name, text.into_bytes(), code, words);
    let with = |row: &str| format!("{HEAD}\n{GOOD}\n{row}\n");
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(HEAD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin = [format!("{HEAD}\n").as_bytes(), b"A,1000,Andr\xe9,alfa\n"].concat();
    let windows = [format!("{HEAD}\n").as_bytes(), b"A,1000,\x93Budi\x94,alfa\n"].concat();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut cut = gzip(&with("B,1,Siti,alfa"));
    cut.truncate(cut.len() - 6);
    vec![
        ("utf16", utf16, 7, "UTF-16"),
        ("latin", latin, 7, "Windows-1252 or Latin-1"),
        ("windows", windows, 7, "Windows-1252"),
        ("empty", Vec::new(), 7, "empty"),
        ("spaces", b" \n\r\n\t\n".to_vec(), 7, "empty"),
        ("nul", format!("{HEAD}\nA,1\u{0},x,alfa\n").into_bytes(), 7, "null byte"),
        ("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), 7, "XLS"),
        ("ods", b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet".to_vec(), 7, "ODS"),
        ("zip", b"PK\x03\x04bills.csv".to_vec(), 7, "ZIP"),
        ("pdf", b"%PDF-1.7\n".to_vec(), 7, "PDF"),
        ("html", b"<!DOCTYPE html><table><tr><td>Budi Utomo".to_vec(), 7, "HTML"),
        ("xml", b"<?xml version=\"1.0\"?><x>Budi</x>".to_vec(), 7, "XML"),
        ("json", b"{\"invoice_number\":\"A\"}".to_vec(), 7, "JSON"),
        ("gzip", gzip(&with("B,1,Siti,alfa")), 0, "2 rows: 2 valid"),
        ("zstd", zstd::encode_all(with("B,1,Siti,alfa").as_bytes(), 1).unwrap(), 0, "2 rows: 2 valid"),
        ("cut gzip", cut, 7, "cannot be read"),
        text("open quote", with("B,1,\"Siti,alfa\nC,1,Tini,alfa"), 7, "stray quote in row 3"),
        text("stray pair", with("B,1,\"Siti,alfa\nC,1,Tini\",alfa"), 7, "swallow"),
        text("stray pair rows apart", with("B,1,\"Siti,alfa\nC,1,Tini,alfa\nD,1,Rini\",alfa"), 7, "swallow"),
        text("quote inside", with("B,1,\"Siti\" Aminah,alfa"), 7, "stray quote in row 3"),
        text("bare quote", with("B,1,Toko \"Maju\",alfa"), 0, "2 valid"),
        text("doubled quote", with("B,1,\"Toko \"\"Maju\"\"\",alfa"), 0, "2 valid"),
        text("cr", with("B,1,Siti,alfa").replace('\n', "\r"), 0, "2 valid"),
        text("crlf", with("B,1,Siti,alfa").replace('\n', "\r\n"), 0, "2 valid"),
        text("bom", format!("\u{feff}{}", with("B,1,Siti,alfa")), 0, "2 valid"),
        text("sep", format!("sep=;\n{}", with("B,1,Siti,alfa").replace(',', ";")), 0, "2 valid"),
        text("blank rows", with(",,,\n\n , , , \nB,1,Siti,alfa"), 0, "2 rows: 2 valid"),
        text("header again", with(&format!("{HEAD}\nB,1,Siti,alfa")), 0, "2 rows: 2 valid"),
        text("title above", format!("Laporan Tagihan,,,\n{}", with("B,1,Siti,alfa")), 1, "E0141"),
        text("wide row", with("B,1,Siti,alfa,x"), 1, "E0101"),
        text("narrow row", with("B,1,Siti"), 1, "E0101"),
        text("mostly narrow", with("B,1\nC,1\nD,1"), 7, "3 of 4 rows cannot be read"),
        text("amount twice", format!("{HEAD},premium\nA,1,Budi,alfa,2\n"), 7, "columns 2 and 5"),
        text("unused twice", format!("{HEAD},ket,ket,,\nA,1,Budi,alfa,x,y,,\n"), 0, "1 valid"),
        text("no header", "INV-0001,1000,Budi Utomo,alfa\nINV-0002,1000,Siti Aminah,alfa\n".into(), 7, "looks like a bill"),
        text("missing", "invoice_number,amout,customer_name,channel\nA,1,Budi,alfa\n".into(), 7, "did you mean your `amout`"),
        text("total", with("B,2000,Siti,alfa\nC,3000,Tini,alfa\nJumlah,6000,,"), 1, "E0140"),
        text("total word", with("B,2000,Siti,alfa\nC,3000,Tini,alfa\nZ,6000,TOTAL,alfa"), 1, "E0140"),
        text("no total", with("B,2000,Siti,alfa\nC,3000,Tini,alfa\nD,6000,Rini,alfa"), 0, "4 valid"),
        text("null name", with("B,1,NULL,alfa"), 1, "E0139"),
        text("n/a", with("B,1,#N/A,alfa"), 1, "E0139"),
        text("ref", with("B,#REF!,Siti,alfa"), 1, "E0139"),
        text("dash", with("B,1,-,alfa"), 1, "E0139"),
        text("zero", with("B,1,0,alfa"), 1, "E0139"),
        text("a name like null", with("B,1,Null,alfa"), 0, "2 valid"),
        text("apostrophe", with("'B,1,Siti,alfa"), 1, "E0138"),
        text("apostrophe before an amount", with("B,'1000,Siti,alfa"), 1, "E0138"),
        text("a name with one", with("B,1,'Aisyah,alfa"), 0, "2 valid"),
        text("our escape", with("B,1,'=Siti,alfa"), 0, "2 valid"),
        text("shifted", with("B,Budi Utomo,1000,alfa"), 1, "B***"),
        text("thousands", with("B,1.250.000,Siti,alfa"), 1, "amount_format = \"dot_thousands\""),
        text("day first", format!("{HEAD},due_date\nA,1,Budi,alfa,31/10/2026\n"), 1, "date_format = \"day_first\""),
        text("channel", with("B,1,Siti,ALFAMART"), 1, "did you mean `alfa`"),
        text("lines in an unused cell", format!("{HEAD},alamat\nA,1,Budi,alfa,\"Jl. Satu\nJakarta\"\n"), 0, "1 valid"),
        text("lines in a used cell", with("B,1,\"Siti\nAminah\",alfa"), 1, "E0104"),
        text("tabs", with("B,1,Siti,alfa").replace(',', "\t"), 0, "2 valid"),
        text("bars", with("B,1,Siti,alfa").replace(',', "|"), 0, "2 valid"),
        text("long line", with(&format!("B,1,{},alfa", "x".repeat(70_000))), 7, "more than 65536 bytes"),
        text("header only", HEAD.into(), 0, "0 rows"),
        text("two delimiters", "nomor,a;nama,b;c\n".into(), 7, "more than one way"),
    ]
}

#[test]
fn every_nasty_file_is_read_whole_or_refused_for_what_it_is_and_no_message_shows_a_name() {
    let world = alone("");
    for (name, content, code, words) in corpus() {
        std::fs::write(world.path("bills.csv"), &content).unwrap();
        let ran = world.run(&["check", "bills.csv"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code == code && said.contains(words), "{name}: {} not {code}, {words}\n{said}", ran.code);
        assert!(!said.contains("Utomo") && !said.contains("Aminah"), "{name}: {said}");
        // The others that take tables end in an exit code of theirs, whatever they are given.
        for command in [&["ledger", "import", "bills.csv"][..], &["cancel", "bills.csv"], &["issue", "bills.csv", "--dry-run"]] {
            let ran = world.run(command);
            assert!([0, 1, 2, 3, 7].contains(&ran.code), "{name}: {command:?}: {} {}", ran.code, ran.stderr);
            assert!(!ran.stderr.contains("Utomo") && !ran.stderr.contains("panicked"), "{name}: {command:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn values_that_are_meant_after_all_are_let_through() {
    let world = alone("");
    world.file("bills.csv", "invoice_number,amount,customer_name,channel\nA,1000,NULL,alfa\nB,1000,-,alfa\n");
    world.run(&["check", "bills.csv", "--allow-value", "NULL", "--allow-value", "-"]).expect(0);
}

#[test]
fn standard_input_is_a_file_too() {
    let world = alone("");
    let mut child = world.command(&["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"invoice_number,amount,customer_name,channel\nA,1000,Budi,alfa\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 valid"));
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let world = alone("");
    world.file("bills.csv", "invoice_number,amount,customer_name,channel\nA,1000,Budi,alfa\n");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = world.command(&["check", "bills.csv", "--json"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(9));
}

/// The export of an insurer, as its billing engineer has it: 3,000 rows, 30 of them bad.
fn export() -> String {
    let row = |n: u32| {
        let channel = if n.is_multiple_of(3) { "INDOMARET" } else { "ALFAMART" };
        let amount = if n.is_multiple_of(100) { "gratis".to_owned() } else { format!("{}.{:03}.000", 1 + n % 4, n % 1_000) };
        format!("POL-{n:06};Pemegang {n};{amount};{:02}/10/2026;p{n}@example.com;{channel}\r\n", 1 + n % 28)
    };
    let header = "NO_POLIS;NAMA_PEMEGANG;PREMI;JATUH_TEMPO;EMAIL;KANAL\r\n".to_owned();
    std::iter::once(header).chain((1..=3_000).map(row)).collect()
}

#[test]
fn an_insurers_export_becomes_codes_in_four_commands() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.file("export.csv", export());
    let proposed = bare(&world, &[], &["init", "--from", "export.csv", "proposed.toml"]).expect(0);
    for words in ["amount: your column `PREMI`", "dot_thousands, which reads 2970 of 3000", "day_first", "channel `ALFAMART`: alfa"] {
        assert!(proposed.stdout.contains(words), "{words}\n{}", proposed.stdout);
    }
    let checked = bare(&world, &[], &["--config", "proposed.toml", "check", "export.csv", "--out", "checked"]).expect(1);
    assert!(checked.stdout.contains("3000 rows: 2970 valid"), "{}\n{}", checked.stdout, checked.stderr);
    assert!(checked.stderr.contains("PREMI: 30 of 3000 rows"), "{}", checked.stderr);
    // The bad rows come back whole, are mended and go in again.
    let bad = std::fs::read_to_string(world.path("checked/bad-rows-export.csv")).unwrap();
    assert_eq!(bad.lines().count(), 31, "{bad}");
    world.file("mended.csv", bad.replace("gratis", "1.250.000"));
    bare(&world, &[], &["--config", "proposed.toml", "check", "mended.csv"]).expect(0);
    let url = doku.base_url();
    let settings = [
        ("TAGIH_PACING_RATE_PER_SECOND", "2000"),
        ("TAGIH_PACING_BURST", "500"),
        ("TAGIH_DOKU_BASE_URL", url.as_str()),
        ("TAGIH_DOKU_CLIENT_ID", CLIENT),
        ("TAGIH_DOKU_SECRET", SECRET),
    ];
    bare(&world, &settings, &["--config", "proposed.toml", "issue", "export.csv", "--out", "out"]).expect(1);
    assert_eq!(doku.orders().len(), 2_970);
}
