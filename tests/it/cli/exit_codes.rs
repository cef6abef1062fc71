//! Every exit code, produced for real. 7 is in `bad_input`.

use std::net::TcpListener;

use tagih::sandbox::fault::{FaultKind, Faults};

use crate::support::world::{Doku, Ran, SECRET, World, bytes_in, signal, until};

/// Slow enough to be met in the middle of a run.
const SLOW: [(&str, &str); 2] = [("TAGIH_PACING_RATE_PER_SECOND", "20"), ("TAGIH_PACING_BURST", "1")];

fn endless(kind: FaultKind) -> Faults {
    Faults { consecutive_max: u32::MAX, ..Faults::only(kind) }
}

/// An address where nobody listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn exit_0_and_a_second_run_makes_no_call() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "Z", 12);
    let ran = world.issue("bills.csv", &[]).expect(0);
    assert!(ran.stdout.contains("12 rows: 12 issued; results in out"), "{}", ran.stdout);
    assert_eq!(doku.calls().len(), 12);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("12 unchanged", 12), "I21");
    assert_eq!(world.rows("out/accepted.csv").len(), 12, "accepted.csv holds every live code, whoever issued it");
}

#[test]
fn exit_1_for_rows_doku_or_tagih_refuses_and_the_others_are_done() {
    let doku = Doku::process();
    let (here, elsewhere) = (World::of(&doku), World::of(&doku));
    elsewhere.bills("bills.csv", &["DUP,500,Siti,alfa,,,,,"]);
    elsewhere.issue("bills.csv", &[]).expect(0);
    here.bills("bills.csv", &["DUP,900,Budi,alfa,,,,,", "NEW,900,Budi,alfa,,,,,", "GONE,,,,,,,cancel,"]);
    here.issue("bills.csv", &[]).expect(3);
    assert_eq!(here.buckets(), "1 in_doubt, 1 issued, 1 refused", "the number is somebody's: nobody is billed twice");
    assert!(here.column("out/deferred.csv", "reason")[0].contains("ledger import"));
    assert_eq!(here.column("out/rejected.csv", "code"), ["E0308"]);
    doku.pay("NEW", "");
    here.bills("bills.csv", &["NEW,950,Budi,alfa,,,,,", "GONE,,,,,,,cancel,"]);
    here.issue("bills.csv", &[]).expect(1);
    assert_eq!(here.buckets(), "1 refused, 1 rejected");
    assert_eq!(here.column("out/rejected.csv", "code"), ["E0401", "E0308"]);
    let calls = doku.calls().len();
    here.issue("bills.csv", &[]).expect(1);
    assert_eq!(here.column("out/rejected.csv", "code"), ["E0401", "E0308"], "the person is told again");
    assert_eq!(doku.calls().len(), calls, "what DOKU refused is not sent again");
    here.issue("bills.csv", &["--retry-rejected"]).expect(1);
    assert_eq!(doku.calls().len(), calls + 1, "unless it is asked for");
}

/// Environment, arguments, and what must be said.
type WrongUse<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

