//! Strangers who send too much, too slowly, twice, or elsewhere: each is refused, while an honest client beside them is served.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::shop::*;
use crate::support::world::until;

/// Runs `attack` while an honest client keeps asking; it must always be served. Like any proxy it opens a new connection when
/// an idle one was closed.
fn beside_an_honest_client(shop: &Shop, attack: impl FnOnce()) {
    let (over, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        // Also when the attack fails its test: nobody would wait for the honest client otherwise.
        let _end = End(&over);
        let honest = scope.spawn(|| {
            let mut line = shop.connect();
            let mut served = |message: &Message| {
                let answer = line.exchange(&message.bytes()).or_else(|_| {
                    line = shop.connect();
                    line.exchange(&message.bytes())
                });
                assert_eq!(answer.unwrap().status, 200);
            };
            while !over.load(Ordering::Relaxed) {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                served(&Message::inquiry(&format!("honest-{number}"), &code_of(1)));
                served(&Message::notification(2, &format!("honest-{number}")));
            }
        });
        until("the honest client is served", || asked.load(Ordering::Relaxed) > 2 || honest.is_finished());
        attack();
        let before = asked.load(Ordering::Relaxed);
        until("it still is", || asked.load(Ordering::Relaxed) > before + 2 || honest.is_finished());
        over.store(true, Ordering::Relaxed);
        honest.join().unwrap();
    });
}

/// Ends the honest client's day.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn shop(settings: &str) -> Shop {
    let mut shop = Shop::new(settings);
    shop.many(2);
    shop.open();
    shop
}

