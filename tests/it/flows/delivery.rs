//! On the way from DOKU to the merchant: what is lost, late, twice, overtaken or forged.

use super::town::Town;
use crate::support::world::until;

const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code";
/// DOKU's half hour takes half a second.
const FAST: [&str; 2] = ["--time-scale", "3600"];

#[test]
fn a_lost_notification_is_found_by_sync_resent_and_counted_once() {
    let town = Town::open("[sync]\nspacing_seconds = 0\n", &[]);
    town.issue(HEAD, &["A-1,150000,Ani,alfa,,", "Q-1,275000,Budi,alfa,inquiry,01", "A-2,90000,Siti,alfa,,"]);
    let codes = town.codes();
    town.paid(&codes["A-1"], r#","notify":false"#);
    town.paid("01", r#","notify":false"#);
    town.paid(&codes["A-2"], "");
    town.delivered();
    assert_eq!(town.deliveries(), ["lost", "lost", "confirmed"]);
    until("the ledger has the one that was notified", || town.ledger() == (1, 90_000));
    let ran = town.shop.world.run(&["sync", "A-1", "Q-1"]).expect(0);
    assert!(ran.stdout.contains("2 bills asked about: 2 paid"), "{ran:?}");
    town.reports("N00", "P00 P19x2", "L00x3", (3, 515_000));
    assert_eq!(town.ledger(), (1, 90_000), "no notification, no proof");
    assert_eq!(town.asked("01"), "billing_already_paid", "what DOKU itself has called paid is not asked for twice");
    for delivery in [1, 2] {
        town.doku.ask("POST", "/_sandbox/resend", &format!(r#"{{"delivery":{delivery}}}"#));
    }
    town.agrees("N00x3", "P00x3", "L00x3");
}

#[test]
fn what_came_while_the_server_was_down_is_delivered_on_dokus_schedule() {
    let mut town = Town::open("", &FAST);
    town.issue(HEAD, &["A-1,150000,Ani,alfa,,", "Q-1,275000,Budi,alfa,inquiry,01"]);
    let codes = town.codes();
    assert_eq!(town.asked("01"), "success");
    assert_eq!(town.shop.close(), Some(0));
    assert!(town.pays("01", "").unwrap_err().starts_with("the inquiry failed: no answer"), "nobody vouches for it");
    town.paid(&codes["A-1"], "");
    let first_attempt = || town.doku.look("/_sandbox/deliveries")[0]["attempts"][0].clone();
    until("the first attempt has failed", || !first_attempt().is_null());
    assert!(first_attempt()["status"].is_null(), "{}", first_attempt());
    town.shop.open();
    town.delivered();
    assert_eq!(town.deliveries(), ["confirmed"]);
    town.paid("01", "");
    town.agrees("N00x2", "P00x2", "L00x2");
}

#[test]
fn twice_forged_failed_or_overtaken_each_payment_counts_once() {
    let town = Town::open("", &FAST);
    let rows: Vec<String> = (1..=6).map(|n| format!("A-{n},{},Ani,alfa,,", 100_000 + n)).collect();
    town.issue(HEAD, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let codes = town.codes();
    for (invoice, quirk) in [
        ("A-1", "held_back"),
        ("A-2", "duplicated"),
        ("A-3", "forged_beside"),
        ("A-4", "failed_first"),
        ("A-5", "forged"),
        ("A-6", "tampered"),
    ] {
        town.paid(&codes[invoice], &format!(r#","quirk":"{quirk}""#));
    }
    town.delivered();
    // A-5's money exists in a forger's message only; A-6's notification was changed on its way, and comes again.
    assert_eq!(town.shop.lines("forged-").len(), 3);
    let forged = town.doku.look("/_sandbox/deliveries").iter().filter(|one| one["attempts"][0]["status"] == 401).count();
    assert_eq!(forged, 3, "each was refused");
    town.paid(&codes["A-6"], r#","quirk":{"repeated":"new"}"#);
    town.agrees("N00x5 N06 N09", "P00x5", "L00x5 L01");
    assert_eq!(town.ledger(), (5, 500_016));
}

#[test]
fn a_campaign_under_every_notification_fault_ends_with_each_payment_once() {
    let town = Town::open(
        "[sync]\nspacing_seconds = 0\n",
        &[&FAST[..], &["--notification-faults", "60", "--seed", "7", "--redelivery-id", "same"]].concat(),
    );
    let rows: Vec<String> = (1..=24)
        .map(|n| {
            let code = if n % 2 == 0 { format!("inquiry,88{n:02}") } else { ",".into() };
            format!("A-{n:02},{},Ani,alfa,{code}", 100_000 + n)
        })
        .collect();
    town.issue(HEAD, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let codes = town.codes();
    for code in codes.values() {
        town.paid(code, "");
    }
    town.delivered();
    let deliveries = town.doku.look("/_sandbox/deliveries");
    let lost: Vec<&serde_json::Value> = deliveries.iter().filter(|delivery| delivery["state"] == "lost").collect();
    assert!(!lost.is_empty());
    for delivery in &lost {
        town.doku.ask("POST", "/_sandbox/resend", &format!(r#"{{"delivery":{}}}"#, delivery["number"]));
    }
    town.delivered();
    let count = |note: &str| deliveries.iter().filter(|delivery| delivery["note"] == note).count();
    let (duplicates, failed, forged) = (count("duplicate"), count("failed"), count("forged"));
    assert!(duplicates > 0 && failed > 0 && forged > 0);
    assert_eq!(town.shop.lines("forged-").len(), forged);
    let times = |class: &str, count: usize| if count == 1 { class.to_owned() } else { format!("{class}x{count}") };
    // What comes again word for word, once it was acknowledged, is not kept again.
    let repeated = town.shop.lines("notifications-").len() - 24 - failed;
    assert!(repeated <= duplicates, "{repeated} of {duplicates}");
    let lines = [("N00", 24), ("N06", repeated), ("N08", 0), ("N09", failed)];
    let lines = lines.iter().filter(|(_, count)| *count > 0).map(|(class, count)| times(class, *count)).collect::<Vec<_>>().join(" ");
    town.agrees(&lines, "P00x24", "L00x24");
}