#[test]
fn exit_2_for_every_wrong_use_before_anything_is_sent_or_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let world = World::at(&url, "");
    world.many("bills.csv", "U", 3);
    world.file("typo.toml", "[pacing]\nrate_per_secnod = 3\n");
    world.file("broken.toml", "[pacing\n");
    world.file(
        "production.toml",
        "[doku]\nenvironment = \"production\"\nbase_url = \"https://127.0.0.1:1\"\nother_host = \"127.0.0.1:1\"\n",
    );
    let open = world.file("open-secret", SECRET);
    let too_open = [("TAGIH_DOKU_SECRET_FILE", open.to_str().unwrap())];
    let issue = &["issue", "bills.csv"][..];
    let production = &["--config", "production.toml", "issue", "bills.csv"][..];
    let cases: Vec<WrongUse<'_>> = vec![
        (&[], &["issue", "bills.csv", "--frobnicate"], &["--frobnicate"]),
        (&[], &["isue"], &["isue", "issue"]),
        (&[], &["issue"], &["FILE"]),
        (&[], &[], &["Usage"]),
        (&[], &["--config", "typo.toml", "status"], &["typo.toml", "`pacing.rate_per_secnod`", "did you mean `pacing.rate_per_second`?"]),
        (&[], &["--config", "broken.toml", "status"], &["broken.toml"]),
        (&[], &["--config", "none.toml", "status"], &["`none.toml` cannot be read"]),
        (&[("TAGIH_PACING_BRUST", "3")], issue, &["TAGIH_PACING_BRUST", "did you mean `TAGIH_PACING_BURST`?"]),
        (&[("TAGIH_PACING_BURST", "many")], issue, &["TAGIH_PACING_BURST", "a whole number", "`many`"]),
        (&[("TAGIH_PACING_BURST", "0")], issue, &["must be 1 to"]),
        (&[("TAGIH_INTAKE_AMOUNT_FORMAT", "euro")], issue, &["intake.amount_format", "`euro`"]),
        (&[("TAGIH_DOKU_CLIENT_ID", "")], issue, &["`doku.client_id` is not set", "TAGIH_DOKU_CLIENT_ID"]),
        (&[("TAGIH_DOKU_SECRET_FILE", "")], issue, &["no DOKU secret"]),
        (&[("TAGIH_DOKU_SECRET_FILE", "nowhere")], issue, &["there is no file where", "doku.secret_file"]),
        (&too_open, issue, &["others can read it", "chmod 600"]),
        (&[("TAGIH_DOKU_ENVIRONMENT", "production")], issue, &["https://"]),
        (&[("TAGIH_DOKU_BASE_URL", "http://10.0.0.1")], issue, &["https://"]),
        (&[("TAGIH_DOKU_BASE_URL", "https://api.doku.com")], issue, &["production host"]),
        (&[("TAGIH_DOKU_CLIENT_ID", "X"), ("TAGIH_DOKU_SECRET", SECRET)], production, &["--yes"]),
        (&[], &["issue", "bills.csv", "--max-duration", "soon"], &["--max-duration soon", "`30m`"]),
        (&[], &["issue", "bills.csv", "--until", "25:00"], &["--until 25:00", "`05:30`"]),
        (&[], &["sync"], &["there is no ledger"]),
        (&[], &["cancel", "U-0001"], &["there is no ledger"]),
        (&[], &["status"], &["there is no ledger"]),
        (&[], &["ledger", "verify"], &["there is no ledger"]),
        (&[], &["cancel", "not a ünvoice"], &["neither a file nor an invoice number"]),
        (&[], &["cancel", "bills.csv", "U-0001"], &["`bills.csv` is a file"]),
        (&[], &["explain", "E9999"], &["no code `E9999`"]),
    ];
    let before = bytes_in(&world.path(""));
    for (variables, arguments, words) in cases {
        let mut command = if arguments.contains(&"--config") { crate::support::world::program() } else { world.command(&[]) };
        let output = command.current_dir(world.path("")).args(arguments).envs(variables.iter().copied()).output().unwrap();
        let ran = Ran::from(output).expect(2).says(words);
        assert!(!ran.stderr.contains(SECRET), "I22");
        let after: Vec<String> = bytes_in(&world.path("")).into_keys().filter(|name| name != "tagih.ledger.lock").collect();
        assert_eq!(after, before.keys().cloned().collect::<Vec<_>>(), "{arguments:?} left something behind");
    }
    assert!(listener.accept().is_err(), "nobody called");
}

#[test]
fn exit_2_when_the_ledger_belongs_to_another_client_or_environment() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "B", 2);
    world.issue("bills.csv", &[]).expect(0);
    let other = [("TAGIH_DOKU_CLIENT_ID", "OTHER")];
    for arguments in [&["issue", "bills.csv"][..], &["issue", "bills.csv", "--dry-run"], &["status"], &["sync"], &["why", "B-0001"]] {
        world.run_with(&other, arguments).expect(2).says(&["belongs to environment `sandbox`", "`OTHER`"]);
    }
    let production = [
        ("TAGIH_DOKU_ENVIRONMENT", "production"),
        ("TAGIH_DOKU_BASE_URL", "https://127.0.0.1:1"),
        ("TAGIH_DOKU_OTHER_HOST", "127.0.0.1:1"),
    ];
    world.run_with(&production, &["issue", "bills.csv", "--yes"]).expect(2).says(&["`production`"]);
    assert_eq!(doku.calls().len(), 2);
}

