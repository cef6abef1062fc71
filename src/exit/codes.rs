//! What each exit code means, for `tagih explain 3`: the same table as docs/formats.md, with what to do and an example.

use crate::domain::code::StableCode;

/// All of them, by number.
pub const ALL: &[StableCode] = &[
    StableCode::new(
        "0",
        "done",
        "The command did all it was asked to do, and nothing needs a person.",
        "nothing. For example `tagih issue bills.csv` once every row holds its code.",
    ),
    StableCode::new(
        "1",
        "done, and a person must look",
        "Rows were refused or rejected, a report has BREAK discrepancies, a bill is held, or a doubt is older than `doubt.overdue_hours`. What could be done is done.",
        "read what was printed and rejected.csv, correct the rows, run it again. For example `tagih issue bills.csv` with an amount of `1.5`.",
    ),
    StableCode::new(
        "2",
        "usage, configuration or secret",
        "An argument, a setting or the secret cannot be used, the ledger is not where the settings say, DOKU knows no such path, or this machine's clock is wrong. Nothing was sent.",
        "read the message, which names what is wrong; `tagih config show --origin` says where each setting is from. For example `tagih status` in a folder without a ledger.",
    ),
    StableCode::new(
        "3",
        "done in part",
        "Rows are deferred or in doubt: time was up, DOKU asked for less, or no answer came. Nothing is lost, and no code is made twice.",
        "run the same command again; deferred.csv says why each row waits. For example `tagih issue bills.csv --max-duration 1s`.",
    ),
    StableCode::new(
        "4",
        "credentials or signature refused",
        "DOKU refused our `Client-Id`, key or signature, three operations in a row or all that were answered.",
        "check `doku.client_id`, `doku.environment`, the secret and the clock with `tagih doctor`, then run the same command. For example while the key is being changed at DOKU.",
    ),
    StableCode::new(
        "5",
        "stopped by the breaker",
        "So many operations in a row as `retry.breaker_failures` got no answer of DOKU's own: it is down, or somebody answers in its place.",
        "wait, then run the same command. For example while a proxy answers every call with a page of its own.",
    ),
    StableCode::new(
        "6",
        "another process holds it",
        "Another sender holds the ledger, or another server the logs; the message names it. Nothing was begun.",
        "wait until it has ended; never delete the lock file. For example `tagih sync` while `tagih issue` runs.",
    ),
    StableCode::new(
        "7",
        "an input was refused",
        "A file of bills, logs or evidence is missing, unreadable or not to be trusted as a whole.",
        "correct the file that is named. For example `tagih ingest notifications.jsonl` where more than half of the lines are no notifications.",
    ),
    StableCode::new(
        "8",
        "the ledger is damaged, or figures do not add up",
        "The ledger or the journal contradicts itself or is an older copy, or a control identity of a report does not hold.",
        "send nothing; run `tagih ledger verify`, keep what is there, restore a backup. For example after somebody has edited the ledger's file.",
    ),
    StableCode::new(
        "9",
        "the local disk or database failed",
        "A file could not be written or read, or the database could not be reached. What was said to be done is durable.",
        "make room, mend permissions or hardware, then run the same command. For example `tagih reconcile` onto a full disk.",
    ),
    StableCode::new(
        "130",
        "interrupted",
        "SIGINT (Ctrl-C) came while rows were left over. What was under way has been finished and recorded.",
        "run the same command, which goes on. For example Ctrl-C during `tagih issue bills.csv`.",
    ),
    StableCode::new(
        "143",
        "terminated",
        "SIGTERM or SIGHUP came while rows were left over. What was under way has been finished and recorded.",
        "run the same command, which goes on. For example `systemctl stop tagih-issue`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn every_exit_code_is_explained() {
        let exits = [
            Exit::Done,
            Exit::Look,
            Exit::Usage,
            Exit::Partial,
            Exit::Credentials,
            Exit::Breaker,
            Exit::Held,
            Exit::Input,
            Exit::Damaged,
            Exit::Disk,
            Exit::Signal(130),
            Exit::Signal(143),
        ];
        let explained: Vec<&str> = ALL.iter().map(|code| code.id).collect();
        assert_eq!(explained, exits.map(|exit| exit.code().to_string()));
        assert!(ALL.iter().all(|code| code.remedy.contains("For example")));
    }
}
