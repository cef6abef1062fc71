//! How fast a run is, how it is stopped, and what it says then.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tagih::sandbox::fault::{FaultKind, Faults};

use crate::support::world::{Doku, Ran, World, signal, until};

/// Every answer takes so long.
fn slow(delay_ms: u64) -> Faults {
    Faults { consecutive_max: u32::MAX, delay_ms, ..Faults::only(FaultKind::DelayAfter) }
}

fn endless(kind: FaultKind) -> Faults {
    Faults { consecutive_max: u32::MAX, ..Faults::only(kind) }
}

/// A world whose configuration says nothing of pacing but the rate.
fn paced(doku: &Doku, pacing: &str) -> World {
    let world = World::of(doku);
    world.reconfigure("rate_per_second = 5000\nburst = 100\nin_flight_max = 4", pacing);
    world
}

#[test]
fn at_300_ms_the_default_settings_use_the_rate_and_the_plan_says_how_long_that_takes() {
    let doku = Doku::here(slow(300));
    let world = paced(&doku, "rate_per_second = 50");
    world.many("bills.csv", "R", 200);
    let plan: Value = serde_json::from_str(&world.run(&["issue", "bills.csv", "--dry-run", "--json"]).expect(0).stdout).unwrap();
    let begun = Instant::now();
    let ran = world.issue("bills.csv", &[]).expect(0);
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap();
    let planned_ms = plan["duration_ms"].as_u64().unwrap();
    assert_eq!((planned_ms, plan["seconds"].as_u64()), (4_300, Some(4)), "200 calls at 50 a second, the last one waited for");
    assert!(took_ms >= 4_200, "{took_ms} ms");
    // Its best second, for a busy machine may be slower as a whole; eight at a time would make 26 in any.
    let mut at: Vec<Timestamp> = doku.calls().iter().map(|call| call["at"].as_str().unwrap().parse().unwrap()).collect();
    at.sort();
    let in_a_second = |from: &Timestamp| at.iter().filter(|at| *at >= from && at.duration_since(*from).as_millis() < 1_000).count();
    let best = at.iter().map(in_a_second).max();
    assert!(best >= Some(45), "{best:?} in its best second, and {took_ms} ms");
    assert!(!ran.stderr.contains("in_flight_max"), "{}", ran.stderr);
}

#[test]
fn the_old_default_of_eight_is_warned_of_with_the_rate_it_allows() {
    let doku = Doku::here(slow(300));
    let world = paced(&doku, "rate_per_second = 50\nin_flight_max = 8");
    world.many("bills.csv", "W", 40);
    let words = ["`pacing.in_flight_max = 8` allows about 2", "requests a second", "`pacing.rate_per_second = 50` is not reached"];
    let dry = world.run(&["issue", "bills.csv", "--dry-run"]).expect(0).says(&words);
    assert!(dry.stderr.contains("about 26 requests a second while DOKU takes 300 ms"), "{}", dry.stderr);
    world.issue("bills.csv", &[]).expect(0).says(&words);
    let quick = paced(&doku, "rate_per_second = 20\nin_flight_max = 8");
    quick.many("bills.csv", "Q", 5);
    assert!(!quick.issue("bills.csv", &[]).expect(0).stderr.contains("in_flight_max"), "at 20 a second it is no limit");
}

/// The reasons in summary.json, as `COUNT × REASON`.
fn reasons(world: &World, key: &str) -> Vec<String> {
    let summary = world.summary();
    let list = summary[key].as_array().unwrap_or_else(|| panic!("{summary}"));
    list.iter().map(|one| format!("{} × {}", one["count"], one["reason"].as_str().unwrap())).collect()
}

