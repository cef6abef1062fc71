//! Several `tagih serve` at one PostgreSQL: what one has acknowledged the next question of another knows.

use crate::reconcile::ours::summary;
use crate::serve::shop::{Answer, Message, Shop, code_of};
use crate::support::world::{SECRET, World, until};

/// Two servers on one ledger with `count` payable bills.
fn two_servers(count: usize) -> [Shop; 2] {
    let mut shops = [Shop::new("inquiry_suffix = \"-I\"\n"), Shop::new("inquiry_suffix = \"-I\"\n")];
    let [one, other] = shops.each_ref().map(|shop| &shop.world);
    super::shared_by(&[one, other], "");
    shops[0].many(count);
    shops.iter_mut().for_each(Shop::open);
    shops
}

fn named(answer: &Answer) -> String {
    answer.json()["order"]["invoice_number"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[test]
fn what_one_server_acknowledges_the_next_question_of_another_knows() {
    let [one, other] = two_servers(20);
    for number in 1..=20 {
        let ask = |shop: &Shop, id: &str| shop.send(&Message::inquiry(&format!("{id}-{number}"), &code_of(number)));
        assert_eq!(ask(&one, "before").word(), "success");
        let told = other.send(&Message::notification(number, &format!("T-{number}")));
        assert_eq!(told.status, 200);
        assert_eq!(ask(&one, "after").word(), "billing_already_paid", "at the very next question");
        assert_eq!(other.send(&Message::notification(number, &format!("T-{number}"))).status, 200, "it may come again");
        assert_eq!(one.send(&Message::notification(number, &format!("T-{number}"))).status, 200, "to any host");
    }
    assert_eq!(one.payments().len(), 20, "each counted once");
    one.world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_repeated_request_id_hears_the_same_from_any_server_signed_anew() {
    let [mut one, other] = two_servers(2);
    let inquiry = Message::inquiry("Q-1", &code_of(1));
    let first = one.send(&inquiry);
    assert_eq!(other.send(&Message::notification(1, "T-1")).status, 200);
    let again = other.send(&inquiry);
    assert_eq!((first.word(), &first.body, named(&first)), ("success".into(), &again.body, named(&again)));
    assert!(first.is_signed(SECRET, "Q-1") && again.is_signed(SECRET, "Q-1"));
    assert_eq!(other.send(&Message::inquiry("Q-2", &code_of(1))).word(), "billing_already_paid");
    // Under one id only one question is answered, on all hosts.
    assert_ne!(other.send(&Message::inquiry("Q-1", &code_of(2))).word(), "success");
    // A host that is restarted, and one that comes later, say the same.
    assert_eq!(one.close(), Some(0));
    one.open();
    assert_eq!(one.send(&inquiry).body, first.body);
}

#[test]
fn a_key_that_is_revoked_on_one_host_is_believed_on_none() {
    let [one, other] = two_servers(3);
    assert_eq!(other.send(&Message::notification(1, "T-1")).status, 200);
    let now = jiff::Timestamp::now().to_string();
    one.world.run(&["keys", "revoke", "--received-after", &now, "--reason", "leak", "--by", "Siti"]).expect(0);
    for (number, shop) in [(2, &one), (3, &other)] {
        until("it has heard", || shop.send(&Message::inquiry(&format!("Q-{}", jiff::Timestamp::now()), &code_of(number))).status == 401);
        assert_eq!(shop.send(&Message::notification(number, "T-2")).status, 401);
        let listed = shop.world.run(&["keys", "list"]).expect(0).stdout;
        assert!(listed.contains("revoked after") && listed.contains("Siti"), "{listed}");
    }
    other.world.run(&["keys", "reinstate", "present", "--reason", "found", "--by", "Budi"]).expect(0);
    until("it is believed again", || one.send(&Message::notification(2, "T-2")).status == 200);
    one.world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn servers_are_restarted_one_by_one_without_a_message_lost_or_refused() {
    let mut shops = two_servers(60);
    let mut number = 0;
    for turn in 0..2 {
        assert_eq!(shops[turn].close(), Some(0));
        for _ in 0..15 {
            number += 1;
            assert_eq!(shops[1 - turn].send(&Message::inquiry(&format!("I-{number}"), &code_of(number))).word(), "success");
            assert_eq!(shops[1 - turn].send(&Message::notification(number, &format!("T-{number}"))).status, 200);
        }
        shops[turn].open();
        for shop in &shops {
            assert_eq!(shop.send(&Message::inquiry(&format!("A-{number}-{turn}"), &code_of(number))).word(), "billing_already_paid");
        }
    }
    let lines: usize = shops.iter().map(|shop| shop.lines("notifications-").len()).sum();
    assert_eq!((shops[0].payments().len(), lines), (30, 30), "each host keeps its own log, and both have all");
    until("nothing waits", || shops.iter().all(|shop| shop.get("/healthz").status == 200));
}

#[test]
fn a_notification_in_the_logs_of_several_hosts_counts_once() {
    let shops = two_servers(3);
    for (shop, number) in [(&shops[0], 1), (&shops[1], 2), (&shops[0], 3), (&shops[1], 3)] {
        assert_eq!(shop.send(&Message::notification(number, &format!("T-{number}"))).status, 200);
    }
    let [one, other] = shops.each_ref().map(|shop| shop.world.path("logs/notifications-*.jsonl").display().to_string());
    let world = &shops[0].world;
    for order in [[&one, &other], [&other, &one]] {
        world.run(&["reconcile", "--period", "2026-10", "--notifications", order[0], order[1], "--out", "report"]);
        let report = summary(&world.path("report"));
        let lines = ["N00", "N06"].map(|class| report["lines"][class]["count"].clone());
        let payments: u64 = report["payments"].as_object().unwrap().values().map(|class| class["count"].as_u64().unwrap()).sum();
        assert_eq!((lines, payments), ([3.into(), 1.into()], 3), "{report}");
    }
}

#[test]
fn where_the_ledger_is_away_a_notification_is_not_acknowledged_and_comes_again() {
    use crate::support::cluster::Cluster;
    let cluster = Cluster::start(true);
    let mut shop = Shop::new("");
    let url = cluster.url(&cluster.database());
    shop.world.reconfigure("[ledger]\n", &format!("[ledger]\nurl = \"{url}\"\nwait_seconds = 1\n"));
    shop.many(2);
    shop.open();
    cluster.stop("INT");
    assert_eq!(shop.send(&Message::notification(1, "T-1")).status, 503, "another host would let it be paid again");
    cluster.run();
    until("it is acknowledged", || shop.send(&Message::notification(1, "T-1")).status == 200);
    assert_eq!(shop.send(&Message::inquiry("Q", &code_of(1))).word(), "billing_already_paid");
    assert_eq!(shop.payments().len(), 1);
    let _: &World = &shop.world;
}
