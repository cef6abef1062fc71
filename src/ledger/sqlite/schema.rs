//! Are the tables those that this program makes?

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rusqlite::Connection;

use super::db::Db;
use super::migrate;
use crate::ledger::seals::Seals;
use crate::ledger::sql::fault::Fault;

/// By name: the kind and the text of each object, as SQLite keeps it.
type Objects = BTreeMap<String, (String, String)>;

/// What the newest schema consists of.
static OURS: OnceLock<Objects> = OnceLock::new();

/// What is otherwise than this program makes it, in words: tables, columns, indexes and triggers are the same to the letter.
pub(super) fn differences(connection: &Connection) -> Result<Vec<String>, Fault> {
    let ours = if let Some(ours) = OURS.get() {
        ours
    } else {
        let ours = made()?;
        OURS.get_or_init(|| ours)
    };
    let found = objects(connection)?;
    let mut differences = Vec::new();
    for (name, (kind, text)) in &found {
        match ours.get(name) {
            Some((wanted_kind, wanted)) if wanted_kind == kind && wanted == text => {}
            Some(_) => differences.push(format!("the {kind} `{name}` is not as this program makes it")),
            None => differences.push(format!("there is a {kind} `{name}` that this program does not make")),
        }
    }
    let missing = ours.iter().filter(|(name, _)| !found.contains_key(*name));
    differences.extend(missing.map(|(name, (kind, _))| format!("the {kind} `{name}` is missing")));
    Ok(differences)
}

/// The same as damage: what is asked of other tables than ours says nothing.
pub(super) fn check(connection: &Connection) -> Result<(), Fault> {
    match differences(connection)?.into_iter().next() {
        Some(difference) => Err(Fault::Damaged(difference)),
        None => Ok(()),
    }
}

fn made() -> Result<Objects, Fault> {
    let ours = Db::new(Connection::open_in_memory()?, Seals::default());
    migrate::from(&ours, 0, migrate::MIGRATIONS, || Ok(()))?;
    objects(&ours)
}

fn objects(connection: &Connection) -> Result<Objects, Fault> {
    // `ANALYZE` makes these tables; anything else by such a name is nothing of SQLite's.
    let sql = "SELECT name, type, tbl_name || ': ' || COALESCE(sql, '') FROM sqlite_schema \
               WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4'))";
    let mut statement = connection.prepare(sql)?;
    let object = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    Ok(statement.query_map([], object)?.collect::<Result<_, _>>()?)
}
