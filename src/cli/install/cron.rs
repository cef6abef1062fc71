//! A script for the night, and the crontab that runs it. It says nothing when all went well, so that every mail of cron's is one to read.

use super::site::{File, Job, Site};

pub(super) fn files(site: &Site) -> Vec<File> {
    let night = File { path: "/usr/local/bin/tagih-night".into(), text: night(site), is_program: true };
    let crontab = File { path: "/etc/cron.d/tagih".into(), text: crontab(site), is_program: false };
    vec![night, crontab]
}

/// The weightiest code first, as docs/commands.md has them.
const CODES: &str = "9 8 4 5 7 6 2 130 143 1 3";

fn night(site: &Site) -> String {
    let [ingest, issue, sync] = ["ingest", "issue", "sync"].map(|name| command(&site.job(name)));
    let config = site
        .config
        .as_ref()
        .map_or_else(String::new, |config| format!("TAGIH_CONFIG={}\nexport TAGIH_CONFIG\n", quoted(&config.display().to_string())));
    let cycle = if site.needs_cycle { " --cycle \"${1:?name the billing cycle, such as 2026-11}\"" } else { "" };
    format!(
        "#!/bin/sh\n\
         # A night of tagih: payments first, so that nothing paid is amended or cancelled; then the file's bills; then doubts.\n\
         # It says nothing of a success, and ends with the weightiest code of its steps. A night without log files is one too.\n\
         set -u\n\
         {config}\
         tagih={program}\n\n\
         \"$tagih\" {ingest} || exit\n\
         \"$tagih\" {issue}{cycle}\n\
         issue=$?\n\
         \"$tagih\" {sync}\n\
         sync=$?\n\n\
         for code in {CODES}; do\n    \
             case \" $issue $sync \" in *\" $code \"*) exit \"$code\" ;; esac\n\
         done\n\
         # Both are 0, or one of them was killed.\n\
         if [ \"$issue\" -ne 0 ]; then exit \"$issue\"; fi\n\
         exit \"$sync\"\n",
        program = quoted(&site.program.display().to_string()),
    )
}

fn crontab(site: &Site) -> String {
    let program = quoted(&site.program.display().to_string());
    let config = site.config.as_ref().map_or_else(String::new, |config| format!(" --config {}", quoted(&config.display().to_string())));
    let line = |when: &str, what: &str| format!("{when} {} {}\n", site.user, what.replace('%', "\\%"));
    let job = |name: &'static str| format!("{program} {}{config}", command(&site.job(name)));
    let night = if site.needs_cycle { "/usr/local/bin/tagih-night \"$(cat /etc/tagih/cycle)\"" } else { "/usr/local/bin/tagih-night" };
    format!(
        "# Where Debian's cron runs this, CRON_TZ is not known: write the times of the machine's zone (01:30 WIB is 18:30 UTC).\n\
         CRON_TZ=Asia/Jakarta\nMAILTO=root\n{}{}{}{}",
        line("30 1 * * *", night),
        if site.keeps_evidence { line("10 2 * * *", &job("evidence")) } else { String::new() },
        line("20 6 * * *", &job("ledger-backup")),
        line("40 6 * * *", &job("ledger-verify")),
    )
}

fn command(job: &Job) -> String {
    job.arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word, as a shell takes it for itself.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.:=,+@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_reach_the_program_as_they_are() {
        for (word, written) in [("a/b.c", "a/b.c"), ("a b*", "'a b*'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'")] {
            assert_eq!(super::quoted(word), written);
        }
    }
}
