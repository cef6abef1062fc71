//! Statements as banks write them, and what is no line of one.

use super::*;
use crate::table::{AmountFormat, DateFormat, TableLayout};

fn lines(texts: &[&str], tables: &TableSettings) -> Result<Statements, BankError> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..texts.len()).map(|number| folder.path().join(format!("{number}.csv"))).collect();
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).unwrap();
    }
    read(&paths, tables, &|_| true)
}

fn bca() -> TableSettings {
    let columns = [("date", "Tanggal"), ("amount", "Mutasi"), ("description", "Keterangan")];
    let layout = TableLayout {
        name: "bca".into(),
        columns: columns.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).into(),
        amount_format: AmountFormat::CommaThousands,
        date_format: DateFormat::DayFirst,
        ..TableLayout::default()
    };
    TableSettings { layouts: vec![layout], ..TableSettings::default() }
}

fn told(statements: &Statements) -> Vec<(String, i64, String, u32)> {
    statements.lines.iter().map(|line| (line.on.to_string(), line.amount, line.text.on_one_line(), line.occurrence)).collect()
}

#[test]
fn a_line_is_the_same_whoever_wrote_it_and_in_whichever_columns() {
    let plain = "date,amount,description,reference\n2026-10-09,144450,DOKU  SETTLEMENT,B1\n2026-10-10,-500,FEE,\n";
    let columns = "reference;date;debit;credit;description\nB1;2026-10-09 08:00:00;0;144450;DOKU SETTLEMENT\n;2026-10-10;500;;FEE\n";
    let direction = "date,amount,direction,description\n2026-10-09,144450,Kredit,DOKU SETTLEMENT B1\n2026-10-10,500,db,FEE\n";
    let own = "Tanggal,Keterangan,Cabang,Mutasi,Saldo\n09/10/2026,DOKU SETTLEMENT B1,0000,\"144,450.00 CR\",\"1,144,450.00\"\n\
               10/10/2026,FEE,0000,500.00 DB,\"1,143,950.00\"\n";
    let wanted = [("2026-10-09", 144_450, "DOKU SETTLEMENT B1", 0), ("2026-10-10", -500, "FEE", 0)];
    let wanted = wanted.map(|(on, amount, text, occurrence)| (on.to_owned(), amount, text.to_owned(), occurrence)).to_vec();
    for (text, tables) in
        [(plain, TableSettings::default()), (columns, TableSettings::default()), (direction, TableSettings::default()), (own, bca())]
    {
        let found = lines(&[text], &tables).unwrap();
        assert_eq!(told(&found), wanted, "{text}: {:?}", found.malformed);
        assert!(found.malformed.is_empty());
    }
    // All four at once are one statement, four times.
    let all = lines(&[plain, columns, direction, own], &bca()).unwrap();
    assert_eq!((told(&all), all.copies.len()), (wanted, 6));
}

#[test]
fn equal_lines_of_one_file_are_several_and_overlapping_files_add_only_what_is_new() {
    let head = "date,amount,description\n";
    let (one, other) = ("2026-10-09,100,DOKU\n", "2026-10-11,100,DOKU\n");
    let first = format!("{head}{one}{one}");
    let second = format!("{head}{one}{one}{one}{other}");
    for files in [[first.as_str(), second.as_str()], [second.as_str(), first.as_str()]] {
        let found = lines(&files, &TableSettings::default()).unwrap();
        let occurrences: Vec<u32> =
            found.lines.iter().filter(|line| line.on.to_string() == "2026-10-09").map(|line| line.occurrence).collect();
        assert_eq!((occurrences, found.lines.len(), found.copies.len()), (vec![0, 1, 2], 4, 2));
    }
}

