//! `ledger verify --against-sandbox`. Belongs here: reading both accounts, and saying where they differ. Must not be here: what must hold (`witness`).

use std::io::BufReader;
use std::path::Path;

use serde_json::{Value, json};

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use super::waiting::wait;
use crate::exit::Exit;
use crate::ledger::codes;
use crate::private;
use crate::witness::{Compared, Record, Told, Unreadable, compare};

/// Reads a sandbox's record.
pub(super) fn record(path: &Path) -> Result<Record, Failure> {
    let refused = |error: Unreadable| {
        let hint = "hint: it is what `tagih sandbox --record FILE` appends to";
        Failure::new(Exit::Input, format!("`{}` cannot be read: {error}\n{hint}", path.display()))
    };
    let file = private::regular(path).map_err(|error| refused(error.into()))?;
    Record::read(BufReader::new(file)).map_err(refused)
}

/// Holds the ledger against it.
pub(super) fn compared(setup: &Setup, record: &Record) -> Result<Compared, Failure> {
    let mut events = Vec::new();
    wait(setup.reading()?.export(&mut events))?;
    let told = Told::read(events.as_slice());
    let told = told.map_err(|error| Failure::new(Exit::Damaged, format!("the ledger's own export cannot be read: {error}")))?;
    if record.changes.is_empty() && told.tells_of_changes() {
        let hint = "hint: give the record of the sandbox at which this ledger was filled, from its first call on";
        return Err(Failure::new(Exit::Input, format!("the record holds no change, and the ledger tells of some\n{hint}")));
    }
    Ok(compare(&told, record))
}

/// As a program is told.
pub(super) fn told(compared: &Compared) -> Value {
    let Compared { changes, bills, differences } = compared;
    json!({"changes": changes, "bills": bills, "differences": differences})
}

/// Says what does not agree.
pub(super) fn agree(setup: &Setup, compared: &Compared) -> Result<(), Failure> {
    let Compared { changes, bills, differences } = compared;
    differences.iter().for_each(output::error);
    let counted = format!("{changes} changes at the sandbox and the operations of {bills} bills");
    if !differences.is_empty() {
        let (count, code) = (differences.len(), codes::OTHER_THAN_RECORDED);
        let message = format!("{counted} differ: {count} findings [{code}]\nhint: {}", code.remedy);
        return Err(Failure::new(Exit::Damaged, message));
    }
    if !setup.json {
        output::done(format_args!("{counted} agree"));
    }
    Ok(())
}
