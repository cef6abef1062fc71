//! The compiled tools of `make bench`: `generate BILLS DIR`, `bare-loop CSV BASE_URL IN_FLIGHT`,
//! `read-csv FILE`, `serve-ledger BILLS LEDGER`, `serve-load KIND ADDRESS RATE SECONDS BILLS`, `cluster-ledger URL OPERATIONS EVENTS`,
//! `cluster-bare URL EVENTS`.
//!
//! One example for all of them, because each would link the whole library again; an example, because those may use the
//! library but are never installed. Built with the feature `bench` only, so that `cargo test` does not wait for it.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool of the benchmark, not part of the program: whatever is wrong should stop it at once"
)]

mod bare_loop;
mod cluster;
mod generate;
mod plant;
mod serve;

use std::path::Path;

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["generate", bills, dir] => generate::run(bills.parse().unwrap(), Path::new(dir)),
        ["bare-loop", csv, base_url, in_flight] => bare_loop::run(Path::new(csv), base_url.to_owned(), in_flight.parse().unwrap()),
        ["read-csv", path] => println!("{}", read_csv(Path::new(path))),
        ["serve-ledger", bills, path] => serve::ledger(bills.parse().unwrap(), Path::new(path)),
        ["serve-load", kind @ ("inquiries" | "notifications"), address, rate, seconds, bills] => {
            serve::load(kind, address, rate.parse().unwrap(), seconds.parse().unwrap(), bills.parse().unwrap());
        }
        ["cluster-ledger", url, operations, events] => cluster::ledger(url, operations.parse().unwrap(), events.parse().unwrap()),
        ["cluster-bare", url, events] => cluster::bare(url, events.parse().unwrap()),
        _ => panic!(
            "generate BILLS DIR | bare-loop CSV BASE_URL IN_FLIGHT | read-csv FILE | serve-ledger BILLS LEDGER | serve-load KIND ADDRESS RATE SECONDS BILLS | cluster-ledger URL OPERATIONS EVENTS | cluster-bare URL EVENTS"
        ),
    }
}

/// Every field of a table, read by the `csv` crate and no more: what `check` is held against.
fn read_csv(path: &Path) -> usize {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let (mut record, mut bytes) = (csv::StringRecord::new(), 0);
    while reader.read_record(&mut record).unwrap() {
        bytes += record.iter().map(str::len).sum::<usize>();
    }
    bytes
}
