//! A secret that a command prints, such as that of a password manager. It is run without a shell, within a time limit, and neither what it
//! prints nor what it complains of is ever repeated.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::private;

/// No secret is longer.
const BYTES_MAX: u64 = 1 << 16;

/// Which command, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCommand {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// After that it is ended.
    pub limit: Duration,
}

impl SecretCommand {
    /// The program's name.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words.first().map(String::as_str).unwrap_or_default()
    }

    /// What it prints; else why there is nothing, in words that have none of it.
    ///
    /// # Errors
    /// That it cannot be started, fails, prints too much or takes too long.
    pub fn run(&self) -> Result<Vec<u8>, String> {
        let mut command = Command::new(self.program());
        command.args(self.words.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own: whatever it starts ends with it.
        let mut child = command.process_group(0).spawn().map_err(|error| format!("it cannot be started: {error}"))?;
        let group = child.id();
        let (done, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut printed = Vec::new();
            let read = child.stdout.take().map(|out| out.take(BYTES_MAX).read_to_end(&mut printed));
            let status = child.wait();
            drop(done.send((printed, read.is_some_and(|read| read.is_ok()), status)));
        });
        let Some((printed, was_read, status)) = clock::received(&ended, self.limit) else {
            private::end_group(group);
            return Err(format!("it had not ended after {} s", self.limit.as_secs()));
        };
        match status {
            Ok(status) if status.success() && was_read => Ok(printed),
            Ok(status) => Err(format!("it ended with {status}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;

    fn command(script: &str, seconds: u64) -> SecretCommand {
        SecretCommand { words: ["/bin/sh", "-c", script].map(str::to_owned).into(), limit: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_a_command_prints_is_taken_and_what_it_complains_of_is_not_repeated() {
        assert_eq!(command("printf 'SK-a\\n'", 5).run().unwrap(), b"SK-a\n");
        let failed = command("echo SK-printed; echo SK-complained >&2; exit 3", 5).run().unwrap_err();
        assert!(failed.contains("exit status: 3") && !failed.contains("SK-"), "{failed}");
        let missing = SecretCommand { words: vec!["/nowhere/pass".into()], limit: Duration::from_secs(5) };
        assert!(missing.run().unwrap_err().contains("cannot be started"));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let began = Stopwatch::start();
        let error = command(&format!("sleep 60 & echo $! > {}; wait", pid.display()), 1).run().unwrap_err();
        assert!(error.contains("after 1 s") && began.elapsed() < Duration::from_secs(20), "{error}");
        let pid = std::fs::read_to_string(pid).unwrap();
        let is_gone = || {
            // A process that has ended may wait to be buried.
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let waited = Stopwatch::start();
        while !is_gone() {
            assert!(waited.elapsed() < Duration::from_secs(10), "what it started goes on");
        }
    }
}
