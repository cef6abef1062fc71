//! What the end-to-end tests share: a sandbox on a free port, a folder with a configuration, the program, its results.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::Value;
use tagih::sandbox::fault::Faults;
use tagih::sandbox::model::Model;
use tagih::sandbox::server::{self, Running};
use tagih::sandbox::settings::Settings;

use crate::support::audit;
use crate::support::folder;
pub use crate::support::message::{CLIENT, SECRET};

/// A header every bill can live with.
pub const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minutes,action,receipt_description";

/// The program with a clean environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagih"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// DOKU's stand-in.
pub enum Doku {
    /// `tagih sandbox`, a process of its own.
    Process { child: Child, base_url: String },
    /// The same server in this process, where a test can set single faults.
    Here { running: Running, _runtime: tokio::runtime::Runtime },
}

impl Doku {
    /// Starts `tagih sandbox` on a free port.
    pub fn process() -> Self {
        Self::process_with(&[])
    }

    /// The same with more arguments.
    pub fn process_with(arguments: &[&str]) -> Self {
        Self::process_keyed(SECRET, arguments)
    }

    /// The same with another secret key.
    pub fn process_keyed(secret: &str, arguments: &[&str]) -> Self {
        let mut command = program();
        command
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("TAGIH_DOKU_CLIENT_ID", CLIENT)
            .env("TAGIH_DOKU_SECRET", secret);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base_url = line.trim().strip_prefix("sandbox listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self::Process { child, base_url }
    }

    /// Serves a sandbox with `faults` from this process.
    pub fn here(faults: Faults) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = Settings { faults, ..Settings::new(CLIENT, SecretString::from(SECRET), 1) };
        let running = runtime.block_on(server::start(Model::new(settings), "127.0.0.1:0".parse().unwrap())).unwrap();
        Self::Here { running, _runtime: runtime }
    }

    /// Other faults from now on; only of a sandbox in this process.
    pub fn set_faults(&self, faults: Faults) {
        let Self::Here { running, .. } = self else { panic!("a sandbox process takes its faults at its start") };
        running.model.lock().unwrap().set_faults(faults);
    }

    pub fn base_url(&self) -> String {
        match self {
            Self::Process { base_url, .. } => base_url.clone(),
            Self::Here { running, .. } => running.base_url(),
        }
    }

