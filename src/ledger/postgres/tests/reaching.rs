//! The way to the server: addresses, TLS, and a server that goes away.

use super::*;

#[test]
fn an_address_says_all_that_is_needed_and_no_secret() {
    let access = |ca_file| ServerAccess { password: None, ca_file, patience: Duration::ZERO, lease: Duration::ZERO };
    let refused = |url: &str| Server::new(url, &access(None), Arc::new(MachineRandomness)).unwrap_err();
    assert!(refused("mysql://a@b/c").contains("postgres://"));
    assert!(refused("postgres://a:secret@b/c").contains("ledger.password_file"));
    assert!(!refused("postgres://a:secret@b/c").contains("secret@"));
    assert!(refused("postgres://a@b").contains("database"));
    assert!(refused("postgres://a@db.example.co.id/c?sslmode=disable").contains("this machine only"));
    let none = std::path::Path::new("/nowhere/ca.pem");
    assert!(Server::new("postgres://a@b/c", &access(Some(none)), Arc::new(MachineRandomness)).unwrap_err().contains("/nowhere/ca.pem"));
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
        let access = ServerAccess { password: None, ca_file: None, patience: Duration::from_secs(1), lease: Duration::from_secs(3) };
        let server = Server::new(&url, &access, Arc::new(MachineRandomness)).unwrap();
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

/// Between a client and the server; cuts the connection right after a commit was passed on, once, when told to.
fn cutting(port: u16) -> (u16, Arc<std::sync::atomic::AtomicBool>) {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().port();
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = Arc::clone(&is_armed);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let is_cut = Arc::new(AtomicBool::new(false));
            let (cut, armed) = (Arc::clone(&is_cut), Arc::clone(&armed));
            std::thread::spawn(move || {
                let mut bytes = [0; 8192];
                while let Ok(count @ 1..) = from_server.read(&mut bytes) {
                    if cut.load(Ordering::SeqCst) || to_client.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
            });
            std::thread::spawn(move || {
                let (mut from_client, mut to_server) = (client, server);
                let mut bytes = [0; 8192];
                while let Ok(count @ 1..) = from_client.read(&mut bytes) {
                    let is_commit = bytes[..count].windows(6).any(|word| word == b"COMMIT");
                    let cuts = is_commit && armed.swap(false, Ordering::SeqCst);
                    is_cut.fetch_or(cuts, Ordering::SeqCst);
                    if to_server.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                    if cuts {
                        std::thread::sleep(Duration::from_millis(300));
                        drop(from_client.shutdown(Shutdown::Both));
                        break;
                    }
                }
                drop(to_server.shutdown(Shutdown::Both));
            });
        }
    });
    (here, is_armed)
}

#[test]
fn a_commit_whose_answer_is_lost_is_neither_done_twice_nor_told_as_failed() {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    let (port, is_armed) = cutting(cluster.port);
    let through = url.replace(&cluster.port.to_string(), &port.to_string());
    let ledger = PostgresLedger::open(server(&through), &binding(), Create::IfMissing).unwrap();
    wait(ledger.record(vec![planned("A")])).unwrap();
    is_armed.store(true, std::sync::atomic::Ordering::SeqCst);
    let states = wait(ledger.record(vec![adopted("B", "77")])).unwrap();
    assert!(!is_armed.load(std::sync::atomic::Ordering::SeqCst), "it was cut");
    assert_eq!((states[0].last_event, whole(&ledger).head.sequence), (2, 2));
    wait(ledger.record(vec![retired("B", Basis::Since(2))])).unwrap();
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
        let access = ServerAccess { password: Some(&password), ca_file, patience, lease };
        let server = Server::new(&format!("postgres://tagih@{host}:{}/tagih", cluster.port), &access, Arc::new(MachineRandomness)).unwrap();
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
