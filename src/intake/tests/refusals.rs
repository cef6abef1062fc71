//! Every kind of bad input, one by one: which file, row, column and code it is refused with.

use super::{Intake, files_refused, options, read_bytes};
use crate::domain::additional::UrlRules;
use crate::domain::bill::Wanted;
use crate::intake::import;
use crate::intake::{AdditionalOptions, CodeTemplate, Defaults, Options, Purpose, ReportTemplate, codes};

const HEAD: &str = "invoice_number,amount,customer_name,channel";

fn found(intake: &Intake) -> Vec<String> {
    let one = |refused: &crate::intake::RefusedRow| {
        format!("{}:{}:{} {}", refused.place.file_order, refused.place.row, refused.column, refused.code)
    };
    intake.refused.iter().map(one).collect()
}

/// One row under `HEAD` and the given extra column.
fn with(extra: &str, row: &str) -> String {
    format!("{HEAD},{extra}\n{row}\n")
}

#[test]
fn every_bad_row_is_refused_with_its_row_column_and_code() {
    let plain = |row: &str| format!("{HEAD}\n{row}\n");
    let two = |extra: &str, cells: &str| with(extra, &format!("A,1000,Budi,alfa,{cells}"));
    let indomaret = |extra: &str, cells: &str| with(extra, &format!("A,1000,Budi,indomaret,{cells}"));
    let cases: Vec<(String, &[&str])> = vec![
        (plain("A,1000,Budi"), &["0:2: E0101"]),
        (plain("A,1,000,Budi,alfa"), &["0:2: E0101"]),
        (plain(",1000,Budi,alfa"), &["0:2:invoice_number E0103"]),
        (plain("A,,Budi,alfa"), &["0:2:amount E0103"]),
        (plain("A,1000, ,alfa"), &["0:2:customer_name E0103"]),
        (plain("A,1000,Budi,"), &["0:2:channel E0103"]),
        (plain("A,1000,\"Bu\ndi\",alfa"), &["0:2:customer_name E0104"]),
        (plain("A,1000,Bu\tdi,alfa"), &["0:2:customer_name E0105"]),
        (plain(&format!("A,1000,{},alfa", "x".repeat(9000))), &["0:2:customer_name E0106"]),
        (plain("A,1.000,Budi,alfa"), &["0:2:amount E0107"]),
        (plain("A,\"1,000\",Budi,alfa"), &["0:2:amount E0107"]),
        (plain("A,1000.00,Budi,alfa"), &["0:2:amount E0107"]),
        (plain("A,Rp1000,Budi,alfa"), &["0:2:amount E0107"]),
        (plain("A,0,Budi,alfa"), &["0:2:amount E0108"]),
        (plain("A,-5,Budi,alfa"), &["0:2:amount E0108"]),
        (plain("A,1000000000000,Budi,alfa"), &["0:2:amount E0109"]),
        (plain("8.89651E+15,1000,Budi,alfa"), &["0:2:invoice_number E0110"]),
        (two("method,payment_code", "merchant,\"8,89651E+15\""), &["0:2:payment_code E0110"]),
        (plain(&format!("{},1000,Budi,alfa", "x".repeat(65))), &["0:2:invoice_number E0111"]),
        (plain("Aé,1000,Budi,alfa"), &["0:2:invoice_number E0111"]),
        (plain(&format!("A,1000,{},alfa", "é".repeat(65))), &["0:2:customer_name E0112"]),
        (two("info", &"x".repeat(31)), &["0:2:info E0112"]),
        (two("receipt_footer", &"x".repeat(121)), &["0:2:receipt_footer E0112"]),
        (two("policy_type", &"x".repeat(65)), &["0:2:policy_type E0112"]),
        (two("email", &format!("{}@b.co", "x".repeat(124))), &["0:2:email E0112"]),
        (indomaret("receipt_description", &"x".repeat(129)), &["0:2:receipt_description E0112"]),
        (plain("A,1000,Budi,alfamart"), &["0:2:channel E0113"]),
        (two("method", "mgpc"), &["0:2:method E0114"]),
        (two("action", "delete"), &["0:2:action E0115"]),
        (two("reusable", "ya"), &["0:2:reusable E0116"]),
        (two("email", "budi@example"), &["0:2:email E0117"]),
        (two("method,payment_code", "merchant,88965A"), &["0:2:payment_code E0118"]),
        (two("method,payment_code", "merchant,123456789012345678901"), &["0:2:payment_code E0118"]),
        (two("method,payment_code", "merchant,"), &["0:2:customer_number E0119"]),
        (two("payment_code", "889650001"), &["0:2:payment_code E0120"]),
        (two("method,payment_code", "merchant,779650001"), &["0:2:payment_code E0121"]),
        (indomaret("receipt_description,method,payment_code", "Premi,merchant,889650001"), &["0:2:method E0122"]),
        (two("expiry_minutes", "0"), &["0:2:expiry_minutes E0123"]),
        (two("expiry_minutes", "100000"), &["0:2:expiry_minutes E0123"]),
        (two("expiry_minutes", "60.5"), &["0:2:expiry_minutes E0123"]),
        (two("expires_at", "2027-10-15"), &["0:2:expires_at E0123"]),
        (two("expires_at", "31/12/2026"), &["0:2:expires_at E0124"]),
        (two("due_date", "2026-02-30"), &["0:2:due_date E0124"]),
        (two("expires_at,expiry_minutes", "2026-12-01,60"), &["0:2:expires_at E0126"]),
        (two("policy_status", "aktif é"), &["0:2:policy_status E0128"]),
        (plain(" A,1000,Budi,alfa"), &["0:2:invoice_number E0129"]),
        (plain("A,1000 ,Budi,alfa"), &["0:2:amount E0129"]),
        (plain("A,1000,Budi,alfa\nB,1000,Siti,alfa\nA,2000,Budi,alfa"), &["0:2:invoice_number E0130", "0:4:invoice_number E0130"]),
        (plain("A,1000,Budi,alfa\nA,x,Budi,alfa"), &["0:2:invoice_number E0130", "0:3:amount E0107"]),
        (with("action", "A,1000,Budi,alfa,\nA,,,,cancel"), &["0:2:invoice_number E0130", "0:3:invoice_number E0130"]),
        (
            with("method,payment_code", "A,1000,Budi,alfa,merchant,8896501\nB,1000,Siti,alfa,merchant,8896501"),
            &["0:2:payment_code E0131", "0:3:payment_code E0131"],
        ),
        (two("method,customer_number", "merchant,12A"), &["0:2:customer_number E0132"]),
        (two("method,customer_number", "inquiry,12345678901"), &["0:2:customer_number E0132"]),
        (two("method,payment_code", "inquiry,779650001"), &["0:2:payment_code E0121"]),
        (indomaret("receipt_description,method,payment_code", "Premi,inquiry,889650001"), &["0:2:method E0122"]),
        (
            with("method,customer_number", "A,1000,Budi,alfa,inquiry,7\nB,1000,Siti,alfa,merchant,007"),
            &["0:2:payment_code E0131", "0:3:payment_code E0131"],
        ),
        (two("override_notification_url", "http://pay.example.com/n"), &["0:2:override_notification_url E0133"]),
        (two("override_notification_url", "https://evil.example.com/n"), &["0:2:override_notification_url E0133"]),
        (two("settlement", "SBA-1:101:PERCENTAGE"), &["0:2:settlement E0134"]),
        (two("settlement", "SBA-1:1001:FIX"), &["0:2:settlement E0134"]),
        (indomaret("receipt_description,settlement", "Premi,SBA-1:10:PERCENTAGE"), &["0:2:settlement E0135"]),
        (
            indomaret("receipt_description,hold_settlement,account_id", "Premi,no,SAC-1"),
            &["0:2:hold_settlement E0135", "0:2:account_id E0135"],
        ),
        (two("account_id", "SAC 1"), &["0:2:account_id E0136"]),
        (two("bill_group", &"x".repeat(65)), &["0:2:bill_group E0137"]),
        (two("additional_info.branch", &"x".repeat(65)), &["0:2:additional_info.branch E0142"]),
        (indomaret("info", "x"), &["0:2:receipt_description E0103"]),
        (plain("'A,1000,Budi,alfa"), &["0:2:invoice_number E0138"]),
        (plain("A,1000,NULL,alfa"), &["0:2:customer_name E0139"]),
        (two("info", "#N/A"), &["0:2:info E0139"]),
        (two("email,info", &format!("budi,{}", "x".repeat(31))), &["0:2:email E0117", "0:2:info E0112"]),
    ];
    let url_rules = UrlRules { path: "/n".into(), hosts: vec!["pay.example.com".into()], loopback: false };
    let report = ReportTemplate::parse("Group={bill_group}", None).unwrap();
    let options = Options {
        merchant_bin: Some("889650".into()),
        code_template: Some(CodeTemplate::parse("{bin}{customer_number}", Some("889650"), 16).unwrap()),
        additional: AdditionalOptions { url_rules, report, ..AdditionalOptions::default() },
        ..options()
    };
    let mut seen: Vec<String> = ["E0127", "E0140", "E0141"].map(str::to_owned).into();
    for (text, expected) in &cases {
        let intake = read_bytes(&[text.as_bytes()], &options).unwrap();
        assert_eq!(found(&intake), *expected, "{text}");
        seen.extend(intake.refused.iter().map(|refused| refused.code.to_string()));
    }
    let unseen = codes::ALL.iter().filter(|code| code.id < "E02" && !seen.iter().any(|id| id == code.id));
    assert_eq!(unseen.map(|code| code.id).collect::<Vec<_>>(), Vec::<&str>::new(), "every row code has a case");
}