#[test]
fn production_demands_a_ledger_or_new_ledger_and_creates_none_by_itself() {
    let production = [
        ("TAGIH_DOKU_ENVIRONMENT", "production"),
        ("TAGIH_DOKU_BASE_URL", "https://127.0.0.1:1"),
        ("TAGIH_DOKU_OTHER_HOST", "127.0.0.1:1"),
    ];
    let world = World::at("http://127.0.0.1:1", "");
    world.many("bills.csv", "P", 2);
    world.run_with(&production, &["issue", "bills.csv", "--yes"]).expect(2).says(&["there is no ledger", "--new-ledger"]);
    world.run_with(&production, &["issue", "bills.csv", "--dry-run"]).expect(2).says(&["there is no ledger"]);
    assert!(!world.path("tagih.ledger").exists());
    world.run_with(&production, &["sandbox"]).expect(2).says(&["production"]);
    // With it the run goes on as far as the network, where nobody is: not sent, so nothing is in doubt.
    let ran = world.run_with(&production, &["issue", "bills.csv", "--yes", "--new-ledger"]);
    let ran = ran.expect(3);
    assert!(ran.stdout.contains("2 rows: 2 deferred"), "{}", ran.stdout);
}

#[test]
fn exit_3_when_the_time_is_over_and_the_same_command_finishes() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "T", 40);
    let ran = world.run_with(&SLOW, &["issue", "bills.csv", "--out", "out", "--max-duration", "500ms"]).expect(3);
    ran.says(&["stopped: the time given to it is over; the same command resumes"]);
    let issued = doku.orders().len();
    assert!((1..40).contains(&issued), "{issued}");
    assert_eq!(world.buckets(), format!("{} deferred, {issued} issued", 40 - issued));
    assert_eq!(world.rows("out/deferred.csv").len(), 40 - issued);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((doku.orders().len(), doku.calls().len()), (40, 40), "nothing is sent twice");
}

#[test]
fn exit_3_when_doku_throttles_beyond_the_attempts_and_nothing_is_in_doubt() {
    let doku = Doku::here(endless(FaultKind::TooManyRequests));
    let world = World::of(&doku);
    world.many("bills.csv", "L", 5);
    world.issue("bills.csv", &[]).expect(3);
    assert_eq!(world.buckets(), "5 deferred");
    assert!(world.column("out/deferred.csv", "reason").iter().all(|reason| reason.contains("429")));
    assert_eq!(doku.calls().len(), 20, "I17: four attempts each");
    assert_eq!(world.statuses(), [("planned".to_owned(), 5)].into());
    doku.set_faults(Faults::none());
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders().len()), ("5 issued", 5));
}

#[test]
fn exit_4_at_once_when_the_secret_is_wrong_and_all_goes_well_with_the_right_one() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "S", 60);
    let ran = world.run_with(&[("TAGIH_DOKU_SECRET", "SK-wrong-0123456789")], &["issue", "bills.csv", "--out", "out"]).expect(4);
    let ran = ran.says(&["E0405", "Invalid Header Signature"]);
    assert!(!ran.stderr.contains("SK-wrong-0123456789"), "I22");
    // Three refusals in a row prove it: the first two may each have been followed by another beside the four under way.
    assert!(doku.calls().len() <= 2 + 4, "nothing new is sent after the third refusal, not {}", doku.calls().len());
    assert_eq!(world.buckets(), "60 deferred");
    assert_eq!(world.statuses(), [("planned".to_owned(), 60)].into(), "nothing is in doubt");
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders().len()), ("60 issued", 60));
}

