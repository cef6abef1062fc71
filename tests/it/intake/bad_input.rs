//! Each bad input one by one: a clear error, the right exit code, nothing lost, nothing sent that should not be.

use std::collections::BTreeMap;

use tagih::domain::spreadsheet::unescaped;

use crate::support::world::{Doku, HEAD, World};

/// A file with bad rows. `@` stands for a prefix of its own, so that all cases can share one sandbox.
struct Rows {
    settings: &'static str,
    text: String,
    /// Row, column, shown value, code.
    refused: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    /// Whose codes are made all the same.
    issued: Vec<&'static str>,
    buckets: &'static str,
}

const GOOD: &str = "@GOOD,1000,Ani,alfa,,,,,";

/// Bad rows under the usual header, with a good one behind them.
fn rows(bad: &[&str], refused: &[(&'static str, &'static str, &'static str, &'static str)]) -> Rows {
    let buckets = if bad.len() == 1 { "1 issued, 1 refused" } else { "1 issued, 2 refused" };
    let text = format!("{HEAD}\n{}\n{GOOD}\n", bad.join("\n"));
    Rows { settings: "", text, refused: refused.to_vec(), issued: vec!["GOOD"], buckets }
}

/// One bad cell in row 2.
fn cell(bad: &str, column: &'static str, value: &'static str, code: &'static str) -> Rows {
    rows(&[bad], &[("2", column, value, code)])
}

fn amounts() -> Vec<Rows> {
    let amount = |text: &'static str, shown: &'static str, code| cell(&format!("@A,{text},Budi,alfa,,,,,"), "amount", shown, code);
    let mut cases = vec![
        amount("1.000", "1.000", "E0107"),
        amount("\"1,000\"", "1,000", "E0107"),
        amount("1000.00", "1000.00", "E0107"),
        amount("Rp1000", "Rp1000", "E0107"),
        amount("1 000", "1 000", "E0107"),
        amount("1e6", "1e6", "E0107"),
        amount("0", "0", "E0108"),
        amount("-5", "-5", "E0108"),
        amount("1000000000000", "1000000000000", "E0109"),
        amount("99999999999999999999999", "99999999999999999999999", "E0109"),
        amount("1000 ", "1000 ", "E0129"),
        amount("", "", "E0103"),
    ];
    for (format, bad, value) in [("dot_thousands", "1.50", "1.50"), ("comma_thousands", "\"1,000.50\"", "1,000.50")] {
        let settings = if format == "dot_thousands" { "amount_format = \"dot_thousands\"" } else { "amount_format = \"comma_thousands\"" };
        cases.push(Rows { settings, ..amount(bad, value, "E0107") });
    }
    cases
}

fn codes_and_numbers() -> Vec<Rows> {
    vec![
        cell("@A,1000,Budi,alfa,merchant,\"8,89651E+15\",,,", "payment_code", "8,89651E+15", "E0110"),
        cell("8.89651E+15,1000,Budi,alfa,,,,,", "invoice_number", "8.89651E+15", "E0110"),
        cell("@A,1000,Budi,alfa,merchant,88965A,,,", "payment_code", "88965A", "E0118"),
        cell("@A,1000,Budi,alfa,merchant,123456789012345678901,,,", "payment_code", "123456789012345678901", "E0118"),
        cell("@A,1000,Budi,alfa,merchant,,,,", "payment_code", "", "E0119"),
        cell("@A,1000,Budi,alfa,,8896,,,", "payment_code", "8896", "E0120"),
        cell("@A,1000,Budi,indomaret,merchant,8896,,,Premi", "method", "merchant", "E0122"),
        cell("@Aé,1000,Budi,alfa,,,,,", "invoice_number", "@Aé", "E0111"),
        cell(" @A,1000,Budi,alfa,,,,,", "invoice_number", " @A", "E0129"),
        cell(",1000,Budi,alfa,,,,,", "invoice_number", "", "E0103"),
        Rows {
            settings: "merchant_bin = \"889650\"",
            ..cell("@A,1000,Budi,alfa,merchant,7796500001,,,", "payment_code", "7796500001", "E0121")
        },
        rows(
            &["@A,1000,Budi,alfa,merchant,8896501,,,", "@B,1000,Siti,alfa,merchant,8896501,,,"],
            &[("2", "payment_code", "8896501", "E0131"), ("3", "payment_code", "8896501", "E0131")],
        ),
    ]
}