#[test]
fn a_row_without_any_expiry_is_refused() {
    let options = Options { defaults: Defaults::default(), ..options() };
    let intake = read_bytes(&[format!("{HEAD}\nA,1000,Budi,alfa\n").as_bytes()], &options).unwrap();
    assert_eq!(found(&intake), ["0:2:expiry_minutes E0127"]);
}

#[test]
fn every_bad_file_is_refused_with_its_code_and_its_spot() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(HEAD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let endless = format!("{HEAD}\nA,1,\"{}\",alfa\n", "x".repeat(400_000));
    let wide = vec!["c"; 300].iter().enumerate().map(|(n, c)| format!("{c}{n}")).collect::<Vec<_>>().join(",");
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (utf16, "E0202", "little-endian"),
        (b"invoice_number,amount\nA,1,Andr\xe9\n".to_vec(), "E0203", "line 2, byte 30"),
        (b"invoice_number,amount\nA,\x001\n".to_vec(), "E0204", "line 2, byte 24"),
        (b"".to_vec(), "E0205", "empty"),
        (b"\xef\xbb\xbf\r\n \n".to_vec(), "E0205", "empty"),
        (b"nomor,a;nama,b;c\n".to_vec(), "E0206", "`,` and `;`"),
        (b"invoice_number,jumlah,channel\n".to_vec(), "E0207", "`jumlah`"),
        (format!("{HEAD},Invoice-Number\n").into_bytes(), "E0208", "columns 1 and 5"),
        (format!("{HEAD},premium\n").into_bytes(), "E0208", "`amount` twice"),
        (
            format!("{HEAD}\nA,1000,Budi,alfa\nB,1000,\"Siti,alfa\nC,1000,Tini,alfa\n").into_bytes(),
            "E0209",
            "row 3, which starts on line 3",
        ),
        (format!("{HEAD}\nA,1000,Budi,\"alfa").into_bytes(), "E0209", "row 2"),
        (endless.into_bytes(), "E0210", "row 2, which starts on line 2"),
        (format!("{HEAD},{wide}\n").into_bytes(), "E0211", "304 columns"),
        (format!("{HEAD}\n{}", "A,1000,Budi,alfa\n".repeat(6)).into_bytes(), "E0212", "more than 5 rows"),
        (format!("{HEAD}\n{}", "A,1000,Budi,alfa\n".repeat(60_000)).into_bytes(), "E0213", "bytes"),
    ];
    let mut options = options();
    for (bytes, code, words) in &cases {
        options.tables.limits.rows_max = if *code == "E0212" { 5 } else { 1_000_000 };
        options.tables.limits.file_bytes_max = 900_000;
        let error = read_bytes(&[bytes], &options).unwrap_err();
        let text = error.to_string();
        assert_eq!(files_refused(&error)[0].fault.code().id, *code, "{text}");
        assert!(text.contains(words) && text.contains("hint: ") && !text.contains("Siti"), "{text}");
    }
    let missing = crate::intake::read(&["/nonexistent/x.csv".into()], &options).unwrap_err();
    assert_eq!(files_refused(&missing)[0].fault.code().id, "E0201");
}

