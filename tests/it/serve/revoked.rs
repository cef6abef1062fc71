//! A key is revoked while the server runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;

use super::shop::{INQUIRY, Message, NOTIFICATION, Shop, code_of, inquiry_body, notification_body};
use crate::support::world::{SECRET, World, until};

const FORMER: &str = "SK-before-0123456789";

fn told(secret: &str, number: usize, id: &str) -> Message {
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Message::signed_as(secret, NOTIFICATION, id, &stamp, notification_body(number, id, "SUCCESS"))
}

fn revoke(world: &World, key: &str) {
    let now = Timestamp::now().to_string();
    world.run(&["keys", "revoke", key, "--received-after", &now, "--reason", "leak", "--by", "Siti"]).expect(0);
}

fn two_keys(shop: &Shop) {
    let previous = shop.world.file("previous", FORMER);
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    let both = format!("secret_file_previous = \"{}\"\nprevious_until = \"2099-01-01\"\n[ledger]", previous.display());
    shop.world.reconfigure("[ledger]", &both);
}

/// What an inquiry signed by `secret` is answered.
fn status(shop: &Shop, secret: &str) -> u16 {
    let now = Timestamp::now();
    let stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let body = inquiry_body(&format!("\"{}\"", code_of(9)));
    shop.send(&Message::signed_as(secret, INQUIRY, &format!("q-{now}"), &stamp, body)).status
}

#[test]
fn a_server_that_runs_hears_of_a_revocation_and_of_its_end_and_a_started_one_knows_it() {
    let mut shop = Shop::new("");
    shop.many(9);
    two_keys(&shop);
    shop.open();
    assert_eq!(shop.send(&told(FORMER, 1, "before")).status, 200);
    until("it is in the ledger", || shop.payments().len() == 1);
    revoke(&shop.world, "previous");
    until("it has heard", || status(&shop, FORMER) == 401);
    assert!(shop.said().contains("a key was revoked"), "{}", shop.said());
    assert_eq!(shop.send(&told(FORMER, 2, "after")).status, 401);
    assert_eq!((status(&shop, SECRET), shop.send(&told(SECRET, 3, "present")).status), (200, 200), "the other key is believed");
    // It stands through a reload of the settings, and a restart, which reads the log again.
    shop.signal("HUP");
    for _ in 0..10 {
        assert_eq!(status(&shop, FORMER), 401);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    shop.kill();
    shop.start();
    assert_eq!(status(&shop, FORMER), 401, "from its first message on");
    until("the server is ready", || shop.get("/healthz").status == 200);
    assert_eq!(shop.payments(), ["N-00001", "N-00003"]);
    shop.world.run(&["keys", "reinstate", "previous", "--reason", "found", "--by", "Siti"]).expect(0);
    until("it is believed again", || status(&shop, FORMER) == 200);
    assert_eq!(shop.send(&told(FORMER, 2, "again")).status, 200);
    // The present one, too, though then nothing is believed any more.
    revoke(&shop.world, "present");
    until("it has heard of the present key", || status(&shop, SECRET) == 401);
    assert_eq!((shop.send(&told(SECRET, 4, "last")).status, status(&shop, FORMER)), (401, 200));
    assert_eq!(shop.close(), Some(0));
}

#[test]
fn what_came_after_a_leak_and_before_it_was_said_is_not_caught_up_with_again() {
    let mut shop = Shop::new("");
    shop.many(9);
    shop.open();
    let leaked = Timestamp::now().to_string();
    std::thread::sleep(std::time::Duration::from_millis(10));
    assert_eq!(shop.send(&told(SECRET, 1, "forged")).status, 200);
    until("it is in the ledger", || shop.payments().len() == 1);
    assert_eq!(shop.close(), Some(0));
    // The ledger is lost, and made anew.
    fs::remove_file(shop.world.path("tagih.ledger")).unwrap();
    drop(shop.ledger());
    shop.many(9);
    shop.world.run(&["keys", "revoke", "--received-after", &leaked, "--reason", "leak", "--by", "Siti"]).expect(0);
    shop.open();
    assert!(shop.payments().is_empty());
}
