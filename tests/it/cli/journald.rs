//! What a unit tells journald: datagrams with fields, where its standard error is the journal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::world::{Doku, SECRET, World};

/// Runs the program where journald's socket is at `folder`, and whatever else is in /run is not; gives its exit and what it wrote.
fn in_unit(world: &World, folder: &str, arguments: &[&str]) -> (i32, String) {
    let stderr = File::create(world.path("stderr")).unwrap();
    let of = stderr.metadata().unwrap();
    let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind \"$0\" /run/systemd/journal && exec \"$@\"";
    let program = world.command(arguments);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(world.path(folder)).arg(program.get_program());
    command.args(program.get_args()).current_dir(world.path("")).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command.env("JOURNAL_STREAM", format!("{}:{}", of.dev(), of.ino())).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let code = command.status().unwrap().code().unwrap();
    (code, fs::read_to_string(world.path("stderr")).unwrap())
}

/// The fields of a datagram: `NAME=VALUE`, or a name, the value's length and the value, where that has several lines.
fn fields(mut bytes: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        bytes = &bytes[end + 1..];
        let (name, value) = if let Some((name, value)) = line.split_once('=') {
            (name, value.to_owned())
        } else {
            let (length, rest) = bytes.split_at(8);
            let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
            assert_eq!(rest[length], b'\n');
            bytes = &rest[length + 1..];
            (line, String::from_utf8(rest[..length].to_vec()).unwrap())
        };
        found.insert(name.to_owned(), value);
    }
    found
}

fn messages(socket: &UnixDatagram) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    while let Ok(count) = socket.recv(&mut buffer) {
        found.push(fields(&buffer[..count]));
    }
    // Whether anybody listens is found out by saying nothing.
    found.retain(|fields| !fields.is_empty());
    found
}

#[test]
fn a_unit_tells_journald_each_decision_by_its_fields_and_each_failure_by_its_priority() {
    let probed = Command::new("unshare").args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/run"]).output();
    if !probed.is_ok_and(|probed| probed.status.success()) {
        eprintln!("SKIPPED, AND WITH IT THE PROOF THAT JOURNALD IS SPOKEN TO: this machine lets nobody mount in a namespace of their own");
        return;
    }
    let doku = Doku::process();
    let world = World::of(&doku);
    for folder in ["journal", "none"] {
        fs::create_dir(world.path(folder)).unwrap();
    }
    let socket = UnixDatagram::bind(world.path("journal/socket")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    world.file("bills.csv", "invoice_number,amount,customer_name,channel,email\nU-1,1000,Canary Name,alfa,canary@example.com\n");
    let issue = ["issue", "bills.csv", "--out", "out", "--log-format", "journald"];
    assert_eq!(in_unit(&world, "journal", &issue), (0, String::new()), "nothing is said twice");
    let told = messages(&socket);
    let run = &world.run(&["runs", "list", "--json"]).expect(0).stdout;
    let attempt = told.iter().find(|fields| fields["MESSAGE"] == "an attempt was made").unwrap();
    let text = |name: &str| attempt[name].as_str();
    assert_eq!((text("PRIORITY"), text("SYSLOG_IDENTIFIER"), text("TAGIH_INVOICE")), ("6", "tagih", "U-1"));
    assert_eq!((text("TAGIH_STATUS"), text("TAGIH_ATTEMPT")), ("200", "1"));
    assert_eq!(text("TAGIH_REQUEST_ID"), doku.calls()[0]["request_id"].as_str().unwrap());
    assert!(told.iter().all(|fields| run.contains(&fields["TAGIH_RUN"])), "{told:#?}");
    let all = format!("{told:?}").to_lowercase();
    assert!(!all.contains("canary") && !all.contains(&SECRET.to_lowercase()), "{told:#?}");

    let failed = ["issue", "missing.csv", "--out", "out", "--log-format", "journald"];
    assert_eq!(in_unit(&world, "journal", &failed), (7, String::new()));
    let told = messages(&socket);
    let error = told.iter().find(|fields| fields["PRIORITY"] == "3").unwrap();
    assert!(error["MESSAGE"].contains("missing.csv") && error["MESSAGE"].contains("\nhint: "), "{error:?}");
    // Whatever is filtered, failures are not.
    let quiet = ["issue", "missing.csv", "--quiet", "--log-format", "journald"];
    assert_eq!(in_unit(&world, "journal", &quiet).0, 7);
    assert!(messages(&socket).iter().any(|fields| fields["PRIORITY"] == "3"));

    let (code, said) = in_unit(&world, "none", &failed);
    assert!(code == 7 && said.lines().any(|line| line.starts_with("<3>")), "without a socket there are lines: {said}");
}
