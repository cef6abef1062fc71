//! Disks, owners, limits and time zone of this machine, as they are found.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use crate::cli::failure::absolute;
use crate::cli::setup::Setup;
use crate::clock::Stopwatch;
use crate::config;
use crate::jobs::doctor::{Host, HostPlace, Zone, file_system_of};
use crate::{journal, private, temporary};

/// How often fsync is tried, the slowest counts; and what is written before each.
const SYNCS: usize = 5;
const SYNC_BYTES: [u8; 4096] = [b'\n'; 4096];
/// Where zones are kept.
const ZONES: &str = "/usr/share/zoneinfo";

pub(super) fn of(setup: &Setup) -> Host {
    let config = &setup.config;
    let kept = [("ledger.path", &config.ledger.path), ("journal.path", &config.journal.path), ("serve.log_dir", &config.serve.log_dir)];
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let in_file = set_in_file(setup);
    // A ledger in a database takes no room here.
    let kept = kept.into_iter().filter(|(setting, _)| *setting != "ledger.path" || config.ledger.url.is_empty());
    let places = kept.map(|(setting, path)| {
        // Logs that nobody keeps are in nobody's way.
        let is_used = setting != "serve.log_dir" || Path::new(path).exists();
        let is_by_working_folder = is_used && Path::new(path).is_relative() && !in_file.contains(&setting);
        HostPlace { is_by_working_folder, ..place(setting, path, &mounts) }
    });
    Host { user_id: private::account(), places: places.collect(), left: left(setup), open_files_max: open_files_max(), zone: zone() }
}

/// Where ledger, journal, logs and runs are, copies for verifying are made, and reports are made again to be signed.
fn left(setup: &Setup) -> Vec<String> {
    let config = &setup.config;
    let beside = |path: &str| folder_of(&absolute(Path::new(path))).to_path_buf();
    let closed = journal::read(setup.journal_path()).and_then(|journal| journal.periods()).unwrap_or_default();
    let reports = closed.iter().map(|period| beside(&period.close.report));
    let ours = [beside(&config.ledger.path), beside(&config.journal.path), absolute(Path::new(&config.serve.log_dir)), setup.runs_folder()];
    let folders: BTreeSet<PathBuf> = ours.into_iter().chain([std::env::temp_dir()]).chain(reports).collect();
    folders.iter().flat_map(|folder| temporary::left(folder, setup.clock.now())).map(|path| path.display().to_string()).collect()
}

/// The paths that the configuration file sets: they lead beside that file, wherever a command is run.
fn set_in_file(setup: &Setup) -> Vec<&'static str> {
    let Some(file) = &setup.file else { return Vec::new() };
    let places = private::text(Path::new(file)).ok().and_then(|text| config::places(&file.display().to_string(), &text).ok());
    places.unwrap_or_default().into_iter().map(|place| place.key).collect()
}

fn place(setting: &'static str, configured: &str, mounts: &str) -> HostPlace {
    let path = absolute(Path::new(configured));
    // By its real name, and by its folder while there is nothing of that name.
    let there = path.canonicalize().ok();
    let folder = match &there {
        Some(there) if there.is_dir() => there.clone(),
        Some(there) => folder_of(there).to_path_buf(),
        None => folder_of(&path).canonicalize().unwrap_or_else(|_| PathBuf::from("/")),
    };
    let metadata = there.as_ref().and_then(|there| fs::metadata(there).ok());
    let writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
    HostPlace {
        setting,
        path: path.display().to_string(),
        is_by_working_folder: false,
        owner_id: metadata.as_ref().map(MetadataExt::uid),
        mode: metadata.as_ref().map(|of| of.permissions().mode() & 0o777),
        // SQLite makes files beside the ledger, and a log is made anew each day.
        is_writable: writable(&folder) && there.as_ref().is_none_or(|there| writable(there)),
        is_personal: metadata.as_ref().is_some_and(fs::Metadata::is_file),
        file_system: file_system_of(mounts, &folder.display().to_string()),
        free_bytes: statvfs(&folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        sync_ms: sync_ms(&folder).map_err(|error| error.to_string()),
    }
}

/// How long it takes at most to make a page durable in `folder`.
fn sync_ms(folder: &Path) -> io::Result<u64> {
    let mut file = private::unnamed(folder)?;
    let mut slowest = 0;
    for _ in 0..SYNCS {
        let watch = Stopwatch::start();
        file.write_all(&SYNC_BYTES)?;
        file.sync_data()?;
        slowest = slowest.max(u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    Ok(slowest)
}

/// `Max open files  1024  1048576  files` of `/proc/self/limits`: the first number, unless it is `unlimited`.
fn open_files_max() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// TZ, else what `/etc/localtime` leads to.
fn zone() -> Zone {
    let variable = std::env::var("TZ").ok().map(|name| name.trim_start_matches(':').to_owned()).filter(|name| !name.is_empty());
    let link = || {
        let target = fs::read_link("/etc/localtime").ok()?;
        Some(target.to_str()?.split_once("zoneinfo/")?.1.to_owned())
    };
    let name = variable.or_else(link);
    // A zone may also be written out, such as `WIB-7`.
    let is_written_out = |name: &str| name.len() > 3 && name.ends_with(|last: char| last.is_ascii_digit()) && !name.contains('/');
    let is_known = name.as_ref().is_none_or(|name| is_written_out(name) || Path::new(ZONES).join(name).is_file() || name == "UTC");
    Zone { name, is_known }
}

/// The nearest folder above `path` that exists.
fn folder_of(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("/"))
}