#[test]
fn a_template_needs_its_cycle_and_columns_the_file_has() {
    let file = b"policy_number,amount,customer_name,channel\n0090,1000,Budi,alfa\n";
    let with = |template: &str, cycle: Option<&str>| {
        let options = Options { invoice_number_template: Some(template.into()), cycle: cycle.map(Into::into), ..options() };
        read_bytes(&[file], &options).map_err(|error| (files_refused(&error)[0].fault.code().id, error.to_string()))
    };
    let intake = with("P-{policy_number}-{cycle}", Some("2026-10")).unwrap();
    assert_eq!(intake.valid[0].item.invoice_number.as_str(), "P-0090-2026-10");
    let (code, text) = with("{policy_number}-{cycle}", None).unwrap_err();
    assert!(code == "E0214" && text.contains("--cycle"), "{text}");
    assert_eq!(with("{policy}-{cycle}", Some("x")).unwrap_err().0, "E0215");
    assert_eq!(with("INV-{cycle}", Some("x")).unwrap_err().0, "E0215");
    assert_eq!(with("{customer_name}", None).unwrap_err().0, "E0215");
    assert_eq!(with("{due_date}", None).unwrap_err().0, "E0207");
}

#[test]
fn a_mapping_is_checked_against_tagihs_names_and_the_file() {
    let file = format!("{HEAD}\nA,1000,Budi,alfa\n");
    let with = |ours: &str, theirs: &str| {
        let mut options = options();
        options.tables.base.columns = [(ours.to_owned(), theirs.to_owned())].into();
        read_bytes(&[file.as_bytes()], &options).map_err(|error| (files_refused(&error)[0].fault.code().id, error.to_string()))
    };
    let (code, text) = with("costumer_name", "nama").unwrap_err();
    assert!(code == "E0216" && text.contains("did you mean `customer_name`?"), "{text}");
    assert_eq!(with("info", "keterangan").unwrap_err().0, "E0207");
    assert_eq!(with("amount", "premi").unwrap().valid.len(), 1, "the canonical header still serves");
}

