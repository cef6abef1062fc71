//! What a job leaves for `node_exporter`'s textfile collector: one file a command, in Prometheus' text format, replaced as a whole.
//!
//! Whoever scrapes it sees the last run until the next one, so it says when that was; a run that fails keeps the time of the last
//! success from the file of before. Nothing in it names a bill or a person.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::atomic::{self, WriteError};
use crate::private;

/// Every metric: its name and what it says. All are gauges, because a file tells of one run.
const METRICS: [(&str, &str); 12] = [
    ("tagih_build_info", "The version that ran; always 1."),
    ("tagih_job_last_run_timestamp_seconds", "When the job last ended (seconds since 1970)."),
    (LAST_SUCCESS, "When the job last ended with 0 (seconds since 1970); 0 if it never has."),
    ("tagih_job_duration_seconds", "How long the last run took."),
    ("tagih_job_exit_code", "What the last run ended with; docs/formats.md lists the codes."),
    ("tagih_job_rows", "What the last run dealt with, by kind and by what became of it."),
    ("tagih_job_rupiah", "Rupiah of those whose amount is known."),
    ("tagih_job_doku_answers", "Attempts of the last run, by what DOKU answered."),
    ("tagih_job_doubts", "Operations in doubt after the last run."),
    ("tagih_job_doubt_oldest_age_seconds", "How long the oldest of them had been in doubt then; 0 without one."),
    ("tagih_ledger_head_info", "The ledger's head (sequence:hash) after the last run, for `ledger verify --head`; always 1."),
    ("tagih_ledger_head_sequence", "The number of the ledger's last event after the last run."),
];
const LAST_SUCCESS: &str = "tagih_job_last_success_timestamp_seconds";

/// What a run came to, as far as it got.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    rows: BTreeMap<(&'static str, String), (u64, Option<i128>)>,
    answers: Vec<(&'static str, u64)>,
    doubts: Option<(u64, Option<Timestamp>)>,
    head: Option<(String, u64)>,
}

impl Figures {
    /// So many things `of` a kind ended in `bucket`, with their rupiah where those are known.
    pub fn rows(&mut self, of: &'static str, bucket: &str, count: u64, rupiah: Option<i128>) {
        self.rows.insert((of, bucket.to_owned()), (count, rupiah));
    }

    /// Attempts by what was answered.
    pub fn answers(&mut self, answers: Vec<(&'static str, u64)>) {
        self.answers = answers;
    }

    /// Operations in doubt, and since when the oldest is.
    pub fn doubts(&mut self, count: u64, oldest: Option<Timestamp>) {
        self.doubts = Some((count, oldest));
    }

    /// Where the ledger's sequence of events ends: `sequence:hash`, and the sequence.
    pub fn head(&mut self, text: String, sequence: u64) {
        self.head = Some((text, sequence));
    }

    /// The `sequence:hash` that was noted.
    #[must_use]
    pub fn head_text(&self) -> Option<&str> {
        self.head.as_ref().map(|(text, _)| text.as_str())
    }
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub struct EndedRun<'a> {
    /// Such as `issue` or `ledger verify`.
    pub command: &'a str,
    /// `production` or `sandbox`; `unknown` where the configuration could not be read.
    pub environment: &'a str,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it ended with.
    pub exit_code: u8,
}

/// Writes the metrics of `run` to `path`, readable by whoever scrapes them.
///
/// # Errors
/// When the file cannot be written; the one of before is unchanged then.
pub fn write(path: &Path, run: &EndedRun<'_>, figures: &Figures) -> Result<(), WriteError> {
    let before = private::text(path).unwrap_or_default();
    let text = text(run, figures, last_success(&before, run.command));
    atomic::write(path, |file| {
        // Whatever the umask of the service is: the exporter is another user.
        file.get_ref().as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())
    })
}

/// The last success of `command` that an earlier file tells of.
fn last_success(before: &str, command: &str) -> i64 {
    let of_command = format!("{}{{command=\"{}\"", LAST_SUCCESS, escaped(command));
    let line = before.lines().find(|line| line.starts_with(&of_command));
    line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok()).unwrap_or(0)
}