#[test]
fn exit_3_and_5_say_at_once_and_at_the_end_why_and_how_often() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let no_tls = TcpListener::bind("127.0.0.1:0").unwrap();
    let tls_url = format!("https://{}", no_tls.local_addr().unwrap());
    std::thread::spawn(move || {
        no_tls.incoming().for_each(|stream| drop(std::io::Write::write_all(&mut stream.unwrap(), b"no TLS here\n")));
    });
    let down = Doku::here(endless(FaultKind::UnavailableBefore));
    let cases = [
        (format!("http://{closed}"), format!("{closed} takes no connection: "), true),
        ("https://nowhere.invalid".to_owned(), "nowhere.invalid is not known (DNS): ".to_owned(), true),
        (tls_url.clone(), format!("{} has no TLS that can be trusted: ", tls_url.trim_start_matches("https://")), true),
        (down.base_url(), "HTTP 503".to_owned(), false),
    ];
    for (url, reason, is_unreachable) in cases {
        let world = World::at(&url, "");
        if url.starts_with("https://nowhere") {
            world.reconfigure("[doku]\n", "[doku]\nother_host = \"nowhere.invalid\"\n");
        }
        world.reconfigure("[retry]\n", "[retry]\nbreaker_failures = 6\n");
        world.many("bills.csv", "E", 12);
        let ran = world.issue("bills.csv", &[]).expect(5).says(&["stopped: ", "attempts without success: ", &reason]);
        assert_eq!(ran.stderr.contains("it is tried again"), is_unreachable, "{url}: {}", ran.stderr);
        let failed = reasons(&world, "attempts_failed");
        let count: u64 = failed[0].split_once(" × ").unwrap().0.parse().unwrap();
        assert!(failed[0].contains(&reason) && count >= 6, "{failed:?}");
        assert!(reasons(&world, "rows_left_over").iter().any(|row| row.contains(&reason)), "{url}");
        assert!(!ran.stderr.contains("invoice"), "{}", ran.stderr);
    }
    let doku = Doku::here(Faults::none());
    let world = World::of(&doku);
    world.many("bills.csv", "F", 3);
    let ran = world.issue("bills.csv", &[]).expect(0);
    assert!(!ran.stderr.contains("attempts") && reasons(&world, "attempts_failed").is_empty(), "{}", ran.stderr);
}

#[test]
fn proxies_of_the_environment_are_used_only_where_the_configuration_says_so() {
    let doku = Doku::process();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let variables = [("HTTP_PROXY", url.as_str()), ("http_proxy", &url), ("HTTPS_PROXY", &url), ("ALL_PROXY", &url)];
    let world = World::of(&doku);
    world.many("bills.csv", "P", 2);
    let ran = world.run_with(&variables, &["issue", "bills.csv", "--out", "out"]).expect(0);
    ran.says(&["HTTPS_PROXY, ALL_PROXY, HTTP_PROXY, http_proxy is set and not used", "`doku.use_environment_proxy = true`"]);
    assert!(proxy.accept().is_err(), "nobody asked the proxy");
    let shown = world.run_with(&variables, &["config", "show"]).expect(0).says(&["HTTPS_PROXY", "not used"]).stdout;
    assert!(shown.contains("use_environment_proxy = false") && shown.contains("proxy = \"\""), "{shown}");
    world.many("more.csv", "M", 1);
    let one_try = ("TAGIH_RETRY_ATTEMPTS_MAX", "1");
    let time_limit = ("TAGIH_TIMEOUT_REQUEST_MS", "300");
    let by_environment = [&variables[..], &[("TAGIH_DOKU_USE_ENVIRONMENT_PROXY", "true"), one_try, time_limit]].concat();
    world.run_with(&by_environment, &["issue", "more.csv", "--out", "out"]);
    assert!(proxy.accept().is_ok(), "by the environment, where that is wanted");
    while proxy.accept().is_ok() {}
    world.many("third.csv", "T", 1);
    world.run_with(&[("TAGIH_DOKU_PROXY", &url), one_try, time_limit], &["issue", "third.csv", "--out", "out"]);
    assert!(proxy.accept().is_ok(), "by the configuration");
    for (value, words) in [("http://me:pw@proxy:1", "name or password"), ("proxy:3128", "must be a URL")] {
        let ran = world.run_with(&[("TAGIH_DOKU_PROXY", value)], &["config", "show"]).expect(2).says(&[words]);
        assert!(!ran.stderr.contains("me:pw"), "I22: {}", ran.stderr);
    }
}

