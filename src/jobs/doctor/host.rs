//! The machine: disks, owners, places, open files, time zone.

use super::finding::{Check, DoctorFinding};
use super::settings::DoctorSettings;

/// Bytes below which a night may not fit, and below which nothing does.
const FREE_BYTES_LOW: u64 = 1 << 30;
const FREE_BYTES_MIN: u64 = 64 << 20;
/// Above this, 256 events a transaction are fewer than a thousand a second; above the second, cashiers wait.
const SYNC_MS_SLOW: u64 = 50;
const SYNC_MS_MAX: u64 = 1_000;
/// Open files besides one a connection: ledger, logs, sockets, the libraries.
const OTHER_FILES: u64 = 64;
/// File systems on another machine: locks and fsync are that machine's word.
const REMOTE: [&str; 9] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs"];
/// File systems that are gone with a restart.
const VOLATILE: [&str; 2] = ["tmpfs", "ramfs"];
/// Zones that are WIB, and that are UTC, all year.
const WIB: [&str; 3] = ["Asia/Jakarta", "Asia/Pontianak", "WIB-7"];
const UTC: [&str; 5] = ["UTC", "Etc/UTC", "Etc/UCT", "GMT", "Etc/GMT"];

/// A file or folder of ours, or where it is to be.
#[derive(Clone, Debug)]
pub struct HostPlace {
    /// The setting that names it.
    pub setting: &'static str,
    /// From the root on.
    pub path: String,
    /// Whether where it is depends on the folder a command is run in.
    pub is_by_working_folder: bool,
    /// Whose it is, if it exists.
    pub owner_id: Option<u32>,
    /// Its permission bits, if it exists.
    pub mode: Option<u32>,
    /// Whether we may write it, or, while it does not exist, into its folder.
    pub is_writable: bool,
    /// Whether it holds what people's names are in.
    pub is_personal: bool,
    /// Its file system's kind, as the system calls it.
    pub file_system: Option<String>,
    /// Bytes free for us.
    pub free_bytes: Option<u64>,
    /// The slowest of some fsyncs in its folder, in milliseconds, or why there was none.
    pub sync_ms: Result<u64, String>,
}

/// The zone that cron and timers go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name; none if nothing says.
    pub name: Option<String>,
    /// Whether the system knows a zone of that name.
    pub is_known: bool,
}

/// What is known of the machine.
#[derive(Clone, Debug)]
pub struct Host {
    /// Whom we run as.
    pub user_id: u32,
    /// Ledger, journal and logs.
    pub places: Vec<HostPlace>,
    /// What killed runs have left where files are made.
    pub left: Vec<String>,
    /// The soft limit of open files; none if it is unlimited or not known.
    pub open_files_max: Option<u64>,
    /// What time cron goes by.
    pub zone: Zone,
}

/// The kind of file system that `path` is on, by the text of `/proc/self/mountinfo`: that of the longest mount point above it, the
/// last one mounted there.
#[must_use]
pub fn file_system_of(mount_info: &str, path: &str) -> Option<String> {
    let mounted = mount_info.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        Some((before.split(' ').nth(4)?.replace("\\040", " "), after.split(' ').next()?))
    });
    let is_above = |point: &str| point == "/" || path.strip_prefix(point).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    mounted.filter(|(point, _)| is_above(point)).max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned())
}

pub(super) fn examine(host: &Host, settings: &DoctorSettings) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for place in &host.places {
        findings.extend([space(place), sync(place), file_system(place)]);
        findings.extend(owner(place, host.user_id));
        findings.extend(places(place));
    }
    findings.extend(left(&host.left));
    findings.extend([limit(host.open_files_max, settings.connections_max), zone(&host.zone)]);
    findings
}

fn left(left: &[String]) -> Option<DoctorFinding> {
    let first = left.first()?;
    let found = format!("{} files or folders were left by runs that were killed, such as `{first}`", left.len());
    Some(DoctorFinding::warning(Check::Space, found, "the next run that writes there removes them; they may be removed by hand, too"))
}

fn space(place: &HostPlace) -> DoctorFinding {
    let (setting, path) = (place.setting, &place.path);
    let Some(free) = place.free_bytes else {
        let remedy = "make its folder, or mount it";
        return DoctorFinding::warning(Check::Space, format!("not known at `{path}` (`{setting}`)"), remedy);
    };
    let found = format!("{} MB free at `{path}` (`{setting}`)", free >> 20);
    match free {
        FREE_BYTES_LOW.. => DoctorFinding::ok(Check::Space, found),
        FREE_BYTES_MIN.. => DoctorFinding::warning(Check::Space, found, "make room before the night; a ledger takes about 1.1 KB a bill"),
        _ => DoctorFinding::error(Check::Space, found, "make room now: what cannot be made durable is not sent"),
    }
}

fn sync(place: &HostPlace) -> DoctorFinding {
    let (setting, path) = (place.setting, &place.path);
    match &place.sync_ms {
        Err(reason) => DoctorFinding::error(
            Check::Sync,
            format!("nothing can be made durable at `{path}` (`{setting}`): {reason}"),
            "make the folder, give it to the user of the service, or look at the disk",
        ),
        Ok(ms) if *ms > SYNC_MS_MAX => DoctorFinding::error(
            Check::Sync,
            format!("fsync took {ms} ms at `{path}` (`{setting}`)"),
            "look at the disk (`dmesg`, SMART, a throttled volume)",
        ),
        Ok(ms) if *ms > SYNC_MS_SLOW => DoctorFinding::warning(
            Check::Sync,
            format!("fsync took {ms} ms at `{path}` (`{setting}`)"),
            "a local SSD takes a few; every answer of DOKU's waits for one",
        ),
        Ok(ms) => DoctorFinding::ok(Check::Sync, format!("fsync takes {ms} ms at most at `{path}` (`{setting}`)")),
    }
}

