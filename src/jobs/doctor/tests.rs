//! Every finding of the doctor, provoked by the one fact it rests on; and a machine that is well, of which nothing is found.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::gateway::probe::{Probe, ProbeAnswer};

const NOW: i64 = 1_800_000_000;

fn place(setting: &'static str, path: &str) -> HostPlace {
    HostPlace {
        setting,
        path: path.into(),
        is_by_working_folder: false,
        owner_id: Some(1000),
        mode: Some(0o640),
        is_writable: true,
        is_personal: true,
        file_system: Some("ext4".into()),
        free_bytes: Some(50 << 30),
        sync_ms: Ok(3),
    }
}

fn well() -> DoctorFacts {
    let host = "api.doku.com".to_owned();
    let ends_at = jiff::Timestamp::from_second(NOW + 90 * 86_400).ok();
    let heard = ProbeAnswer { status: 404, ahead_seconds: Some(1), certificate_ends_at: ends_at };
    let kept = Kept::File { path: "/etc/tagih/doku-secret".into(), mode: 0o600, owner_id: 1000 };
    DoctorFacts {
        settings: DoctorSettings {
            is_production: true,
            host: host.clone(),
            client_id: "BRN-1".into(),
            believes_unsigned: false,
            trusts_log: false,
            has_guard: true,
            rate_per_second: 10,
            request_ms: 30_000,
            breaker_failures: 20,
            freshness_seconds: 300,
            refusal_details: false,
            listens_publicly: false,
            has_admin_listen: false,
            connections_max: 512,
            secret_in_variable: false,
        },
        secrets: vec![Secret { setting: "doku.secret_file", kept, shape: Ok(oddities(b"SK-abc\n")), revoked_after: None }],
        network: Network {
            host,
            has_tls: true,
            way: Way::Direct,
            proxy_variables: vec![],
            probe: Some(Ok(Probe { addresses: Some(Ok(2)), heard: Ok(heard) })),
            now_seconds: NOW,
        },
        records: RecordsState {
            ledger: LedgerState::Verified { head: "5:ab".into(), first: None, findings_count: 0, bills: 3, against_head: false },
            lock: LockState::Free,
            log: LogState::Last { name: "notifications-2026-11-28.jsonl".into(), age_seconds: 3_600 },
        },
        host: Host {
            user_id: 1000,
            places: vec![place("ledger.path", "/var/lib/tagih/l"), place("journal.path", "/var/lib/tagih/j")],
            left: Vec::new(),
            open_files_max: Some(4_096),
            zone: Zone { name: Some("Asia/Jakarta".into()), is_known: true },
        },
    }
}

fn heard(facts: &mut DoctorFacts) -> &mut ProbeAnswer {
    facts.network.probe.as_mut().unwrap().as_mut().unwrap().heard.as_mut().unwrap()
}

fn secret_of(bytes: &[u8]) -> impl Fn(&mut DoctorFacts) {
    let bytes = bytes.to_vec();
    move |facts| facts.secrets[0].shape = Ok(oddities(&bytes))
}