/// Starts a command by another program.
fn started(by: &str, arguments: &[&str], command: &Command) -> std::process::Child {
    let mut starts = Command::new(by);
    starts.args(arguments).arg(command.get_program()).args(command.get_args()).env_clear();
    starts.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    starts.current_dir(command.get_current_dir().unwrap()).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    starts.spawn().unwrap()
}

#[test]
fn a_hang_up_stops_as_a_termination_does_and_a_run_under_nohup_goes_on() {
    let doku = Doku::here(slow(50));
    let world = paced(&doku, "rate_per_second = 20\nburst = 1");
    world.many("bills.csv", "HUP", 60);
    let tagih = world.command(&["issue", "bills.csv", "--out", "out"]);
    // Whoever runs the tests under nohup has its signal ignored by all that they start.
    let child = started("env", &["--default-signal=HUP"], &tagih);
    until("the first codes are made", || doku.orders().len() > 2);
    signal(&child, "HUP");
    Ran::of(child).expect(143).says(&["stopped: interrupted by a signal; the same command resumes"]);
    assert!(doku.orders().len() < 60);
    let before = doku.orders().len();
    let child = started("sh", &["-c", "trap '' HUP; exec \"$0\" \"$@\""], &tagih);
    until("it goes on", || doku.orders().len() > before);
    signal(&child, "HUP");
    Ran::of(child).expect(0);
    assert_eq!(doku.orders().len(), 60);
}

#[test]
fn a_second_interrupt_says_what_is_waited_for() {
    let doku = Doku::here(slow(5_000));
    let world = paced(&doku, "rate_per_second = 20");
    world.many("bills.csv", "I", 30);
    let child = world.start(&[], &["issue", "bills.csv", "--out", "out"]);
    until("requests are under way", || doku.orders().len() > 2);
    signal(&child, "INT");
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "INT");
    let ran = Ran::of(child).expect(130);
    ran.says(&["stopping: nothing new is sent", "still stopping: ", "requests are under way and may take 10 s", "in doubt"]);
    assert!(world.buckets().contains("issued"), "what was under way was waited for");
}

#[test]
fn until_a_time_that_has_just_passed_is_refused_before_anything_is_sent() {
    let world = World::at("http://127.0.0.1:1", "");
    world.many("bills.csv", "U", 1);
    let now = Command::new("date").env("TZ", "UTC-7").args(["-d", "1 minute ago", "+%H:%M"]).output().unwrap();
    let time = String::from_utf8(now.stdout).unwrap().trim().to_owned();
    if time == "23:59" {
        return; // A minute ago was yesterday, and that time is still to come.
    }
    let ran = world.issue("bills.csv", &["--until", &time]).expect(2);
    ran.says(&[&format!("`--until {time}` has passed"), &format!("tomorrow {time}")]);
    assert!(!world.path("tagih.ledger").exists());
}

#[test]
fn a_doubt_that_is_overdue_ends_with_1_before_3() {
    let doku = Doku::here(endless(FaultKind::ServerErrorAfter));
    let world = World::of(&doku);
    world.many("bills.csv", "O", 2);
    world.issue("bills.csv", &[]).expect(3);
    assert_eq!(world.buckets(), "2 in_doubt");
    // Whatever is in doubt is overdue.
    let overdue = [("TAGIH_DOUBT_OVERDUE_HOURS", "0")];
    world.run_with(&overdue, &["issue", "bills.csv", "--out", "out"]).expect(1).says(&["has been in doubt for more than", "tagih resolve"]);
    assert_eq!(world.summary()["exit_code"], 1);
    world.run_with(&overdue, &["sync"]).expect(1);
    doku.set_faults(Faults::none());
    world.run_with(&overdue, &["issue", "bills.csv", "--out", "out"]).expect(0);
}