#[test]
fn what_is_no_line_is_told_with_its_place_and_never_becomes_a_smaller_sum() {
    let row = |cells: &str| {
        let text = format!("date,amount,description\n2026-10-08,1,X\n{cells}\n2026-10-09,1,X\n");
        let found = lines(&[&text], &TableSettings::default()).unwrap();
        assert_eq!(found.lines.len(), 2, "{cells}");
        let [wrong] = &found.malformed[..] else { panic!("{cells}: {:?}", found.malformed) };
        assert_eq!((wrong.place.row, found.files[0].lines), (3, 3));
        format!("{}: {}", wrong.column, wrong.reason)
    };
    for (cells, reason) in [
        (
            "31/10/2026,1,X",
            "date: `31/10/2026` is no date: write 2026-10-31; if all dates are written so, set `date_format = \"day_first\"` in a layout",
        ),
        ("2026-02-30,1,X", "date: `2026-02-30` is no date"),
        (",1,X", "date: it is empty"),
        ("2026-10-08,,X", "amount: it is empty"),
        ("2026-10-08,0,X", "amount: nothing moves"),
        ("2026-10-08,1.000,X", "amount: `1.000` is no whole number"),
        (
            "2026-10-08,\"1,000.00\",X",
            "amount: `1,000.00` is no whole number of rupiah of at most 15 digits; if all amounts are written so, set `amount_format = \"comma_thousands\"`",
        ),
        ("2026-10-08,10.50,X", "amount: `10.50` is no whole number"),
        ("2026-10-08,1234567890123456,X", "amount: `1234567890123456` is no whole number"),
        ("2026-10-08,-1 CR,X", "amount: it has a sign"),
        ("2026-10-08,1", "row: "),
        ("2026-10-08,1,X,Y", "row: "),
    ] {
        let found = row(cells);
        assert!(found.starts_with(reason), "{cells}: {found}");
    }
    let both =
        lines(&["date,credit,debit,reference\n2026-10-08,1,1,X\n2026-10-08,-1,,X\n2026-10-08,,,X\n"], &TableSettings::default()).unwrap();
    let reasons: Vec<String> = both.malformed.iter().map(|row| format!("{}: {}", row.column, row.reason)).collect();
    assert_eq!(
        reasons,
        ["credit: both `credit` and `debit` have an amount", "credit: it is below zero", "amount: nothing moves: it is zero"]
    );
    assert!(!both.mostly_unread().is_empty());
}

#[test]
fn the_heading_of_an_account_is_told_and_is_no_reason_to_refuse_its_rows() {
    let text = "Nomor rekening,1234567890\nNama,PT CONTOH\nPeriode,Oktober 2026\nSaldo awal,0\ndate,amount,description\n2026-10-09,1,X\n2026-10-10,1,X\n";
    let found = lines(&[text], &TableSettings::default()).unwrap();
    assert_eq!((found.lines.len(), found.malformed.len(), found.mostly_unread().len()), (2, 4, 0));
    assert!(found.malformed.iter().all(|row| row.is_heading));
}

#[test]
fn a_file_that_is_no_statement_is_refused_with_what_it_has_and_lacks() {
    let refused = |text: &str| lines(&[text], &TableSettings::default()).unwrap_err().to_string();
    let error = refused("date,amount\n2026-10-09,1\n");
    assert!(error.starts_with("E0709: the bank statement `") && error.contains("lacks `description`; it has `date`, `amount`"), "{error}");
    assert!(refused("date,credit,description\n2026-10-09,1,X\n").contains("lacks `amount` (or `credit` and `debit`)"));
    assert!(refused("date,amount,amount,description\n").contains("has `amount` twice"));
    assert!(refused("").contains("is empty"));
    assert!(refused("%PDF-1.4\n").contains("PDF"));
    let missing = read(&[PathBuf::from("/nowhere/statement.csv")], &TableSettings::default(), &|_| true).unwrap_err();
    assert_eq!(missing.code().id, "E0708");
}

/// A statement as a bank writes it: an envelope, pages, what is taken back, texts over two lines.
const MT940: &str = "{1:F01CENAIDJAXXX0000000000}{2:I940X}{4:\r\n:20:STMT261009\r\n:25:1234567890\r\n:28C:00012/001\r\n\
    :60F:C261008IDR1000000,00\r\n:61:2610091009CR144450,00NTRFB-1009//99001\r\nEXTRA\r\n\
    :86:DOKU SETTLEMENT BATCH B-1009 OF THE NINTH OF OCTOBER, ALFA GROUP 12\r\n345\r\n:61:261010D500,NCHGNONREF\r\n:86:FEE\r\n\
    :61:261010RD500,0NCHGNONREF\r\n:61:261010RCR450,00NTRFNONREF\r\n:62F:C261010IDR1144000,00\r\n:64:C261010IDR1144000,00\r\n-}\r\n";

