//! The DOKU look-alike as a process of its own: it survives the client, and its books are what the client is held against.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tagih::sandbox::record::{Call, Order};

use super::process::{Desk, Running};

/// How long it may take to listen; generous, for a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// A growing file, read as far as it goes.
#[derive(Debug)]
struct Tail {
    file: File,
    lines: usize,
}

/// A sandbox that listens on loopback, and the file in which it records every order it makes or changes.
#[derive(Debug)]
pub struct Sandbox {
    /// `127.0.0.1:PORT`.
    address: String,
    record: Mutex<Tail>,
    record_path: PathBuf,
    _process: Running,
}

impl Sandbox {
    /// Starts one on a free port, with `arguments` besides listen and record.
    pub fn start(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let record = desk.path("sandbox.jsonl");
        let fixed = ["sandbox", "--listen", "127.0.0.1:0", "--record", record.to_str().unwrap()];
        let mut process = desk.start(&[&fixed, arguments].concat(), environment);
        let begun = Instant::now();
        let address = loop {
            let words = process.stdout();
            if let Some((_, address)) = words.strip_suffix('\n').and_then(|line| line.split_once("http://")) {
                break address.to_owned();
            }
            assert!(!process.has_ended() && begun.elapsed() < START_MAX, "the sandbox does not start: {words}");
            thread::sleep(Duration::from_millis(2));
        };
        let tail = Mutex::new(Tail { file: File::open(&record).unwrap(), lines: 0 });
        Self { address, record: tail, record_path: record, _process: process }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Every order ever made, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.get("/_sandbox/orders")
    }

    /// Every POST and PATCH that arrived, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.get("/_sandbox/calls")
    }

    /// The file in which it records what it carries out.
    pub fn record(&self) -> &str {
        self.record_path.to_str().unwrap()
    }

    /// How many mutations its record file holds.
    pub fn recorded(&self) -> usize {
        let mut tail = self.record.lock().unwrap();
        let mut grown = Vec::new();
        tail.file.read_to_end(&mut grown).unwrap();
        tail.lines += memchr::memchr_iter(b'\n', &grown).count();
        tail.lines
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let mut stream = TcpStream::connect(&self.address).unwrap_or_else(|error| panic!("the sandbox is gone: {error}"));
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let body = memchr::memmem::find(&answer, b"\r\n\r\n").map(|end| &answer[end + 4..]).unwrap();
        serde_json::from_slice(body).unwrap()
    }
}
