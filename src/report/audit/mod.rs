//! The audit kit: facts as Parquet, rules as SQL, and our figures beside them, so that somebody else's engine can say whether they agree.
//!
//! Belongs here: copying facts and figures into tables. Must not be here: a conclusion; the rules are SQL, and share nothing with the engine.

mod bills;
mod books;
mod carried;
mod figures;
mod kit;
mod lines;
mod settings;
mod settlement;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::atomic;
use super::folder::FolderError;
use super::manifest::ReportFile;
use crate::books::Known;
use crate::reconcile::books_inputs::Opened;
use kit::{Kit, Made, Table};
pub use kit::{KitError, KitFacts};

/// The version of the kit's tables.
pub const FORMAT: u32 = 1;

/// The rules and what explains them, by their names in the kit.
pub const TEXTS: [(&str, &str); 14] = [
    ("README.md", include_str!("kit/README.md")),
    ("BACA-SAYA.md", include_str!("kit/BACA-SAYA.md")),
    ("run.py", include_str!("kit/run.py")),
    ("rules/00_tables.sql", include_str!("kit/00_tables.sql")),
    ("rules/10_lines.sql", include_str!("kit/10_lines.sql")),
    ("rules/20_payments.sql", include_str!("kit/20_payments.sql")),
    ("rules/30_settlement.sql", include_str!("kit/30_settlement.sql")),
    ("rules/40_bills.sql", include_str!("kit/40_bills.sql")),
    ("rules/50_inquiries.sql", include_str!("kit/50_inquiries.sql")),
    ("rules/60_books.sql", include_str!("kit/60_books.sql")),
    ("rules/65_classes.sql", include_str!("kit/65_classes.sql")),
    ("rules/70_identities.sql", include_str!("kit/70_identities.sql")),
    ("rules/80_items.sql", include_str!("kit/80_items.sql")),
    ("rules/90_compare.sql", include_str!("kit/90_compare.sql")),
];

/// kit.json: what the kit is of, and what every file of it must be.
#[derive(Serialize)]
struct Head {
    format: u32,
    version: &'static str,
    report: Made,
    tables: Vec<Table>,
    files: Vec<ReportFile>,
}

/// Writes the kit of the report in `report`, whose facts are `facts`, into `folder`.
///
/// # Errors
/// [`KitError`].
pub fn write(report: &Path, facts: &KitFacts<'_>, folder: &Path) -> Result<usize, KitError> {
    let read = figures::read(report)?;
    let mut kit = Kit { folder, tables: Vec::new(), taken_over: Vec::new() };
    let before = match facts.opened {
        Opened::Carried { folder, .. } => {
            folder.whole().map_err(|error| FolderError { path: report.to_path_buf(), reason: error.to_string() })?
        }
        Opened::TakenOn { .. } => Known::default(),
    };
    let before = &before;
    settings::write(&mut kit, facts, &read)?;
    bills::write(&mut kit, facts, before)?;
    lines::write(&mut kit, facts)?;
    settlement::write(&mut kit, facts.inputs, facts.settings, before)?;
    carried::write(&mut kit, facts.opened, before)?;
    books::write(&mut kit, facts.decisions, before, &read.closing, facts.terms)?;
    figures::write(&mut kit, report, &read)?;
    for (name, text) in TEXTS {
        atomic::write(&folder.join(name), |writer| writer.write_all(text.as_bytes()))?;
    }
    let Kit { tables, taken_over, .. } = kit;
    let names: Vec<String> =
        tables.iter().map(|table| table.file.clone()).chain(taken_over).chain(TEXTS.map(|(name, _)| name.to_owned())).collect();
    atomic::write(&folder.join("kit.json"), |writer| {
        let files = names.iter().map(|name| ReportFile::of(folder, name)).collect::<io::Result<_>>()?;
        let head = Head { format: FORMAT, version: env!("CARGO_PKG_VERSION"), report: read.made, tables, files };
        serde_json::to_writer_pretty(&mut *writer, &head)?;
        writer.write_all(b"\n")
    })?;
    Ok(names.len().saturating_sub(TEXTS.len()))
}

/// Whether something other than an earlier kit stands in `folder`, which nobody wants to see mixed with one.
///
/// # Errors
/// The system's.
pub fn holds_other(folder: &Path) -> io::Result<Option<PathBuf>> {
    if !folder.exists() || folder.join("kit.json").is_file() {
        return Ok(None);
    }
    Ok(fs::read_dir(folder)?.next().transpose()?.map(|entry| entry.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::classify::{Class, Family};

    #[test]
    fn the_rules_give_every_class_and_the_readme_says_which_they_take_as_facts() {
        let text = |name: &str| TEXTS.iter().find(|(of, _)| *of == name).unwrap().1;
        let rules: String = TEXTS.iter().filter(|(name, _)| name.starts_with("rules/")).map(|(_, text)| *text).collect();
        for class in Class::all().filter(|class| {
            // A flag's rule is its class's.
            class.info().family != Family::Flag
        }) {
            let is_given = rules.contains(&format!("'{}'", class.id()));
            assert!(is_given, "{class}: no rule gives it");
            for readme in ["README.md", "BACA-SAYA.md"] {
                let ranges = ["P00", "P19", "L00", "L12", "S00", "S14", "I00", "I04", "B01", "B05"];
                let is_of_a_range = ["P", "L0", "L11", "L12", "S", "I", "B"].iter().any(|start| class.id().starts_with(start));
                assert!(ranges.iter().all(|end| text(readme).contains(end)));
                assert!(is_of_a_range || text(readme).contains(class.id()), "{readme} does not speak of {class}");
            }
        }
    }

    #[test]
    fn the_rules_read_tables_through_the_first_file_alone() {
        for (name, text) in TEXTS.iter().filter(|(name, _)| name.starts_with("rules/") && !name.contains("00_")) {
            assert!(!text.contains("read_parquet") && !text.contains(".parquet'"), "{name} names a file");
        }
    }
}
