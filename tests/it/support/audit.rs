//! Audit kits of the planted months: what is in one, and, where an engine can be found (`make audit`), that its rules agree with our figures and
//! find faults planted in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::folder::temporary;
use crate::support::world::{Ran, World};

/// A Python that knows DuckDB; without one the rules are not run.
const PYTHON: &str = "TAGIH_AUDIT_PYTHON";
/// Where kits are to be left for who wants to look at them.
const KEEP: &str = "TAGIH_AUDIT_KEEP";

/// Makes the kit of a report of this world and holds it against the report.
pub(crate) fn agrees(world: &World, report: &str) {
    let kit = format!("{report}.kit");
    world.run(&["audit-kit", "--report", report, "--out", &kit]).expect(0);
    is_whole(&world.path(&kit));
    hold(&world.path(&kit), report);
}

/// With an engine, every report that a test makes is held against the rules, whatever the test is about.
pub(crate) fn look(world: &World, variables: &[(&str, &str)], arguments: &[&str], ran: &Ran) {
    if std::env::var_os(PYTHON).is_none() || arguments.first() != Some(&"reconcile") || ran.code > 1 {
        return;
    }
    let Some(report) = arguments.iter().skip_while(|argument| **argument != "--out").nth(1) else { return };
    let kit = temporary();
    let made =
        world.command(&["audit-kit", "--report", report, "--out", kit.path().to_str().unwrap()]).envs(variables.iter().copied()).output();
    // Where a ledger is damaged by the test, or what a report was made from is gone, there is no kit.
    if made.unwrap().status.success() {
        hold(kit.path(), report);
    }
}

/// Runs the rules of a kit, if that can be done here; there must be no difference.
fn hold(kit: &Path, report: &str) {
    let Some(python) = std::env::var_os(PYTHON) else { return };
    let ran = Command::new(python).arg(kit.join("run.py")).output().unwrap();
    if ran.status.success() {
        return;
    }
    let said = format!("{report}: {}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let Some(keep) = std::env::var_os(KEEP) else { panic!("{said}") };
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("kit").replace("::", "-");
    let number = fs::read_dir(&keep).map_or(0, Iterator::count);
    let kept = PathBuf::from(&keep)
        .join(format!("{number:03}-{}", name.chars().rev().take(60).collect::<String>().chars().rev().collect::<String>()));
    copy(kit, &kept);
    fs::write(kept.join("said.txt"), format!("{name}\n{said}")).unwrap();
}

/// Faults planted in the figures of a kit, one at a time, are each found and named.
pub(crate) fn finds_faults(world: &World, report: &str, which: &[&str]) {
    let Some(python) = std::env::var_os(PYTHON) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/faults.py");
    let ran = Command::new(python).arg(script).arg(world.path(&format!("{report}.kit"))).args(which).output().unwrap();
    println!("{}", String::from_utf8_lossy(&ran.stdout));
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// A kit is the same bytes whenever it is made, names no customer, stands alone in its folder, and is of a report as its inputs make it.
pub(crate) fn is_handed_out_as_it_is(world: &World, report: &str) {
    let kit = |report: &str, out: &str| world.run(&["audit-kit", "--report", report, "--out", out]);
    let bytes = |out: &str| fs::read(world.path(out).join("kit.json")).unwrap();
    let first = format!("{report}.kit");
    kit(report, "second.kit").expect(0);
    assert!(bytes(&first) == bytes("second.kit"), "kit.json has the digest of every file");
    kit(report, &first).expect(0);
    for folder in ["facts", "figures"] {
        for entry in fs::read_dir(world.path(&first).join(folder)).unwrap().map(Result::unwrap) {
            let text = fs::read(entry.path()).unwrap();
            assert!(!text.windows(6).any(|part| part == b"Canary"), "{} names a customer", entry.path().display());
        }
    }
    fs::create_dir(world.path("used")).unwrap();
    world.file("used/letter.txt", "Dear auditor");
    kit(report, "used").expect(2).says(&["E0729", "letter.txt", "hint:"]);
    copy(&world.path(report), &world.path("altered"));
    let items = fs::read_to_string(world.path("altered/open_items.csv")).unwrap();
    let (kept, _) = items.trim_end().rsplit_once('\n').unwrap();
    world.file("altered/open_items.csv", format!("{kept}\n"));
    kit("altered", "third.kit").expect(7).says(&["E0851", "open_items.csv"]);
    assert!(!world.path("third.kit").exists());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Every file that kit.json lists is there as listed, and no other.
fn is_whole(kit: &Path) {
    let head: Value = serde_json::from_slice(&fs::read(kit.join("kit.json")).unwrap()).unwrap();
    let listed = head["files"].as_array().unwrap().iter();
    let listed: BTreeMap<&str, &str> = listed.map(|file| (file["name"].as_str().unwrap(), file["sha256"].as_str().unwrap())).collect();
    let mut found = BTreeMap::new();
    for folder in ["", "facts", "figures", "rules"] {
        for entry in fs::read_dir(kit.join(folder)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let name = Path::new(folder).join(entry.file_name()).to_str().unwrap().to_owned();
            let digest = tagih::domain::digest::hex(&tagih::domain::digest::of_bytes(&fs::read(entry.path()).unwrap()));
            found.insert(name, digest);
        }
    }
    found.remove("kit.json");
    assert!(listed.iter().map(|(name, digest)| (*name, *digest)).eq(found.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))));
}
