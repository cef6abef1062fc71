//! The tables: what is made, who may change what, and edits that are found.

use super::*;

#[test]
fn verifying_finds_an_edit_of_any_table_and_of_what_makes_them_tables() {
    let (url, ledger) = new_postgres();
    filled(&ledger);
    let cluster = cluster::shared();
    sound(&ledger, None);
    for edit in [
        "UPDATE tagih.bills SET amount = amount + 1 WHERE invoice_number = 'A'",
        "UPDATE tagih.terms SET text = replace(text, '150000', '150001')",
        "UPDATE tagih.payments SET amount = 1 WHERE payment_code = '11'",
        "DELETE FROM tagih.names",
        "UPDATE tagih.totals SET count = count + 1 WHERE what = 'active'",
        "UPDATE tagih.head SET sequence = sequence - 1",
        "DELETE FROM tagih.bodies",
        "ALTER TABLE tagih.events DISABLE TRIGGER USER; UPDATE tagih.events SET event = replace(event, 'expired', 'removed')",
        "ALTER TABLE tagih.events DISABLE TRIGGER events_are_never_changed",
        "CREATE OR REPLACE FUNCTION tagih.events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "DROP INDEX tagih.bills_one_a_live_code",
        "ALTER TABLE tagih.bills ADD COLUMN more TEXT",
    ] {
        let (restored, name) = (cluster.database(), database(&url));
        // Each edit is made in a copy of its own.
        cluster.sql("postgres", &format!("DROP DATABASE {restored}"));
        cluster.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        cluster.sql("postgres", &format!("CREATE DATABASE {restored} TEMPLATE {name}"));
        cluster.sql(&restored, edit);
        let edited = PostgresLedger::unbound(server(&cluster.url(&restored))).unwrap();
        let found = match wait(edited.verify(None)) {
            Ok(report) => !report.is_sound(),
            Err(error) => matches!(error, LedgerError::Damaged { .. }),
        };
        assert!(found, "{edit}");
    }
    let refused = cluster.try_sql(database(&url), "DELETE FROM tagih.events");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("append-only"));
}

#[test]
fn what_its_owner_purges_is_gone_from_the_tables_files() {
    let (url, ledger) = new_postgres();
    let size = || cluster::shared().sql(database(&url), "SELECT pg_relation_size('tagih.customers'), COUNT(*) FROM tagih.customers");
    filled(&ledger);
    assert_eq!(size(), "0|0");
}

#[test]
fn the_documented_role_can_do_all_that_a_host_does_and_not_change_what_was() {
    let cluster = cluster::shared();
    let name = cluster.database();
    let owner = PostgresLedger::open(server(&cluster.url(&name)), &binding(), Create::IfMissing).unwrap();
    let document = include_str!("../../../../docs/several-hosts.md");
    let grants = document.split("```sql\n").nth(2).unwrap().split("```").next().unwrap();
    let ours = grants.replace("tagih_reader", &format!("{name}_reader")).replace("tagih_host", &format!("{name}_host"));
    cluster.sql(&name, &format!("CREATE ROLE {name}_host LOGIN PASSWORD 'x'; CREATE ROLE {name}_reader LOGIN PASSWORD 'x'; {ours}"));
    cluster.sql(&name, &format!("CREATE ROLE {name}_stranger LOGIN PASSWORD 'x'"));
    let as_role = |role: &str| {
        let password = secrecy::SecretString::from("x");
        let access = ServerAccess {
            password: Some(&password),
            ca_file: None,
            patience: Duration::ZERO,
            lease: Duration::from_secs(9),
            seals: &Seals::UNKEYED,
        };
        PostgresServer::new(&cluster.url_of(&format!("{name}_{role}"), &name), &access, Arc::new(MachineRandomness)).unwrap()
    };
    let stranger = PostgresLedger::open(as_role("stranger"), &binding(), Create::Never).unwrap_err().to_string();
    assert!(stranger.contains("their owner lets it in by GRANT"), "{stranger}");
    let host = PostgresLedger::open(as_role("host"), &binding(), Create::Never).unwrap();
    host.lease("host", RateShare { per_1000_seconds: 1_000, burst: 1 }).unwrap();
    filled(&host);
    let reader = PostgresLedger::open_read_only(as_role("reader"), &binding()).unwrap();
    sound(&reader, None);
    assert_eq!(whole(&reader).head, whole(&owner).head);
    for (role, sql) in [
        ("host", "UPDATE tagih.events SET fence = 9"),
        ("host", "DELETE FROM tagih.events"),
        ("host", "DELETE FROM tagih.bills"),
        ("host", "DELETE FROM tagih.payments"),
        ("host", "UPDATE tagih.meta SET client_id = 'x'"),
        ("host", "TRUNCATE tagih.events"),
        ("host", "ALTER TABLE tagih.events DISABLE TRIGGER USER"),
        ("reader", "UPDATE tagih.head SET sequence = 0"),
        ("reader", "INSERT INTO tagih.names VALUES (1, 'code', 'x')"),
    ] {
        let refused = cluster.try_sql(&name, &format!("SET ROLE {name}_{role}; {sql}"));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{sql}: {said}");
    }
}

#[test]
fn what_the_tables_consist_of_is_written_down() {
    let (url, _ledger) = new_postgres();
    let engine = start(server(&url), Access::Write).unwrap();
    let connecting = engine.server.clone();
    let made = engine.wait(async move { schema::objects(&connecting.connect(Access::Write).await?).await }).unwrap();
    let lines: Vec<String> = made.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    let written: Vec<&str> = include_str!("../../schema/postgres/objects.txt").lines().collect();
    assert!(lines == written, "schema/postgres/objects.txt should be:\n{}", lines.join("\n"));
}

#[test]
fn nothing_of_a_migration_stays_when_a_part_of_it_fails() {
    let (url, ledger) = new_postgres();
    wait(ledger.record(vec![planned("A")])).unwrap();
    let engine = start(server(&url), Access::Write).unwrap();
    let migrated = |next: &'static str| open::migrated(&engine, &binding(), &[open::MIGRATIONS, &[next]].concat());
    assert!(migrated("CREATE TABLE more (a BIGINT); CREATE TABLE events (a BIGINT)").is_err());
    let version = || cluster::shared().sql(database(&url), "SELECT schema_version, to_regclass('tagih.more') FROM tagih.meta");
    assert_eq!(version(), "2|");
    migrated("CREATE TABLE more (a BIGINT)").unwrap();
    migrated("CREATE TABLE more (a BIGINT)").unwrap();
    assert_eq!(version(), "3|tagih.more");
    assert_eq!(wait(ledger.head()).unwrap().sequence, 1);
}
