//! A small world that is put back to where it was as often as a fault is tried.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tagih::sandbox::model::Model;

use super::shim::{Fault, Record, Seen};
use crate::support::world::{Doku, World};

/// Every file and folder below one, by its name there: mode, and bytes of what is a file.
pub type Tree = BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>;

pub fn tree(root: &Path) -> Tree {
    let (mut found, mut folders) = (Tree::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, about) = (entry.path(), entry.metadata().unwrap());
            let bytes = if about.is_dir() { None } else { Some(fs::read(&path).unwrap()) };
            found.insert(path.strip_prefix(root).unwrap().to_owned(), (about.permissions().mode(), bytes));
            if about.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// What is needed to try a command.
pub struct Prepared {
    pub world: World,
    pub doku: Option<Doku>,
    pub typed: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    /// The file in its world that it talks into, if it does.
    pub log: Option<&'static str>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stderr: String,
}

pub struct Stage {
    pub prepared: Prepared,
    pub begin: Tree,
    model: Option<Model>,
    record: Record,
}

impl Stage {
    pub fn new(prepared: Prepared) -> Self {
        let begin = tree(&prepared.world.path(""));
        let model = prepared.doku.as_ref().map(|doku| {
            let Doku::Here { running, .. } = doku else { panic!("what is put back is in this process") };
            running.model.lock().unwrap().clone()
        });
        Self { prepared, begin, model, record: Record::new() }
    }

    pub fn root(&self) -> PathBuf {
        self.prepared.world.path("").canonicalize().unwrap()
    }

    /// Everything is as it was.
    pub fn restore(&self) {
        let root = self.root();
        for entry in fs::read_dir(&root).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        for (name, (mode, bytes)) in &self.begin {
            let path = root.join(name);
            match bytes {
                Some(bytes) => fs::write(&path, bytes),
                None => fs::create_dir(&path),
            }
            .unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        if let (Some(Doku::Here { running, .. }), Some(model)) = (&self.prepared.doku, &self.model) {
            *running.model.lock().unwrap() = model.clone();
        }
    }

    /// Runs the command, and lets it meet `faults`.
    pub fn run(&self, faults: &[Fault]) -> (Ended, Seen) {
        let typed: Vec<&str> = self.prepared.typed.iter().map(String::as_str).collect();
        let mut command = self.prepared.world.command(&typed);
        command.envs(self.prepared.environment.iter().map(|(name, value)| (*name, value.as_str())));
        self.record.arm(&mut command, &self.root(), faults);
        if let Some(log) = self.prepared.log {
            let log = File::create(self.prepared.world.path(log)).unwrap();
            command.stdout(log.try_clone().unwrap()).stderr(log);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (code, signal) = (output.status.code(), output.status.signal());
        let logged = self.prepared.log.map(|log| fs::read(self.prepared.world.path(log)).unwrap());
        (Ended { code, signal, stderr: text(logged.unwrap_or(output.stderr)) }, self.record.seen())
    }

    /// What was left for a while is as old as it is when the next night comes.
    pub fn age(&self) {
        for name in self.temporary() {
            let file = File::open(self.root().join(name)).unwrap();
            let before = file.metadata().unwrap().modified().unwrap() - Duration::from_hours(1);
            file.set_modified(before).unwrap();
        }
    }

    /// Names of what is only for a while.
    pub fn temporary(&self) -> Vec<PathBuf> {
        let is = |name: &Path| {
            name.file_name().unwrap().to_str().is_some_and(|name| name.starts_with(".tagih-") || name.starts_with(".closing-"))
        };
        tree(&self.root()).into_keys().filter(|name| is(name)).collect()
    }
}
