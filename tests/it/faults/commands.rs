//! Every command that writes, on the smallest world in which it has something of each kind to do.

use std::fs;
use std::path::Path;

use tagih::sandbox::fault::{FaultKind, Faults};

use super::stage::Prepared;
use crate::month_end::period::Books;
use crate::reconcile::ours::line;
use crate::support::world::{Doku, World, until};

pub struct Command {
    pub name: &'static str,
    pub prepare: fn() -> Prepared,
    /// What it ends with where nothing goes wrong.
    pub ends: i32,
    /// What the same ends with afterwards, whether or not the first had done it.
    pub again: &'static [i32],
}

const fn command(name: &'static str, prepare: fn() -> Prepared, ends: i32, again: &'static [i32]) -> Command {
    Command { name, prepare, ends, again }
}

pub const COMMANDS: [Command; 18] = [
    command("issue", issue, 0, &[0]),
    command("issue-logged", issue_logged, 0, &[0]),
    command("issue-changes", issue_changes, 0, &[0]),
    command("cancel", cancel, 0, &[0]),
    command("sync", sync, 0, &[0]),
    command("resolve", resolve, 0, &[0, 2]),
    command("import", import, 0, &[0]),
    command("ingest", ingest, 0, &[0]),
    command("evidence-add", evidence_add, 0, &[0]),
    command("reconcile", reconcile, 1, &[1]),
    command("period-propose", propose, 0, &[0, 2]),
    command("period-approve", approve, 0, &[0, 2]),
    command("period-close", close, 0, &[0, 2]),
    command("discrepancies-take", take, 0, &[0]),
    command("ledger-backup", backup, 0, &[0, 2]),
    command("ledger-migrate", migrate, 0, &[0]),
    command("ledger-purge", purge, 0, &[0]),
    command("purge", purge_due, 0, &[0]),
];

fn typed(world: World, doku: Option<Doku>, typed: &[&str]) -> Prepared {
    Prepared { world, doku, typed: typed.iter().map(|word| (*word).to_owned()).collect(), environment: Vec::new(), log: None }
}

fn issue() -> Prepared {
    let doku = Doku::here(Faults::none());
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,10000,Budi,alfa,,,,,", "B,20000,Siti,alfa,,,,,"]);
    typed(world, Some(doku), &["issue", "bills.csv", "--new-ledger", "--out", "out"])
}

/// As cron runs it, with a log on the disk that fails.
fn issue_logged() -> Prepared {
    let mut prepared = issue();
    prepared.typed.extend(["--log-format", "json"].map(str::to_owned));
    Prepared { log: Some("cron.log"), ..prepared }
}

fn issued() -> (World, Doku) {
    let doku = Doku::here(Faults::none());
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,10000,Budi,alfa,,,,,", "B,20000,Siti,alfa,,,,,", "C,30000,Tini,alfa,,,,,"]);
    world.issue("bills.csv", &["--new-ledger"]).expect(0);
    (world, doku)
}

fn issue_changes() -> Prepared {
    let (world, doku) = issued();
    world.bills("next.csv", &["A,15000,Budi,alfa,,,,,", "B,,,,,,,cancel,", "D,40000,Tono,alfa,,,,,"]);
    typed(world, Some(doku), &["issue", "next.csv", "--out", "out", "--metrics", "issue.prom"])
}

fn cancel() -> Prepared {
    let (world, doku) = issued();
    typed(world, Some(doku), &["cancel", "A", "--out", "out"])
}