fn text(run: &EndedRun<'_>, figures: &Figures, last_success: i64) -> String {
    let ended = run.ended_at.as_second();
    let last_success = if run.exit_code == 0 { ended } else { last_success };
    let mut samples = Samples { run, by_metric: BTreeMap::new() };
    samples.add("tagih_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    samples.add("tagih_job_last_run_timestamp_seconds", &[], ended);
    samples.add(LAST_SUCCESS, &[], last_success);
    samples.add("tagih_job_duration_seconds", &[], format_args!("{}.{:03}", run.duration_ms / 1_000, run.duration_ms % 1_000));
    samples.add("tagih_job_exit_code", &[], run.exit_code);
    for ((of, bucket), (count, rupiah)) in &figures.rows {
        samples.add("tagih_job_rows", &[("of", of), ("bucket", bucket)], count);
        if let Some(rupiah) = rupiah {
            samples.add("tagih_job_rupiah", &[("of", of), ("bucket", bucket)], rupiah);
        }
    }
    for (kind, count) in &figures.answers {
        samples.add("tagih_job_doku_answers", &[("kind", kind)], count);
    }
    if let Some((count, oldest)) = figures.doubts {
        samples.add("tagih_job_doubts", &[], count);
        let age = oldest.map_or(0, |oldest| ended.saturating_sub(oldest.as_second()).max(0));
        samples.add("tagih_job_doubt_oldest_age_seconds", &[], age);
    }
    if let Some((head, sequence)) = &figures.head {
        samples.add("tagih_ledger_head_info", &[("head", head)], 1);
        samples.add("tagih_ledger_head_sequence", &[], sequence);
    }
    samples.text()
}

/// Lines by metric. Each names its command and environment: the collector refuses the same series from two files.
struct Samples<'a> {
    run: &'a EndedRun<'a>,
    by_metric: BTreeMap<&'static str, Vec<String>>,
}

impl Samples<'_> {
    fn add(&mut self, metric: &'static str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let own = [("command", self.run.command), ("environment", self.run.environment)];
        let labels = own.iter().chain(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        let lines = self.by_metric.entry(metric).or_default();
        lines.push(format!("{metric}{{{labels}}} {value}\n"));
    }

    fn text(&self) -> String {
        let told = METRICS.iter().filter_map(|(name, help)| Some((name, help, self.by_metric.get(name)?)));
        told.map(|(name, help, lines)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{}", lines.concat()))
            .collect::<Vec<_>>()
            .concat()
    }
}

/// A label's value, as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(exit_code: u8, ended_at: &str) -> EndedRun<'static> {
        let ended_at = ended_at.parse().unwrap();
        EndedRun { command: "issue", environment: "sandbox", ended_at, duration_ms: 61_002, exit_code }
    }

    #[test]
    fn a_failure_keeps_the_last_success_of_the_same_command_and_a_first_failure_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issue.prom");
        let success = |run: &EndedRun<'_>| {
            write(&path, run, &Figures::default()).unwrap();
            last_success(&fs::read_to_string(&path).unwrap(), run.command)
        };
        let (first, second) = ("2026-11-28T18:30:00Z", "2026-11-29T18:30:00Z");
        assert_eq!(success(&run(3, first)), 0, "there was none, and an alarm can say so");
        let at = success(&run(0, first));
        assert_eq!(at, run(0, first).ended_at.as_second());
        assert_eq!((success(&run(7, second)), success(&run(143, second))), (at, at));
        assert_eq!(success(&run(0, second)), at + 86_400);
        assert_eq!(success(&EndedRun { command: "sync", ..run(9, second) }), 0, "another's success is not its own");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no half of a file is left");
    }

    #[test]
    fn figures_stand_under_their_metric_with_labels_escaped() {
        let mut figures = Figures::default();
        figures.rows("rows", "issued", 480, Some(12_000_000));
        figures.rows("rows", "odd \"\\\n", 1, None);
        figures.answers(vec![("success", 480)]);
        figures.doubts(2, "2026-11-28T18:30:00Z".parse().ok());
        figures.head("7:ab".into(), 7);
        let text = text(&run(1, "2026-11-28T18:30:10Z"), &figures, 5);
        let own = "command=\"issue\",environment=\"sandbox\"";
        for line in [
            format!("tagih_job_rows{{{own},of=\"rows\",bucket=\"issued\"}} 480"),
            format!("tagih_job_rows{{{own},of=\"rows\",bucket=\"odd \\\"\\\\\\n\"}} 1"),
            format!("tagih_job_rupiah{{{own},of=\"rows\",bucket=\"issued\"}} 12000000"),
            format!("tagih_job_doku_answers{{{own},kind=\"success\"}} 480"),
            format!("tagih_job_doubt_oldest_age_seconds{{{own}}} 10"),
            format!("tagih_ledger_head_info{{{own},head=\"7:ab\"}} 1"),
            format!("tagih_job_duration_seconds{{{own}}} 61.002"),
            format!("tagih_job_exit_code{{{own}}} 1"),
            format!("tagih_job_last_success_timestamp_seconds{{{own}}} 5"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert_eq!(text.matches("# TYPE").count(), METRICS.len(), "{text}");
    }
}