#[test]
fn all_refused_files_are_listed_and_a_first_record_of_data_is_not_shown() {
    let text = read_bytes(&[b"", b"INV-1,1000,Budi Utomo,alfa\n"], &options()).unwrap_err().to_string();
    assert!(text.contains("E0205") && text.contains("E0207") && !text.contains("Budi"), "{text}");
    let text = read_bytes(&[b"INV-1,1000,Budi Utomo,Budi Utomo\n"], &options()).unwrap_err().to_string();
    assert!(!text.to_lowercase().contains("budi"), "{text}");
}

#[test]
fn no_message_shows_a_name_or_an_address() {
    let rows = [
        "A,1,x,\"Canary One\nCanary Two\",alfa,canary@x",
        "B,canary@example.com,,Canary Three,alfa,canary",
        "\"C\nCanary Four\",1,,Canary Five,alfa,",
        "Canary Six,1,,alfa",
    ];
    let file = format!("invoice_number,amount,catatan,customer_name,channel,email\n{}\n", rows.join("\n"));
    let intake = read_bytes(&[file.as_bytes()], &options()).unwrap();
    assert_eq!(intake.all.iter().filter(|row| !row.refused().is_empty()).count(), 4);
    let shown: Vec<String> = intake.refused.iter().map(|refused| format!("{refused} {refused:?}")).collect();
    assert!(!shown.join("\n").to_lowercase().contains("canary"), "{shown:?}");
}

#[test]
fn equal_rows_collapse_across_files_and_rows_are_counted_with_their_lines() {
    let one = format!("{HEAD}\r\nA,1000,Budi,alfa\r\n\r\nB,x,Siti,alfa\r\n");
    let two = "customer_name;channel;amount;invoice_number\nBudi;ALFA;001000;A\n";
    let intake = read_bytes(&[one.as_bytes(), two.as_bytes()], &options()).unwrap();
    assert_eq!(intake.valid.len(), 1);
    let duplicate = &intake.duplicates[0];
    assert_eq!((duplicate.place.order(), duplicate.of.order()), ((1, 2), (0, 2)));
    let refused = &intake.refused[0].place;
    assert_eq!((refused.row, refused.line), (3, 4));
}

