//! Units and timers. A job that can go on where it stopped is started again; what a person must see ends in `OnFailure=`.

use std::path::Path;

use super::site::{File, Job, Site};

const FOLDER: &str = "/etc/systemd/system";

/// Codes after which the same command does not help: a person must look first. 3, 5 and signals are left.
const NOT_AGAIN: &str = "1 2 4 6 7 8 9";

/// What none of them may do. `systemd-analyze security` calls what is left `OK` or `SAFE`.
const HARDENING: &str = "\
UMask=0077
ProtectSystem=strict
ProtectHome=true
ProtectProc=invisible
ProcSubset=pid
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
PrivateDevices=true
PrivateMounts=true
PrivateTmp=true
PrivateUsers=true
DevicePolicy=closed
NoNewPrivileges=true
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=true
MemoryDenyWriteExecute=true
RemoveIPC=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
";

/// Whom a unit may talk to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    /// Nobody.
    None,
    /// DOKU, or whoever asks.
    Needed,
}

pub(super) fn files(site: &Site) -> Vec<File> {
    let offline = if site.has_heartbeat { Network::Needed } else { Network::None };
    let mut files = Vec::new();
    for (name, network, when) in [
        ("ingest", offline, "*-*-* *:10:00 Asia/Jakarta"),
        ("issue", Network::Needed, "*-*-* 01:30:00 Asia/Jakarta"),
        ("sync", Network::Needed, "*-*-* 05:40:00 Asia/Jakarta"),
        ("evidence", offline, "*-*-* 02:10:00 Asia/Jakarta"),
        ("ledger-backup", offline, "*-*-* 06:20:00 Asia/Jakarta"),
        ("ledger-verify", offline, "*-*-* 06:40:00 Asia/Jakarta"),
    ] {
        let job = site.job(name);
        files.push(file(&format!("tagih-{name}.timer"), timer(&job, when)));
        files.push(file(&format!("tagih-{name}.service"), service(site, &job, network)));
    }
    files.push(file("tagih-serve.service", serve(site)));
    files.push(file("tagih-failed@.service", failed(site)));
    files
}

fn file(name: &str, text: String) -> File {
    File { path: format!("{FOLDER}/{name}"), text, is_program: false }
}

fn timer(job: &Job, when: &str) -> String {
    format!(
        "[Unit]\nDescription=tagih: {}\n\n[Timer]\nOnCalendar={when}\n# A night that the machine slept through is made up for.\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n",
        job.does
    )
}

fn service(site: &Site, job: &Job, network: Network) -> String {
    let mut unit = vec![format!("[Unit]\nDescription=tagih: {}\nOnFailure=tagih-failed@%n.service\n", job.does)];
    let mut own = Vec::new();
    if network == Network::Needed {
        unit.push("Wants=network-online.target\nAfter=network-online.target\n".to_owned());
    }
    match job.name {
        // Payments first, so that nothing paid is amended or cancelled: without them nothing is sent.
        "issue" => unit.push("Requires=tagih-ingest.service\nAfter=tagih-ingest.service\n".to_owned()),
        "sync" => unit.push("After=tagih-issue.service\n".to_owned()),
        "ledger-backup" => own.push(format!(
            "ExecStartPost=/usr/bin/find {} -name ledger-* -mtime +35 -delete\n",
            quoted(&site.state.join("backup").display().to_string())
        )),
        _ => {}
    }
    if matches!(job.name, "issue" | "sync") {
        unit.push("StartLimitIntervalSec=6h\nStartLimitBurst=4\n".to_owned());
        own.push("# What is left over is finished by the same command.\nRestart=on-failure\nRestartSec=15min\n".to_owned());
        own.push(format!("RestartPreventExitStatus={NOT_AGAIN}\n"));
    }
    let cycle = if job.name == "issue" && site.needs_cycle {
        own.push("# One line, such as CYCLE=2026-11: never computed from the clock.\nEnvironmentFile=/etc/tagih/cycle\n".to_owned());
        " --cycle ${CYCLE}"
    } else {
        ""
    };
    let (unit, own) = (unit.concat(), own.concat());
    let start = format!("ExecStart={}{cycle}\n", command(site, &job.arguments));
    format!("{unit}\n[Service]\nType=oneshot\n{start}{own}TimeoutStartSec=infinity\nTimeoutStopSec=90\n{}", confined(site, network))
}

