//! An independent, naive reading of the reconciliation rules, and random worlds to hold the engine against it.
//!
//! Belongs here: the oracle, the generator, the comparison. Must not be here: anything the engine uses to decide.

mod evidence;

mod known;
mod lines;
mod message;
mod naive;
mod random;
mod world;

#[test]
fn draft_sweep() {
    let mut hit = std::collections::BTreeMap::new();
    for seed in 0..2000 {
        let world = world::World::generate(seed);
        let files: Vec<String> = world.files.iter().map(world::LogFile::text).collect();
        let outcome = naive::reconcile(&world.ledger_text(), &files, &world.settings);
        for (class, (count, _)) in outcome.lines.iter().chain(&outcome.payments).chain(&outcome.bills) {
            *hit.entry(class.clone()).or_insert(0) += count;
        }
        for (class, count) in outcome.flags {
            *hit.entry(format!("flag {class}")).or_insert(0) += count;
        }
    }
    eprintln!("{hit:#?}");
}
