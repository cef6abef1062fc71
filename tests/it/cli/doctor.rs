//! `tagih doctor` on real machines' faults: what it finds, what it says to do, and what it ends with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::world::{Doku, Ran, World, program, until};

/// The findings of a kind, as `level found`.
fn found(ran: &Ran, check: &str) -> Vec<String> {
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let of_check = told["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    let findings = of_check.map(|finding| {
        assert!((finding["level"] == "ok") == text(finding, "remedy").is_empty(), "{finding}");
        format!("{} {}", text(finding, "level"), text(finding, "found"))
    });
    findings.collect()
}

#[track_caller]
fn says(ran: &Ran, check: &str, words: &str) {
    let findings = found(ran, check);
    assert!(findings.iter().any(|finding| finding.contains(words)), "`{words}` is missing: {findings:#?}");
}

#[test]
fn a_machine_that_is_well_is_called_so_and_quiet_says_nothing_of_it() {
    let doku = Doku::process();
    // Not below /tmp, which is a finding of its own.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let world = World::on_disk(&doku.base_url(), "");
    world.many("bills.csv", "D", 2);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["ledger", "backup", &folder.path().join("tagih.ledger").display().to_string()]).expect(0);
    fs::copy(world.path("secret"), folder.path().join("secret")).unwrap();
    for name in ["tagih.ledger", "secret"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let paths = "[ledger]\npath = \"tagih.ledger\"\n[journal]\npath = \"tagih.journal\"\n";
    let settings = format!(
        "[doku]\nbase_url = \"{}\"\nclient_id = \"{}\"\nsecret_file = \"secret\"\n{paths}",
        doku.base_url(),
        crate::support::world::CLIENT
    );
    fs::write(folder.path().join("tagih.toml"), settings).unwrap();
    let run = |more: &[&str]| {
        let mut command = program();
        command.current_dir(folder.path()).args(["doctor", "--config", "tagih.toml"]).args(more);
        Ran::from(command.env("TZ", "UTC").output().unwrap())
    };
    let told = run(&["--json"]);
    // How many files a shell may open, how fast its disk is and how full, is not for a test to say.
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let of_this_machine = ["space", "sync", "file_system", "limit"];
    for finding in told["findings"].as_array().unwrap() {
        let check = finding["check"].as_str().unwrap();
        assert!(finding["level"] == "ok" || of_this_machine.contains(&check), "{finding}");
    }
    if told["warnings"] == 0 && told["errors"] == 0 {
        let quiet = run(&["--quiet"]);
        // A disk may be slower the second time; of anything else there is nothing to say.
        let said = quiet.stdout.lines().filter(|line| !line.starts_with(' '));
        let others: Vec<&str> =
            said.filter(|line| !of_this_machine.iter().any(|check| line.starts_with(&format!("warning  {check} ")))).collect();
        assert!(others.is_empty() && quiet.stderr.is_empty(), "{quiet:?}");
    }
    let text = run(&[]).stdout;
    assert!(text.contains("ok       clock         within 5 s of DOKU's") && text.contains("2 bills are whole"), "{text}");
}