#[test]
fn an_mt940_says_what_a_table_says() {
    let found = lines(&[MT940], &TableSettings::default()).unwrap();
    assert_eq!(found.malformed, []);
    let wanted = [
        ("2026-10-09", 144_450, "DOKU SETTLEMENT BATCH B-1009 OF THE NINTH OF OCTOBER, ALFA GROUP 12 345 B-1009 99001 EXTRA", 0),
        ("2026-10-10", -500, "FEE", 0),
        ("2026-10-10", 500, "", 0),
        ("2026-10-10", -450, "", 0),
    ];
    assert_eq!(told(&found), wanted.map(|(on, amount, text, occurrence)| (on.to_owned(), amount, text.to_owned(), occurrence)));
    assert_eq!((found.lines[0].place.row, found.files[0].lines), (6, 4));
    // Without the envelope, with other line ends, as two pages, and given again: the same lines.
    let bare = MT940.replace("\r\n", "\n").split_once("{4:\n").unwrap().1.to_owned();
    let (first, second) = bare.split_at(bare.find(":61:261010D").unwrap());
    let pages = format!("{first}:62M:C261009IDR1144450,00\n-\n:20:STMT261009\n:25:1234567890\n:60M:C261009IDR1144450,00\n{second}");
    let all = lines(&[MT940, &bare, &pages], &TableSettings::default()).unwrap();
    assert_eq!((all.lines, all.malformed, all.copies.len()), (found.lines, vec![], 8));
}

#[test]
fn an_mt940_that_is_not_whole_says_so() {
    let whole = |change: &dyn Fn(String) -> String| {
        let found = lines(&[&change(MT940.to_owned())], &TableSettings::default()).unwrap();
        let [wrong] = &found.malformed[..] else { panic!("{:?}", found.malformed) };
        format!("{}: {}", wrong.column, wrong.reason)
    };
    for (from, to, reason) in [
        (":61:261010D500,NCHGNONREF\r\n", "", "closing balance: it is 1144000, and the opening balance with all lines comes to 1144500"),
        (":62F:C261010IDR1144000,00\r\n:64:C261010IDR1144000,00\r\n-}\r\n", "", "closing balance: there is none"),
        (":60F:C261008IDR1000000,00\r\n", "", "opening balance: there is none"),
        ("C261008IDR1000000,00", "C261008IDR1,000,000.00", "opening balance: `C261008IDR1,000,000.00` is no balance"),
        ("CR144450,00", "CR144.450,00", "amount: `144.450,00` is no number of rupiah"),
        ("CR144450,00", "XR144450,00", "direction: `XR` is none of C, D, RC, RD"),
        (":61:261010D", ":61:261310D", "date: `261310D500,NCHGNONREF` does not begin with a day"),
    ] {
        assert!(MT940.contains(from), "{from}");
        let found = whole(&|text| text.replacen(from, to, 1));
        assert!(found.starts_with(reason), "{found}");
    }
    let dollars = lines(&[&MT940.replace("IDR", "USD")], &TableSettings::default()).unwrap();
    assert_eq!((dollars.lines.len(), dollars.malformed.len(), dollars.mostly_unread().len()), (0, 4, 1));
    assert!(dollars.malformed[0].reason.contains("kept in USD"));
}

/// A message of one line of Rp100.000, from a balance.
fn message(account: &str, number: &str, opening: i64, count: i64) -> String {
    let line = ":61:261009C100000,00NTRFNONREF\n:86:DOKU\n".repeat(usize::try_from(count).unwrap());
    let closing = opening + count * 100_000;
    format!(":20:X\n:25:{account}\n:28C:{number}\n:60F:C261009IDR{opening},00\n{line}:62F:C261009IDR{closing},00\n-\n")
}

