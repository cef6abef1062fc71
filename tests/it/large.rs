//! Every command on many bills in little memory: the real program under a limit on its addresses (`ulimit -v`).
//!
//! `make test` runs 5,000 bills; `make large` a million, with the release build, in 512 MB.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

const CLIENT: &str = "MCH-0001-LARGE";
const SECRET: &str = "SK-large&test-0123456789";
const HEAD: &str = "invoice_number,payment_code,amount,customer_name,email,channel,method,expiry_minutes\n";

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A folder, a program, and the kilobytes of addresses it may have.
struct Desk {
    folder: tempfile::TempDir,
    program: PathBuf,
    limit_kb: usize,
    bills: usize,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            program: std::env::var_os("TAGIH_LARGE_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_tagih").into(), PathBuf::from),
            limit_kb: setting("TAGIH_LARGE_KILOBYTES", 400 * 1024),
            bills: setting("TAGIH_LARGE_BILLS", 5_000),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command within the limit, whose exit code must be one of `codes`; gives what it printed.
    fn run(&self, ledger: &str, arguments: &[&str], codes: &[i32]) -> String {
        let script = format!("ulimit -v {} && exec \"$0\" \"$@\"", self.limit_kb);
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(&self.program)
            .args(arguments)
            .env_clear()
            .env("TAGIH_DOKU_CLIENT_ID", CLIENT)
            .env("TAGIH_DOKU_SECRET", SECRET)
            .env("TAGIH_DOKU_BASE_URL", "http://127.0.0.1:9")
            .env("TAGIH_LEDGER_PATH", self.path(ledger))
            .env("TAGIH_JOURNAL_PATH", self.path("journal"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{arguments:?}: {}\n{said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, name: &str, rows: impl Iterator<Item = String>) {
        let text = rows.fold(HEAD.to_owned(), |text, row| text + &row + "\n");
        fs::write(self.path(name), text).unwrap();
    }
}

fn bill(number: usize, amount: usize) -> String {
    format!("INV-2026-{number:08},8896500{number:09},{amount},Nasabah {number},n{number}@example.com,alfa,inquiry,43200")
}

/// A line of a log: the signed notification of a payment.
fn notification(number: usize) -> String {
    let (invoice, id) = (format!("INV-2026-{number:08}"), format!("N-{number}"));
    let body = format!(
        r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},"transaction":{{"status":"SUCCESS","date":"2026-10-05T12:00:00Z","original_request_id":"{id}"}},"order":{{"invoice_number":"{invoice}","amount":50000}},"online_to_offline_info":{{"payment_code":"8896500{number:09}"}},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_TRX_ID","value":"{id}"}}]}}}}"#
    );
    let (target, stamp) = ("/payments/notifications", "2026-10-05T12:00:01Z");
    let digest = STANDARD.encode(Sha256::digest(&body));
    let parts = format!("Client-Id:{CLIENT}\nRequest-Id:{id}\nRequest-Timestamp:{stamp}\nRequest-Target:{target}\nDigest:{digest}");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(parts.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let body = body.replace('"', "\\\"");
    format!(
        r#"{{"received_at":"{stamp}","target":"{target}","headers":{{"Client-Id":"{CLIENT}","Request-Id":"{id}","Request-Timestamp":"{stamp}","Signature":"HMACSHA256={signature}"}},"body":"{body}"}}"#
    )
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn every_command_does_its_work_in_little_memory_however_many_bills_there_are() {
    let desk = Desk::new();
    let (many, some) = (desk.bills, desk.bills / 50);
    desk.write("bills.csv", (0..many).map(|number| bill(number, 50_000)));
    desk.run("ledger", &["check", "bills.csv", "--out", "checked"], &[0]);
    assert_eq!(lines(&desk.path("checked/valid.csv")), many + 1);

    desk.run("ledger", &["issue", "bills.csv", "--out", "first", "--new-ledger"], &[0]);
    assert_eq!(lines(&desk.path("first/accepted.csv")), many + 1);
    desk.run("ledger", &["issue", "bills.csv", "--out", "again"], &[0]);
    let again = fs::read_to_string(desk.path("again/accepted.csv")).unwrap();
    assert_eq!(again.lines().filter(|line| line.contains(",unchanged,")).count(), many);
    // Some are changed, some rows are no bills, and the rest is as it was.
    let row = |number: usize| match number {
        number if number < some => bill(number, 60_000),
        number if number < 2 * some => bill(number, 50_000).replace(",50000,", ",50.000,"),
        number => bill(number, 50_000),
    };
    desk.write("changed.csv", (0..many).map(row));
    desk.run("ledger", &["issue", "changed.csv", "--dry-run", "--out", "planned"], &[1]);
    assert_eq!(lines(&desk.path("planned/plan.csv")), many + 1);
    desk.run("ledger", &["issue", "changed.csv", "--out", "second"], &[1]);
    assert_eq!(lines(&desk.path("second/rejected.csv")), some + 1);
    // Every row of a file may be refused; the file costs no more memory for it.
    desk.write("refused.csv", (0..many).map(|number| bill(number, 50_000).replace(",50000,", ",50.000,")));
    desk.run("ledger", &["check", "refused.csv", "--out", "refused"], &[1]);
    assert_eq!(lines(&desk.path("refused/rejected.csv")), many + 1);
    // And each may stand in it twice.
    desk.write("twice.csv", (0..many).map(|number| bill(number / 2, 50_000)));
    let twice = desk.run("ledger", &["check", "twice.csv"], &[0]);
    assert!(twice.contains(&format!("{} duplicate", many - many.div_ceil(2))), "{twice}");

    let log = (0..some).fold(String::new(), |mut log, number| {
        writeln!(log, "{}", notification(many - 1 - number)).unwrap();
        log
    });
    fs::write(desk.path("log.jsonl"), log).unwrap();
    desk.run("ledger", &["ingest", "log.jsonl"], &[0, 1]);
    desk.run("ledger", &["cancel", "INV-2026-00000001", "--out", "cancelled"], &[0]);
    for arguments in [&["status"][..], &["why", "INV-2026-00000001"], &["ledger", "verify"], &["ledger", "backup", "copy"], &["sync"]] {
        desk.run("ledger", arguments, &[0]);
    }
    let events = desk.run("ledger", &["ledger", "export"], &[0]).lines().count();
    assert!(events > many, "{events}");
    let span = ["--from", "2026-10-01", "--to", "2026-10-31", "--as-of", "2026-11-01T17:00:00Z"];
    let report = [&["reconcile"][..], &span, &["--notifications", "log.jsonl", "--out", "report"]].concat();
    desk.run("ledger", &report, &[0, 1]);

    let codes = (0..many).fold("invoice_number,payment_code,channel,amount\n".to_owned(), |text, number| {
        text + &format!("OLD-{number:08},8896501{number:09},alfa,50000\n")
    });
    fs::write(desk.path("codes.csv"), codes).unwrap();
    let imported = desk.run("other", &["ledger", "import", "codes.csv", "--new-ledger"], &[0]);
    assert!(imported.contains(&format!("{many} adopted")), "{imported}");
}
