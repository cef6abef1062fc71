//! `tagih support-bundle`: enough to help from afar, and nobody's name in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::world::{Doku, SECRET, World};

/// The files of a bundle.
pub fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(file.name().unwrap().into_owned(), text);
    }
    files
}

#[test]
fn a_bundle_has_settings_versions_runs_doctor_verify_and_logs_and_no_secret_name_address_code_or_number() {
    let doku = Doku::process();
    let world = World::at(
        &doku.base_url(),
        "[serve]\nlog_dir = \"logs\"\n[heartbeat]\nurl = \"https://hc.example/PING-KEY-1234/tagih\"\ntimeout_ms = 100\n",
    );
    world.file("bills.csv", "invoice_number,amount,customer_name,channel,email\nB-1,1000,Canary Budi Utomo,alfa,canary@example.com\n");
    drop(world.issue("bills.csv", &[]));
    let code = doku.orders()["B-1"].code.clone();
    fs::create_dir(world.path("logs")).unwrap();
    let message =
        r#"{"received_at":"2026-11-29T00:00:00Z","target":"/n","headers":{"Request-Id":"R-1"},"body":"{\"name\":\"Canary Budi Utomo\"}"}"#;
    world.file("logs/notifications-2026-11-29.jsonl", format!("{message}\n"));
    let said = format!(
        "INFO fine\nerror: E0724: about CANARY BUDI UTOMO <canary@example.com>, code {code}, call 0812-3456-7890 or other@example.org\n"
    );
    world.file("tagih.log", &said);
    let ran = world.run(&["support-bundle", "--out", "b.zip", "--offline", "--log", "tagih.log"]).expect(0);
    assert!(ran.stdout.contains("were taken out") && ran.stderr.contains("log 1: 1 lines"), "{ran:?}");
    let files = unpacked(&world.path("b.zip"));
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["README.txt", "configuration.toml", "doctor.json", "logs/1.jsonl", "messages.jsonl", "runs.jsonl", "verify.json", "versions.json"]
    );
    let all: String = files.values().cloned().collect();
    for word in ["canary", SECRET, &code, "0812-3456", "other@example.org", "PING-KEY"] {
        assert!(!all.to_lowercase().contains(&word.to_lowercase()), "{word}: {all}");
    }
    assert_eq!(files["logs/1.jsonl"], "{\"codes\":[\"E0724\"],\"level\":\"error\"}\n", "what is not known to be ours is dropped");
    assert!(files["README.txt"].contains("log 1: 1 lines; of 1 lines what is ours is kept"), "{}", files["README.txt"]);
    assert!(files["runs.jsonl"].contains("\"issue\"") && files["verify.json"].contains("\"is_sound\": true"));
    assert!(
        files["messages.jsonl"].contains("R-1")
            && files["doctor.json"].contains("findings")
            && files["configuration.toml"].contains("[pacing]")
    );
    assert_eq!(fs::metadata(world.path("b.zip")).unwrap().permissions().mode() & 0o777, 0o600);
    world.run(&["support-bundle", "--out", "b.zip"]).expect(2).says(&["exists already"]);
}

#[test]
fn no_setting_that_holds_a_persons_name_is_in_a_bundle() {
    let person = "Xaverius Qwertyman";
    let world = World::at(
        "http://127.0.0.1:1",
        &format!(
            "[plan]\ncancel_name = \"{person}\"\n[serve]\ncustomer_name = \"{person}\"\n[journal]\nactor = \"{person}\"\n\
             [layouts.insurer.constants]\nmethod = \"doku\"\npolicy_holder = \"{person}\"\npolicy_account_name = \"{person}\"\n\
             [layouts.insurer.values.customer_name]\n\"{person}\" = \"{person}\"\n"
        ),
    );
    world.run(&["ledger", "create"]).expect(0);
    world.run(&["support-bundle", "--offline", "--quick", "--out", "b.zip"]).expect(0);
    let files = unpacked(&world.path("b.zip"));
    let all: String = files.values().cloned().collect();
    assert!(!all.contains("Xaverius") && !all.contains("Qwertyman"), "{all}");
    let shown: toml::Table = files["configuration.toml"].parse().unwrap();
    assert_eq!(shown["layouts"]["insurer"]["constants"]["method"].as_str(), Some("doku"));
    // A setting that is called so is one.
    let mut found = Vec::new();
    for (section, keys) in &shown {
        for key in
            keys.as_table().unwrap().keys().filter(|key| key.ends_with("_name") || ["actor", "name", "person"].contains(&key.as_str()))
        {
            assert_eq!(keys[key].as_str(), Some("***"), "{section}.{key}");
            found.push(format!("{section}.{key}"));
        }
    }
    found.sort();
    assert_eq!(found, ["journal.actor", "plan.cancel_name", "serve.customer_name"]);
}

#[test]
fn what_cannot_be_held_against_the_ledgers_names_stays_out() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "X", 1);
    world.issue("bills.csv", &[]).expect(0);
    world.file("tagih.log", "Budi\n");
    world.reconfigure(&format!("client_id = \"{}\"", crate::support::world::CLIENT), "client_id = \"ANOTHER\"");
    let arguments = ["support-bundle", "--offline", "--quick", "--log", "tagih.log", "--out"];
    world.run(&[&arguments[..], &["b.zip"]].concat()).expect(0).says(&["left out: logs and runs"]);
    let files = unpacked(&world.path("b.zip"));
    assert!(!files.contains_key("runs.jsonl") && files.keys().all(|name| !name.starts_with("logs/")), "{files:?}");
    world.reconfigure("[pacing]", "[pacinx]");
    world.run(&[&arguments[..], &["c.zip"]].concat()).expect(0);
    assert!(unpacked(&world.path("c.zip"))["configuration-error.txt"].contains("pacinx"));
}
