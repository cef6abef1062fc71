//! Codes that DOKU does not know: it asks the merchant about them, and the merchant's answer decides.

use serde_json::{Value, json};

use super::town::Town;
use crate::reconcile::ours::reconciled;
use crate::serve::shop::{Answer, Message};
use crate::support::world::{SECRET, until};

const HEAD: &str = "invoice_number,amount,customer_name,email,channel,method,payment_code,expiry_minutes,reusable,action";
const INSURED: &str = "invoice_number,amount,customer_name,email,channel,method,payment_code,policy_number,policy_type,policy_status,\
                       due_date,info,receipt_footer,settlement,hold_settlement,account_id";

impl Town {
    /// What DOKU is told of a code, signature checked.
    fn told(&self, request_id: &str, code: &str) -> Answer {
        let answer = self.shop.send(&Message::inquiry(request_id, code));
        assert!(answer.is_signed(SECRET, request_id), "{answer:?}");
        answer
    }
}

#[test]
fn a_code_only_the_merchant_knows_is_asked_about_paid_and_at_once_paid_already() {
    let town = Town::open("", &[]);
    town.issue(HEAD, &["Q-1,150000,Ani,ani@example.com,alfa,inquiry,8896512345678121,,,", "Q-2,275000,Budi,,alfa,inquiry,0042,,,"]);
    assert!(town.doku.calls().is_empty(), "DOKU is told of neither");
    assert_eq!(town.told("i-1", "8896512345678121").json()["customer"], json!({"name": "Ani", "email": "ani@example.com"}));
    town.paid("8896512345678121", "");
    town.delivered();
    // The notification has been answered; nothing else was waited for.
    assert_eq!(town.asked("8896512345678121"), "billing_already_paid");
    assert_eq!(town.pays("8896512345678121", "").unwrap_err(), "the merchant answered `billing_already_paid`");
    assert_eq!(
        (town.asked("0042"), town.asked("42"), town.asked("99")),
        ("success".into(), "billing_not_found".into(), "billing_not_found".into())
    );
    town.paid("0042", "");
    town.agrees("N00x2", "P00x2", "L00x2");
    assert_eq!(town.ledger(), (2, 425_000));
}

