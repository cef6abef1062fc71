//! The real binary in a clean environment: nothing of the caller's reaches it, and everything it says is kept in files.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::folder;

/// `SIGKILL`.
const KILL: i32 = 9;

/// A folder of its own, with the words of every process started in it. Kept when the test fails.
#[derive(Debug)]
pub struct Desk {
    directory: tempfile::TempDir,
    started: AtomicU32,
}

impl Desk {
    pub fn new() -> Self {
        let directory = folder::temporary();
        fs::create_dir(directory.path().join("said")).unwrap();
        Self { directory, started: AtomicU32::new(0) }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where stdout and stderr of all processes are.
    pub fn said(&self) -> PathBuf {
        self.path("said")
    }

    /// Starts `tagih` with these arguments and, apart from these, no environment.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: &[S], environment: &[(&str, &str)]) -> Running {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let said = |stream: &str| self.said().join(format!("{number:04}.{stream}"));
        let (stdout, stderr) = (said("out"), said("err"));
        let child = Command::new(env!("CARGO_BIN_EXE_tagih"))
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Running { child, stdout, stderr }
    }

    /// Starts `tagih` and waits for its end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], environment: &[(&str, &str)]) -> Finished {
        self.start(arguments, environment).wait()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            eprintln!("kept for inspection: {}", self.directory.path().display());
        }
    }
}

/// A process. It does not outlive its handle.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn wait(mut self) -> Finished {
        let status = self.child.wait().unwrap();
        self.finished(status)
    }

    /// Kills it without a chance to tidy up.
    pub fn kill(mut self) -> Finished {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.finished(status)
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    fn finished(&self, status: ExitStatus) -> Finished {
        let read = |path: &Path| String::from_utf8(fs::read(path).unwrap()).unwrap();
        Finished { status, stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a process ended.
pub struct Finished {
    status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Whether it was alive until `SIGKILL` came.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(KILL)
    }

    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl fmt::Debug for Finished {
    /// Its last words are enough; all of them are in the desk's files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.stderr.lines().collect();
        let last = lines[lines.len().saturating_sub(10)..].join("\n");
        write!(f, "{}\nstdout: {}\nstderr: {last}", self.status, self.stdout.get(..2_000).unwrap_or(&self.stdout))
    }
}
