//! A secret that a command prints, such as that of a password manager. It is run without a shell, within a time limit, and neither what it
//! prints nor what it complains of is ever repeated.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock;
use crate::private::Descent;

/// No secret is longer.
const BYTES_MAX: u64 = 1 << 16;
/// What a secret as it is takes: nothing is copied elsewhere while it is read.
const ROOM: usize = 4_096;
/// How long what was printed is read after the end.
const GRACE: Duration = Duration::from_secs(1);

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
    /// Whatever it starts ends with it, in whichever group or session that is.
    ///
    /// # Errors
    /// That it cannot be started, fails, prints too much or takes too long.
    pub fn run(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut command = Command::new(self.program());
        command.args(self.words.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let descent = Descent::begin();
        let mut child = command.process_group(0).spawn().map_err(|error| format!("it cannot be started: {error}"))?;
        let (leader, out) = (child.id(), child.stdout.take());
        let printed = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(ROOM))));
        let (all_read, was_read) = mpsc::channel();
        let reading = Arc::clone(&printed);
        thread::spawn(move || all_read.send(out.is_some_and(|out| read(out, &reading).is_ok())));
        let (done, ended) = mpsc::channel();
        thread::spawn(move || drop(done.send(child.wait())));
        let status = clock::received(&ended, self.limit);
        // It is over: so is all that it started, which could go on printing.
        descent.end(leader);
        let Some(status) = status else { return Err(format!("it had not ended after {} s", self.limit.as_secs())) };
        // What cannot be ended, as it is another account's, may hold the pipe for ever.
        let was_read = clock::received(&was_read, GRACE).unwrap_or(true);
        match status {
            Ok(status) if status.success() && was_read => Ok(printed.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Ok(status) => Err(format!("it ended with {status}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Reads until the end, or until there is more than any secret has.
fn read(out: ChildStdout, into: &Mutex<Zeroizing<Vec<u8>>>) -> io::Result<()> {
    let (mut out, mut part) = (out.take(BYTES_MAX), Zeroizing::new([0_u8; ROOM]));
    loop {
        let count = out.read(&mut *part)?;
        let Some(piece) = part.get(..count).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
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
        assert_eq!(command("printf 'SK-a\\n'", 5).run().unwrap().as_slice(), b"SK-a\n");
        let failed = command("echo SK-printed; echo SK-complained >&2; exit 3", 5).run().unwrap_err();
        assert!(failed.contains("exit status: 3") && !failed.contains("SK-"), "{failed}");
        let missing = SecretCommand { words: vec!["/nowhere/pass".into()], limit: Duration::from_secs(5) };
        assert!(missing.run().unwrap_err().contains("cannot be started"));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in
            [("group", "sleep 60 & echo $! > FILE; wait"), ("session", "setsid sh -c 'echo $$ > FILE; exec sleep 60' & wait")]
        {
            let pid = folder.path().join(name);
            let began = Stopwatch::start();
            let error = command(&script.replace("FILE", &pid.display().to_string()), 1).run().unwrap_err();
            assert!(error.contains("after 1 s") && began.elapsed() < Duration::from_secs(20), "{error}");
            let pid = std::fs::read_to_string(pid).unwrap();
            let is_gone = || {
                // A process that has ended may wait to be buried.
                let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
                stat.is_empty() || stat.contains(") Z ")
            };
            let waited = Stopwatch::start();
            while !is_gone() {
                assert!(waited.elapsed() < Duration::from_secs(10), "{name}: what it started goes on");
            }
        }
    }
}
