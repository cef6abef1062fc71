//! `additional_info` and codes made of columns: what is sent, what is refused with its place, what a live code does not take.

use crate::support::world::{Doku, World};

const HEAD: &str = "invoice_number,amount,customer_name,channel,method,customer_number,receipt_description,policy_number,\
                    override_notification_url,settlement,hold_settlement,account_id";

const SETTINGS: &str = "[merchant_code]\ntemplate = \"{bin}{customer_number}\"\nlength = 10\n[intake]\nmerchant_bin = \"8896\"\n\
    [additional_info]\noverride_hosts = \"pay.example.com, other.example.com\"\nreport = \"Policy={policy_number}; Cycle={cycle}\"\n";

fn bills(world: &World, rows: &[&str]) {
    world.file("bills.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
}

#[test]
fn what_goes_beside_the_order_is_sent_in_dokus_shape_and_stays_as_issued() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), SETTINGS);
    let split = "SBA-0001-1:60:PERCENTAGE;SBA-0001-2:40:PERCENTAGE;SBA-0001-3:500:FIX";
    let whole = format!("A,1000,Budi,alfa,,,,9090,https://pay.example.com/payments/notifications,{split},yes,SAC-1");
    bills(&world, &[&whole, "B,1000,Siti,alfa,,,,,,,,", "I,1000,Tini,indomaret,,,Premi,9091,http://127.0.0.1:9/payments/notifications,,,"]);
    world.issue("bills.csv", &["--cycle", "2026-10"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders().len()), ("3 issued", 3), "the sandbox takes no field it does not know");
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    let has = |text: &str| assert!(exported.contains(text), "{text} in {exported}");
    has(r#""settlement":[{"bank_account_settlement_id":"SBA-0001-1","value":60,"type":"PERCENTAGE"}"#);
    has(r#""report":[{"key":"Policy","value":"9090"},{"key":"Cycle","value":"2026-10"}],"hold_settlement":true,"account_id":"SAC-1""#);
    has(r#""report":[{"key":"Cycle","value":"2026-10"}]}"#);
    has(r#""additional":{"override_notification_url":"http://127.0.0.1:9/payments/notifications"}"#);
    assert!(!exported.contains("Budi"));
    world.issue("bills.csv", &["--cycle", "2026-10"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("3 unchanged", 3));

    // DOKU's update call takes none of it; where it comes from makes no difference.
    let changed = whole.replace(":60:", ":50:");
    bills(&world, &[&changed]);
    world.issue("bills.csv", &["--cycle", "2026-10"]).expect(1);
    assert_eq!(
        (world.column("out/rejected.csv", "code"), world.column("out/rejected.csv", "column")),
        (vec!["E0301".into()], vec!["settlement".into()])
    );
    bills(&world, &[&whole]);
    world.issue("bills.csv", &["--cycle", "2026-11"]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "column"), ["report"]);
    assert_eq!(doku.calls().len(), 3);
}

#[test]
fn each_bad_cell_is_refused_with_its_place() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), SETTINGS);
    let url = "https://pay.example.com/payments";
    let long = "9".repeat(65);
    let cases: Vec<(String, &str, &str)> = vec![
        ("A,1000,Budi,alfa,merchant,,,,,,,".into(), "customer_number", "E0119"),
        ("A,1000,Budi,alfa,inquiry,12-3,,,,,,".into(), "customer_number", "E0132"),
        ("A,1000,Budi,alfa,inquiry,1234567,,,,,,".into(), "customer_number", "E0132"),
        ("A,1000,Budi,indomaret,inquiry,1,Premi,,,,,".into(), "method", "E0122"),
        (format!("A,1000,Budi,alfa,,,,,{url}/other,,,"), "override_notification_url", "E0133"),
        (format!("A,1000,Budi,alfa,,,,,{url}/notifications?a=1,,,"), "override_notification_url", "E0133"),
        ("A,1000,Budi,alfa,,,,,https://evil.example.com/payments/notifications,,,".into(), "override_notification_url", "E0133"),
        ("A,1000,Budi,alfa,,,,,http://pay.example.com/payments/notifications,,,".into(), "override_notification_url", "E0133"),
        ("A,1000,Budi,alfa,,,,,,SBA-1:101:PERCENTAGE,,".into(), "settlement", "E0134"),
        ("A,1000,Budi,alfa,,,,,,SBA-1:60:PERCENTAGE;SBA-2:41:PERCENTAGE,,".into(), "settlement", "E0134"),
        ("A,1000,Budi,alfa,,,,,,SBA-1:10:percentage,,".into(), "settlement", "E0134"),
        ("A,1000,Budi,alfa,,,,,,SBA-1:1001:FIX,,".into(), "settlement", "E0134"),
        ("A,1000,Budi,alfa,,,,,,SBA-1:2.5:FIX,,".into(), "settlement", "E0134"),
        ("A,1000,Budi,indomaret,,,Premi,,,SBA-1:10:PERCENTAGE,,".into(), "settlement", "E0135"),
        ("A,1000,Budi,indomaret,,,Premi,,,,yes,".into(), "hold_settlement", "E0135"),
        ("A,1000,Budi,indomaret,,,Premi,,,,,SAC-1".into(), "account_id", "E0135"),
        ("A,1000,Budi,alfa,,,,,,,ya,".into(), "hold_settlement", "E0116"),
        ("A,1000,Budi,alfa,,,,,,,,SAC 1".into(), "account_id", "E0136"),
        (format!("A,1000,Budi,alfa,,,,{long},,,,"), "policy_number", "E0112"),
    ];
    for (row, column, code) in &cases {
        bills(&world, &[row]);
        world.issue("bills.csv", &[]).expect(1).says(&[&format!("bills.csv:2:{column}: "), code]);
        assert_eq!(
            (world.column("out/rejected.csv", "code"), world.column("out/rejected.csv", "column")),
            (vec![(*code).to_owned()], vec![(*column).to_owned()]),
            "{row}"
        );
        world.run(&["explain", code]).expect(0);
    }
    // The report's own limit counts over all its parts.
    world.reconfigure("Policy={policy_number}", "Policy=number {policy_number} of the register");
    bills(&world, &[&format!("A,1000,Budi,alfa,,,,{},,,,", "9".repeat(50))]);
    world.issue("bills.csv", &[]).expect(1).says(&["bills.csv:2:policy_number: ", "E0137"]);
    // Two rows whose columns make one code are refused on both sides.
    bills(&world, &["A,1000,Budi,alfa,inquiry,7,,,,,,", "B,1000,Siti,alfa,merchant,007,,,,,,"]);
    world.issue("bills.csv", &[]).expect(1).says(&["bills.csv:2:payment_code", "bills.csv:3:payment_code", "E0131"]);
    assert_eq!(doku.calls().len(), 0);
}

