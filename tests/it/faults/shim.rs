//! `tests/faults/shim.c`, built once, and what it is told and tells.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::preload;

/// What may go wrong, as the shim calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The process is killed before the call.
    Before,
    /// It is killed when the call is done.
    After,
    /// It is killed when half of a write is done.
    Torn,
    /// Half is written, which a system call may always do.
    Short,
    /// `ENOSPC`, once.
    NoSpace,
    /// `EIO`, once.
    Io,
    /// The disk is full from here on: what fits is written, the rest is `ENOSPC`.
    Full,
    /// `EROFS` from here on.
    ReadOnly,
}

/// All of them.
pub const KINDS: [Kind; 8] = [Kind::Before, Kind::After, Kind::Torn, Kind::Short, Kind::NoSpace, Kind::Io, Kind::Full, Kind::ReadOnly];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Torn => "torn",
            Self::Short => "short",
            Self::NoSpace => "nospace",
            Self::Io => "io",
            Self::Full => "full",
            Self::ReadOnly => "readonly",
        }
    }

    /// Whether the process ends with it.
    pub fn kills(self) -> bool {
        matches!(self, Self::Before | Self::After | Self::Torn)
    }

    /// Whether it can strike a call that does this, by the shim's letter.
    pub fn strikes(self, what: u8) -> bool {
        match self {
            Self::Torn | Self::Short => what == b'w',
            Self::NoSpace | Self::Full => !matches!(what, b'u' | b'p'),
            Self::Before | Self::After | Self::Io | Self::ReadOnly => true,
        }
    }
}

/// Something that goes wrong at the `at`-th call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: u64,
    pub kind: Kind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at, self.kind.name())
    }
}

/// As `12:io,40:before`; what one run after the other meets stands between semicolons.
pub fn parse(text: &str) -> Vec<Vec<Fault>> {
    let one = |text: &str| {
        let (at, name) = text.split_once(':').unwrap();
        Fault { at: at.parse().unwrap(), kind: *KINDS.iter().find(|kind| kind.name() == name).unwrap() }
    };
    text.split(';').map(|run| run.split(',').map(one).collect()).collect()
}

/// As [`parse`] reads it.
pub fn shown(runs: &[Vec<Fault>]) -> String {
    let run = |faults: &Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    runs.iter().map(run).collect::<Vec<_>>().join(";")
}

/// `struct record` of the shim.
const TOLD: (usize, usize) = (4, 1024);
const TRACE: usize = 65_536;
const SIZE: usize = 16 + TOLD.0 * TOLD.1 + TRACE;

/// Where the shim writes what it has counted.
#[derive(Debug)]
pub struct Record(tempfile::TempPath);

/// What it was.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Calls that changed a file or made it durable.
    pub count: u64,
    /// What each fault struck, such as `w /out/summary.json`.
    pub met: Vec<String>,
    /// A letter for each call.
    pub trace: Vec<u8>,
}

impl Record {
    pub fn new() -> Self {
        Self(tempfile::NamedTempFile::new().unwrap().into_temp_path())
    }

    /// Lets `command` meet `faults` below `folder`.
    pub fn arm(&self, command: &mut Command, folder: &Path, faults: &[Fault]) {
        let file = File::create(&self.0).unwrap();
        file.set_len(SIZE as u64).unwrap();
        command
            .env("LD_PRELOAD", LIBRARY.as_path())
            .env("FAULTS_BELOW", folder)
            .env("FAULTS_RECORD", &self.0)
            .env("FAULTS_AT", shown(&[faults.to_vec()]));
    }

    pub fn seen(&self) -> Seen {
        let bytes = fs::read(&self.0).unwrap();
        let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap()).into_owned();
        let told = bytes[16..16 + TOLD.0 * TOLD.1].chunks(TOLD.1).map(text).filter(|told| !told.is_empty()).collect();
        let count = number(0);
        assert!(count as usize <= TRACE, "{count} calls are more than the shim keeps");
        Seen { count, met: told, trace: bytes[SIZE - TRACE..][..count as usize].to_vec() }
    }
}

/// The library that is put before libc.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| preload::built("faults/shim.c"));