#[test]
fn how_statements_are_cut_into_files_makes_no_difference_to_what_was_there() {
    let (first, second) = (message("111", "1/1", 0, 1), message("111", "2/1", 100_000, 1));
    let other = message("222", "1/1", 0, 1);
    let all_month = message("111", "3/1", 0, 2);
    let count = |files: &[&[&str]]| {
        let files: Vec<String> = files.iter().map(|messages| messages.concat()).collect();
        let found = lines(&files.iter().map(String::as_str).collect::<Vec<_>>(), &TableSettings::default()).unwrap();
        assert_eq!(found.malformed, []);
        found.lines.len()
    };
    let third = message("111", "5/1", 200_000, 1);
    let last = third.as_str();
    let (one, two, three, all) = (first.as_str(), second.as_str(), other.as_str(), all_month.as_str());
    for (files, wanted) in [
        (vec![&[one, one][..]], 1),
        (vec![&[one][..], &[one]], 1),
        (vec![&[one, two]], 2),
        (vec![&[one][..], &[two]], 2),
        (vec![&[two][..], &[one]], 2),
        (vec![&[two, one, two]], 2),
        (vec![&[one, two, all]], 2),
        (vec![&[one][..], &[last], &[two]], 3),
        (vec![&[last, two, one][..], &[two]], 3),
        (vec![&[last][..], &[all], &[one]], 3),
        (vec![&[all][..], &[one], &[two]], 2),
    ] {
        assert_eq!(count(&files), wanted, "{files:?}");
    }
    // Of another account the same line is another.
    assert_eq!((count(&[&[one, three]]), count(&[&[one][..], &[three]])), (2, 2));
    let page = message("111", "4/2", 700_000, 1).replace(":60F:", ":60M:");
    let found = lines(&[&format!("{first}{page}")], &TableSettings::default()).unwrap();
    let [missing] = &found.malformed[..] else { panic!("{:?}", found.malformed) };
    assert!(missing.reason.starts_with("it is 700000, and no page before this one ends with that"), "{}", missing.reason);
    assert_eq!(missing.place.row, 12);
}

#[test]
fn sen_of_others_are_no_fault_of_a_statement_and_sen_of_ours_are_told() {
    // Interest and tax on every line but DOKU's; the balances have sen, and come to each other.
    let mt940 = ":20:X\n:25:1\n:60F:C261001IDR1000,55\n:61:261009C144450,00NTRFNONREF\n:86:DO\nKU SETTLEMENT\n\
                 :61:261030C12,45NINTNONREF\n:86:BUNGA\n:61:261030D2,4NTAXNONREF\n:86:PAJAK\n:61:261030C0,00NMSCNONREF\n:86:INFO\n\
                 :62F:C261030IDR145460,60\n-\n";
    let table = |credit: &str, interest: &str| {
        format!("date,description,credit,debit\n2026-10-09,DOKU SETTLEMENT,{credit},\n2026-10-30,BUNGA,{interest},0\n2026-10-30,INFO,0,\n")
    };
    let dotted = TableLayout { name: "x".into(), amount_format: AmountFormat::DotThousands, ..TableLayout::default() };
    let dotted = TableSettings { layouts: vec![dotted], layout: Some("x".into()), ..TableSettings::default() };
    let plain = TableSettings::default();
    for (text, tables, left) in [
        (mt940.to_owned(), &plain, 3),
        (table("144450", "12.45"), &plain, 2),
        (table("144450", "\"1012,5\""), &plain, 2),
        (table("\"144.450,00\"", "\"1.012,45\""), &dotted, 2),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statement");
        std::fs::write(&path, &text).unwrap();
        let found = read(std::slice::from_ref(&path), tables, &|text| text.holds("doku")).unwrap();
        assert_eq!(found.malformed, [], "{text}");
        assert_eq!((found.lines.len(), found.lines[0].amount, found.left_alone), (1, 144_450, left), "{text}");
        assert!(found.mostly_unread().is_empty());
        let all = read(&[path], tables, &|_| true).unwrap();
        assert!(
            text == mt940
                || all.malformed.iter().all(|row| ["no whole number", "zero", "only `00`"].iter().any(|words| row.reason.contains(words)))
        );
        assert!(text != mt940 || all.malformed[0].reason.contains("`12,45` has sen, and books are kept in whole rupiah"));
        assert_eq!((all.malformed.len(), all.left_alone), (usize::try_from(left).unwrap(), 0), "without a filter nothing is another's");
    }
    // What cannot be read at all is told, whoever it seems to be of: it may be the layout.
    for wrong in [table("144450", "1.012.450"), table("144450", "x"), table("144450", "12.45").replace("10-30,BUNGA", "30-10,BUNGA")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statement");
        std::fs::write(&path, &wrong).unwrap();
        assert_eq!(read(&[path], &plain, &|text| text.holds("doku")).unwrap().malformed.len(), 1, "{wrong}");
    }
}