#[test]
fn secrets_of_every_shape_are_told_without_being_shown() {
    let world = World::on_disk("http://127.0.0.1:9", "");
    let doctor = |variables: &[(&str, &str)]| world.run_with(variables, &["doctor", "--offline", "--json"]);
    for (bytes, words, code) in [
        (&b"\xef\xbb\xbfSK-canary\n"[..], "error `{}` (`doku.secret_file`) begins with a byte order mark", 2),
        (b"SK-canary\r\n", "warning `{}` (`doku.secret_file`) ends with CR LF", 1),
        (b"SK-canary\n\n", "error `{}` (`doku.secret_file`) holds a line end", 2),
        (b"SK-canary ", "error `{}` (`doku.secret_file`) has blanks around it", 2),
        (b"", "error `{}` (`doku.secret_file`) is empty", 2),
    ] {
        let path = world.file("secret", bytes);
        let ran = doctor(&[]).expect(code);
        says(&ran, "secret", &words.replace("{}", &path.display().to_string()));
        assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"), "{ran:?}");
    }
    world.file("secret", "SK-canary");
    fs::set_permissions(world.path("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    says(&doctor(&[]).expect(2), "secret", "has mode 644");
    fs::remove_file(world.path("secret")).unwrap();
    says(&doctor(&[]).expect(2), "secret", "cannot be read");
    says(&doctor(&[("TAGIH_DOKU_SECRET", "SK-canary\n\n")]).expect(2), "secret", "TAGIH_DOKU_SECRET holds a line end");
    // A credential counts where no file is named.
    world.reconfigure("secret_file = ", "secret_file_previous = ");
    world.file("doku_secret", b"\xef\xbb\xbfSK-canary");
    let folder = world.path("").display().to_string();
    let ran = doctor(&[("CREDENTIALS_DIRECTORY", &folder)]).expect(2);
    says(&ran, "secret", "doku_secret` begins with a byte order mark");
    says(&ran, "secret", "(`doku.secret_file_previous`) cannot be read");
    says(&doctor(&[]).expect(2), "secret", "there is none");
}

#[test]
fn what_settings_and_environment_are_is_told() {
    let world = World::on_disk("http://127.0.0.1:9", "[retry.x]\n");
    let ran = world.run(&["doctor", "--offline", "--json"]).expect(2);
    says(&ran, "configuration", "error");
    world.reconfigure("[retry.x]\n", "[serve]\nconnections_max = 65536\nfreshness_seconds = 0\nlisten = \"0.0.0.0:1\"\n");
    let ran = world.run_with(
        &[("HTTPS_PROXY", "http://p:1"), ("TZ", "Asia/Jakrta"), ("TAGIH_RECONCILE_UNVERIFIABLE", "trust_log")],
        &["doctor", "--offline", "--json"],
    );
    let ran = ran.expect(1);
    says(&ran, "proxy", "HTTPS_PROXY is set and not used");
    says(&ran, "limit", "connections_max = 65536");
    says(&ran, "time_zone", "knows no time zone `Asia/Jakrta`");
    says(&ran, "ledger", "there is none at");
    says(&ran, "place", "`journal.path` is");
    says(&ran, "place", "where the system clears up");
    for words in ["freshness_seconds = 0", "trust_log", "open to other machines"] {
        says(&ran, "risk", words);
    }
    let ran = world.run_with(
        &[
            ("TAGIH_DOKU_ENVIRONMENT", "production"),
            ("TAGIH_DOKU_BASE_URL", "https://doku.example"),
            ("TAGIH_DOKU_OTHER_HOST", "doku.example"),
            ("TAGIH_DOKU_CLIENT_ID", ""),
        ],
        &["doctor", "--offline", "--json"],
    );
    says(&ran.expect(2), "environment", "leads to doku.example, not to api.doku.com");
}

#[test]
fn a_damaged_or_older_ledger_a_sender_and_silence_are_told() {
    let doku = Doku::process();
    let world = World::on_disk(&doku.base_url(), "");
    world.many("bills.csv", "D", 3);
    world.issue("bills.csv", &[]).expect(0);
    let head = world.summary()["ledger_head"].as_str().unwrap().to_owned();
    let doctor = |more: &[&str]| world.run(&[&["doctor", "--offline", "--json"], more].concat());
    says(&doctor(&["--head", &head]), "chain", "ok 3 bills are whole, and the head that was given is in it");
    says(&doctor(&["--quick"]), "chain", "not verified (--quick)");
    says(&doctor(&["--quick"]), "ledger", &format!("ok it opens; head {head}"));
    let other = format!("{}{}", &head[..head.len() - 1], if head.ends_with('0') { '1' } else { '0' });
    says(&doctor(&["--head", &other]).expect(8), "chain", "error it does not hold together: 1 findings");
    let other = world.run_with(&[("TAGIH_DOKU_CLIENT_ID", "MCH-OTHER")], &["doctor", "--offline", "--json"]).expect(2);
    says(&other, "ledger", "error it cannot be opened");
    // Somebody who sends: the lock names whoever has it.
    let lock = fs::File::options().write(true).open(world.path("tagih.ledger.lock")).unwrap();
    lock.lock().unwrap();
    fs::write(world.path("tagih.ledger.lock"), "`issue`, process 7, since 2026-10-01T00:00:00Z").unwrap();
    says(&doctor(&[]), "lock", "warning held by `issue`, process 7");
    drop(lock);
    says(&doctor(&[]), "lock", "ok nobody sends");
    fs::create_dir(world.path("logs")).unwrap();
    let log = fs::File::create(world.path("logs/notifications-2026-10-01.jsonl")).unwrap();
    log.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(40)).unwrap();
    let logs = world.path("logs").display().to_string();
    let ran = world.run_with(&[("TAGIH_SERVE_LOG_DIR", &logs)], &["doctor", "--offline", "--json"]);
    says(&ran, "log", "warning the last notification is in `notifications-2026-10-01.jsonl`, 40 h ago");
    // A page of the ledger is overwritten.
    let path = world.path("tagih.ledger");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 * 2..4096 * 3].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert!(found(&doctor(&[]).expect(8), "chain")[0].starts_with("error"));
}

