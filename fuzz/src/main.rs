//! Every reader of bytes that are not ours, as targets of libFuzzer: one program, the target by TAGIH_FUZZ_TARGET.
//!
//! A crash is a panic: all of the program is safe Rust, so there is nothing worse. What readers promise beyond that is asserted here.
#![no_main]

mod doku;
mod edge;
mod files;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// Each target, and what it does with bytes.
const TARGETS: [(&str, fn(&[u8])); 15] = [
    ("table", files::table),
    ("bills", files::bills),
    ("log", files::log),
    ("body", doku::body),
    ("answer", doku::answer),
    ("status", doku::status),
    ("inquiry", doku::inquiry),
    ("signature", doku::signature),
    ("settlement", files::settlement),
    ("bank", files::bank),
    ("configuration", files::configuration),
    ("journal", files::journal),
    ("carry", files::carry),
    ("parquet", files::parquet),
    ("edge", edge::edge),
];

fn target() -> fn(&[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let wanted = std::env::var("TAGIH_FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(name, _)| *name == wanted);
        found.unwrap_or_else(|| panic!("TAGIH_FUZZ_TARGET is one of {:?}", TARGETS.map(|(name, _)| name))).1
    })
}

fuzz_target!(
    init: {
        // A panic that a reader catches is no crash, and one that it does not catch is, without this. A server catches all of them.
        let is_edge = std::env::var("TAGIH_FUZZ_TARGET").is_ok_and(|target| target == "edge");
        let is_told = is_edge || std::env::var_os("TAGIH_FUZZ_PANICS").is_some();
        std::panic::set_hook(Box::new(move |panic| {
            if is_told {
                eprintln!("{panic}");
            }
            if is_edge {
                std::process::abort();
            }
        }));
        target();
    },
    |data: &[u8]| target()(data)
);
