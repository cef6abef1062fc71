//! A shell in a scratch world of its own: a folder that stands for the whole machine, and free ports in place of those on the pages.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use regex::Regex;

/// How long a command may take; generous, for a busy machine.
const COMMAND_MAX: Duration = Duration::from_mins(5);
/// Where sandbox and server are on the pages.
const PORTS: [&str; 2] = ["8086", "8087"];

/// Reads commands, each ended by NUL, and answers with the exit code of each; what it says is in a file of its own.
const LOOP: &str = r#"status=0; number=0
while IFS= read -r -d '' command; do
    number=$((number + 1)); (exit $status)
    eval "$command" </dev/null >"$SAID/$number" 2>&1
    status=$?; echo $status
done"#;

pub struct Shell {
    root: tempfile::TempDir,
    ports: [String; 2],
    /// The present one in Jakarta; the pages say 2026-11.
    month: String,
    child: Child,
    commands: ChildStdin,
    codes: Receiver<String>,
    count: usize,
}

impl Shell {
    pub fn open() -> Self {
        let root = tempfile::Builder::new().prefix("tagih-docs-").tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["bin", "tmp", ".said", "etc/tagih", "srv", "var/lib/tagih", "var/log", "backup"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["samples", "config"] {
            std::os::unix::fs::symlink(repository.join(name), at(name)).unwrap();
        }
        let ports = free_ports();
        let program = at("bin/tagih");
        // The sandbox's port has no setting, so it is given where the command has none.
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *\" --listen \"*) ;; *\" sandbox \"*) set -- \"$@\" --listen 127.0.0.1:{} ;; esac\nexec '{}' \"$@\"\n",
            ports[0],
            env!("CARGO_BIN_EXE_tagih"),
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = Command::new("bash")
            .args(["--norc", "-c", LOOP])
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin").display()))
            .env("HOME", root.path())
            .env("TMPDIR", at("tmp"))
            .env("SAID", at(".said"))
            .env("PAGES", repository.join("tests/fixtures/docs"))
            .env("DOKU", format!("127.0.0.1:{}", ports[0]))
            .env("LANG", "C.UTF-8")
            .env("USER", "siti")
            .env("TAGIH_SERVE_LISTEN", format!("127.0.0.1:{}", ports[1]))
            .current_dir(root.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let month = tagih::domain::calendar::wib_date(jiff::Timestamp::now()).to_string()[..7].to_owned();
        let (sender, codes) = channel();
        std::thread::spawn(move || answers.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { root, ports, month, child, commands, codes, count: 0 }
    }

    /// Runs a command to its end, or until it is in the background; gives its exit code and what it said by then.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> (i32, String) {
        let within = self.within(command);
        self.commands.write_all(within.as_bytes()).and_then(|()| self.commands.write_all(b"\0")).unwrap();
        self.count += 1;
        let Ok(code) = self.codes.recv_timeout(COMMAND_MAX) else { panic!("{command}: never ended\n{}", self.said()) };
        (code.parse().unwrap(), self.said())
    }

    /// What the last command has said so far, as the pages have it.
    pub fn said(&self) -> String {
        let said = fs::read_to_string(self.root.path().join(".said").join(self.count.to_string())).unwrap();
        let said = said.replace(self.root.path().to_str().unwrap(), "");
        self.ports.iter().zip(PORTS).fold(said, |said, (port, shown)| said.replace(&format!(":{port}"), &format!(":{shown}")))
    }

    /// Writes a file that a page shows.
    pub fn write(&self, name: &str, text: &str) {
        let path = PathBuf::from(self.within(name));
        fs::write(self.root.path().join(path), self.within(text)).unwrap();
    }

    /// What a page says, in this world.
    fn within(&self, text: &str) -> String {
        let of_the_machine = Regex::new(r#"(^|[\s'"=(<>])(/(?:etc|srv|var|backup)/)"#).unwrap();
        let text = of_the_machine.replace_all(text, format!("${{1}}{}${{2}}", self.root.path().display()));
        let text = text.replace("--period 2026-11", &format!("--period {}", self.month));
        self.ports.iter().zip(PORTS).fold(text, |text, (port, shown)| text.replace(&format!(":{shown}"), &format!(":{port}")))
    }
}

impl Drop for Shell {
    /// Ends whatever it has started. The world is kept when the test fails.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status());
        drop(self.child.wait());
        if std::thread::panicking() {
            self.root.disable_cleanup(true);
            eprintln!("kept for inspection: {}", self.root.path().display());
        }
    }
}

/// Two that nobody listens on.
fn free_ports() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port().to_string())
}
