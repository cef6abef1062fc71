//! A merchant's server as a process, its ledger, and DOKU's side of the conversation.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use tagih::doku::signature::{Components, SigningKey, Stamp};
use tagih::domain::bill::{Customer, Expiry, RecordedTerms};
use tagih::domain::channel::IssuanceMethod;
use tagih::domain::lifecycle::{CodeAnswer, Event, OperationKind};
use tagih::domain::personal::Personal;
use tagih::ledger::{Basis, Ledger as _, NewEvent, Private, SqliteLedger};

use crate::support::bills;
pub(crate) use crate::support::bills::{answer, invoice};
use crate::support::world::{CLIENT, SECRET, World, signal, until};

pub const INQUIRY: &str = "/doku/inquiry";
pub const NOTIFICATION: &str = "/payments/notifications";

/// A folder with a configuration, a ledger, and perhaps a running server.
pub(crate) struct Shop {
    pub world: World,
    pub address: String,
    running: Option<(Child, BufReader<ChildStdout>)>,
    runs: u32,
}

impl Shop {
    /// An empty ledger; `settings` go under `[serve]`.
    pub(crate) fn new(settings: &str) -> Self {
        let world = World::at("http://127.0.0.1:1", &format!("[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"logs\"\n{settings}"));
        let shop = Self { world, address: String::new(), running: None, runs: 0 };
        drop(shop.ledger());
        shop
    }

    pub(crate) fn ledger(&self) -> SqliteLedger {
        bills::ledger(&self.world.path("tagih.ledger"), CLIENT)
    }

    /// Applies payments to the ledger, as another command would.
    pub(crate) fn pay(&self, payments: &[tagih::domain::payment::Payment]) {
        bills::wait(self.ledger().apply_payments(payments)).unwrap();
    }

    /// Records events of one bill.
    pub(crate) fn record(&self, number: &str, events: Vec<(Event, Private)>) {
        let entry =
            |(event, private)| NewEvent { invoice_number: invoice(number), at: Timestamp::now(), event, basis: Basis::Any, private };
        bills::wait(self.ledger().record(events.into_iter().map(entry).collect())).unwrap();
    }

    /// `count` payable bills `N-00001` … with the codes 880000001 …
    pub(crate) fn many(&self, count: usize) {
        let rows: Vec<String> = (1..=count).map(|n| format!("N-{n:05},{},alfa,{},inquiry\n", code_of(n), 10_000 + n)).collect();
        self.world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,method\n{}", rows.concat()));
        self.world.run(&["ledger", "import", "codes.csv"]).expect(0);
    }

    /// Starts the server, and waits until it takes connections.
    pub(crate) fn start(&mut self) {
        let command = self.world.command(&["serve"]);
        self.launch(command);
    }

    /// The same where no file can grow beyond a mebibyte: what lies beyond fails as on a full disk.
    pub(crate) fn start_on_a_small_disk(&mut self) {
        let inner = self.world.command(&["serve"]);
        let mut command = Command::new("/bin/sh");
        command.env_clear().current_dir(self.world.path("")).stdin(Stdio::null()).stdout(Stdio::piped());
        command.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
        self.launch(command);
    }

    fn launch(&mut self, mut command: Command) {
        self.runs += 1;
        let said = File::create(self.world.path(&format!("said-{}", self.runs))).unwrap();
        let mut child = command.stderr(Stdio::from(said)).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        address.unwrap_or_else(|| panic!("{line:?}: {}", self.said())).clone_into(&mut self.address);
        self.running = Some((child, stdout));
    }

    /// Starts it, and waits until it answers inquiries.
    pub(crate) fn open(&mut self) {
        self.start();
        until("the server is ready", || self.get("/healthz").status == 200);
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.world.path(&format!("said-{}", self.runs))).unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let (mut child, _) = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.running.as_ref().unwrap().0, name);
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.running.take().unwrap().0.wait().unwrap()
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn close(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.ended().code()
    }

    pub(crate) fn connect(&self) -> Line {
        Line::to(&self.address).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().exchange(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap()
    }

    /// The payments in the ledger, by the numbers they name.
    pub(crate) fn payments(&self) -> Vec<String> {
        let exported = self.world.run(&["ledger", "export"]).expect(0).stdout;
        let lines = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["kind"] == "payment").map(|line| line["invoice_number"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn send(&self, message: &Message) -> Answer {
        self.connect().exchange(&message.bytes()).unwrap()
    }

    /// A figure of `/metrics`, by what stands before its value.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = String::from_utf8(self.get("/metrics").body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap_or_else(|_| panic!("{name}: {value}")))
    }

    /// The logs whose names begin so.
    pub(crate) fn logs(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(self.world.path("logs")).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix));
        found.sort();
        found
    }

    /// The lines of these logs that are JSON.
    pub(crate) fn lines(&self, prefix: &str) -> Vec<Value> {
        let text: String = self.logs(prefix).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.running {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() && self.runs > 0 {
            eprintln!("the server said: {}", self.said());
        }
    }
}

pub(crate) fn code_of(number: usize) -> String {
    format!("{}", 880_000_000 + number)
}

