//! Time and memory at scale: `TAGIH_SCALE_BILLS=1000000 cargo test --release --lib scale -- --ignored --nocapture`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use super::*;

/// One line in fifteen is a redelivery; a few bills are unpaid, a few payments short.
fn generate(folder: &Path, count: usize) -> ReconcileOptions {
    let options = options(folder, &[("n.jsonl", Vec::new())], &[]);
    let mut bills = BufWriter::new(File::create(folder.join("bills.csv")).unwrap());
    let mut log = BufWriter::new(File::create(folder.join("n.jsonl")).unwrap());
    writeln!(bills, "{HEADER}").unwrap();
    let padding = "x".repeat(120);
    for n in 0..count {
        let (invoice, code) = (format!("INV-202610-{n:08}"), format!("88965{n:011}"));
        writeln!(bills, "{invoice},{code},alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,").unwrap();
        let amount = if n % 50 == 0 { "149000" } else { "150000" };
        let made = note(&invoice, &code, amount);
        let line = made.line_with(&made.body().replacen('{', &format!("{{\"additional_info\":{{\"note\":\"{padding}\"}},"), 1));
        for _ in 0..=usize::from(n % 15 == 0) {
            writeln!(log, "{line}").unwrap();
        }
    }
    options
}

#[test]
#[ignore = "takes minutes; run it by hand"]
fn a_big_month_stays_small_in_memory() {
    let count = std::env::var("TAGIH_SCALE_BILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let options = generate(folder.path(), count);
    let started = Instant::now();
    let report = run(&options).unwrap();
    let elapsed = started.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    writeln!(std::io::stderr(), "{count} bills, {} lines: {elapsed:?}, {peak}", report.outcome.inputs.lines_read).unwrap();
    assert!(report.identities_hold);
    assert_eq!(report.summary.payments.get("P03").unwrap().count, u64::try_from(count.div_ceil(50)).unwrap());
}
