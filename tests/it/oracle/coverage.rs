//! The sweep is worth nothing for a class its worlds never reach.

use std::collections::BTreeMap;

use super::naive::expected;
use super::world::World;

#[test]
fn the_worlds_reach_every_class_and_flag() {
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..2_000 {
        let outcome = expected(&World::generate(seed));
        for (class, (count, _)) in outcome.lines.iter().chain(&outcome.payments).chain(&outcome.bills) {
            *reached.entry(class.clone()).or_default() += count;
        }
        for (flag, count) in outcome.flags {
            *reached.entry(format!("flag {flag}")).or_default() += count;
        }
        *reached.entry("L10".to_owned()).or_default() += outcome.malformed_rows;
    }
    let lines = "N00 N01 N02 N03 N04 N06 N07 N08 N09 N12 N13";
    let payments = "P00 P01 P02 P03 P04 P05 P06 P07 P08 P09 P10 P11 P12 P13 P15 P16 P17 P18";
    let bills = "L00 L01 L02 L03 L04 L05 L10 L11 L12";
    let flags = "L07 N03 N05 N10 N11 P03 P04 P07 P08 P09 P10 P11 P12 P18 conflicting late_evidence varied";
    eprintln!("{reached:?}");
    let flags = flags.split(' ').map(|flag| format!("flag {flag}"));
    for class in [lines, payments, bills].iter().flat_map(|list| list.split(' ')).map(str::to_owned).chain(flags) {
        assert!(reached.get(&class).is_some_and(|count| *count >= 10), "{class} is hardly ever reached: {reached:?}");
    }
}