fn serve(site: &Site) -> String {
    let stop = site.drain_seconds.saturating_add(20);
    let files = site.connections_max.saturating_add(256).next_power_of_two();
    let start = command(site, &["serve".into()]);
    format!(
        "[Unit]\nDescription=tagih: DOKU's inquiries and notifications\nOnFailure=tagih-failed@%n.service\nWants=network-online.target\n\
         After=network-online.target\n# It is tried for ever, but for what a restart does not mend.\nStartLimitIntervalSec=0\n\n\
         [Service]\nType=exec\nExecStart={start}\nExecReload=/bin/kill -HUP $MAINPID\nRestart=always\nRestartSec=2\n\
         RestartPreventExitStatus=2 6 8\nTimeoutStopSec={stop}\nLimitNOFILE={files}\n{}\n[Install]\nWantedBy=multi-user.target\n",
        confined(site, Network::Needed)
    )
}

/// What is done about a failure: one line for whoever reads the log, to be replaced by whatever wakes people.
fn failed(site: &Site) -> String {
    format!(
        "[Unit]\nDescription=tell that %i has failed\n\n[Service]\nType=oneshot\n\
         # Whatever wakes somebody belongs here; docs/operating.md says what each exit code wants.\n\
         ExecStart=/usr/bin/logger -p user.err -t tagih \"%i has failed: journalctl -u %i\"\nUser={}\nGroup={}\n{HARDENING}\
         RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=true\nIPAddressDeny=any\n",
        site.user, site.user
    )
}

fn confined(site: &Site, network: Network) -> String {
    let mut lines = vec![format!("User={}\nGroup={}\n", site.user, site.user)];
    for (name, file) in &site.credentials {
        lines.push(format!("LoadCredential={name}:{file}\n"));
    }
    for folder in &site.written {
        // One that is not there is for the program to complain of.
        lines.push(format!("ReadWritePaths=-{}\n", path(folder)));
    }
    if site.state == Path::new("/var/lib/tagih") {
        lines.push("StateDirectory=tagih\nStateDirectoryMode=0750\n".to_owned());
    }
    lines.push(HARDENING.to_owned());
    let network = match network {
        Network::None => "RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=true\nIPAddressDeny=any\n",
        Network::Needed => "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n",
    };
    lines.push(network.to_owned());
    lines.concat()
}

fn command(site: &Site, arguments: &[String]) -> String {
    let program = site.program.display().to_string();
    let config = site.config.iter().flat_map(|config| ["--config".to_owned(), config.display().to_string()]);
    let words = std::iter::once(program).chain(arguments.iter().cloned()).chain(config);
    words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
}

/// A word of a command line, as systemd takes it for itself.
fn quoted(word: &str) -> String {
    let escaped = word.replace('%', "%%").replace('$', "$$").replace('\\', "\\\\").replace('"', "\\\"");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.:=,%+@*".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { escaped } else { format!("\"{escaped}\"") }
}

/// A path in a list of paths.
fn path(path: &Path) -> String {
    let escaped = path.display().to_string().replace('%', "%%").replace('\\', "\\\\").replace('"', "\\\"");
    if escaped.contains(' ') { format!("\"{escaped}\"") } else { escaped }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_of_a_command_reach_the_program_as_they_are() {
        for (word, written) in [
            ("/srv/a.csv", "/srv/a.csv"),
            ("/srv/a b", "\"/srv/a b\""),
            ("50%", "50%%"),
            ("$x", "\"$$x\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("", "\"\""),
            ("a;b", "\"a;b\""),
        ] {
            assert_eq!(super::quoted(word), written);
        }
    }
}
