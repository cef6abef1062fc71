//! The HTTP edge: a server of this process, and whatever bytes a client sends it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use socket2::SockRef;
use tagih::clock::Clock;
use tagih::doku::claim::Claim;
use tagih::doku::info::InfoKey;
use tagih::doku::inquiry::InvalidSignature;
use tagih::domain::digest::Digest;
use tagih::domain::ids::{InvoiceNumber, PaymentCode};
use tagih::domain::payment::Payment;
use tagih::serve::health::Health;
use tagih::serve::keys::Keys;
use tagih::serve::log::LogFolder;
use tagih::serve::metrics::Metrics;
use tagih::serve::{Books, BooksFuture, ClientLimits, InquiredBill, NotNamed, ServeSettings, Server, Surroundings};

use crate::doku::{CLIENT, KEY};

/// Books without a bill.
struct Empty;

impl Books for Empty {
    fn find<'b>(&'b self, _: &'b PaymentCode) -> BooksFuture<'b, Result<Option<InquiredBill>, String>> {
        Box::pin(async { Ok(None) })
    }

    fn named<'b>(&'b self, _: &'b InvoiceNumber, _: &'b InvoiceNumber, _: Timestamp) -> BooksFuture<'b, Result<(), NotNamed>> {
        Box::pin(async { Err(NotNamed::Taken) })
    }

    fn arrived(&self, _: Option<&PaymentCode>, _: Option<&InvoiceNumber>) {}

    fn paid(&self, _: Payment) {
        panic!("nothing here is signed");
    }

    fn not_understood(&self, _: Claim, _: Digest) {
        panic!("nothing here is signed");
    }

    fn is_everywhere<'b>(&'b self, _: &'b Digest) -> BooksFuture<'b, bool> {
        Box::pin(async { true })
    }

    fn stands<'b>(&'b self, _: &'b str, _: Timestamp, _: Timestamp, _: &'b str) -> BooksFuture<'b, Result<Option<String>, String>> {
        Box::pin(async { Ok(None) })
    }

    fn behind_since(&self) -> Option<Timestamp> {
        None
    }
}

fn settings() -> ServeSettings {
    ServeSettings {
        inquiry_path: "/i".into(),
        notification_path: "/n".into(),
        client_id: CLIENT.into(),
        keys: Arc::new(Keys::new(vec![KEY.clone()])),
        invalid_signature: InvalidSignature::Unauthorized,
        inquiry_suffix: String::new(),
        refusal_details: false,
        sign_refusals: true,
        info_key: InfoKey::default(),
        freshness_seconds: 300,
        customer_name: "-".into(),
        limits: ClientLimits {
            connections_max: 64,
            per_address_max: 64,
            proxies: Vec::new(),
            body_bytes_max: 1 << 14,
            header_timeout: Duration::from_millis(200),
            body_timeout: Duration::from_millis(200),
            drain: Duration::from_secs(1),
            forged_bytes_max: 1 << 20,
            reserved_bytes: 0,
            answers_bytes_max: 1 << 16,
        },
    }
}

static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap().keep();
    let health = Arc::new(Health::default());
    health.caught_up();
    let around =
        Surroundings { folder: LogFolder::take(&folder).unwrap(), clock: Clock::default(), metrics: Arc::new(Metrics::default()), health };
    let starting = Server::start(settings(), Arc::new(Empty), around, "127.0.0.1:0".parse().unwrap(), None);
    let server = runtime.block_on(starting).unwrap();
    let address = server.address;
    // For as long as this process lives.
    std::mem::forget((server, runtime));
    address
});

pub fn edge(data: &[u8]) {
    let mut stream = TcpStream::connect(*SERVER).unwrap();
    // So that no port waits when this ends.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // Whoever hangs up first is the server, if it likes.
    drop(stream.write_all(data));
    drop(stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the server does not let go"),
        _ => {}
    }
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "what is no answer: {:?}", String::from_utf8_lossy(&answer));
}