#[test]
fn bodies_and_heads_that_are_too_large_are_refused() {
    let shop = shop("body_bytes_max = 2048\n");
    beside_an_honest_client(&shop, || {
        let body = |length: usize| format!("{{\"transaction\":\"{}\"}}", "x".repeat(length - 18));
        assert_eq!(shop.send(&Message::new(NOTIFICATION, "fits", body(2_048))).status, 200);
        assert_eq!(shop.send(&Message::new(NOTIFICATION, "large", body(2_049))).status, 413);
        assert_eq!(shop.send(&Message::new(INQUIRY, "large", body(2_049))).status, 413);
        // Without an announced length, it is counted as it comes; with one, the announcement is enough.
        let chunk = format!("800\r\n{}\r\n", "x".repeat(0x800));
        let head = format!("POST {INQUIRY} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(shop.connect().exchange(format!("{head}{chunk}{chunk}").as_bytes()).unwrap().status, 413);
        let head = format!("POST {INQUIRY} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
        assert_eq!(shop.connect().exchange(head.as_bytes()).unwrap().status, 413);
        let large_head = Message::inquiry("id", &code_of(1)).and("X-Long", &"x".repeat(20_000));
        assert_eq!(shop.send(&large_head).status, 431);
        let many = (0..80).fold(Message::inquiry("id", &code_of(1)), |message, n| message.and(&format!("X-{n}"), "x"));
        assert_eq!(shop.send(&many).status, 431);
    });
}

#[test]
fn slow_clients_lose_their_connection() {
    let shop = shop("header_timeout_ms = 2000\nbody_timeout_ms = 2000\n");
    beside_an_honest_client(&shop, || {
        // Silent ones, half a head, half a body.
        let message = Message::inquiry("slow", &code_of(1)).bytes();
        let head = message.len() - inquiry_body(&format!("{:?}", code_of(1))).len();
        let mut slow: Vec<Line> = (0..12).map(|_| shop.connect()).collect();
        for (index, line) in slow.iter_mut().enumerate() {
            line.write(&message[..[0, 20, head + 5][index % 3]]).unwrap();
        }
        for (index, line) in slow.iter_mut().enumerate() {
            let answer = line.read();
            match index % 3 {
                2 => assert_eq!(answer.unwrap().status, 408, "half a body"),
                _ => assert!(answer.is_err() || answer.unwrap().status == 408, "half a head"),
            }
            let mut rest = Vec::new();
            assert!(line.stream.read_to_end(&mut rest).is_err() || rest.is_empty(), "the connection ends");
        }
        // One byte at a time does not prolong it.
        let mut drip = shop.connect();
        let dripped = message.iter().try_for_each(|byte| {
            thread::sleep(std::time::Duration::from_millis(20));
            drip.write(&[*byte])
        });
        assert!(dripped.is_err() || drip.read().map_or(true, |answer| answer.status == 408), "a whole message came through, drop by drop");
        // An idle connection is closed as well, after an answer.
        let mut idle = shop.connect();
        assert_eq!(idle.exchange(&Message::inquiry("idle", &code_of(1)).bytes()).unwrap().status, 200);
        let mut rest = Vec::new();
        assert!(idle.stream.read_to_end(&mut rest).is_err() || rest.is_empty());
    });
}

#[test]
fn connections_above_the_cap_are_turned_away_until_there_is_a_place() {
    let shop = shop("connections_max = 4\nheader_timeout_ms = 60000\n");
    until("the first look is over", || shop.metric("tagih_connections") == 1);
    beside_an_honest_client(&shop, || {
        // Beside the honest client's there are three more places.
        let silent: Vec<Line> = (0..3).map(|_| shop.connect()).collect();
        for number in 0..20 {
            let turned_away = shop.connect().exchange(&Message::inquiry(&format!("more-{number}"), &code_of(1)).bytes());
            assert!(turned_away.as_ref().map_or(true, |answer| answer.status == 503), "{turned_away:?}");
        }
        drop(silent);
        until("there is a place again", || {
            let again = shop.connect().exchange(&Message::inquiry("again", &code_of(1)).bytes());
            again.is_ok_and(|answer| answer.status == 200)
        });
    });
    assert!(shop.metric("tagih_connections_refused_total") >= 20);
}

#[test]
fn one_address_does_not_take_the_places_of_all_others() {
    let shop = shop("connections_max = 16\nconnections_per_address_max = 4\nproxies = [\"127.0.0.9\"]\nbody_timeout_ms = 60000\n");
    until("the first look is over", || shop.metric("tagih_connections") == 1);
    beside_an_honest_client(&shop, || {
        // A stranger sends bodies that never end, from as many connections as there are places in all.
        let slow = Message::notification(2, "slow").bytes();
        let mut held: Vec<Line> = (0..16).map(|_| Line::from("127.0.0.2", &shop.address).unwrap()).collect();
        for line in &mut held {
            drop(line.write(&slow[..slow.len() - 1]));
        }
        let answers = held.split_off(4).into_iter().map(|mut line| line.read());
        assert!(answers.into_iter().all(|answer| answer.is_err() || answer.is_ok_and(|answer| answer.status == 503)), "it has its share");
        for number in 0..20 {
            let mut other = Line::from("127.0.0.3", &shop.address).unwrap();
            let asked = other.exchange(&Message::inquiry(&format!("other-{number}"), &code_of(1)).bytes());
            assert_eq!(asked.unwrap().status, 200, "and no more");
        }
        // A proxy speaks for many.
        let mut proxied: Vec<Line> = (0..3).map(|_| Line::from("127.0.0.9", &shop.address).unwrap()).collect();
        let number = std::cell::Cell::new(0);
        let served = |line: &mut Line| {
            number.set(number.get() + 1);
            line.exchange(&Message::inquiry(&format!("proxied-{}", number.get()), &code_of(1)).bytes())
                .is_ok_and(|answer| answer.status == 200)
        };
        assert!(proxied.iter_mut().all(served));
    });
}

#[test]
fn strangers_that_hold_all_places_give_way_to_whoever_comes_and_who_is_doku_keeps_its_own() {
    let shop = shop(
        "connections_max = 16\nconnections_per_address_max = 4\nproxies = [\"127.0.0.9\"]\nheader_timeout_ms = 60000\nbody_timeout_ms = 60000\n",
    );
    until("the first look is over", || shop.metric("tagih_connections") == 1);
    beside_an_honest_client(&shop, || {
        let slow = Message::notification(2, "slow").bytes();
        // Heads that do not end, bodies that do not, and connections that say nothing, from four addresses, as many as there are places.
        let hold = |slow_lines: &mut Vec<Line>| {
            for number in 0..16 {
                let mut line = Line::from(["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"][number / 4], &shop.address).unwrap();
                drop(line.write(match number % 3 {
                    0 => &[],
                    1 => &slow[..20],
                    _ => &slow[..slow.len() - 1],
                }));
                slow_lines.push(line);
            }
        };
        let mut slow_lines = Vec::new();
        for round in 0..20 {
            hold(&mut slow_lines);
            // Nobody knows it yet, and each time it is another.
            let mut newcomer = Line::from(&format!("127.0.1.{}", round + 1), &shop.address).unwrap();
            let asked = newcomer.exchange(&Message::inquiry(&format!("newcomer-{round}"), &code_of(1)).bytes());
            assert_eq!(asked.unwrap().status, 200, "round {round}");
        }
        // What was recorded once proves nothing when it is sent again.
        let recorded = Message::inquiry("newcomer-0", &code_of(1)).bytes();
        let mut replaying: Vec<Line> = (0..4).map(|_| Line::from("127.0.0.7", &shop.address).unwrap()).collect();
        for line in &mut replaying {
            drop(line.exchange(&recorded));
        }
        let address = |number: usize| format!("127.0.2.{}", number + 1);
        slow_lines.extend((0..20).map(|number| Line::from(&address(number), &shop.address).unwrap()));
        let given_up = replaying.iter_mut().filter_map(|line| line.exchange(&recorded).err()).count();
        assert!(given_up > 0, "replaying keeps no place");
    });
}

#[test]
fn a_client_that_never_reads_its_answers_loses_its_place() {
    let shop = shop("header_timeout_ms = 2000\nbody_timeout_ms = 2000\n");
    beside_an_honest_client(&shop, || {
        // Requests in a row, until nothing goes through any more: the answers fill every buffer on the way back.
        let mut deaf = shop.connect();
        deaf.stream.get_ref().set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        let requests = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
        let stuck = (0..10_000).find_map(|_| deaf.write(requests.as_bytes()).err());
        assert!(stuck.is_some(), "the server took everything without an end");
        // The honest client's, this very one, and perhaps the one before it.
        until("the server has let go of it", || shop.metric("tagih_connections") <= 2);
    });
}

#[test]
fn other_methods_and_paths_lead_nowhere() {
    let shop = shop("");
    beside_an_honest_client(&shop, || {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
            for path in [INQUIRY, NOTIFICATION] {
                let answer = shop.send(&Message { method, path: path.into(), headers: Vec::new(), body: Vec::new() });
                assert_eq!((answer.status, answer.headers.get("allow").map(String::as_str)), (405, Some("POST")), "{method} {path}");
            }
        }
        let tricks = [
            "/",
            "/doku",
            "/doku/",
            "/doku/inquiry/",
            "//doku/inquiry",
            "/doku//inquiry",
            "/doku/./inquiry",
            "/doku/x/../inquiry",
            "/doku/%69nquiry",
            "/doku%2finquiry",
            "/doku/inquiry%00",
            "/doku/inquiry;x",
            "/DOKU/INQUIRY",
            "/doku/inquiry/?x=1",
            "/doku?/doku/inquiry",
            "/?path=/doku/inquiry",
            "/%2e/doku/inquiry",
            "/metrics/../doku/inquiry",
            "*",
            "/doku/inquiry/%2e%2e",
        ];
        for path in tricks {
            // Signed for the true path: nothing but the way it is written is wrong.
            let inquiry = Message { path: path.into(), ..Message::inquiry(path, &code_of(1)) };
            let answer = shop.send(&inquiry);
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
            assert!(answer.body.is_empty(), "{path}: {answer:?}");
        }
    });
}

#[test]
fn bytes_that_are_no_request_and_headers_with_line_ends_end_the_connection() {
    let shop = shop("");
    beside_an_honest_client(&shop, || {
        let good = Message::inquiry("id", &code_of(1));
        let spoiled = |name: &str, value: &str| {
            let mut bytes = Vec::new();
            for line in String::from_utf8(good.bytes()).unwrap().split_inclusive("\r\n") {
                let replaced = line.starts_with(name).then(|| format!("{name}: {value}\r\n"));
                bytes.extend_from_slice(replaced.as_deref().unwrap_or(line).as_bytes());
            }
            bytes
        };
        let requests: Vec<(&str, Vec<u8>)> = vec![
            ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(4)),
            ("no request line", b"hello\r\n\r\n".to_vec()),
            ("a bare CR in a value", spoiled("Request-Id", "id\rX-Injected: 1")),
            ("a NUL in a value", spoiled("Request-Id", "id\0")),
            ("a folded value", spoiled("Request-Id", "i\r\n d")),
            ("a space in a name", spoiled("Request-Id", "id\r\nX Y: 1")),
            ("two lengths", spoiled("Content-Length", "5\r\nContent-Length: 6")),
            ("no length of a number", spoiled("Content-Length", "-1")),
            ("HTTP/2 upon us", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ];
        for (what, bytes) in requests {
            let mut line = shop.connect();
            line.write(&bytes).unwrap();
            drop(line.stream.get_ref().shutdown(std::net::Shutdown::Write));
            let answer = line.read();
            assert!(answer.as_ref().map_or(true, |answer| (400..500).contains(&answer.status)), "{what}: {answer:?}");
        }
        // A line end smuggled in makes a header of its own, which is not the signed one any more.
        let smuggled = spoiled("Request-Id", "id\r\nRequest-Id: id");
        assert_eq!(shop.connect().exchange(&smuggled).unwrap().status, 401);
        // Pipelined requests are answered one after the other.
        let mut line = shop.connect();
        line.write(&[Message::inquiry("p1", &code_of(1)).bytes(), Message::inquiry("p2", "404").bytes()].concat()).unwrap();
        assert_eq!((line.read().unwrap().status, line.read().unwrap().status), (200, 404));
    });
}

#[test]
fn a_second_server_and_wrong_settings_are_refused_with_their_exit_codes() {
    let mut shop = shop("");
    let second = shop.world.run(&["serve"]).expect(6);
    assert!(second.stderr.contains("E0602"), "{second:?}");
    let taken = shop.address.clone();
    shop.world.reconfigure("log_dir = \"logs\"", "log_dir = \"logs2\"");
    shop.world.run(&["serve", "--listen", &taken]).expect(2).says(&["E0603", &taken]);
    shop.world.run_with(&[("TAGIH_SERVE_LOG_DIR", "tagih.toml")], &["serve"]).expect(9).says(&["E0601", "tagih.toml"]);
    for (variable, value) in [
        ("TAGIH_SERVE_INQUIRY_PATH", "/a/../b"),
        ("TAGIH_SERVE_INQUIRY_PATH", "/{code}"),
        ("TAGIH_SERVE_INQUIRY_PATH", "/payments/notifications"),
        ("TAGIH_SERVE_NOTIFICATION_PATH", "/metrics"),
        ("TAGIH_SERVE_BODY_BYTES_MAX", "10000000"),
        ("TAGIH_SERVE_LISTEN", "everywhere"),
    ] {
        shop.world.run_with(&[(variable, value)], &["serve"]).expect(2).says(&["serve."]);
    }
    assert_eq!(shop.close(), Some(0));
}