#[test]
fn indomaret_takes_settlement_features_once_they_are_switched_on() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), &format!("{SETTINGS}indomaret_settlement = true\nsettlement = \"SBA-1:10:PERCENTAGE\"\n"));
    bills(&world, &["A,1000,Budi,indomaret,,,Premi,9090,,,yes,SAC-1"]);
    world.issue("bills.csv", &[]).expect(0);
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    assert!(exported.contains(r#""settlement":[{"bank_account_settlement_id":"SBA-1","value":10,"type":"PERCENTAGE"}]"#), "{exported}");
    assert!(exported.contains(r#""hold_settlement":true,"account_id":"SAC-1""#), "{exported}");
    assert_eq!(doku.orders().len(), 1);
}

#[test]
fn settings_that_cannot_be_right_are_refused_before_anything_is_read() {
    for (settings, words) in [
        ("[merchant_code]\ntemplate = \"{bin}{sequence}\"", ["merchant_code.template", "`{bin}` needs `intake.merchant_bin`"]),
        ("[merchant_code]\ntemplate = \"88{sequence}{policy_number}\"", ["merchant_code.template", "only variable part"]),
        ("[merchant_code]\ntemplate = \"88{sequence}\"\nlength = 2", ["merchant_code.template", "to count with"]),
        ("[merchant_code]\ntemplate = \"88{sequence}\"\nlength = 21", ["merchant_code.length", "1 to 20"]),
        ("[merchant_code]\ntemplate = \"8896\"", ["merchant_code.template", "the same code"]),
        ("[merchant_code]\ntemplate = \"A{customer_number}\"", ["merchant_code.template", "digits only"]),
        ("[merchant_code]\ntemplate = \"88{customer_name}\"", ["merchant_code.template", "personal"]),
        ("[merchant_code]\ntemplate = \"88{nomor}\"", ["merchant_code.template", "`nomor`"]),
        ("[merchant_code]\ntemplate = \"88{policy_number}{customer_number}\"", ["merchant_code.template", "only one column"]),
        ("[merchant_code]\ntemplate = \"77{sequence}\"\n[intake]\nmerchant_bin = \"88\"", ["merchant_code.template", "begin with `{bin}`"]),
        ("[additional_info]\nsettlement = \"SBA-1:10\"", ["additional_info.settlement", "ACCOUNT:VALUE:TYPE"]),
        ("[additional_info]\nreport = \"Policy\"", ["additional_info.report", "KEY=TEMPLATE"]),
        ("[additional_info]\nreport = \"Name={customer_name}\"", ["additional_info.report", "personal"]),
        ("[additional_info]\nfree = \"settlement=x\"", ["additional_info.free", "means something to DOKU"]),
        ("[additional_info]\nfree = \"name={customer_name}\"", ["additional_info.free", "personal"]),
        ("[additional_info]\naccount_id = \"SAC 1\"", ["additional_info.account_id", "account id"]),
        ("[additional_info]\noverride_notification_url = \"https://a.example.com/x\"", ["override_notification_url", "its path must be"]),
        (
            "[additional_info]\noverride_notification_url = \"https://a.example.com/payments/notifications\"",
            ["override_notification_url", "override_hosts"],
        ),
    ] {
        let world = World::at("http://127.0.0.1:1", settings);
        bills(&world, &["A,1000,Budi,alfa,,,,,,,,"]);
        world.issue("bills.csv", &[]).expect(2).says(&words);
    }
}

#[test]
fn customer_and_policy_holder_are_two_people_and_keys_of_ones_own_are_sent() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), "[additional_info]\nfree = \"branch=Jakarta; policy={policy_number}\"\n");
    let head = "invoice_number,amount,customer_name,policy_holder,channel,policy_number,additional_info.Agent-2,additional_info.branch";
    let file = |rows: &[&str]| world.file("bills.csv", format!("{head}\n{}\n", rows.join("\n")));
    file(&["A,1000,Canary Payer,Canary Holder,alfa,9090,A-17,", "B,1000,Canary Payer,,alfa,,,Bandung"]);
    world.issue("bills.csv", &[]).expect(0);
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    for text in [r#""free":{"Agent-2":"A-17","branch":"Jakarta","policy":"9090"}"#, r#""free":{"branch":"Bandung"}"#, "account_name_digest"]
    {
        assert!(exported.contains(text), "{text} in {exported}");
    }
    assert!(!exported.contains("Canary"));
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("2 unchanged", 2));
    // DOKU's update call takes neither.
    file(&["A,1000,Canary Payer,Canary Other,alfa,9090,A-17,", "B,1000,Canary Payer,,alfa,,,Medan"]);
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "column"), ["policy_account_name", "additional_info"]);
    assert!(!std::fs::read_to_string(world.path("out/rejected.csv")).unwrap().contains("Canary"));
    // With the customer's own column alone, `policy_holder` is still the customer.
    world.file("one.csv", "invoice_number,amount,policy_holder,channel\nC,1000,Canary,alfa\n");
    world.issue("one.csv", &[]).expect(0);

    for (header, value) in [
        ("additional_info.settlement", "x"),
        ("additional_info.a b", "x"),
        ("additional_info.", "x"),
        ("additional_info.k", &"v".repeat(65)),
    ] {
        world.file("bad.csv", format!("invoice_number,amount,customer_name,channel,{header}\nD,1000,Budi,alfa,{value}\n"));
        world.issue("bad.csv", &[]).expect(1).says(&["E0142"]);
        assert_eq!(world.column("out/rejected.csv", "column"), [header.trim()], "{header}");
    }
    world.run(&["explain", "E0142"]).expect(0);
}