type Case = (&'static str, Check, Level, Box<dyn Fn(&mut DoctorFacts)>);

fn case(words: &'static str, check: Check, level: Level, spoil: impl Fn(&mut DoctorFacts) + 'static) -> Case {
    (words, check, level, Box::new(spoil))
}

/// What is said, of what, how bad it is, and what alone is not as in [`well`].
fn cases() -> Vec<Case> {
    let mut cases = of_settings_and_secrets();
    cases.extend(of_network());
    cases.extend(of_records());
    cases.extend(of_host());
    cases
}

fn of_settings_and_secrets() -> Vec<Case> {
    use Check::{Environment, Risk, Secret};
    use Level::{Error, Warning};
    vec![
        case("`doku.client_id` is not set", Environment, Error, |facts| facts.settings.client_id.clear()),
        case("leads to doku.example", Environment, Warning, |facts| facts.settings.host = "doku.example".into()),
        case("leads to api.doku.com, not to api-sandbox.doku.com", Environment, Warning, |facts| facts.settings.is_production = false),
        case("leads to 127.0.0.1", Environment, Warning, |facts| facts.settings.host = "127.0.0.1".into()),
        case("there is none", Secret, Error, |facts| facts.secrets[0].kept = Kept::Nowhere),
        case("cannot be read: denied", Secret, Error, |facts| facts.secrets[0].shape = Err("denied".into())),
        case("has mode 640", Secret, Error, |facts| {
            facts.secrets[0].kept = Kept::File { path: "/s".into(), mode: 0o640, owner_id: 1000 };
        }),
        case("belongs to user 0", Secret, Warning, |facts| {
            facts.secrets[0].kept = Kept::File { path: "/s".into(), mode: 0o600, owner_id: 0 };
        }),
        case("is revoked", Secret, Error, |facts| facts.secrets[0].revoked_after = Some(Timestamp::UNIX_EPOCH)),
        case("byte order mark (BOM)", Secret, Error, secret_of(b"\xef\xbb\xbfSK")),
        case("ends with CR LF", Secret, Warning, secret_of(b"SK\r\n")),
        case("holds a line end", Secret, Error, secret_of(b"SK\n\n")),
        case("holds a line end", Secret, Error, secret_of(b"\nSK")),
        case("holds a line end", Secret, Error, secret_of(b"SK\r")),
        case("has blanks around it", Secret, Error, secret_of(b"SK \n")),
        case("quotation marks", Secret, Error, secret_of(b"\"SK\"\n")),
        case("is no plain text", Secret, Error, secret_of(b"S\0K")),
        case("is no plain text", Secret, Error, secret_of(b"S\xffK")),
        case("is empty", Secret, Error, secret_of(b"\n")),
        case("verify_response", Risk, Warning, |facts| facts.settings.believes_unsigned = true),
        case("trust_log", Risk, Warning, |facts| facts.settings.trusts_log = true),
        case("`[guard]` limits nothing", Risk, Warning, |facts| facts.settings.has_guard = false),
        case("rate_per_second = 51", Risk, Warning, |facts| facts.settings.rate_per_second = 51),
        case("request_ms = 9999", Risk, Warning, |facts| facts.settings.request_ms = 9_999),
        case("breaker_failures = 0", Risk, Warning, |facts| facts.settings.breaker_failures = 0),
        case("freshness_seconds = 0", Risk, Warning, |facts| facts.settings.freshness_seconds = 0),
        case("refusals name customers", Risk, Warning, |facts| facts.settings.refusal_details = true),
        case("open to other machines", Risk, Warning, |facts| facts.settings.listens_publicly = true),
        case("secret is in the environment", Risk, Warning, |facts| facts.settings.secret_in_variable = true),
    ]
}

fn of_network() -> Vec<Case> {
    use Check::{Certificate, Clock, Dns, Proxy, Tls};
    use Level::{Error, Warning};
    let days = |days: i64| {
        move |facts: &mut DoctorFacts| {
            heard(facts).certificate_ends_at = jiff::Timestamp::from_second(NOW + days * 86_400 + 60).ok();
        }
    };
    let ahead = |seconds: i64| move |facts: &mut DoctorFacts| heard(facts).ahead_seconds = Some(seconds);
    vec![
        case("is not known: no such name", Dns, Error, |facts| {
            facts.network.probe = Some(Ok(Probe { addresses: Some(Err("no such name".into())), heard: Err("dns error".into()) }));
        }),
        case("has no TLS that can be trusted", Tls, Error, |facts| {
            facts.network.probe.as_mut().unwrap().as_mut().unwrap().heard =
                Err("api.doku.com has no TLS that can be trusted: UnknownIssuer".into());
        }),
        case("valid for 13 more days", Certificate, Warning, days(13)),
        case("valid for -2 more days", Certificate, Warning, days(-2)),
        case("cannot be read", Certificate, Warning, |facts| heard(facts).certificate_ends_at = None),
        case("6 s behind DOKU's", Clock, Warning, ahead(6)),
        case("300 s ahead of DOKU's", Clock, Warning, ahead(-300)),
        case("301 s ahead of DOKU's", Clock, Error, ahead(-301)),
        case("bears no Date", Clock, Warning, |facts| heard(facts).ahead_seconds = None),
        case("HTTPS_PROXY is set and not used", Proxy, Warning, |facts| facts.network.proxy_variables = vec!["HTTPS_PROXY".into()]),
        case("the environment names none", Proxy, Warning, |facts| facts.network.way = Way::Environment),
        case("only http_proxy is set", Proxy, Warning, |facts| {
            facts.network.way = Way::Environment;
            facts.network.proxy_variables = vec!["http_proxy".into()];
        }),
    ]
}

fn of_records() -> Vec<Case> {
    use Level::{Error, Warning};
    let refused =
        |is_damaged| move |facts: &mut DoctorFacts| facts.records.ledger = LedgerState::Refused { reason: "why".into(), is_damaged };
    vec![
        case("there is none at `/l`", Check::Ledger, Warning, |facts| facts.records.ledger = LedgerState::Missing("/l".into())),
        case("it is damaged: why", Check::Chain, Error, refused(true)),
        case("cannot be opened: why", Check::Ledger, Error, refused(false)),
        case("2 findings, the first: event 3", Check::Chain, Error, |facts| {
            let (head, first) = ("5:ab".into(), Some("event 3".into()));
            facts.records.ledger = LedgerState::Verified { head, first, findings_count: 2, bills: 3, against_head: true };
        }),
        case("held by `issue`", Check::Lock, Warning, |facts| {
            facts.records.lock = LockState::Held { holder: "`issue`, process 7".into(), seconds: Some(90_000) };
        }),
        case("cannot be used", Check::Lock, Error, |facts| facts.records.lock = LockState::Unusable("denied".into())),
        case("h ago", Check::Log, Warning, |facts| {
            facts.records.log = LogState::Last { name: "notifications-2026-11-20.jsonl".into(), age_seconds: 37 * 3_600 };
        }),
        case("cannot be read", Check::Log, Error, |facts| facts.records.log = LogState::Unreadable("denied".into())),
    ]
}

fn of_host() -> Vec<Case> {
    use Check::{FileSystem, Limit, Owner, Space, Sync, TimeZone};
    use Level::{Error, Warning};
    let on = |kind: &'static str| move |facts: &mut DoctorFacts| facts.host.places[0].file_system = Some(kind.into());
    let zone = |name: &'static str, is_known| move |facts: &mut DoctorFacts| facts.host.zone = Zone { name: Some(name.into()), is_known };
    vec![
        case("1023 MB free", Space, Warning, |facts| facts.host.places[0].free_bytes = Some((1 << 30) - 1)),
        case("63 MB free", Space, Error, |facts| facts.host.places[0].free_bytes = Some((64 << 20) - 1)),
        case("such as `/var/lib/tagih/.tagih-x`", Space, Warning, |facts| facts.host.left = vec!["/var/lib/tagih/.tagih-x".into()]),
        case("not known at", Space, Warning, |facts| facts.host.places[0].free_bytes = None),
        case("fsync took 51 ms", Sync, Warning, |facts| facts.host.places[0].sync_ms = Ok(51)),
        case("fsync took 1001 ms", Sync, Error, |facts| facts.host.places[0].sync_ms = Ok(1_001)),
        case("nothing can be made durable", Sync, Error, |facts| facts.host.places[0].sync_ms = Err("read-only".into())),
        case("is on nfs4, a file system of another machine", FileSystem, Error, on("nfs4")),
        case("is on tmpfs, which a restart empties", FileSystem, Error, on("tmpfs")),
        case("user 1000 may not write", Owner, Error, |facts| facts.host.places[0].is_writable = false),
        case("belongs to user 0, and this is user 1000", Owner, Warning, |facts| facts.host.places[0].owner_id = Some(0)),
        case("has mode 644", Owner, Warning, |facts| facts.host.places[0].mode = Some(0o644)),
        case("only as long as commands are run in this folder", Check::Place, Warning, |facts| {
            facts.host.places[1].is_by_working_folder = true;
        }),
        case("where the system clears up", Check::Place, Warning, |facts| facts.host.places[0].path = "/tmp/l".into()),
        case("575 files may be open", Limit, Warning, |facts| facts.host.open_files_max = Some(575)),
        case("goes by Europe/Berlin", TimeZone, Warning, zone("Europe/Berlin", true)),
        case("knows no time zone `Asia/Jakrta`", TimeZone, Warning, zone("Asia/Jakrta", false)),
    ]
}

#[test]
fn every_finding_is_provoked_by_its_one_fact_says_what_to_do_and_names_nothing_else() {
    for (words, check, level, spoil) in cases() {
        let mut facts = well();
        spoil(&mut facts);
        let findings = examine(&facts);
        let bad: Vec<&DoctorFinding> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
        let [only] = bad[..] else { panic!("{words}: {bad:#?}") };
        assert!((only.check, only.level) == (check, level) && only.found.contains(words), "{words}: {only:?}");
        assert!(!only.remedy.is_empty(), "{words}: what is to be done?");
    }
}

#[test]
fn of_a_machine_that_is_well_every_check_says_so() {
    let findings = examine(&well());
    let bad: Vec<&DoctorFinding> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let seen: BTreeSet<Check> = findings.iter().map(|finding| finding.check).collect();
    let spoilt: BTreeSet<Check> = cases().into_iter().map(|(_, check, ..)| check).collect();
    assert_eq!(seen, spoilt, "every check has its case, and speaks when all is well");
    assert_eq!(seen.len() + 1, codes::ALL.len(), "the configuration is looked at before");
}

#[test]
fn what_is_no_fault_is_none() {
    let spoilers: [fn(&mut DoctorFacts); 9] = [
        |facts| facts.network.probe = None,
        |facts| facts.network.probe.as_mut().unwrap().as_mut().unwrap().addresses = None,
        |facts| facts.network.way = Way::Through("http://proxy:3128".into()),
        |facts| facts.secrets[0].kept = Kept::Credential("/run/credentials/x/doku_secret".into()),
        |facts| facts.records.lock = LockState::Held { holder: "`issue`".into(), seconds: Some(600) },
        |facts| (facts.secrets[0].setting, facts.secrets[0].revoked_after) = ("doku.secret_file_previous", Some(Timestamp::UNIX_EPOCH)),
        |facts| facts.records.log = LogState::None("/var/lib/tagih/logs".into()),
        |facts| facts.host.zone = Zone { name: None, is_known: true },
        |facts| (facts.settings.is_production, facts.settings.host) = (false, "127.0.0.1".into()),
    ];
    for (index, spoil) in spoilers.into_iter().enumerate() {
        let mut facts = well();
        spoil(&mut facts);
        assert!(examine(&facts).iter().all(|finding| finding.level == Level::Ok), "{index}");
    }
}

#[test]
fn a_file_system_is_that_of_the_nearest_mount_above() {
    let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:26 / /var/lib rw,noatime shared:1 - nfs4 host:/x rw\n\
                  31 22 0:27 / /mnt/a\\040b rw - cifs //h/s rw\n32 22 0:28 / /var/library rw - tmpfs tmpfs rw\n33 22 8:2 / /home rw - xfs /dev/b rw\n\
                  34 33 0:9 / /home rw - btrfs /dev/c rw\n";
    let kinds = ["/var/lib/tagih", "/var/lib", "/var/libx", "/mnt/a b/c", "/etc", "/home/siti"].map(|path| file_system_of(mounts, path));
    assert_eq!(kinds.each_ref().map(|kind| kind.as_deref().unwrap()), ["nfs4", "nfs4", "ext4", "cifs", "ext4", "btrfs"]);
    assert_eq!(file_system_of("", "/etc"), None);
}
