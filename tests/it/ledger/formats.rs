//! Whatever an earlier version wrote is still read: one table of every format of ledgers, journals and carries there was. A new format is
//! not in it, and fails here, until a file that its version wrote stands under `tests/fixtures`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::cluster;
use crate::support::world::{Ran, World};

/// Every schema of a ledger's file, with the bills and payments that its fixture holds.
const LEDGERS: [(u32, u64, u64); 7] = [(1, 2, 1), (2, 2, 1), (3, 2, 1), (4, 2, 1), (5, 5, 1), (6, 4, 0), (7, 4, 0)];

/// The same of a ledger in a database.
const DATABASES: [(u32, u64, u64); 2] = [(1, 4, 1), (2, 4, 1)];

/// Every journal, with the lines it has: of before accounts were recorded, of before keys were revoked, and of today.
const JOURNALS: [(&str, u64); 3] = [("without-person", 10), ("present", 10), ("revoked", 4)];

/// Every format of what one month hands to the next; `month_end/older.rs` opens each.
const CARRIES: [u32; 6] = [1, 2, 3, 4, 5, 6];

/// Every format of an evidence store.
const EVIDENCE: [u32; 1] = [1];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)).unwrap()
}

#[test]
fn every_format_there_is_has_a_fixture() {
    let steps = |folder: &str| -> BTreeSet<u32> {
        let schemas = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger").join(folder)).unwrap();
        schemas.filter_map(|entry| entry.unwrap().file_name().to_str()?.get(..4)?.parse().ok()).collect()
    };
    assert_eq!(steps("schema"), LEDGERS.iter().map(|(schema, ..)| *schema).collect(), "a schema without a fixture");
    assert!(LEDGERS.iter().all(|(schema, ..)| fixtures().join(format!("ledgers/schema-{schema}.ledger.zst")).is_file()));
    assert_eq!(steps("schema/postgres"), DATABASES.iter().map(|(schema, ..)| *schema).collect(), "a schema without a fixture");
    assert!(DATABASES.iter().all(|(schema, ..)| fixtures().join(format!("ledgers/postgres-{schema}.sql.zst")).is_file()));
    let carry = source("books/carry/mod.rs");
    let format = carry.lines().find_map(|line| line.strip_prefix("pub const FORMAT: u32 = ")?.strip_suffix(';')?.parse::<u32>().ok());
    assert_eq!(format, CARRIES.last().copied(), "a carry without a fixture");
    assert!(CARRIES.iter().all(|format| fixtures().join(format!("carry-format-{format}/carry/carry.json")).is_file()));
    let store = source("evidence/store/entry.rs");
    let format =
        store.lines().find_map(|line| line.strip_prefix("pub(super) const FORMAT: u32 = ")?.strip_suffix(';')?.parse::<u32>().ok());
    assert_eq!(format, EVIDENCE.last().copied(), "an evidence store without a fixture");
    // A journal has no number: what it can say are its kinds of entries.
    let kinds = |text: &str| -> BTreeSet<String> {
        text.lines().filter_map(|line| Some(serde_json::from_str::<Value>(line).ok()?["entry"]["kind"].as_str()?.to_owned())).collect()
    };
    let written: BTreeSet<String> = JOURNALS
        .iter()
        .flat_map(|(name, _)| kinds(&fs::read_to_string(fixtures().join(format!("journals/{name}.journal"))).unwrap()))
        .collect();
    let (_, entries) = source("journal/entry.rs").split_once("pub enum JournalEntry {").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let variants = entries.split("\n}\n").next().unwrap().lines().filter_map(|line| line.strip_prefix("    "));
    let names =
        variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).map(|line| line.trim_end_matches([' ', '{', ',']));
    let known: BTreeSet<String> = names.map(snake).collect();
    assert_eq!(known, written, "an entry of the journal that no fixture has");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { copy(&entry.path(), &target) } else { assert!(fs::copy(entry.path(), target).is_ok()) }
    }
}

#[test]
fn an_evidence_store_of_every_format_is_verified_read_and_added_to() {
    for format in EVIDENCE {
        let world = World::at("http://127.0.0.1:1", "");
        crate::evidence::logs::ledger_of(&world);
        copy(&fixtures().join(format!("evidence-format-{format}")), &world.path("store"));
        world.run(&["evidence", "verify", "--store", "store"]).expect(0);
        let fixed = ["--period", "2026-10", "--as-of", "2026-11-03T00:00:00Z", "--evidence", "store", "--out", "report"];
        world.run(&[&["reconcile"], &fixed[..]].concat()).expect(1);
        let summary = crate::reconcile::ours::summary(&world.path("report"));
        let lines = crate::reconcile::ours::classes(&summary, "lines");
        assert_eq!(lines, "N00x4 N01 N02 N03 N04 N06 N09 N12 N13", "format {format}");
        let line = fs::read_to_string(world.path("report/evidence.csv")).unwrap();
        assert!(line.contains("day.jsonl,5,"), "the torn line is cited where it stands: {line}");
        let why = world.run(&["why", "I-3", "--evidence", "store"]);
        assert!(why.stdout.contains("N02"), "a forged line that is kept as it stood: {why:?}");
        world.file("more.jsonl", crate::evidence::logs::paid(3));
        world.run(&["evidence", "add", "more.jsonl", "--store", "store"]).expect(0);
        world.run(&["evidence", "verify", "--store", "store"]).expect(0);
        // What is written today has the columns that were written then, and the page tells of each.
        let columns = |path: &str| -> Vec<String> {
            let stored = tagih::columns::stored::Stored::foreign(fs::File::open(world.path(path)).unwrap()).unwrap();
            stored.names().map(str::to_owned).collect()
        };
        let now = columns("store/day=2026-10-15/000002-1.parquet");
        if Some(&format) == EVIDENCE.last() {
            assert_eq!(columns("store/day=2026-10-15/000001-1.parquet"), now);
            let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats-evidence.md")).unwrap();
            let untold: Vec<_> = now.iter().filter(|column| !page.contains(&format!("`{column}`"))).collect();
            assert!(untold.is_empty(), "{untold:?}");
        }
    }
}