#[test]
fn an_account_that_is_emptied_every_day_has_its_lines_once() {
    // From nothing to nothing: what DOKU paid is swept away the same day.
    let swept = |number: &str, from: i8, days: &[(i8, &[i64])]| {
        let line = |day: i8, amount: i64| {
            format!(":61:2610{day:02}C{amount},00NTRFNONREF\n:86:DOKU\n:61:2610{day:02}D{amount},00NTRFNONREF\n:86:SWEEP\n")
        };
        let lines: String = days.iter().flat_map(|(day, amounts)| amounts.iter().map(|amount| line(*day, *amount))).collect();
        let last = days.last().unwrap().0;
        format!(":20:X\n:25:111\n{number}:60F:C2610{from:02}IDR0,00\n{lines}:62F:C2610{last:02}IDR0,00\n-\n")
    };
    let received = |files: &[&str]| {
        let found = lines(files, &TableSettings::default()).unwrap();
        assert_eq!(found.malformed, []);
        found.lines.iter().filter(|line| line.amount > 0).map(|line| line.amount).sum::<i64>()
    };
    let (nine, ten) = (swept(":28C:1/1\n", 9, &[(9, &[100])]), swept(":28C:2/1\n", 10, &[(10, &[100, 100])]));
    let nine_later = swept(":28C:1/1\n", 9, &[(9, &[100, 50])]);
    let month = swept(":28C:9/1\n", 1, &[(9, &[100, 50]), (10, &[100, 100])]);
    let noon = swept(":28C:2/2\n", 10, &[(10, &[100])]);
    for (files, wanted) in [
        (vec![&nine, &ten, &noon], 400),
        (vec![&nine, &nine_later], 150),
        (vec![&nine_later, &nine], 150),
        (vec![&nine, &ten], 300),
        (vec![&nine, &ten, &month], 350),
        (vec![&month, &ten, &nine_later, &nine], 350),
    ] {
        let files: Vec<&str> = files.into_iter().map(String::as_str).collect();
        assert_eq!(received(&files), wanted);
        assert_eq!(received(&[&files.concat()]), wanted, "in one file");
    }
    // Without numbers: one that begins where the other began is the same once more.
    let bare = |from, days: &[(i8, &[i64])]| swept("", from, days);
    assert_eq!(received(&[&bare(9, &[(9, &[100])]), &bare(9, &[(9, &[100, 50])])]), 150);
}

#[test]
fn an_equal_line_is_the_same_only_where_the_account_held_the_same_before() {
    // The second month's statement has a line of the first one's last day, which was booked late.
    let (september, october) = (message("111", "9/1", 500_000, 1), message("111", "10/1", 900_000, 1));
    let found = lines(&[&september, &october], &TableSettings::default()).unwrap();
    assert_eq!((found.lines.len(), found.copies.len()), (2, 0), "nothing leads from one to the other");
    let [first, second] = &found.lines[..] else { panic!() };
    assert_eq!(first.content(), second.content());
    assert_ne!(first.identity(), second.identity());
    let alone = lines(&[&october], &TableSettings::default()).unwrap();
    assert_eq!(alone.lines[0].identity(), second.identity(), "whatever else is given");
}