/// Terms of a bill that DOKU asks us about.
pub(crate) fn terms(code: &str) -> RecordedTerms {
    RecordedTerms {
        method: IssuanceMethod::Inquiry,
        payment_code: Some(bills::code(code)),
        expiry: Expiry::Minutes(60),
        ..bills::recorded(150_000)
    }
}

/// A code that is live, until `minutes` from now.
pub(crate) fn adopted(terms: &RecordedTerms, code: &str, minutes: i64) -> (Event, Private) {
    let expires_at = Timestamp::now().checked_add(SignedDuration::from_mins(minutes)).unwrap();
    let answer = CodeAnswer { expires_at: Some(expires_at), ..answer(code) };
    (Event::Adopted { terms: terms.clone(), answer, wire_invoice_number: None }, Private::default())
}

pub(crate) fn intended(operation: OperationKind, number: &str, terms: &RecordedTerms) -> (Event, Private) {
    (bills::intended(operation, terms, number, number), Private::default())
}

pub(crate) fn customer(name: &str, email: Option<&str>) -> Private {
    Private {
        customer: Some((
            Customer { name: Personal::new(name), email: email.map(Personal::new), account_name: None },
            tagih::domain::bill::Salt::new([5; 16]),
        )),
        ..Private::default()
    }
}

/// A request of DOKU's, or of somebody who would like to be.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Signed by `secret` for `target`, as of `stamp`.
    pub(crate) fn signed_as(secret: &str, target: &str, request_id: &str, stamp: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        let components = Components { client_id: CLIENT, request_id, stamp: Stamp::Request(stamp), target, body: Some(&body) };
        let signature = SigningKey::new(&SecretString::from(secret)).sign(&components).unwrap();
        let headers = [
            ("Client-Id", CLIENT),
            ("Request-Id", request_id),
            ("Request-Timestamp", stamp),
            ("Signature", &signature),
            ("Content-Type", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { method: "POST", path: target.to_owned(), headers, body }
    }

    /// Signed by DOKU now.
    pub(crate) fn new(target: &str, request_id: &str, body: impl AsRef<[u8]>) -> Self {
        let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self::signed_as(SECRET, target, request_id, &stamp, body)
    }

    pub(crate) fn inquiry(request_id: &str, code: &str) -> Self {
        Self::new(INQUIRY, request_id, inquiry_body(&format!("{code:?}")))
    }

    pub(crate) fn notification(number: usize, transaction: &str) -> Self {
        Self::new(NOTIFICATION, transaction, notification_body(number, transaction, "SUCCESS"))
    }

    /// The same with another header instead of the one so called.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.and(name, value)
    }

    /// The same with one more header.
    #[must_use]
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", self.method, self.path, self.body.len()).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

pub(crate) fn inquiry_body(code: &str) -> String {
    format!(
        r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},"online_to_offline_info":{{"payment_code":{code}}},"online_to_offline_inquiry":{{"date":"2020-08-11T08:45:42Z","identifier":[]}}}}"#
    )
}

pub(crate) fn notification_body(number: usize, transaction: &str, status: &str) -> String {
    let (code, amount) = (code_of(number), 10_000 + number);
    format!(
        r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},"transaction":{{"status":"{status}","date":"2026-10-12T07:06:28Z","original_request_id":"x"}},"order":{{"invoice_number":"N-{number:05}","amount":{amount}}},"online_to_offline_info":{{"payment_code":"{code}"}},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_ID","value":"ALFAMART"}},{{"name":"AGENT_STORE_ID","value":"s"}},{{"name":"AGENT_TRX_ID","value":"{transaction}"}}]}}}}"#
    )
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The word of an inquiry's answer.
    pub(crate) fn word(&self) -> String {
        self.json()["online_to_offline_inquiry"]["status"].as_str().unwrap().to_owned()
    }

    /// Whether it is signed by `secret` for the inquiry `request_id`.
    pub(crate) fn is_signed(&self, secret: &str, request_id: &str) -> bool {
        self.is_signed_at(INQUIRY, secret, request_id)
    }

    /// The same for an inquiry that was posted to `target`.
    pub(crate) fn is_signed_at(&self, target: &str, secret: &str, request_id: &str) -> bool {
        let header = |name: &str| self.headers.get(name).map_or("", String::as_str);
        let components = Components {
            client_id: header("client-id"),
            request_id: header("request-id"),
            stamp: Stamp::Response(header("response-timestamp")),
            target,
            body: Some(&self.body),
        };
        let key = SigningKey::new(&SecretString::from(secret));
        header("request-id") == request_id
            && header("client-id") == CLIENT
            && header("response-timestamp").len() == "2020-08-11T08:45:43Z".len()
            && key.verify(&components, header("signature")).is_ok()
    }
}

/// A connection that is kept.
pub(crate) struct Line {
    pub stream: BufReader<TcpStream>,
}

impl Line {
    pub(crate) fn to(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// From an address of this machine.
    pub(crate) fn from(own: &str, address: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connected = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(std::net::SocketAddr::new(own.parse().unwrap(), 0))?;
            socket.connect(address.parse().unwrap()).await?.into_std()
        };
        let stream = runtime.block_on(connected)?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub(crate) fn exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        self.write(bytes)?;
        self.read()
    }

    /// One answer with its body.
    pub(crate) fn read(&mut self) -> io::Result<Answer> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "no whole answer");
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(cut)?;
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(cut());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, headers, body })
    }
}