fn texts_and_choices() -> Vec<Rows> {
    let long_name = format!("@A,1000,{},alfa,,,,,", "x".repeat(65));
    let long_receipt = format!("@A,1000,Budi,indomaret,,,,,{}", "x".repeat(129));
    vec![
        cell("@A,1000,Budi,alfamart,,,,,", "channel", "alfamart", "E0113"),
        cell("@A,1000,Budi,alfa,mgpc,,,,", "method", "mgpc", "E0114"),
        cell("@A,1000,Budi,alfa,,,,delete,", "action", "delete", "E0115"),
        cell(&long_name, "customer_name", "x***", "E0112"),
        cell(&long_receipt, "receipt_description", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…", "E0112"),
        cell("@A,1000,Budi,indomaret,,,,,", "receipt_description", "", "E0103"),
        cell("@A,1000,,alfa,,,,,", "customer_name", "", "E0103"),
        cell("@A,1000,Bu\tdi,alfa,,,,,", "customer_name", "B***", "E0105"),
        cell("@A,1000,Budi\u{1b}[31m,alfa,,,,,", "customer_name", "B***", "E0105"),
        cell("@A,1000,\"Bu\ndi\",alfa,,,,,", "customer_name", "B***", "E0104"),
        cell("@A,1000,Budi,alfa,,,100000,,", "expiry_minutes", "100000", "E0123"),
        cell("@A,1000,Budi,alfa,,,0,,", "expiry_minutes", "0", "E0123"),
        cell("@A,1000,Budi,alfa", "", "", "E0101"),
        Rows { settings: "limits.field_bytes_max = 64", ..cell(&long_name, "customer_name", "x***", "E0106") },
        rows(
            &["@A,1.000,Budi,alfamart,,,,,", "@B,0,,alfa,,,,,"],
            &[
                ("2", "amount", "1.000", "E0107"),
                ("2", "channel", "alfamart", "E0113"),
                ("3", "amount", "0", "E0108"),
                ("3", "customer_name", "", "E0103"),
            ],
        ),
    ]
}

fn duplicates() -> Vec<Rows> {
    let conflict = Rows {
        buckets: "1 issued, 2 refused",
        ..rows(
            &["@A,1000,Budi,alfa,,,,,", "@A,2000,Budi,alfa,,,,,"],
            &[("2", "invoice_number", "@A", "E0130"), ("3", "invoice_number", "@A", "E0130")],
        )
    };
    let collapsed = Rows {
        settings: "",
        text: format!("{HEAD}\n{GOOD}\n{GOOD}\n@B,5,Budi,alfa,,,,,\n{GOOD}\n"),
        refused: vec![],
        issued: vec!["B", "GOOD"],
        buckets: "2 duplicate, 2 issued",
    };
    vec![conflict, collapsed]
}

/// Files that look odd and are right.
fn surprising_but_right() -> Vec<Rows> {
    let right = |settings, text: &str, issued, buckets| Rows { settings, text: text.into(), refused: vec![], issued, buckets };
    vec![
        right("", "\u{feff}invoice_number;amount;customer_name\r\n@A;1000;Budi\r\n\r\n@B;2000;Siti\r\n", vec!["A", "B"], "2 issued"),
        right("", "INVOICE NUMBER\tPremium\tPolicy-Holder\n@A\t001000\tBudi\n", vec!["A"], "1 issued"),
        right("", "invoice_number|amount|customer_name\n@A|1000|Budi", vec!["A"], "1 issued"),
        right("amount_format = \"dot_thousands\"", "invoice_number;amount;customer_name\n@A;1.000,00;Budi\n", vec!["A"], "1 issued"),
        right("", "invoice_number,amount,customer_name\n@A,1000,\"Budi, \"\"S.H.\"\"\"\n", vec!["A"], "1 issued"),
        right("", &format!("{HEAD}\n,,,,,,,,\n\n@A,1000,Budi,alfa,,,,,\n"), vec!["A"], "1 issued"),
        right("", HEAD, vec![], ""),
    ]
}

#[test]
fn every_bad_row_is_named_with_its_place_and_reason_and_only_the_good_rows_are_sent() {
    let doku = Doku::process();
    let cases = [amounts(), codes_and_numbers(), texts_and_choices(), duplicates(), surprising_but_right()].concat_cases();
    for (number, case) in cases.into_iter().enumerate() {
        let prefix = format!("C{number:02}-");
        let world = World::at(&doku.base_url(), &format!("[intake]\ndefaults.channel = \"alfa\"\n{}\n", case.settings));
        let text = case.text.replace('@', &prefix);
        world.file("bills.csv", &text);
        let exit = i32::from(!case.refused.is_empty());

        let checked = world.run(&["check", "bills.csv"]).expect(exit);
        let ran = world.issue("bills.csv", &[]).expect(exit);
        let rejected = world.rows("out/rejected.csv");
        let found: Vec<[String; 5]> = rejected
            .iter()
            .map(|row| ["file", "row", "column", "value", "code"].map(|column| unescaped(&row[column]).into_owned()))
            .collect();
        let wanted: Vec<[String; 5]> = case
            .refused
            .iter()
            .map(|(row, column, value, code)| ["bills.csv", row, column, value, code].map(|cell| cell.replace('@', &prefix)))
            .collect();
        assert_eq!(found, wanted, "{text}");
        assert!(rejected.iter().all(|row| !row["reason"].is_empty()), "{rejected:?}");
        for (row, column, value, code) in &case.refused {
            let line = format!("bills.csv:{row}:{column}: `{}`", value.replace('@', &prefix));
            for said in [&ran.stderr, &checked.stderr] {
                assert!(
                    said.lines().any(|told| told.contains(&line) && told.contains(&format!("[{code}]"))),
                    "`{line}` [{code}] is not in {said}"
                );
            }
        }
        let issued: Vec<String> = case.issued.iter().map(|name| format!("{prefix}{name}")).collect();
        let ours = |invoice: &String| invoice.starts_with(&prefix);
        assert_eq!(doku.invoices().into_iter().filter(ours).collect::<Vec<_>>(), issued, "{text}");
        let mut accepted = world.column("out/accepted.csv", "invoice_number");
        accepted.sort();
        accepted.dedup();
        assert_eq!(accepted, issued, "{text}");
        assert_eq!(world.buckets(), case.buckets, "{text}");
        assert_eq!(std::fs::read_to_string(world.path("bills.csv")).unwrap(), text, "the input is never touched (I19)");
    }
    let foreign = doku.invoices().into_iter().filter(|invoice| !invoice.starts_with('C')).count();
    assert_eq!(foreign, 0, "nothing else was sent");
}

/// Concatenates case lists.
trait Cases {
    fn concat_cases(self) -> Vec<Rows>;
}

impl<const N: usize> Cases for [Vec<Rows>; N] {
    fn concat_cases(self) -> Vec<Rows> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn every_bad_file_is_refused_as_a_whole_with_its_spot_and_nothing_is_sent_or_written() {
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(format!("{HEAD}\nA,1,Budi,alfa,,,,,\n").encode_utf16().flat_map(bytes)).collect()
    };
    let under_head = |rest: &str| format!("{HEAD}\n{rest}").into_bytes();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (
            "",
            under_head("A,1000,Budi,alfa,,,,,\nB,1000,\"Siti,alfa,,,,,\nC,1000,Tini,alfa,,,,,\n"),
            &["E0209", "row 3", "starts on line 3"],
        ),
        ("", under_head("A,1000,Budi,\"alfa"), &["E0209", "row 2", "starts on line 2"]),
        ("", utf16([0xff, 0xfe], u16::to_le_bytes), &["E0202", "UTF-16 little-endian", "iconv"]),
        ("", utf16([0xfe, 0xff], u16::to_be_bytes), &["E0202", "UTF-16 big-endian"]),
        ("", [&under_head("A,1000,Andr")[..], b"\xe9,alfa,,,,,\n"].concat(), &["E0203", "line 2", "Windows-1252 or Latin-1", "0xe9"]),
        ("", [&under_head("A,1000,Budi")[..], b"\x93,alfa,,,,,\n"].concat(), &["E0203", "Windows-1252"]),
        ("", under_head("A,1000,Bu\0di,alfa,,,,,\n"), &["E0204", "null byte", "line 2"]),
        ("", Vec::new(), &["E0205", "empty"]),
        ("", b"nomor,a;nama,b;c\n".to_vec(), &["E0206", "intake.delimiter"]),
        (
            "",
            b"nomor,jumlah,nama\nA,1000,Budi\n".to_vec(),
            &["E0207", "`invoice_number`", "`amount`", "`customer_name`", "`channel`", "`jumlah`"],
        ),
        ("", b"A,1000,Budi Utomo,alfa\n".to_vec(), &["E0207", "looks like a bill"]),
        ("", format!("{HEAD},Premium\n").into_bytes(), &["E0208", "`amount` twice"]),
        ("limits.record_bytes_max = 4096", under_head(&format!("A,1000,{},alfa,,,,,\n", "x".repeat(99_000))), &["E0210", "row 2"]),
        ("limits.columns_max = 8", under_head("A,1000,Budi,alfa,,,,,\n"), &["E0211", "9 columns"]),
        ("limits.rows_max = 2", under_head(&"A,1000,Budi,alfa,,,,,\n".repeat(3)), &["E0212", "more than 2 rows"]),
        (
            "invoice_number_template = \"{policy_number}-{cycle}\"",
            b"policy_number,amount,customer_name,channel\n9,1,Budi,alfa\n".to_vec(),
            &["E0214", "--cycle"],
        ),
        (
            "invoice_number_template = \"{polis}\"",
            b"policy_number,amount,customer_name,channel\n9,1,Budi,alfa\n".to_vec(),
            &["E0215", "{polis}"],
        ),
        ("columns.costumer_name = \"nama\"", under_head("A,1,Budi,alfa,,,,,\n"), &["E0216", "did you mean `customer_name`?"]),
        ("columns.info = \"keterangan\"", under_head("A,1,Budi,alfa,,,,,\n"), &["E0207", "`keterangan`"]),
    ];
    let doku = Doku::process();
    for (settings, bytes, words) in cases {
        let world = World::at(&doku.base_url(), &format!("[intake]\n{settings}\n"));
        world.file("bad.csv", &bytes);
        world.bills("good.csv", &["GOOD,1000,Ani,alfa,,,,,"]);
        for arguments in
            [&["check", "bad.csv"][..], &["issue", "bad.csv"], &["issue", "good.csv", "bad.csv"], &["issue", "--dry-run", "bad.csv"]]
        {
            let ran = world.run(arguments).expect(7).says(words).says(&["`bad.csv`", "hint: "]);
            assert!(!ran.stderr.contains("Budi") && !ran.stderr.contains("Siti"), "I22: {}", ran.stderr);
        }
        let left: Vec<String> = crate::support::world::bytes_in(&world.path("")).into_keys().collect();
        assert_eq!(left, ["bad.csv", "good.csv", "secret", "tagih.toml"], "nothing is written");
        assert!(!world.path("tagih-out").exists());
    }
    assert_eq!(doku.calls().len(), 0, "nothing is sent");
}