#[test]
fn a_record_is_on_the_line_it_starts_on_whatever_the_line_ends() {
    let bad = "A,x,Budi,alfa";
    for (head, rows, lines) in [
        ("", format!("\n{bad}\n{bad}"), vec![2, 3]),
        ("\u{feff}", format!("\r\n{bad}\r\n{bad}\r\n"), vec![2, 3]),
        ("", format!("\n\n{bad}\r\n\n\r\n{bad}\n{bad}\n\n"), vec![3, 6, 7]),
        ("\n", format!("\r\nA,\"1\n2\r\n3\",Budi,alfa\r\n{bad}"), vec![3, 6]),
    ] {
        let intake = read_bytes(&[format!("{head}{HEAD}{rows}").as_bytes()], &options()).unwrap();
        let found: Vec<u64> = intake.refused.iter().map(|refused| refused.place.line).collect();
        assert_eq!(found, lines, "{rows:?}");
    }
}

#[test]
fn a_cancelled_row_needs_its_invoice_number_only_and_frees_its_code() {
    let file = with("action,method,payment_code", "A,,,,cancel,,8896501\nB,1000,Siti,alfa,,merchant,8896501");
    let intake = read_bytes(&[file.as_bytes()], &options()).unwrap();
    assert_eq!(found(&intake), Vec::<String>::new());
    assert_eq!(intake.valid[0].item.wanted, Wanted::Cancelled);
    let options = Options { purpose: Purpose::CancelAll, ..options() };
    let intake = read_bytes(&[b"invoice_number\nA\nB\nA\n"], &options).unwrap();
    assert_eq!((intake.valid.len(), intake.duplicates.len()), (2, 1));
    assert!(intake.valid.iter().all(|bill| bill.item.wanted == Wanted::Cancelled));
}

#[test]
fn what_is_legal_but_surprising_is_noted() {
    let header_only = read_bytes(&[HEAD.as_bytes()], &options()).unwrap();
    assert_eq!((header_only.rows, header_only.notes.len()), (0, 1));
    let file = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minute,cabang\n\
                A,1000,Budi,alfa,merchant,8896500000000010,,\nB,1000,Budi,alfa,merchant,8896500000000020,,\n";
    let intake = read_bytes(&[file.as_bytes()], &options()).unwrap();
    let texts: Vec<&str> = intake.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts[0], "column `expiry_minute` is not used; did you mean `expiry_minutes`?");
    assert_eq!(texts[1], "column `cabang` is not used");
    assert!(texts[2].starts_with("2 of 2 long payment codes"), "{texts:?}");
}

#[test]
fn codes_to_adopt_are_read_with_the_same_care() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codes.csv");
    let text = "invoice_number,payment_code,channel,amount,expires_at\n\
                A,0073,alfa,1000,2026-10-01\nB,8E+15,alfa,1000,\nC,0099,alfa,,\nD,0100,indomaret,5,\nE,0100,alfa,5,\n";
    std::fs::write(&path, text).unwrap();
    let input = import::read(&[path], &crate::table::TableSettings::default(), options().now).unwrap();
    let (mut valid, mut codes) = (Vec::new(), Vec::new());
    let each = input.each(|row| -> Result<(), crate::intake::KeepingError> {
        valid.extend(row.valid().cloned());
        codes.extend(row.refused().iter().map(|refused| format!("{}:{} {}", refused.place.row, refused.column, refused.code)));
        Ok(())
    });
    each.unwrap();
    let [adopted] = valid.as_slice() else { panic!("{valid:?}") };
    assert_eq!(adopted.answer.payment_code.as_str(), "0073");
    assert!(adopted.terms.is_adopted() && adopted.answer.expires_at.is_some());
    assert_eq!(codes, ["3:payment_code E0110", "4:amount E0103", "5:payment_code E0131", "6:payment_code E0131"]);
    assert_eq!((input.rows, input.valid, input.refused), (5, 1, 4));
}