    /// What an endpoint answers, also when it refuses.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        serde_json::from_str(&self.exchange(method, path, body)).unwrap()
    }

    /// What a request answers, whatever it is.
    pub fn exchange(&self, method: &str, path: &str, body: &str) -> String {
        let base_url = self.base_url();
        let mut stream = TcpStream::connect(base_url.strip_prefix("http://").unwrap()).unwrap();
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }

    /// What a GET answers with.
    pub fn text(&self, path: &str) -> String {
        self.exchange("GET", path, "")
    }

    /// A list of the control endpoint.
    pub fn look(&self, path: &str) -> Vec<Value> {
        serde_json::from_value(self.ask("GET", path, "")).unwrap()
    }

    /// A customer pays the code of `invoice`, with more keys of the control endpoint's body, such as `,"amount":1000`.
    pub fn pay(&self, invoice: &str, more: &str) -> Value {
        let code = self.orders()[invoice].code.clone();
        let answer = self.ask("POST", "/_sandbox/pay", &format!(r#"{{"payment_code":"{code}"{more}}}"#));
        assert!(answer.get("error").is_none(), "{answer}");
        answer
    }

    /// Every POST and PATCH that arrived.
    pub fn calls(&self) -> Vec<Value> {
        self.look("/_sandbox/calls")
    }

    /// Every order ever made: invoice number → (state, amount, code).
    pub fn orders(&self) -> BTreeMap<String, Order> {
        let text = |order: &Value, key: &str| order[key].as_str().unwrap().to_owned();
        let one = |order: &Value| {
            let amount = order["amount"].as_u64().unwrap();
            (text(order, "invoice_number"), Order { state: text(order, "state"), amount, code: text(order, "payment_code") })
        };
        self.look("/_sandbox/orders").iter().map(one).collect()
    }

    /// The invoice numbers of all orders.
    pub fn invoices(&self) -> Vec<String> {
        self.orders().into_keys().collect()
    }
}

impl Drop for Doku {
    fn drop(&mut self) {
        if let Self::Process { child, .. } = self {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub state: String,
    pub amount: u64,
    pub code: String,
}

/// A merchant's folder: configuration, secret, ledger, files, results.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// A folder configured for `doku`.
    pub fn of(doku: &Doku) -> Self {
        Self::at(&doku.base_url(), "")
    }

    /// A folder configured for `base_url`, with more settings.
    pub fn at(base_url: &str, more: &str) -> Self {
        Self::within(folder::temporary(), base_url, more)
    }

    /// The same where the system has such folders: a doctor would not have it in memory.
    pub fn on_disk(base_url: &str, more: &str) -> Self {
        Self::within(folder::of_the_system(), base_url, more)
    }

    fn within(folder: tempfile::TempDir, base_url: &str, more: &str) -> Self {
        let world = Self { folder };
        let secret = world.file("secret", SECRET);
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = format!(
            "[doku]\nbase_url = \"{base_url}\"\nclient_id = \"{CLIENT}\"\nsecret_file = \"{}\"\nverify_response = \"enforce\"\n\
             [ledger]\npath = \"{}\"\n[pacing]\nrate_per_second = 5000\nburst = 100\nin_flight_max = 4\n\
             [retry]\nbase_ms = 1\ncap_ms = 4\n[timeout]\nconnect_ms = 2000\nrequest_ms = 10000\n{more}",
            secret.display(),
            world.path("tagih.ledger").display(),
        );
        world.file("tagih.toml", settings);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Writes bills under [`HEAD`].
    pub fn bills(&self, name: &str, rows: &[&str]) -> PathBuf {
        self.file(name, format!("{HEAD}\n{}\n", rows.join("\n")))
    }

    /// `count` plain Alfa bills called `PREFIX-0001` and so on.
    pub fn many(&self, name: &str, prefix: &str, count: usize) -> PathBuf {
        let rows: Vec<String> = (1..=count).map(|n| format!("{prefix}-{n:04},{},Budi,alfa,,,,,", 10_000 + n)).collect();
        self.bills(name, &rows.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The program with this folder's configuration, in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).arg("--config").arg(self.path("tagih.toml")).args(arguments);
        command
    }

    /// Runs it to the end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[], arguments)
    }

    /// Runs it with environment variables.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let ran = Ran::from(self.command(arguments).envs(variables.iter().copied()).output().unwrap());
        audit::look(self, variables, arguments, &ran);
        ran
    }

    /// `tagih issue NAME --out out` and more arguments.
    pub fn issue(&self, name: &str, more: &[&str]) -> Ran {
        self.run(&[&["issue", name, "--out", "out"], more].concat())
    }

    /// Starts it; its output is read by [`Ran::of`].
    pub fn start(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Child {
        self.command(arguments).envs(variables.iter().copied()).spawn().unwrap()
    }

    /// The rows of a result file, by column.
    pub fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_path(self.path(name)).unwrap().deserialize().map(Result::unwrap).collect()
    }

    /// One column of a result file.
    pub fn column(&self, name: &str, column: &str) -> Vec<String> {
        self.rows(name).into_iter().map(|mut row| row.remove(column).unwrap()).collect()
    }

    /// The last run's summary, its sums checked (I13).
    pub fn summary(&self) -> Value {
        let summary: Value = serde_json::from_slice(&fs::read(self.path("out/summary.json")).unwrap()).unwrap();
        let sum: u64 = summary["buckets"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(Some(sum), summary["input_rows"].as_u64(), "I13: {summary}");
        summary
    }

    /// The buckets of the last run that are not empty, such as `2 issued, 1 refused`.
    pub fn buckets(&self) -> String {
        let summary = self.summary();
        let buckets = summary["buckets"].as_object().unwrap();
        let filled = buckets.iter().filter(|(_, count)| count.as_u64() != Some(0));
        filled.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }

    /// The ledger's statuses and how many bills have each.
    pub fn statuses(&self) -> BTreeMap<String, u64> {
        let ran = self.run(&["status", "--json"]).expect(0);
        let status: Value = serde_json::from_str(&ran.stdout).unwrap();
        status["bills"].as_object().unwrap().iter().map(|(name, slot)| (name.clone(), slot["count"].as_u64().unwrap())).collect()
    }

    /// Changes the configuration file.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("tagih.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        self.file("tagih.toml", text.replace(from, to));
    }
}

impl Drop for World {
    /// It is kept when the test fails.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("kept for inspection: {}", self.folder.path().display());
        }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Waits for a started run.
    pub fn of(child: Child) -> Self {
        Self::from(child.wait_with_output().unwrap())
    }

    /// Must have ended so. Nothing is ever allowed to panic.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(self.code == code && !self.stderr.contains("panicked"), "expected exit {code}, got {self:#?}");
        self
    }

    /// Must have said all this on stderr.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in {self:#?}");
        }
        self
    }
}

/// Sends a signal by its name.
pub fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap().success());
}

/// Waits until something holds, ten seconds at most.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        // Long enough for any machine: only what never comes takes it all.
        assert!(begun.elapsed() < Duration::from_mins(2), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The bytes of every file in a folder, by name.
pub fn bytes_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    files.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}
