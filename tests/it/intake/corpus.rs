//! Nasty files, each given to every command that takes a table: read whole, told row by row, or refused for what it is. Nothing is
//! sent, nothing panics, and no message shows a customer.

use std::io::Write as _;

use rust_xlsxwriter::Workbook;

use crate::reconcile::ours::EXTERNAL;
use crate::support::world::{Ran, World};

/// A table that one command reads: clean, and how the command takes it.
struct Kind {
    name: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    arguments: Vec<&'static str>,
    /// Whether one stray quote or one byte that is no UTF-8 refuses the whole file.
    is_strict: bool,
    /// The exit code where rows cannot be read.
    bad_rows: i32,
    /// A column that the command cannot do without.
    needed: &'static str,
    settings: &'static str,
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// As with the clean file.
    Whole,
    /// Rows are told, the others read.
    Rows,
    /// Refused (exit 7) in these words.
    Refused(&'static str),
    /// Refused in these words where the reader is strict, else told row by row.
    StrictlyRefused(&'static str),
}

impl Kind {
    fn text(&self, delimiter: &str) -> String {
        let rows = self.rows.iter().map(|row| row.join(delimiter) + "\n");
        std::iter::once(self.header.join(delimiter) + "\n").chain(rows).collect()
    }

    fn lines(&self) -> Vec<String> {
        self.text(",").lines().map(str::to_owned).collect()
    }

    /// The clean lines with one changed; 0 is the header.
    fn but(&self, at: usize, change: impl Fn(&str) -> String) -> Vec<u8> {
        let mut lines = self.lines();
        lines[at] = change(&lines[at]);
        (lines.join("\n") + "\n").into_bytes()
    }

    /// With a column more, whose cell in the second row is given.
    fn with_column(&self, name: &str, cell: &str) -> Vec<u8> {
        let more = |(at, line): (usize, String)| format!("{line},{}", [name, "x", cell].get(at).unwrap_or(&"y"));
        (self.lines().into_iter().enumerate().map(more).collect::<Vec<_>>().join("\n") + "\n").into_bytes()
    }

    fn workbook(&self) -> Vec<u8> {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().set_name("Catatan").unwrap();
        let sheet = workbook.add_worksheet();
        for (row, line) in (0..).zip(std::iter::once(self.header.iter().map(ToString::to_string).collect()).chain(self.rows.clone())) {
            let line: Vec<String> = line;
            for (column, cell) in (0..).zip(line) {
                sheet.write_string(row, column, cell.trim_matches('"')).unwrap();
            }
        }
        workbook.save_to_buffer().unwrap()
    }

    /// Name, content, outcome.
    fn corpus(&self) -> Vec<(&'static str, Vec<u8>, Outcome)> {
        let text = self.text(",");
        let of = |text: String| text.into_bytes();
        let cut = |bytes: Vec<u8>, by: usize| bytes[..bytes.len() - by].to_vec();
        let utf16 =
            |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect::<Vec<u8>>();
        let lines = self.lines();
        let (head, body) = lines.split_at(1);
        let narrow: Vec<String> = body.iter().map(|_| "Budi Utomo,1".to_owned()).collect();
        vec![
            ("byte order mark", of(format!("\u{feff}{text}")), Outcome::Whole),
            ("crlf", of(text.replace('\n', "\r\n")), Outcome::Whole),
            ("cr", of(text.replace('\n', "\r")), Outcome::Whole),
            ("no last line end", of(text.trim_end().to_owned()), Outcome::Whole),
            ("semicolons", of(self.text(";")), Outcome::Whole),
            ("tabs", of(self.text("\t")), Outcome::Whole),
            ("bars", of(self.text("|")), Outcome::Whole),
            ("declared", of(format!("sep=;\r\n{}", self.text(";"))), Outcome::Whole),
            ("blank lines", of(text.replace('\n', "\n\n  \n")), Outcome::Whole),
            ("empty rows", of(format!("{text}{}\n", ",".repeat(self.header.len() - 1))), Outcome::Whole),
            ("header said again", of(format!("{text}{}\n", head[0])), Outcome::Whole),
            ("gzip", gzip(&[text.as_bytes()]), Outcome::Whole),
            ("gzip in two members", gzip(&[&text.as_bytes()[..9], &text.as_bytes()[9..]]), Outcome::Whole),
            ("zstd", zstd::encode_all(text.as_bytes(), 1).unwrap(), Outcome::Whole),
            ("workbook of texts", self.workbook(), Outcome::Whole),
            ("header in capitals", self.but(0, |line| line.to_uppercase().replace(',', " , ")), Outcome::Whole),
            ("a column nobody knows", self.with_column("KETERANGAN_LAIN", "z"), Outcome::Whole),
            ("a column without a name", self.with_column("", "z"), Outcome::Whole),
            ("a cell of several lines", self.with_column("ALAMAT", "\"Jl. Satu\nJakarta\""), Outcome::Whole),
            ("a doubled quote", self.with_column("ALAMAT", "\"Toko \"\"Maju\"\"\""), Outcome::Whole),
            ("a title above", of(format!("Laporan Budi Utomo\n{text}")), Outcome::Rows),
            ("a wide row", self.but(2, |line| format!("{line},Budi Utomo")), Outcome::Rows),
            ("a narrow row", self.but(2, |_| "Budi Utomo,1".into()), Outcome::Rows),
            ("a footer", of(format!("{text}Dicetak oleh Budi Utomo\n")), Outcome::Rows),
            ("an open quote", self.but(2, |line| line.replacen(',', ",\"", 1)), Outcome::StrictlyRefused("stray quote in row 3")),
            (
                "an open quote at the end",
                self.but(2, |line| format!("{}\"", line.rsplit_once(',').unwrap().0) + ",\"Budi Utomo"),
                Outcome::StrictlyRefused("stray quote in row 3"),
            ),
            (
                "a quote that closes inside",
                self.but(2, |line| format!("\"{}", line.replacen(',', "\"x,", 1))),
                Outcome::StrictlyRefused("stray quote in row 3"),
            ),
            (
                "two stray quotes two rows apart",
                of([&head[0], &body[0], &body[1].replacen(',', ",\"", 1), &body[2], &body[3].replacen(',', "\",", 1), &body[4]]
                    .map(|line| format!("{line}\n"))
                    .concat()),
                Outcome::StrictlyRefused("stray quote in row 3"),
            ),
            (
                "mostly narrow rows",
                of(format!("{}\n{}\n{}\n", head[0], body[0], narrow.join("\n"))),
                Outcome::Refused("rows cannot be read"),
            ),
            ("empty", Vec::new(), Outcome::Refused("")),
            ("nothing but spaces", b" \r\n\t\n".to_vec(), Outcome::Refused("")),
            ("utf-16", utf16([0xff, 0xfe], u16::to_le_bytes), Outcome::Refused("UTF-16")),
            ("utf-16 the other way", utf16([0xfe, 0xff], u16::to_be_bytes), Outcome::Refused("UTF-16")),
            ("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Budi Utomo".to_vec(), Outcome::Refused("XLS")),
            ("ods", b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet".to_vec(), Outcome::Refused("ODS")),
            ("xlsb", b"PK\x03\x04xl/workbook.bin".to_vec(), Outcome::Refused("XLSB")),
            ("docx", b"PK\x03\x04word/document.xml".to_vec(), Outcome::Refused("Word")),
            ("zip", b"PK\x03\x04tagihan.csv".to_vec(), Outcome::Refused("ZIP")),
            ("pdf", b"%PDF-1.7\nBudi Utomo".to_vec(), Outcome::Refused("PDF")),
            ("html", b"\n<html><table><tr><td>Budi Utomo</table>".to_vec(), Outcome::Refused("HTML")),
            ("xml", b"<?xml version=\"1.0\"?><x>Budi Utomo</x>".to_vec(), Outcome::Refused("XML")),
            ("json", b"[{\"name\":\"Budi Utomo\"}]".to_vec(), Outcome::Refused("JSON")),
            ("rtf", b"{\\rtf1 Budi Utomo}".to_vec(), Outcome::Refused("RTF")),
            ("parquet by another name", b"PAR1Budi Utomo".to_vec(), Outcome::Refused("Parquet")),
            ("archive", b"7z\xbc\xaf\x27\x1c".to_vec(), Outcome::Refused("archive")),
            ("bzip2", b"BZh91AY&SY".to_vec(), Outcome::Refused("bzip2")),
            ("gzip that is cut off", cut(gzip(&[text.as_bytes()]), 9), Outcome::Refused("cannot be read")),
            ("workbook that is cut off", cut(self.workbook(), 2_000), Outcome::Refused("")),
            ("no header", of(body.join("\n")), Outcome::Refused("")),
            ("a name for a header", of(format!("Budi Utomo,{}\n", body[0])), Outcome::Refused("")),
            ("a column is missing", self.but(0, |line| line.replacen(self.needed, "lainnya", 1)), Outcome::Refused("")),
            ("a column stands twice", self.with_column(self.needed, "z"), Outcome::Refused("twice")),
            ("binary", (0_u8..=255).cycle().take(4_000).collect(), Outcome::Refused("")),
        ]
    }
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let member = |part: &&[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    parts.iter().flat_map(member).collect()
}

/// Gives the command every file of the corpus; `fresh` makes it a world of its own each time.
fn every(kind: &Kind, fresh: impl Fn(&Kind) -> World) {
    let run = |content: &[u8]| -> Ran {
        let world = fresh(kind);
        std::fs::write(world.path("t.csv"), content).unwrap();
        world.run(&kind.arguments)
    };
    let clean = run(kind.text(",").as_bytes());
    assert!([0, 1].contains(&clean.code), "{}: {clean:#?}", kind.name);
    let mut wrong = Vec::new();
    for (name, content, outcome) in kind.corpus() {
        let ran = run(&content);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let is_right = match outcome {
            Outcome::Whole => ran.code == clean.code && ran.stdout == clean.stdout,
            Outcome::Rows => ran.code == kind.bad_rows,
            Outcome::StrictlyRefused(_) if !kind.is_strict => ran.code == kind.bad_rows,
            Outcome::Refused(words) | Outcome::StrictlyRefused(words) => ran.code == 7 && said.contains(words),
        };
        if !is_right || said.contains("Utomo") || said.contains("panicked") {
            wrong.push(format!("{}, {name}: {outcome:?}, but exit {} ({})\n{said}", kind.name, ran.code, clean.code));
        }
    }
    assert!(wrong.is_empty(), "{}\nclean: {clean:#?}", wrong.join("\n"));
}

fn bills(name: &'static str, arguments: Vec<&'static str>) -> Kind {
    Kind {
        name,
        header: vec!["invoice_number", "amount", "customer_name", "channel"],
        rows: (1..=5).map(|n| vec![format!("INV-{n}"), format!("{n}0000"), "Siti".into(), "alfa".into()]).collect(),
        arguments,
        is_strict: true,
        bad_rows: 1,
        needed: "invoice_number",
        settings: "",
    }
}

fn codes(name: &'static str, arguments: Vec<&'static str>) -> Kind {
    let row = |n: u32| vec![format!("INV-{n}"), format!("605900000000000{n}"), "alfa".into(), format!("{n}0000")];
    Kind {
        header: vec!["invoice_number", "payment_code", "channel", "amount"],
        rows: (1..=5).map(row).collect(),
        needed: "payment_code",
        ..bills(name, arguments)
    }
}

const RECONCILE: [&str; 9] =
    ["reconcile", "--period", "2026-10", "--as-of", "2026-11-05T12:00:00+07:00", "--notifications", "n.jsonl", "--out", "report"];
const LOG: &str = "{\"received_at\":\"2026-10-15T05:00:00Z\",\"target\":\"/payments/notifications\",\"headers\":{},\"body\":\"{}\"}\n";

fn ledger() -> Kind {
    let row = |n: u32| {
        let texts = ["alfa", "100000", "ACTIVE", "no", "2026-10-01", "2026-11-30", ""].map(str::to_owned);
        [vec![format!("INV-{n}"), format!("605900000000000{n}")], texts.to_vec()].concat()
    };
    Kind {
        header: EXTERNAL.split(',').collect(),
        rows: (1..=5).map(row).collect(),
        is_strict: false,
        needed: "payment_code",
        ..bills("external ledger", [&RECONCILE[..], &["--external-ledger", "t.csv"]].concat())
    }
}

fn settlement() -> Kind {
    let row = |n: u32| {
        let (number, invoice, code) = (n.to_string(), format!("INV-{n}"), format!("605900000000000{n}"));
        let cells = [
            &number,
            "PT",
            "Alfa Group",
            "15-10-2026",
            &invoice,
            "Siti",
            &code,
            "100000",
            &code,
            "5550",
            "0",
            "94450",
            "21-10-2026",
            "Purchase",
        ];
        cells.map(str::to_owned).to_vec()
    };
    Kind {
        header: vec![
            "NO",
            "MERCHANT NAME",
            "PAYMENT CHANNEL NAME",
            "TRANSACTION DATE",
            "INVOICE NUMBER",
            "CUSTOMER NAME",
            "REPORT CODE",
            "AMOUNT",
            "RECON CODE",
            "FEE",
            "DISCOUNT",
            "PAY TO MERCHANT",
            "PAY OUT DATE",
            "TRANSACTION TYPE",
        ],
        rows: (1..=5).map(row).collect(),
        is_strict: false,
        needed: "INVOICE NUMBER",
        settings: "[settlement]\nholidays = [\"2026-12-25\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n",
        ..bills("settlement", [&RECONCILE[..], &["--external-ledger", "ledger.csv", "--settlement", "t.csv"]].concat())
    }
}

fn alone(kind: &Kind) -> World {
    let world = World::at("http://127.0.0.1:1", kind.settings);
    world.file("n.jsonl", LOG);
    world.file("ledger.csv", ledger().text(","));
    world
}

/// A ledger with other invoices than the files name.
fn with_ledger(kind: &Kind) -> World {
    let world = alone(kind);
    world.file("other.csv", "invoice_number,payment_code,channel,amount\nOTHER,99,alfa,1000\n");
    world.run(&["ledger", "import", "other.csv"]).expect(0);
    world
}

#[test]
fn every_nasty_file_given_to_check() {
    every(&bills("check", vec!["check", "t.csv"]), alone);
}

#[test]
fn every_nasty_file_given_to_issue() {
    every(&bills("issue", vec!["issue", "t.csv", "--dry-run"]), alone);
}

#[test]
fn every_nasty_file_given_to_cancel() {
    every(&bills("cancel", vec!["cancel", "t.csv"]), with_ledger);
}

#[test]
fn every_nasty_file_given_to_ledger_import() {
    every(&codes("ledger import", vec!["ledger", "import", "t.csv"]), alone);
}

#[test]
fn every_nasty_file_given_as_an_external_ledger() {
    every(&ledger(), alone);
}

#[test]
fn every_nasty_file_given_as_a_settlement_report() {
    every(&settlement(), alone);
}

#[test]
fn every_nasty_file_given_to_discrepancies_import() {
    let first = World::at("http://127.0.0.1:1", "");
    first.file("n.jsonl", LOG);
    first.file("ledger.csv", ledger().text(",").replace("ACTIVE", "PAID"));
    first.run(&[&RECONCILE[..], &["--external-ledger", "ledger.csv"]].concat()).expect(1);
    first.run(&["discrepancies", "take", "report", "--by", "Rina"]).expect(0);
    first.run(&["discrepancies", "export", "--out", "items.csv"]).expect(0);
    let journal = std::fs::read(first.path("tagih.journal")).unwrap();
    let items: Vec<Vec<String>> = first
        .rows("items.csv")
        .iter()
        .map(|row| vec![row["discrepancy_id"].clone(), row["facts"].clone(), "accept".into(), "seen".into()])
        .collect();
    let kind = Kind {
        header: vec!["discrepancy_id", "facts", "action", "reason"],
        rows: items.into_iter().take(5).collect(),
        bad_rows: 7,
        needed: "facts",
        ..bills("discrepancies import", vec!["discrepancies", "import", "t.csv", "--by", "Rina"])
    };
    assert_eq!(kind.rows.len(), 5);
    every(&kind, |kind| {
        let world = alone(kind);
        world.file("tagih.journal", &journal);
        world
    });
}
