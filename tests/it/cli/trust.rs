//! What a person with a keyboard on this machine, and a stranger on the network, must not get through (docs/security.md).

use super::world::World;

#[test]
fn the_environment_does_not_say_whose_certificates_vouch_for_doku() {
    let world = World::at("https://127.0.0.1:9", "");
    world.many("bills.csv", "A", 1);
    let pem = world.file("roots.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let issue = ["issue", "bills.csv", "--out", "out"];
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let ran = world.run_with(&[(name, pem.to_str().unwrap())], &issue).expect(2);
        ran.says(&[name, "doku.root_certificates_file"]);
    }
    let named = |name: &str| format!("secret_file = \"secret\"\nroot_certificates_file = \"{name}\"");
    world.reconfigure(&format!("secret_file = \"{}\"", world.path("secret").display()), &named("none.pem"));
    world.run(&issue).expect(2).says(&["doku.root_certificates_file", "none.pem"]);
    world.reconfigure("none.pem", "tagih.toml");
    world.run(&issue).expect(2).says(&["holds no certificate"]);
    let shown = world.run(&["config", "show"]).expect(0).stdout;
    assert!(shown.contains("root_certificates_file = \""), "{shown}");
}
