//! A name that is not there is met with what may be meant.

use crate::support::world::{Doku, World, program};

#[test]
fn a_mistyped_invoice_number_is_answered_with_the_one_it_may_be() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "INV", 12);
    world.issue("bills.csv", &[]).expect(0);
    let resolve = |invoice| ["resolve", invoice, "--as", "done", "--reason", "seen"];
    for typed in ["inv-0012", "INV-12", "INV-OO12", "INV-00122"] {
        for (command, code) in
            [(&["why", typed][..], 2), (&resolve(typed), 2), (&["sync", typed], 2), (&["cancel", typed, "--out", "out"], 1)]
        {
            let ran = world.run(command);
            assert!(ran.stderr.contains("did you mean `INV-0012`"), "{command:?}: {ran:#?}");
            assert!(ran.code == code, "{command:?}: {ran:#?}");
        }
    }
    assert_eq!(doku.orders()["INV-0012"].state, "live");
    world.run(&["why", "INV 0012"]).expect(2).says(&["did you mean `INV-0012`"]);
    let far = world.run(&["why", "POLIS-77"]).expect(2);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}

#[test]
fn a_mistyped_code_or_class_is_answered_with_the_one_it_may_be() {
    for (typed, meant) in [("E107", "`E0107`"), ("P6", "`P06`"), ("EO107", "`E0107`"), ("e0107 ", "`E0107`")] {
        let output = program().args(["explain", typed]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(&format!("did you mean {meant}")), "{typed}: {stderr}");
    }
}
