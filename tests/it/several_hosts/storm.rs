//! A server with room for few: hosts that come all at once wait for each other, or say that there is no room, and lose nothing.

use crate::serve::shop::{Message, Shop};
use crate::support::cluster::Cluster;
use crate::support::world::{Doku, Ran, World, until};

/// A server with seven connections for all hosts, three more being its administrator's, and a database that is `host`'s.
fn cramped() -> (Cluster, String) {
    let cluster = Cluster::start(true);
    cluster.configure("local all all trust\nhost all all 127.0.0.1/32 trust\n", "max_connections = 10\nautovacuum = off");
    cluster.stop("INT");
    cluster.run();
    cluster.sql("postgres", "CREATE ROLE host LOGIN");
    let database = cluster.database();
    cluster.sql("postgres", &format!("ALTER DATABASE {database} OWNER TO host"));
    let url = cluster.url_of("host", &database);
    (cluster, url)
}

fn at(world: &World, url: &str, wait_seconds: u64) {
    world.reconfigure("[ledger]\n", &format!("[ledger]\nurl = \"{url}\"\nlease_seconds = 2\nwait_seconds = {wait_seconds}\n"));
}

#[test]
fn hosts_that_start_all_at_once_at_a_server_with_ten_connections_issue_every_row_once() {
    const ROWS: usize = 60;
    let (cluster, url) = cramped();
    let doku = Doku::process();
    let worlds: Vec<World> = (0..8).map(|_| World::of(&doku)).collect();
    for world in &worlds {
        at(world, &url, 5);
        world.many("many.csv", "M", ROWS);
    }
    // One makes the tables; the rest of it is for all.
    worlds[0].file("one.csv", "invoice_number,amount,customer_name,channel\nONE,10000,Ani,alfa\n");
    worlds[0].issue("one.csv", &[]).expect(0);
    let storm = |world: &World| world.start(&[("TAGIH_PACING_BURST", "8")], &["issue", "many.csv", "--out", "out"]);
    let mut refused = 0;
    for round in 0.. {
        let running: Vec<_> = worlds.iter().map(storm).collect();
        let ended: Vec<Ran> = running.into_iter().map(Ran::of).collect();
        for ran in &ended {
            assert!(matches!(ran.code, 0 | 3 | 9) && !ran.stderr.contains("panicked"), "{ran:#?}");
            if ran.code == 9 {
                refused += 1;
                assert!(ran.stderr.contains("has no room for another connection"), "{ran:#?}");
            }
        }
        if ended.iter().all(|ran| ran.code == 0) {
            break;
        }
        assert!(round < 20, "they never come to an end: {ended:#?}");
    }
    eprintln!("{refused} runs found no room");
    assert_eq!((doku.orders().len(), doku.calls().len()), (ROWS + 1, ROWS + 1), "each once");
    worlds[0].run(&["ledger", "verify"]).expect(0);
    drop(cluster);
}

#[test]
fn a_server_without_room_is_said_and_no_notification_is_acknowledged_until_there_is_some() {
    let (cluster, url) = cramped();
    let database = url.rsplit('/').next().unwrap();
    let mut shop = Shop::new("");
    at(&shop.world, &url, 1);
    shop.many(2);
    shop.open();
    cluster.sql("postgres", &format!("ALTER DATABASE {database} CONNECTION LIMIT 0"));
    cluster.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"));
    assert_eq!(shop.send(&Message::notification(1, "T-1")).status, 503);
    shop.world.run(&["status"]).expect(9).says(&["has no room for another connection"]);
    cluster.sql("postgres", &format!("ALTER DATABASE {database} CONNECTION LIMIT -1"));
    until("it is acknowledged", || shop.send(&Message::notification(1, "T-1")).status == 200);
    assert_eq!(shop.payments().len(), 1);
}
