//! What must not change the result: order, splitting, compression, threads.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

/// What must not depend on order, splitting or threads: everything but positions and the input list.
fn invariant(options: &ReconcileOptions) -> (Vec<u8>, Vec<u8>, Vec<u8>, String) {
    let summary = run(options).unwrap().summary;
    let rest = (&summary.run_id, &summary.lines, &summary.payments, &summary.bills, &summary.natures, &summary.flags, &summary.retry_slots);
    let rest = serde_json::to_string(&rest).unwrap();
    (file(options, "discrepancies.csv"), file(options, "discrepancies.jsonl"), file(options, "matched.parquet"), rest)
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_splitting_compression_and_threads_change_no_byte(
        lines in Just(world().1).prop_shuffle(),
        bills in Just(world().0).prop_shuffle(),
        cut in 0_usize..31,
        threads in 1_usize..5,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (reference_bills, reference_lines) = world();
        let wanted = invariant(&options(folder.path(), &[("all.jsonl", text(&reference_lines))], &reference_bills));
        let (head, tail) = lines.split_at(cut);
        let mut first = text(head);
        first.extend(if head.is_empty() { &b""[..] } else { b"\n" });
        let logs = [("1.jsonl.gz", zipped(&first)), ("2.jsonl.zst", zstd::encode_all(&*text(tail), 1).unwrap())];
        let shuffled = options(folder.path(), &logs, &bills);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| invariant(&shuffled));
        prop_assert_eq!(String::from_utf8_lossy(&wanted.0), String::from_utf8_lossy(&found.0));
        prop_assert_eq!(wanted, found);
    }

    #[test]
    fn whatever_the_lines_are_the_classes_add_up(lines in prop::collection::vec(arbitrary_line(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let report = run(&options(folder.path(), &[("a.jsonl", text(&lines))], &world().0)).unwrap();
        prop_assert!(report.identities_hold, "{:#?}", report.summary.identities);
    }
}

/// Few ids, amounts and times, so that repeats, conflicts and second payments abound.
fn arbitrary_line() -> impl Strategy<Value = String> {
    let invoice = prop::sample::select(vec!["I-OK", "I-TWICE", "I-SAME-A", "I-MANY", "I-SEPTEMBER", "I-NONE", "I-NOBODY"]);
    let code = prop::sample::select(vec!["1001", "1004", "1016", "1013", "1017", "9999"]);
    let amount = prop::sample::select(vec!["150000", "1", "\"x\"", "150000.0"]);
    let day = prop::sample::select(vec!["2026-09-05T00:00:00Z", "2026-10-05T00:00:00Z", "2026-11-05T00:00:00Z"]);
    let status = prop::sample::select(vec!["SUCCESS", "FAILED", "EXPIRED", "SETTLED"]);
    let trx = prop::sample::select(vec!["1", "2", ""]);
    let rest = (prop::sample::select(vec!["present", "earlier", "wrong"]), 0_u8..60, prop::option::weighted(0.1, "[ -~]{0,20}"));
    (invoice, code, amount, day, status, trx, rest).prop_map(|(invoice, code, amount, day, status, trx, (secret, minute, junk))| {
        let made = note(invoice, code, amount).but(|n| {
            (n.date, n.status, n.trx, n.secret) = (day.into(), status, trx.into(), secret);
            n.received = format!("2026-10-05T03:{minute:02}:00Z");
        });
        junk.unwrap_or_else(|| made.line())
    })
}