#[test]
fn the_way_to_doku_is_looked_at_name_connection_and_clock() {
    let doku = Doku::process();
    let world = World::on_disk(&doku.base_url(), "");
    let doctor = || world.run(&["doctor", "--quick", "--json"]);
    says(&doctor(), "clock", "ok within 5 s");
    says(&doctor(), "tls", "ok 127.0.0.1 answers without TLS");
    world.reconfigure(&doku.base_url(), "http://127.0.0.1:1");
    let ran = doctor().expect(5);
    says(&ran, "tls", "error no answer: 127.0.0.1:1 takes no connection");
    world.reconfigure("http://127.0.0.1:1\"", "https://doku.invalid\"\nother_host = \"doku.invalid\"");
    let ran = doctor().expect(5);
    says(&ran, "dns", "error doku.invalid is not known");
    assert!(found(&ran, "tls").is_empty(), "what has no name has no connection");
}

/// A server's answer, whatever is asked of it.
fn answering(answer: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            drop(stream.read(&mut request));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    format!("http://{address}")
}

#[test]
fn a_clock_that_is_off_or_not_told_is_found() {
    let year_ago = answering("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let ran = World::on_disk(&year_ago, "").run(&["doctor", "--json"]).expect(2);
    says(&ran, "clock", "error this machine's clock is");
    says(&ran, "clock", "s ahead of DOKU's, by the time in its answer's Date");
    let silent = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    says(&World::on_disk(&silent, "").run(&["doctor", "--json"]), "clock", "warning the answer bears no Date");
}

/// A TLS server with a certificate of our own that lasts `days`, and where that certificate is; none without `openssl`.
fn tls_server(world: &World, days: u32) -> Option<(std::process::Child, u16)> {
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.current_dir(world.path("")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let days = days.to_string();
    let arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", &days];
    let name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"];
    let files = ["-keyout", "key.pem", "-out", "certificate.pem"];
    let made = openssl(&[&arguments[..], &name, &files].concat()).status().ok()?;
    assert!(made.success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let accept = format!("127.0.0.1:{port}");
    let server = openssl(&["s_server", "-accept", &accept, "-key", "key.pem", "-cert", "certificate.pem", "-www", "-quiet"]);
    let child = { server }.spawn().unwrap();
    until("openssl listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some((child, port))
}

#[test]
fn days_left_of_a_certificate_are_told_and_one_that_nobody_vouches_for_is_an_error() {
    let world = World::on_disk("https://localhost", "");
    let Some((mut server, port)) = tls_server(&world, 5) else {
        eprintln!("SKIPPED: there is no `openssl` on this machine, so no certificate was looked at over TLS");
        return;
    };
    world.reconfigure("https://localhost", &format!("https://localhost:{port}"));
    let root = world.path("certificate.pem").display().to_string();
    let misled = world.run_with(&[("SSL_CERT_FILE", &root)], &["doctor", "--json"]);
    let trusted = world.run_with(&[("TAGIH_DOKU_ROOT_CERTIFICATES_FILE", &root)], &["doctor", "--json"]);
    let distrusted = world.run(&["doctor", "--json"]);
    drop((server.kill(), server.wait()));
    says(&misled.expect(5), "tls", "error nothing is sent: SSL_CERT_FILE is set");
    says(&distrusted.expect(5), "tls", "error no answer: localhost");
    says(&trusted, "tls", "ok localhost answers over TLS that is trusted");
    says(&trusted, "certificate", "warning localhost's certificate is valid for ");
}
