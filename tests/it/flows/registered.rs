//! Codes that DOKU knows: made by it, or made by the merchant and registered there.

use super::town::{NOWHERE, Town};

const HEAD: &str = "invoice_number,amount,customer_name,email,channel,method,payment_code,receipt_description,policy_number,action";

#[test]
fn alfa_codes_made_by_doku_are_paid_notified_and_matched() {
    let town = Town::open("", &[]);
    town.issue(HEAD, &["A-1,150000,Ani,ani@example.com,alfa,,,,9090901234,", "A-2,275000,Budi,,alfa,,,,,", "A-3,90000,Siti,,alfa,,,,,"]);
    let codes = town.codes();
    town.paid(&codes["A-1"], "");
    town.paid(&codes["A-2"], "");
    assert_eq!(town.pays(&codes["A-1"], "").unwrap_err().lines().next(), Some("the code is paid already"));
    town.agrees("N00x2", "P00x2", "L00x2 L01");
    assert_eq!(town.ledger(), (2, 425_000));
    assert!(town.shop.world.run(&["why", "A-1"]).expect(0).stdout.contains("paid Rp150.000"));
    assert!(town.doku.look("/_sandbox/inquiries").is_empty(), "nobody is asked about a code DOKU knows");
}

#[test]
fn alfa_codes_made_by_the_merchant_given_or_numbered_are_paid_notified_and_matched() {
    let settings = "[intake]\nmerchant_bin = \"889650\"\n[merchant_code]\ntemplate = \"{bin}{sequence}\"\n";
    let town = Town::open(settings, &[]);
    town.issue(HEAD, &["M-1,150000,Ani,,alfa,merchant,8896500000000777,,,", "M-2,275000,Budi,,alfa,merchant,,,,"]);
    let codes = town.codes();
    assert_eq!((codes["M-1"].as_str(), codes["M-2"].as_str()), ("8896500000000777", "8896500000000778"));
    for code in codes.values() {
        town.paid(code, "");
    }
    town.agrees("N00x2", "P00x2", "L00x2");
}

#[test]
fn indomaret_codes_are_paid_notified_and_matched() {
    let town = Town::open("", &[]);
    town.issue(HEAD, &["I-1,150000,Ani,,indomaret,,,Premi Oktober,,", "I-2,275000,Budi,,indomaret,,,Premi Oktober,,"]);
    for code in town.codes().values() {
        town.paid(code, "");
    }
    town.agrees("N00x2", "P00x2", "L00x2");
}

#[test]
fn an_amended_code_is_paid_at_its_new_amount_and_a_cancelled_one_not_at_all() {
    let town = Town::open("", &[]);
    town.issue(HEAD, &["A-1,150000,Ani,,alfa,,,,,", "A-2,275000,Budi,,alfa,,,,,"]);
    let codes = town.codes();
    town.issue(HEAD, &["A-1,175000,Ani,,alfa,,,,,", "A-2,,,,,,,,,cancel"]);
    town.paid(&codes["A-1"], "");
    assert_eq!(town.pays(&codes["A-2"], "").unwrap_err().lines().next(), Some("the code is cancelled"));
    town.agrees("N00", "P00", "L00 L03");
    assert_eq!(town.ledger(), (1, 175_000));
}

#[test]
fn a_bills_own_notification_url_is_used_instead_of_the_configured_one() {
    let head = HEAD.replace("action", "override_notification_url");
    let town = Town::open("", &["--notify", NOWHERE]);
    let url = format!("http://{}/payments/notifications", town.shop.address);
    let rows = [
        format!("A-1,150000,Ani,,alfa,,,,,{url}"),
        format!("I-1,90000,Budi,,indomaret,,,Premi,,{url}"),
        format!("Q-1,60000,Siti,,alfa,inquiry,01,,,{url}"),
    ];
    town.issue(&head, &rows.each_ref().map(String::as_str));
    for code in town.codes().values() {
        town.paid(code, "");
    }
    town.agrees("N00x3", "P00x3", "L00x3");
    let went_to = |delivery: &serde_json::Value| delivery["attempts"][0]["url"].as_str().unwrap().to_owned();
    assert!(town.doku.look("/_sandbox/deliveries").iter().all(|delivery| went_to(delivery) == url));
}
