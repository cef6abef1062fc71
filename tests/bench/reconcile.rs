//! `reconcile DATA OUT`: what `tagih reconcile` does, from the library. Exit 0 or 1 when done.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::SecretString;
use tagih::doku::signature::SigningKey;
use tagih::domain::classify::Policy;
use tagih::evidence;
use tagih::jobs::reconcile::{self, BillSource, ReconcileOptions};

/// Reconciles the data in `data` into `out`.
pub fn run(data: &Path, out: PathBuf) -> ExitCode {
    let secret = std::fs::read_to_string(data.join("secret")).unwrap();
    let options = ReconcileOptions {
        source: BillSource::External(data.join("ledger.csv")),
        notifications: evidence::expand(&[data.join("logs/*.jsonl").display().to_string()]).unwrap(),
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
        as_of: "2026-11-01T17:00:00Z".parse().unwrap(),
        keys: vec![SigningKey::new(&SecretString::from(secret))],
        client_id: std::fs::read_to_string(data.join("client_id")).unwrap(),
        policy: Policy::default(),
        carry_in: None,
        out,
    };
    let report = reconcile::run(&options).unwrap();
    println!("{} breaks, identities hold: {}", report.breaks, report.identities_hold);
    let code = if report.breaks > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS };
    // The program exits without giving its memory back piece by piece.
    std::mem::forget(report);
    code
}