#[test]
fn each_inquiry_can_have_a_number_of_its_own_and_the_payment_that_names_it_is_the_bills() {
    let mut town = Town::open("inquiry_suffix = \"-I\"\n", &[]);
    town.issue(
        HEAD,
        &["Q-1,150000,Ani,,alfa,inquiry,0041,,,", "Q-2,275000,Budi,,alfa,inquiry,0042,,,", "Q-3,90000,Siti,,alfa,inquiry,0043,,yes,"],
    );
    let number = |town: &Town, id: &str, code: &str| town.told(id, code).json()["order"]["invoice_number"].as_str().unwrap().to_owned();
    let (first, second) = (number(&town, "i-1", "0041"), number(&town, "i-2", "0041"));
    assert!(first.starts_with("Q-1-I") && first.len() == "Q-1-I".len() + 10 && first != second, "{first} {second}");
    assert_eq!(number(&town, "i-1", "0041"), first, "a repeated inquiry hears the same");
    // Every number is in the ledger by the time it is told.
    let aliased = |town: &Town| {
        let exported = town.shop.world.run(&["ledger", "export"]).expect(0).stdout;
        let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines
            .iter()
            .filter(|line| line["event"]["event"] == "aliased")
            .map(|line| line["event"]["number"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(aliased(&town), [first.clone(), second.clone()]);
    // Also when the answers of before are forgotten.
    assert_eq!(town.shop.close(), Some(0));
    std::fs::remove_file(&town.shop.logs("answers-")[0]).unwrap();
    town.shop.open();
    assert_eq!((number(&town, "i-2", "0041"), aliased(&town).len()), (second.clone(), 2));
    // DOKU asks, is told a number, and names it in its notification.
    for code in ["0041", "0042", "0043", "0043"] {
        town.paid(code, "");
    }
    town.delivered();
    assert_eq!((town.asked("0041"), town.asked("0042")), ("billing_already_paid".into(), "billing_already_paid".into()));
    assert_eq!(town.asked("0043"), "success", "it may be paid more than once");
    town.agrees("N00x4", "P00x2 P13x2", "L00x3");
    let told = town.shop.world.run(&["why", &second]).expect(0).stdout;
    assert!(told.contains("Q-1") && told.contains("Rp150.000"), "{told}");
    // Both the plan and a second run see it paid.
    town.issue(HEAD, &["Q-1,150000,Ani,,alfa,inquiry,0041,,,"]);
    // Another's number is not given out.
    town.shop.world.file("taken.csv", format!("invoice_number,payment_code,channel,amount,method\n{first},77,alfa,1000,inquiry\n"));
    assert_ne!(town.shop.world.run(&["ledger", "import", "taken.csv"]).code, 0);
    let long = "L".repeat(64);
    town.issue(HEAD, &[&format!("{long},1000,Ani,,alfa,inquiry,0064,,,")]);
    assert_eq!(town.asked("0064"), "decline", "there is no room for a number of its own");
    let decided = town.shop.lines("inquiries-").pop().unwrap();
    assert_eq!(decided["decision"], "number_too_long");
}

#[test]
fn a_policy_is_shown_to_the_cashier_and_comes_back_in_the_notification() {
    let town = Town::open("[additional_info]\nreport = \"Policy={policy_number}\"\n", &[]);
    town.issue(INSURED, &["Q-1,150000,Andreas,,alfa,inquiry,01,9090901234,Dana Pendidikan,aktif,2027-05-21,Terima kasih,Call 021 555,SBA-1:10:PERCENTAGE,yes,SAC-1"]);
    let told = town.told("i-1", "01").json();
    let additional = json!({
        "insurance_info": {
            "policy_type": "Dana Pendidikan", "policy_number": "9090901234", "policy_account_name": "Andreas",
            "policy_status": "aktif", "bill_due_date": "21 May 2027",
        },
        "settlement": [{"bank_account_settlement_id": "SBA-1", "value": 10, "type": "PERCENTAGE"}],
        "report": [{"key": "Policy", "value": "9090901234"}],
        "hold_settlement": true,
        "account": {"id": "SAC-1"},
    });
    assert_eq!(told["additional_info"], additional);
    assert_eq!(told["alfa_info"]["receipt"]["footer_message"], "Call 021 555");
    assert_eq!(told["online_to_offline_info"], json!({"payment_code": "01", "info": "Terima kasih"}));
    town.paid("01", "");
    town.agrees("N00", "P00", "L00");
    let kept = town.shop.lines("notifications-");
    let body: Value = serde_json::from_str(kept[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["additional_info"], additional, "DOKU repeats what it was told");
}

#[test]
fn the_longest_texts_a_row_may_hold_are_taken_at_the_counter() {
    let town = Town::open("", &[]);
    let (name, text, code) = ("é".repeat(64), "x".repeat(64), "9".repeat(20));
    let (email, info, footer) = (format!("{}@example.com", "a".repeat(116)), "i".repeat(30), "f".repeat(120));
    let accounts: Vec<String> = (1..=20).map(|n| format!("SBA-{n}:5:PERCENTAGE")).collect();
    let row = format!(
        "Q-1,999999999999,{name},{email},alfa,inquiry,{code},{text},{text},{text},2027-12-31,{info},{footer},{},yes,SAC-1",
        accounts.join(";")
    );
    let shortest = "Q-2,1,A,,alfa,inquiry,0,,,,,,,,,";
    town.issue(INSURED, &[&row, shortest]);
    for code in [code.as_str(), "0"] {
        town.paid(code, r#","inquiry_quirks":["code_as_number"]"#);
    }
    town.agrees("N00x2", "P00x2", "L00x2");
    assert_eq!(town.ledger(), (2, 1_000_000_000_000));
}

#[test]
fn whatever_issue_changes_holds_for_the_next_inquiry_while_the_server_runs() {
    let town = Town::open("", &[]);
    let month = |rows: &[&str]| town.issue(HEAD, rows);
    month(&["Q-1,150000,Ani,,alfa,inquiry,01,,,", "Q-2,200000,Budi,,alfa,inquiry,02,,,", "Q-3,90000,Siti,,alfa,inquiry,03,,,"]);
    assert_eq!(town.asked("02"), "success");
    month(&["Q-1,175000,Ani Wijaya,ani@example.com,alfa,inquiry,01,,,", "Q-2,,,,,,,,,cancel", "Q-4,60000,Tini,,alfa,inquiry,04,,,"]);
    let told = town.told("i-1", "01").json();
    assert_eq!(
        (&told["order"]["amount"], &told["customer"]),
        (&json!(175_000), &json!({"name": "Ani Wijaya", "email": "ani@example.com"}))
    );
    assert_eq!(town.asked("02"), "decline");
    assert_eq!(town.pays("02", "").unwrap_err(), "the merchant answered `decline`");
    town.paid("01", "");
    town.paid("04", "");
    // The cancelled bill's code serves another one, at once.
    month(&["Q-5,45000,Budi,,alfa,inquiry,02,,,"]);
    assert_eq!(town.told("i-2", "02").json()["order"], json!({"invoice_number": "Q-5", "amount": 45_000}));
    town.paid("02", "");
    town.delivered();
    // So does a paid one's, and a late repetition of that payment is not the new bill's.
    month(&["Q-6,180000,Ani Wijaya,,alfa,inquiry,01,,,"]);
    town.doku.ask("POST", "/_sandbox/resend", r#"{"delivery":1}"#);
    town.delivered();
    assert_eq!(town.told("i-3", "01").json()["order"], json!({"invoice_number": "Q-6", "amount": 180_000}));
    town.paid("01", "");
    town.agrees("N00x4 N06", "P00x4", "L00x4 L01 L03");
    assert_eq!(town.ledger(), (4, 460_000));
}

#[test]
fn a_reusable_code_is_paid_again_and_again() {
    let town = Town::open("", &[]);
    town.issue(HEAD, &["Q-1,150000,Ani,,alfa,inquiry,01,,yes,"]);
    for _ in 0..3 {
        town.paid("01", "");
        town.delivered();
    }
    town.agrees("N00x3", "P13x3", "L00");
}

#[test]
fn an_inquiry_in_any_of_dokus_spellings_is_answered_and_a_strangers_is_not() {
    let town = Town::open("sign_refusals = true\n", &[]);
    town.issue(HEAD, &["Q-1,150000,Ani,,alfa,inquiry,8896512345678121,,,"]);
    let ask = |quirks: &str| {
        let body = format!(r#"{{"payment_code":"8896512345678121","quirks":[{quirks}]}}"#);
        let inquiry = town.doku.ask("POST", "/_sandbox/inquire", &body);
        assert!(inquiry["problem"].is_null(), "{inquiry}");
        (inquiry["http_status"].as_u64().unwrap(), inquiry["status"].as_str().unwrap().to_owned())
    };
    for quirks in [r#""code_as_number""#, r#""without_identifiers""#, r#""misspelt_identifiers""#, r#""extra_fields","same_id""#] {
        if quirks.contains("same_id") {
            // The same id with another body: which of the two was meant cannot be said.
            assert_eq!(ask(quirks), (401, "invalid_signature".into()));
        } else {
            assert_eq!(ask(quirks), (200, "success".into()), "{quirks}");
        }
    }
    for quirks in [r#""stale""#, r#""forged""#, r#""unsigned""#] {
        assert_eq!(ask(quirks), (401, "invalid_signature".into()), "{quirks}");
    }
    town.paid("8896512345678121", r#","inquiry_quirks":["code_as_number","extra_fields","misspelt_identifiers"]"#);
    town.agrees("N00", "P00", "L00");
}

#[test]
fn the_servers_paths_are_the_merchants_choice() {
    let paths = ["/hooks/doku/ask", "/hooks/doku/paid"];
    let [ask, paid] = paths;
    let town = Town::open_at(paths, &format!("inquiry_path = \"{ask}\"\nnotification_path = \"{paid}\"\n"), &[]);
    let head = format!("{HEAD},override_notification_url");
    let url = format!("http://{}{paid}", town.shop.address);
    town.issue(&head, &["Q-1,150000,Ani,,alfa,inquiry,01,,,,", &format!("A-1,90000,Siti,,alfa,,,,,,{url}")]);
    for code in town.codes().values() {
        town.paid(code, "");
    }
    town.agrees("N00x2", "P00x2", "L00x2");
    assert_eq!(town.asked("01"), "billing_already_paid");
}

#[test]
fn urls_with_a_query_are_asked_notified_and_matched_like_any_other() {
    let paths = ["/doku/inquiry?tenant=7", "/payments/notifications?tenant=7&next=%2Fa/b"];
    let town = Town::open_at(paths, "", &[]);
    town.issue(HEAD, &["Q-1,150000,Ani,,alfa,inquiry,01,,,", "A-1,90000,Siti,,alfa,,,,,", "I-1,60000,Budi,,alfa,,,,,"]);
    assert_eq!(town.asked("01"), "success");
    for code in town.codes().values() {
        town.paid(code, "");
    }
    town.agrees("N00x3", "P00x3", "L00x3");
    assert_eq!(town.asked("01"), "billing_already_paid");
    let target = |line: &Value| line["target"].as_str().unwrap().to_owned();
    assert!(town.shop.lines("notifications-").iter().all(|line| target(line) == paths[1]), "kept as posted");
    assert!(town.shop.lines("inquiries-").iter().all(|line| target(line) == paths[0]), "kept as posted");
    assert!(town.shop.logs("forged-").is_empty());
}

#[test]
fn what_changes_while_the_customer_stands_at_the_counter_is_found_to_the_rupiah() {
    let town = Town::open("", &[]);
    let rows = ["Q-1,150000,Ani,,alfa,inquiry,01,,,", "Q-2,200000,Budi,,alfa,inquiry,02,,,", "Q-3,90000,Siti,,alfa,inquiry,03,,,"];
    town.issue(HEAD, &rows);
    for code in ["01", "02", "03"] {
        assert_eq!(town.asked(code), "success");
    }
    town.issue(HEAD, &["Q-1,175000,Ani,,alfa,inquiry,01,,,", "Q-2,,,,,,,,,cancel", "Q-3,90000,Siti,,alfa,inquiry,03,,,"]);
    // Payments are dated in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    // The cashier has the amounts on the screen and takes them.
    for (code, amount) in [("01", 150_000), ("02", 200_000), ("03", 90_000)] {
        town.doku.exchange("POST", "/simulator/pay", &format!("payment_code={code}&amount={amount}"));
    }
    town.delivered();
    until("the ledger has every payment", || town.ledger() == (3, 440_000));
    let logs = town.shop.world.path("logs/notifications-*").display().to_string();
    assert_eq!(reconciled(&town.shop.world, &logs, 1), ["N00x3", "P00 P08 P10", "L00x2 L11"]);
    let rows = town.shop.world.rows("report/discrepancies.csv");
    let found: [Vec<&str>; 3] =
        ["class", "invoice_number", "amount_difference"].map(|column| rows.iter().map(|row| row[column].as_str()).collect());
    let expected = [vec!["L11", "P08"], vec!["Q-1", "Q-2"], vec!["-25000", "0"]];
    assert_eq!(found, expected);
}