#[test]
fn exit_5_when_nobody_answers_and_nothing_is_in_doubt() {
    let world = World::at(&closed_port(), "");
    world.many("bills.csv", "K", 60);
    world.issue("bills.csv", &[]).expect(5).says(&["breaker"]);
    assert_eq!(world.buckets(), "60 deferred");
    assert_eq!(world.statuses(), [("planned".to_owned(), 60)].into());
    let doku = Doku::process();
    world.run_with(&[("TAGIH_DOKU_BASE_URL", &doku.base_url())], &["issue", "bills.csv", "--out", "out"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders().len()), ("60 issued", 60));
}

#[test]
fn exit_5_when_doku_is_down_leaves_at_most_in_flight_doubts_and_the_next_run_settles_them() {
    let doku = Doku::here(endless(FaultKind::ServerErrorAfter));
    let world = World::of(&doku);
    world.many("bills.csv", "D", 30);
    world.run_with(&[("TAGIH_RETRY_BREAKER_FAILURES", "6")], &["issue", "bills.csv", "--out", "out"]).expect(5);
    let doubts = world.column("out/deferred.csv", "state").iter().filter(|state| *state == "in_doubt").count();
    assert!((6..=6 + 3).contains(&doubts), "the six operations that opened it, and those beside the last: {doubts}");
    let made = doku.orders();
    doku.set_faults(Faults::none());
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(doku.orders().len(), 30);
    let accepted: Vec<String> = world.column("out/accepted.csv", "payment_code");
    assert!(made.values().all(|order| accepted.contains(&order.code)), "I7: every code DOKU made is found again");
}

#[test]
fn exit_6_names_the_holder_and_readers_go_on() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "H", 100);
    let first = world.start(&SLOW, &["issue", "bills.csv", "--out", "out"]);
    until("the first codes are made", || doku.orders().len() > 2);
    let holder = format!("`issue`, process {}", first.id());
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nNEW,99,alfa,1000\n");
    let senders: [&[&str]; 6] = [
        &["issue", "bills.csv", "--out", "other"],
        &["sync"],
        &["cancel", "H-0001"],
        &["ledger", "import", "codes.csv"],
        &["ledger", "purge", "--before", "2026-01-01"],
        &["resolve", "H-0001", "--as", "done", "--reason", "seen"],
    ];
    for arguments in senders {
        world.run(arguments).expect(6).says(&["another sender holds the ledger", &holder, "hint: "]);
    }
    world.run(&["status"]).expect(0);
    world.run(&["why", "H-0001"]).expect(0);
    world.run(&["ledger", "verify"]).expect(0);
    world.run(&["ledger", "backup", "copy.ledger"]).expect(0);
    world.run(&["issue", "bills.csv", "--dry-run"]).expect(0);
    signal(&first, "TERM");
    Ran::of(first).expect(143);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((doku.orders().len(), doku.calls().len()), (100, 100));
}

#[test]
fn exit_8_for_a_damaged_ledger_and_nothing_is_sent_from_it() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "X", 3);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["ledger", "verify"]).expect(0);
    let head = world.summary()["ledger_head"].as_str().unwrap().to_owned();
    let whole = bytes_in(&world.path(""))["tagih.ledger"].clone();
    let last = "(SELECT MAX(sequence) FROM events)";
    let damages = [
        ("UPDATE events SET event = replace(event, 'planned', 'retired') WHERE sequence = 1".to_owned(), false),
        ("UPDATE terms SET text = replace(text, '10001', '99999')".to_owned(), false),
        (format!("UPDATE events SET at = at + 1 WHERE sequence = {last}"), true),
        (format!("DELETE FROM events WHERE sequence = {last} - 1"), true),
        ("UPDATE bills SET amount = amount + 1".to_owned(), false),
        ("DELETE FROM bills WHERE invoice_number = 'X-0002'".to_owned(), false),
        ("UPDATE bills SET status = 'planned'".to_owned(), false),
    ];
    for (sql, is_seen_when_opened) in damages {
        world.file("tagih.ledger", &whole);
        let connection = rusqlite::Connection::open(world.path("tagih.ledger")).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA foreign_keys = OFF; DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_never_removed; {sql};"
            ))
            .unwrap();
        drop(connection);
        world.run(&["ledger", "verify"]).expect(8).says(&["E0502", "hint: "]);
        if is_seen_when_opened {
            world.issue("bills.csv", &[]).expect(8).says(&["damaged"]);
        }
    }
    for (bytes, words) in [(&b"not a ledger at all"[..], "damaged"), (&whole[..whole.len() / 2], "damaged"), (b"", "damaged")] {
        world.file("tagih.ledger", bytes);
        world.run(&["ledger", "verify"]).expect(8).says(&[words]);
        world.issue("bills.csv", &[]).expect(8).says(&[words, "send nothing"]);
    }
    world.file("tagih.ledger", &whole);
    world.run(&["ledger", "verify", "--head", &head]).expect(0);
    assert_eq!(doku.calls().len(), 3, "nothing was sent");
}