/// Codes that DOKU has made, and whose answers were lost.
fn in_doubt() -> (World, Doku) {
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ResetAfter) });
    let world = World::of(&doku);
    world.reconfigure("[retry]\n", "[retry]\nattempts_max = 2\n");
    world.bills("bills.csv", &["A,10000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &["--new-ledger"]).expect(3);
    doku.set_faults(Faults::none());
    (world, doku)
}

fn sync() -> Prepared {
    let (world, doku) = in_doubt();
    typed(world, Some(doku), &["sync"])
}

fn resolve() -> Prepared {
    let (world, doku) = in_doubt();
    let code = doku.orders()["A"].code.clone();
    typed(world, Some(doku), &["resolve", "A", "--as", "done", "--payment-code", &code, "--reason", "seen"])
}

fn import() -> Prepared {
    let world = World::at("http://127.0.0.1:1", "");
    adopt(&world, 3);
    typed(world, None, &["ledger", "import", "codes.csv", "--new-ledger"])
}

fn adopt(world: &World, count: u64) {
    let rows = (1..=count).map(|n| format!("I-{n},{n}000,alfa,1000,2026-10-01T00:00:00Z,2026-11-30T00:00:00Z\n"));
    world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,created_at,expires_at\n{}", rows.collect::<String>()));
}

fn paid() -> World {
    let world = World::at("http://127.0.0.1:1", "");
    adopt(&world, 3);
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let lines =
        (1..=2).map(|n| line(&format!("I-{n}"), &format!("{n}000"), 1000, &format!("2026-10-1{n}T05:00:00Z"), &format!("t{n}")) + "\n");
    world.file("log.jsonl", lines.collect::<String>());
    world
}

fn ingest() -> Prepared {
    typed(paid(), None, &["ingest", "log.jsonl"])
}

fn evidence_add() -> Prepared {
    let world = paid();
    world.run(&["evidence", "add", "--store", "store", "log.jsonl"]).expect(0);
    let more = line("I-3", "3000", 1000, "2026-10-13T05:00:00Z", "t3") + "\n";
    world.file("log.jsonl", fs::read_to_string(world.path("log.jsonl")).unwrap() + &more);
    world.file("other.jsonl", more);
    typed(world, None, &["evidence", "add", "--store", "store", "log.jsonl", "other.jsonl"])
}

/// August of our own ledger, reconciled.
pub fn august(more: &str) -> World {
    let books = Books::new(more);
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    closed(books)
}

fn world_of(books: Books) -> World {
    books.world
}

/// The world of books that nobody has open any more.
fn closed(books: Books) -> World {
    let world = world_of(books);
    until("the ledger is closed", || !world.path("tagih.ledger-wal").exists());
    world
}

fn reconcile() -> Prepared {
    let world = august("");
    world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    let period = ["reconcile", "--period", "2026-08", "--notifications", "august.jsonl", "--as-of", "2026-09-02T00:00:00Z"];
    typed(world, None, &[&period[..], &["--out", "2026-08"]].concat())
}

const FOUR_EYES: &str = "[discrepancies]\nfour_eyes = true\n";

fn propose() -> Prepared {
    let arguments = ["period", "propose", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"];
    let prepared = typed(august(FOUR_EYES), None, &arguments);
    Prepared { environment: vec![("SUDO_UID", "1001".into())], ..prepared }
}

fn approve() -> Prepared {
    let Prepared { world, typed: propose, .. } = propose();
    let propose: Vec<&str> = propose.iter().map(String::as_str).collect();
    world.run_with(&[("SUDO_UID", "1001")], &propose).expect(0);
    let listed = world.run(&["period", "list"]).expect(0).stdout;
    let proposal = listed.lines().find_map(|line| line.strip_prefix("proposal ")?.split(' ').next()).unwrap();
    let prepared = typed(world, None, &["period", "approve", "2026-08", "--proposal", proposal, "--by", "Budi", "--reason", "seen"]);
    Prepared { environment: vec![("SUDO_UID", "1002".into())], ..prepared }
}

fn close() -> Prepared {
    typed(august(""), None, &["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"])
}

fn take() -> Prepared {
    typed(august(""), None, &["discrepancies", "take", "2026-08", "--by", "Sari"])
}

fn backup() -> Prepared {
    typed(paid(), None, &["ledger", "backup", "copies/"])
}

/// The last schema that has to be brought up to date.
fn migrate() -> Prepared {
    let world = World::at("http://127.0.0.1:1", "");
    let ledgers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ledgers");
    let mut names: Vec<_> = fs::read_dir(ledgers).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("schema-"));
    let version = |path: &Path| path.file_name().unwrap().to_str().unwrap()[7..].split('.').next().unwrap().parse::<u32>().unwrap();
    names.sort_by_key(|path| version(path));
    let packed = fs::read(&names[names.len() - 2]).unwrap();
    world.file("tagih.ledger", zstd::decode_all(&packed[..]).unwrap());
    let prepared = typed(world, None, &["ledger", "migrate"]);
    Prepared { environment: vec![("TAGIH_DOKU_CLIENT_ID", "BRN-0001".into())], ..prepared }
}

fn purge() -> Prepared {
    let (world, doku) = issued();
    world.run(&["cancel", "A", "--out", "out"]).expect(0);
    let tomorrow = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(48)).unwrap().to_string();
    typed(world, Some(doku), &["ledger", "purge", "--before", &tomorrow[..10]])
}

fn purge_due() -> Prepared {
    let books = Books::new("[retention]\npersonal_days = 100\nlogs_days = 30\nruns_days = 30\n[serve]\nlog_dir = \"logs\"\n");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.close("2026-08").expect(0);
    books.issue("J-77", 100_000, "2026-06-01", "2026-06-10");
    fs::create_dir(books.world.path("logs")).unwrap();
    books.world.file("logs/notifications-2026-08-05.jsonl.zst", "x");
    typed(closed(books), None, &["purge", "--due"])
}