/// `PeriodClosed` as the journal writes it.
fn snake(name: &str) -> String {
    let mut written = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(c.to_ascii_lowercase());
    }
    written
}

#[test]
fn a_ledger_of_every_schema_is_brought_up_to_date_verified_and_used() {
    for (schema, bills, payments) in LEDGERS {
        let world = World::at("http://127.0.0.1:1", "");
        let packed = fs::read(fixtures().join(format!("ledgers/schema-{schema}.ledger.zst"))).unwrap();
        world.file("tagih.ledger", zstd::decode_all(&packed[..]).unwrap());
        if schema < LEDGERS.last().unwrap().0 {
            run(&world, &["status"]).expect(2).says(&["has schema version"]);
            // Whichever command is the first that writes.
            let first = if schema % 2 == 0 { ["ingest", "empty.jsonl"] } else { ["ledger", "migrate"] };
            world.file("empty.jsonl", "");
            run(&world, &first).expect(0).says(&[&format!("from schema {schema} to")]);
            assert!(world.path(&format!("tagih.ledger.schema-{schema}")).exists());
        }
        is_whole_and_used(&world, schema, bills, payments);
    }
}

#[test]
fn a_database_of_every_schema_is_brought_up_to_date_verified_and_used() {
    let newest = DATABASES.last().unwrap().0;
    for (schema, bills, payments) in DATABASES {
        let world = World::at("http://127.0.0.1:1", "");
        let packed = fs::read(fixtures().join(format!("ledgers/postgres-{schema}.sql.zst"))).unwrap();
        let (cluster, dump) = (cluster::shared(), String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap());
        let database = cluster.database();
        cluster.sql(&database, &dump);
        world.reconfigure("[ledger]\n", &format!("[ledger]\nurl = \"{}\"\n", cluster.url(&database)));
        let version = || cluster.sql(&database, "SELECT schema_version FROM tagih.meta");
        assert_eq!(version(), schema.to_string());
        if schema < newest {
            run(&world, &["status"]).expect(2).says(&["has schema version"]);
            run(&world, &["ledger", "migrate"]).expect(0);
            assert_eq!(version(), newest.to_string());
        }
        is_whole_and_used(&world, schema, bills, payments);
    }
}

fn run(world: &World, arguments: &[&str]) -> Ran {
    world.run_with(&[("TAGIH_DOKU_CLIENT_ID", "BRN-0001")], arguments)
}

/// All of it holds together, is told of and can be added to.
fn is_whole_and_used(world: &World, schema: u32, bills: u64, payments: u64) {
    let verified: Value = serde_json::from_str(&run(world, &["ledger", "verify", "--json"]).expect(0).stdout).unwrap();
    assert_eq!((verified["bills"].as_u64(), verified["payments"].as_u64()), (Some(bills), Some(payments)), "{schema}: {verified}");
    let migrated: Value = serde_json::from_str(&run(world, &["ledger", "migrate", "--json"]).expect(0).stdout).unwrap();
    assert!(migrated["migrated"].is_null(), "once");
    let why = run(world, &["why", "INV-1"]);
    assert!([0, 1].contains(&why.code) && why.stdout.contains("INV-1"), "{schema}: {why:?}");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nNEW-1,8896500000000001,alfa,1000\n");
    run(world, &["ledger", "import", "codes.csv"]).expect(0);
    run(world, &["keys", "revoke", "--received-after", "2026-10-01T00:00:00Z", "--reason", "leak", "--by", "Siti"]).expect(0);
    assert!(run(world, &["keys", "list"]).expect(0).stdout.contains("revoked after 2026-10-01"));
    run(world, &["ledger", "verify"]).expect(0);
}

#[test]
fn a_journal_of_every_kind_is_read_and_gone_on_with() {
    for (name, lines) in JOURNALS {
        let world = World::at("http://127.0.0.1:1", "");
        world.file("tagih.journal", fs::read(fixtures().join(format!("journals/{name}.journal"))).unwrap());
        let verified: Value = serde_json::from_str(&world.run(&["discrepancies", "verify", "--json"]).expect(0).stdout).unwrap();
        assert_eq!(verified["lines"].as_u64(), Some(lines), "{name}: {verified}");
        world.run(&["discrepancies", "list", "--status", "all"]).expect(0);
        world.run(&["period", "list"]).expect(0);
        world.run(&["discrepancies", "four-eyes", "on", "--by", "Siti", "--reason", "again"]).expect(0);
        world.run(&["discrepancies", "verify"]).expect(0);
    }
}