fn file_system(place: &HostPlace) -> DoctorFinding {
    let (setting, path) = (place.setting, &place.path);
    match place.file_system.as_deref() {
        Some(kind) if REMOTE.contains(&kind) => DoctorFinding::error(
            Check::FileSystem,
            format!("`{path}` (`{setting}`) is on {kind}, a file system of another machine"),
            "move it to a local disk: locks and fsync do not hold there as they must",
        ),
        Some(kind) if VOLATILE.contains(&kind) => DoctorFinding::error(
            Check::FileSystem,
            format!("`{path}` (`{setting}`) is on {kind}, which a restart empties"),
            "move it to a local disk",
        ),
        Some(kind) => DoctorFinding::ok(Check::FileSystem, format!("`{path}` (`{setting}`) is on {kind}")),
        None => DoctorFinding::ok(Check::FileSystem, format!("not known of `{path}` (`{setting}`)")),
    }
}

fn owner(place: &HostPlace, user_id: u32) -> Vec<DoctorFinding> {
    let (setting, path) = (place.setting, &place.path);
    let mut findings = Vec::new();
    if !place.is_writable {
        let found = format!("user {user_id} may not write `{path}` (`{setting}`)");
        findings.push(DoctorFinding::error(Check::Owner, found, "run this as the user of the service, or give it to that user with chown"));
    }
    if let Some(owner_id) = place.owner_id.filter(|&owner_id| owner_id != user_id) {
        // What root makes here by mistake, the service cannot write tonight.
        let found = format!("`{path}` (`{setting}`) belongs to user {owner_id}, and this is user {user_id}");
        findings.push(DoctorFinding::warning(Check::Owner, found, "run every command as the one user of the service"));
    }
    let others_max = if place.is_personal { 0o007 } else { 0o002 };
    if let Some(mode) = place.mode.filter(|mode| mode & others_max != 0) {
        let found = format!("`{path}` (`{setting}`) has mode {mode:03o}: everybody may read or write it, and names may be in it");
        findings.push(DoctorFinding::warning(Check::Owner, found, format!("run `chmod o= {path}`")));
    }
    if findings.is_empty() { vec![DoctorFinding::ok(Check::Owner, format!("`{path}` (`{setting}`) is ours"))] } else { findings }
}

fn places(place: &HostPlace) -> Vec<DoctorFinding> {
    let (setting, path) = (place.setting, &place.path);
    let is_temporary = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/"].iter().any(|folder| path.starts_with(folder));
    let mut findings = Vec::new();
    if is_temporary {
        let found = format!("`{path}` (`{setting}`) is where the system clears up");
        findings.push(DoctorFinding::warning(Check::Place, found, "keep it in a folder of its own, such as /var/lib/tagih"));
    }
    if place.is_by_working_folder {
        let found = format!("`{setting}` is `{path}` only as long as commands are run in this folder");
        findings.push(DoctorFinding::warning(Check::Place, found, format!("set `{setting}` in the configuration file")));
    }
    if findings.is_empty() { vec![DoctorFinding::ok(Check::Place, format!("`{setting}` is `{path}`"))] } else { findings }
}

fn limit(open_files_max: Option<u64>, connections_max: u64) -> DoctorFinding {
    let needed = connections_max.saturating_add(OTHER_FILES);
    match open_files_max {
        Some(limit) if limit < needed => DoctorFinding::warning(
            Check::Limit,
            format!("{limit} files may be open (`ulimit -n`), and `serve.connections_max = {connections_max}` needs {needed}"),
            format!("set LimitNOFILE={} or more in the unit, or lower `serve.connections_max`", needed.next_power_of_two()),
        ),
        Some(limit) => DoctorFinding::ok(Check::Limit, format!("{limit} files may be open, {needed} are enough")),
        None => DoctorFinding::ok(Check::Limit, "as many files may be open as there are"),
    }
}

fn zone(zone: &Zone) -> DoctorFinding {
    let remedy =
        "in timers write `OnCalendar=... Asia/Jakarta`, in crontabs CRON_TZ=Asia/Jakarta; tagih itself counts in WIB wherever it runs";
    match zone.name.as_deref() {
        Some(name) if !zone.is_known => {
            DoctorFinding::warning(Check::TimeZone, format!("the system knows no time zone `{name}`, so it goes by UTC"), remedy)
        }
        Some(name) if WIB.contains(&name) => DoctorFinding::ok(Check::TimeZone, format!("{name}: cron goes by WIB")),
        Some(name) if UTC.contains(&name) => {
            DoctorFinding::ok(Check::TimeZone, format!("{name}: for cron 01:30 WIB is 18:30 of the day before"))
        }
        Some(name) => DoctorFinding::warning(Check::TimeZone, format!("cron goes by {name}, not by WIB"), remedy),
        None => DoctorFinding::ok(Check::TimeZone, "none is set, so cron goes by UTC: 01:30 WIB is 18:30 of the day before"),
    }
}