#[test]
fn exit_9_when_results_or_ledger_cannot_be_written_and_nothing_is_sent() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "W", 3);
    world.file("a-file", "");
    world.run(&["issue", "bills.csv", "--out", "a-file/out"]).expect(9).says(&["`a-file/out` cannot be written", "hint: "]);
    let missing = [("TAGIH_LEDGER_PATH", "missing/folder/tagih.ledger")];
    world.run_with(&missing, &["issue", "bills.csv", "--out", "out"]).expect(9).says(&["missing/folder/tagih.ledger"]);
    assert_eq!(doku.calls().len(), 0);
}

#[test]
fn exit_9_when_the_disk_is_full_in_the_middle_and_the_next_run_loses_no_code() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "F", 150);
    // A file-size limit whose signal is ignored makes every further write fail, as a full disk does.
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\"";
    let tagih = world.command(&["issue", "bills.csv", "--out", "out"]);
    let mut limited = std::process::Command::new("sh");
    limited.env_clear().current_dir(world.path("")).args(["-c", script]).arg(tagih.get_program()).args(tagih.get_args());
    Ran::from(limited.output().unwrap()).expect(9).says(&["tagih.ledger", "hint: check free space"]);
    let made = doku.orders();
    assert!((1..150).contains(&made.len()), "{}", made.len());
    world.run(&["ledger", "verify"]).expect(0);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(doku.orders().len(), 150);
    let accepted = world.column("out/accepted.csv", "payment_code");
    assert!(made.values().all(|order| accepted.contains(&order.code)), "I7");
}

#[test]
fn exit_130_and_143_drain_record_and_resume() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let doku = Doku::process();
        let world = World::of(&doku);
        world.many("bills.csv", name, 60);
        let child = world.start(&SLOW, &["issue", "bills.csv", "--out", "out"]);
        until("the first codes are made", || doku.orders().len() > 2);
        signal(&child, name);
        Ran::of(child).expect(code).says(&["stopped: interrupted by a signal; the same command resumes"]);
        let issued = u64::try_from(doku.orders().len()).unwrap();
        assert_eq!(world.summary()["exit_code"], code);
        assert_eq!(world.buckets(), format!("{} deferred, {issued} issued", 60 - issued));
        assert_eq!(world.statuses(), [("active".to_owned(), issued), ("planned".to_owned(), 60 - issued)].into());
        world.issue("bills.csv", &[]).expect(0);
        assert_eq!((doku.orders().len(), doku.calls().len()), (60, 60), "nothing is sent twice");
    }
}

#[test]
fn calls_name_their_headers_as_doku_spells_them() {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::at(&format!("http://{}", listener.local_addr().unwrap()), "");
    world.many("bills.csv", "H", 1);
    let head = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 16_384];
        let length = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    world.run_with(&[("TAGIH_RETRY_ATTEMPTS_MAX", "1")], &["issue", "bills.csv"]).expect(3);
    let head = head.join().unwrap();
    for name in ["Client-Id", "Request-Id", "Request-Timestamp", "Signature", "Content-Type"] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name}: {head}");
    }
}
