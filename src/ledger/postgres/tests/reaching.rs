//! The way to the server: addresses, TLS, and a server that goes away.

use super::*;

#[test]
fn an_address_says_all_that_is_needed_and_no_secret() {
    let access =
        |ca_file| ServerAccess { password: None, ca_file, patience: Duration::ZERO, lease: Duration::ZERO, seals: &Seals::UNKEYED };
    let refused = |url: &str| PostgresServer::new(url, &access(None), Arc::new(MachineRandomness)).unwrap_err();
    assert!(refused("mysql://a@b/c").contains("postgres://"));
    assert!(refused("postgres://a:secret@b/c").contains("ledger.password_file"));
    assert!(!refused("postgres://a:secret@b/c").contains("secret@"));
    assert!(refused("postgres://a@b").contains("database"));
    assert!(refused("postgres://a@db.example.co.id/c?sslmode=disable").contains("this machine only"));
    let none = std::path::Path::new("/nowhere/ca.pem");
    assert!(
        PostgresServer::new("postgres://a@b/c", &access(Some(none)), Arc::new(MachineRandomness)).unwrap_err().contains("/nowhere/ca.pem")
    );
}

#[test]
fn a_server_that_crashes_and_comes_back_is_a_pause_and_loses_nothing_that_was_told() {
    let cluster = cluster::Cluster::start(true);
    let url = cluster.url(&cluster.database());
    let ledger = PostgresLedger::open(server(&url), &binding(), Create::IfMissing).unwrap();
    let told = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for worker in 0..4 {
            let (ledger, told) = (&ledger, &told);
            threads.spawn(move || {
                for count in 0..150 {
                    let invoice = format!("W{worker}-{count}");
                    wait(ledger.record(vec![planned(&invoice)])).unwrap();
                    told.lock().unwrap().push(invoice);
                }
            });
        }
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(150));
            cluster.stop("QUIT");
            cluster.run();
        }
    });
    let whole = whole(&ledger);
    assert_eq!((whole.bills.len(), whole.head.sequence), (600, 600), "each once");
    assert!(told.lock().unwrap().iter().all(|invoice| whole.bills.contains_key(&number(invoice))));
    sound(&ledger, None);
}

#[test]
fn a_server_that_stays_away_is_an_error_that_says_so() {
    let cluster = cluster::Cluster::start(false);
    let url = cluster.url(&cluster.database());
    let ledger = {
        let access = ServerAccess {
            password: None,
            ca_file: None,
            patience: Duration::from_secs(1),
            lease: Duration::from_secs(3),
            seals: &Seals::UNKEYED,
        };
        let server = PostgresServer::new(&url, &access, Arc::new(MachineRandomness)).unwrap();
        PostgresLedger::open(server, &binding(), Create::IfMissing).unwrap()
    };
    cluster.stop("INT");
    let away = wait(ledger.record(vec![planned("A")])).unwrap_err();
    assert!(matches!(&away, LedgerError::Unreachable { .. }), "{away}");
    assert!(matches!(wait(ledger.view()), Err(LedgerError::Unreachable { .. })));
    cluster.run();
    wait(ledger.record(vec![planned("A")])).unwrap();
    assert_eq!(whole(&ledger).head.sequence, 1);
}

#[test]
fn a_commit_whose_answer_is_lost_is_neither_done_twice_nor_told_as_failed() {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    let network = network::Network::to(cluster.port);
    let through = url.replace(&cluster.port.to_string(), &network.port.to_string());
    let ledger = PostgresLedger::open(server(&through), &binding(), Create::IfMissing).unwrap();
    wait(ledger.record(vec![planned("A")])).unwrap();
    network.cut_after(b"COMMIT");
    let states = wait(ledger.record(vec![adopted("B", "77")])).unwrap();
    assert!(!network.is_armed(), "it was cut");
    assert_eq!((states[0].last_event, whole(&ledger).head.sequence), (2, 2));
    wait(ledger.record(vec![retired("B", Basis::Since(2))])).unwrap();
}

#[test]
fn a_server_that_keeps_the_connection_and_answers_nothing_is_given_up_by_writers_and_views() {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    let network = network::Network::to(cluster.port);
    let through = url.replace(&cluster.port.to_string(), &network.port.to_string());
    let mut impatient = server(&through);
    (impatient.silence, impatient.patience) = (Duration::from_secs(1), Duration::ZERO);
    let ledger = PostgresLedger::open(impatient, &binding(), Create::IfMissing).unwrap();
    wait(ledger.record(vec![adopted("A", "77")])).unwrap();
    let view = wait(ledger.view()).unwrap();
    network.stall();
    let given_up = |error: LedgerError| assert!(matches!(error, LedgerError::Unreachable { .. }), "{error}");
    given_up(wait(ledger.record(vec![planned("B")])).unwrap_err());
    given_up(wait(view.totals(at(9))).unwrap_err());
    network.cut();
    given_up(wait(ledger.record(vec![planned("B")])).unwrap_err());
    network.heal();
    wait(ledger.record(vec![planned("C")])).unwrap();
    sound(&ledger, None);
}

/// An authority of ours (`ca.pem`) and a server's certificate of `name`.
fn certificates(folder: &Path, name: &str) {
    let script = "set -e; cd \"$0\"; \
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tests -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE; \
        openssl req -newkey rsa:2048 -nodes -subj /CN=\"$1\" -keyout server.key -out server.csr; \
        printf 'subjectAltName=DNS:%s' \"$1\" > names; \
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem";
    let made = std::process::Command::new("sh").args(["-c", script]).arg(folder).arg(name).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn tls_is_to_the_server_that_is_meant_or_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path(), "localhost");
    let cluster = cluster::Cluster::start(false);
    for name in ["server.pem", "server.key"] {
        cluster.write(name, &std::fs::read_to_string(folder.path().join(name)).unwrap());
    }
    let tls = "ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'";
    cluster.configure("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n", tls);
    cluster.stop("INT");
    cluster.run();
    cluster.sql("postgres", "CREATE ROLE tagih LOGIN PASSWORD 'a secret'");
    cluster.sql("postgres", "CREATE DATABASE tagih OWNER tagih TEMPLATE template0");
    let open = |host: &str, password: &str, ca_file: Option<&Path>| {
        let password = secrecy::SecretString::from(password);
        let (patience, lease) = (Duration::from_secs(1), Duration::from_secs(3));
        let access = ServerAccess { password: Some(&password), ca_file, patience, lease, seals: &Seals::UNKEYED };
        let server =
            PostgresServer::new(&format!("postgres://tagih@{host}:{}/tagih", cluster.port), &access, Arc::new(MachineRandomness)).unwrap();
        PostgresLedger::open(server, &binding(), Create::IfMissing).map(drop).map_err(|error| error.to_string())
    };
    let authority = folder.path().join("ca.pem");
    open("localhost", "a secret", Some(&authority)).unwrap();
    let refused = open("localhost", "another", Some(&authority)).unwrap_err();
    assert!(refused.contains("password authentication failed") && !refused.contains("another"), "{refused}");
    let refused = open("127.0.0.1", "a secret", Some(&authority)).unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let refused = open("localhost", "a secret", Some(&folder.path().join("server.pem"))).unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    assert!(open("localhost", "a secret", None).is_err(), "nothing goes there without TLS");
}
