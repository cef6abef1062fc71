//! What the files of a runner are made of: the site, and the jobs of its night.
//!
//! Must not be here: how a runner writes them.

use std::path::{Path, PathBuf};

/// What the files are made of.
pub(super) struct Site {
    pub(super) program: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) user: String,
    pub(super) bills: PathBuf,
    pub(super) logs: Vec<String>,
    pub(super) state: PathBuf,
    /// The evidence store, and whether the settings have one.
    pub(super) evidence: PathBuf,
    pub(super) keeps_evidence: bool,
    pub(super) textfiles: Option<PathBuf>,
    /// Folders the jobs write into.
    pub(super) written: Vec<PathBuf>,
    /// Secrets that are to come as credentials, because no setting says where they are: each with its file.
    pub(super) credentials: Vec<(&'static str, &'static str)>,
    /// Whether numbers of invoices need `--cycle`.
    pub(super) needs_cycle: bool,
    /// Whether jobs without DOKU call somebody all the same.
    pub(super) has_heartbeat: bool,
    pub(super) drain_seconds: u64,
    pub(super) connections_max: u64,
}

/// A job of the night, as both runners start it.
pub(super) struct Job {
    /// Such as `ledger-verify`.
    pub(super) name: &'static str,
    /// What it does, in a few words.
    pub(super) does: &'static str,
    pub(super) arguments: Vec<String>,
}

/// A file to be put somewhere.
pub(super) struct File {
    /// Where it belongs.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) is_program: bool,
}

impl Site {
    /// The jobs in their order. What the night's run is to end by is a duration: it holds whenever it begins.
    pub(super) fn job(&self, name: &'static str) -> Job {
        let path = |path: &Path| path.display().to_string();
        let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let (does, mut arguments) = match name {
            "ingest" => ("payments from the logs into the ledger", [words("ingest"), self.logs.clone(), words("--allow-no-logs")].concat()),
            "issue" => {
                let fixed = words("--yes --max-duration 4h --out");
                (
                    "issue, amend and cancel codes as the file wants",
                    [words("issue"), vec![path(&self.bills)], fixed, vec![path(&self.state.join("out"))]].concat(),
                )
            }
            "evidence" => (
                "keep what the logs say, verified",
                [words("evidence add"), self.logs.clone(), words("--allow-no-logs --store"), vec![path(&self.evidence)]].concat(),
            ),
            "sync" => ("settle doubts, ask about bills nobody told of", words("sync --yes --max-duration 30m")),
            "ledger-backup" => (
                "copy the ledger while it is in use",
                [words("ledger backup"), vec![format!("{}/", path(&self.state.join("backup")))]].concat(),
            ),
            "ledger-verify" => (
                "recompute the ledger's chain and bills, and hold it against last night's head",
                [words("ledger verify --head-file"), vec![path(&self.state.join("ledger.head"))]].concat(),
            ),
            other => unreachable!("there is no job `{other}`"),
        };
        arguments.push("--quiet".into());
        if let Some(folder) = &self.textfiles {
            arguments.extend(["--metrics".into(), path(&folder.join(format!("tagih-{name}.prom")))]);
        }
        Job { name, does, arguments }
    }

    /// What the units are to read or write and do not see.
    pub(super) fn unseen(&self) -> Vec<&Path> {
        let needed = self.written.iter().chain(&self.config).chain([&self.program, &self.bills]).map(PathBuf::as_path);
        needed.filter(|path| ["/home", "/root", "/tmp", "/var/tmp"].iter().any(|hidden| path.starts_with(hidden))).collect()
    }
}
