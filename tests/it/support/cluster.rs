//! A PostgreSQL server of the tests' own: installed where it is missing, in a temporary folder, on a free port, gone with the process.
//!
//! Also read by the library's tests, so it uses nothing of this crate.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
    pub port: u16,
    databases: AtomicU32,
    server: Mutex<Option<Server>>,
    is_durable: bool,
}

/// The server's process ends when its standard input does, so also when this process is killed.
#[derive(Debug)]
struct Server(Child);

static SHARED: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(false));

/// The server that tests of one process share. It is quick, and forgets everything if the machine stops.
#[must_use]
pub fn shared() -> &'static Cluster {
    &SHARED
}

impl Cluster {
    /// A server of its own; a durable one may be killed and started again.
    #[must_use]
    pub fn start(is_durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("tagih-pg-").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { folder, port, databases: AtomicU32::new(0), server: Mutex::new(None), is_durable };
        if is_root() {
            succeed(Command::new("chown").arg(user()).arg(cluster.folder.path()));
        }
        let data = cluster.data();
        succeed(
            program("initdb")
                .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres"])
                .arg("-D")
                .arg(&data),
        );
        cluster.configure("local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", "");
        cluster.run();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Who may come in how (`pg_hba.conf`), and further settings. Holds from the next start on.
    pub fn configure(&self, who: &str, more: &str) {
        let (folder, port) = (self.folder.path().display(), self.port);
        let sync = if self.is_durable { "on" } else { "off" };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\nfsync = {sync}\n\
             full_page_writes = {sync}\nmax_connections = 300\nshared_buffers = 64MB\nlog_min_messages = fatal\n{more}\n"
        );
        self.write("data/postgresql.conf", &settings);
        self.write("data/pg_hba.conf", who);
    }

    /// A file of the server's.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let mut child = as_user("sh").args(["-c", "umask 077; cat > \"$0\""]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Starts it, if it does not run, and waits until it answers.
    pub fn run(&self) {
        let mut server = self.server.lock().unwrap();
        if server.is_some() {
            return;
        }
        let (postgres, data) = (binary("postgres"), self.data());
        // Told nothing, it is alone, and leaves nothing behind.
        let script = "\"$0\" -D \"$1\" 2>\"$1/../log\" & server=$!; read -r how || alone=yes; kill -\"${how:-QUIT}\" $server; \
            wait $server; test -z \"$alone\" || rm -rf \"${1%/data}\"";
        let child = as_user("sh").args(["-c", script]).arg(postgres).arg(data).stdin(Stdio::piped()).spawn().unwrap();
        *server = Some(Server(child));
        let since = Instant::now();
        while !self.try_sql("postgres", "SELECT 1").status.success() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(since.elapsed() < Duration::from_mins(1), "PostgreSQL did not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash does (`QUIT`), or lets transactions be cut and all be written (`INT`).
    pub fn stop(&self, how: &str) {
        if let Some(Server(mut child)) = self.server.lock().unwrap().take() {
            writeln!(child.stdin.take().unwrap(), "{how}").unwrap();
            child.wait().unwrap();
        }
    }

    /// A new database without anything in it.
    pub fn database(&self) -> String {
        let name = format!("ledger_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        name
    }

    /// Where a database is for the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_of("postgres", database)
    }

    /// Where it is for somebody.
    #[must_use]
    pub fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL as the superuser; gives what it says.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.try_sql(database, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The same, whatever comes of it.
    pub fn try_sql(&self, database: &str, sql: &str) -> Output {
        let mut psql = Command::new(binary("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]);
        psql.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string(), "-c", sql]).output().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("QUIT");
    }
}

/// A program of PostgreSQL's, 15 or newer; installed by apt if there is none.
fn binary(name: &str) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        found().or_else(|| {
            let install = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql";
            let installed = Command::new("sh").args(["-c", install]).stdout(Stdio::null()).stderr(Stdio::null()).status();
            installed.is_ok_and(|status| status.success()).then(found).flatten()
        })
        .expect("these tests need PostgreSQL 15 or newer: none is under /usr/lib/postgresql or in PATH, and `apt-get install postgresql` brought none")
    });
    FOLDER.join(name)
}

fn found() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|version| *version >= 15).max();
    let of_debian = newest.map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    of_debian.into_iter().chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").exists())
}

fn program(name: &str) -> Command {
    as_user(binary(name))
}

/// PostgreSQL refuses to be root.
fn as_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={}", user()), "--regid=nogroup", "--clear-groups"]).arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|of_us| of_us.uid() == 0)
}

fn user() -> &'static str {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