#[test]
fn a_missing_file_and_a_folder_are_refused_by_name() {
    let world = World::at("http://127.0.0.1:1", "");
    world.run(&["issue", "no-such.csv"]).expect(7).says(&["`no-such.csv`", "E0201"]);
    world.run(&["check", "."]).expect(7).says(&["`.`", "E0201"]);
    world.file("quote.csv", "invoice_number\nA\n\"B\nC\n");
    world.run(&["cancel", "quote.csv"]).expect(7).says(&["`quote.csv`", "E0209", "starts on line 3"]);
}

#[test]
fn all_bad_rows_are_reported_at_once_and_the_rest_of_a_long_list_is_in_rejected_csv() {
    let doku = Doku::process();
    let world = World::of(&doku);
    let rows: Vec<String> = (0..200).map(|n| format!("N-{n},{},Budi,alfa,,,,,", if n % 2 == 0 { "1.000" } else { "1000" })).collect();
    world.bills("bills.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let ran = world.issue("bills.csv", &[]).expect(1).says(&["bills.csv:2:amount", "and 90 more"]);
    assert!(ran.stdout.contains("200 rows: 100 issued, 100 refused"), "{}", ran.stdout);
    assert_eq!(world.rows("out/rejected.csv").len(), 100);
    assert_eq!(doku.orders().len(), 100);
    let quiet = world.issue("bills.csv", &["--quiet"]).expect(1);
    assert_eq!(quiet.stderr, "", "--quiet prints only the result and errors");
}

#[test]
fn leading_zeros_survive_to_doku_and_back() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["0001,000900,Budi,alfa,merchant,00889650000007,,,", "1,1000,Siti,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    let orders = doku.orders();
    assert_eq!((orders["0001"].code.as_str(), orders["0001"].amount), ("00889650000007", 900));
    let accepted: BTreeMap<String, String> =
        world.rows("out/accepted.csv").into_iter().map(|row| (row["invoice_number"].clone(), row["payment_code"].clone())).collect();
    assert_eq!(accepted["0001"], "00889650000007");
    assert_eq!(accepted["1"], orders["1"].code, "`1` is another invoice than `0001`");
}

#[test]
fn a_file_of_codes_to_adopt_is_read_with_the_same_care() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file(
        "codes.csv",
        "invoice_number,payment_code,channel,amount\nA,0073,alfa,1000\nB,8E+15,alfa,1000\nC,99,alfa,1.000\nD,100,kios,1000\n",
    );
    let ran = world.run(&["ledger", "import", "codes.csv"]).expect(1);
    let ran = ran.says(&["codes.csv:3:payment_code", "E0110", "codes.csv:4:amount", "E0107", "codes.csv:5:channel", "E0113"]);
    assert!(ran.stdout.contains("4 rows: 1 adopted, 0 known, 3 refused"), "{}", ran.stdout);
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,\"0073,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv"]).expect(7).says(&["E0209", "starts on line 2"]);
    assert_eq!(world.statuses(), [("active".to_owned(), 1)].into());
}
