//! Whether what is looked for is found where it is: an index is a copy of its table that no seal covers, and one that lacks a row makes a
//! bill unknown that is there, so that it would be billed again.
//!
//! Belongs here: holding indexes, and the names of bills, against the rows that trees of seals answer for. Must not be here: whether those
//! rows are all (`tree.rs`).

use std::hash::{BuildHasher as _, RandomState};

use rusqlite::types::ValueRef;

use super::db::Db;
use super::{rows, schema};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::names_of;

/// A table, what its rows are numbered by, and its indexes.
struct Table {
    name: &'static str,
    id: &'static str,
    indexes: &'static [Index],
}

/// An index, what it is ordered by, and which rows it has.
struct Index {
    name: &'static str,
    key: &'static str,
    rows: &'static str,
}

const fn index(name: &'static str, key: &'static str, rows: &'static str) -> Index {
    Index { name, key, rows }
}

const TABLES: [Table; 2] = [
    Table {
        name: "bills",
        id: "id",
        indexes: &[
            index("sqlite_autoindex_bills_1", "invoice_number", "TRUE"),
            index("bills_one_a_live_code", "code", "code_is_live"),
            index("bills_by_code", "code", "NOT code_is_live"),
            index("bills_by_end", "ends_at", "status = 'active'"),
            index("bills_silent", "ends_at", "may_tell AND paid IS NOT 'by_its_code'"),
            index("bills_open", "in_doubt_since", "open IS NOT NULL OR in_doubt_since IS NOT NULL"),
            index("bills_remarkable", "id", "hold IS NOT NULL OR checks IS NOT NULL OR paid = 'by_earlier_code'"),
        ],
    },
    Table {
        name: "payments",
        id: "sequence",
        indexes: &[
            index("sqlite_autoindex_payments_1", "identity", "TRUE"),
            index("payments_by_invoice", "invoice_number", "TRUE"),
            index("payments_by_code", "payment_code", "TRUE"),
        ],
    },
];

/// Bills that may go by more than their own number and code.
const NAMED: &str = "WHERE bills.id IN (SELECT id FROM bills NOT INDEXED WHERE held_code IS NOT NULL OR wire_number IS NOT NULL \
                     OR former IS NOT NULL OR open IS NOT NULL OR refusal IS NOT NULL UNION SELECT bill FROM names)";

/// Every index has what its table has, in its order; and every bill has the names that it goes by, and no name leads elsewhere.
pub(super) fn check(connection: &Db) -> Result<(), Fault> {
    schema::check(connection)?;
    TABLES.iter().try_for_each(|table| table.check(connection))?;
    check_names(connection)
}

/// Stands for things without their order. Its key is drawn anew each time, so nobody makes others that come to the same.
struct Sums(RandomState, Vec<u64>);

impl Sums {
    fn new(count: usize) -> Self {
        Self(RandomState::new(), vec![0; count])
    }

    fn add(&mut self, at: usize, thing: &[u8], id: i64) {
        let hash = self.0.hash_one((at, thing, id));
        if let Some(sum) = self.1.get_mut(at) {
            *sum = sum.wrapping_add(hash);
        }
    }

    fn take(&mut self, at: usize, thing: &[u8], id: i64) {
        let hash = self.0.hash_one((at, thing, id));
        if let Some(sum) = self.1.get_mut(at) {
            *sum = sum.wrapping_sub(hash);
        }
    }
}

impl Table {
    fn check(&self, connection: &Db) -> Result<(), Fault> {
        let Self { name, id, indexes } = self;
        let mut sums = Sums::new(indexes.len());
        let columns = indexes.iter().flat_map(|index| [index.rows, index.key]);
        let columns = std::iter::once(*id).chain(columns).collect::<Vec<_>>().join(", ");
        let mut statement = connection.prepare(&format!("SELECT {columns} FROM {name} NOT INDEXED"))?;
        let mut rows = statement.query([])?;
        let mut key = Vec::new();
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            for at in 0..indexes.len() {
                let column = at.saturating_mul(2).saturating_add(1);
                if row.get::<_, Option<bool>>(column)? == Some(true) {
                    write_key(&mut key, row.get_ref(column.saturating_add(1))?);
                    sums.add(at, &key, id);
                }
            }
        }
        for (at, index) in indexes.iter().enumerate() {
            index.visit(connection, self, |key, id| sums.take(at, key, id))?;
            if sums.1.get(at) != Some(&0) {
                return Err(index.broken());
            }
        }
        Ok(())
    }
}

impl Index {
    /// All entries as the index has them. One that is not in its place is not found by who looks for it.
    fn visit(&self, connection: &Db, table: &Table, mut visit: impl FnMut(&[u8], i64)) -> Result<(), Fault> {
        let mut statement = connection.prepare(&self.entries(table))?;
        let mut rows = statement.query([])?;
        let (mut before, mut key) = ((Vec::new(), i64::MIN), Vec::new());
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            write_key(&mut key, row.get_ref(1)?);
            if (&before.0, before.1) >= (&key, id) {
                return Err(self.broken());
            }
            visit(&key, id);
            before.1 = id;
            std::mem::swap(&mut before.0, &mut key);
        }
        Ok(())
    }

    /// Asks the index for its entries; SQLite gives them in its order, with its keys.
    fn entries(&self, table: &Table) -> String {
        format!("SELECT {}, {} FROM {} INDEXED BY {} WHERE {}", table.id, self.key, table.name, self.name, self.rows)
    }

    fn broken(&self) -> Fault {
        Fault::Damaged(format!("the index `{}` does not have what its table has, so what is there may not be found", self.name))
    }
}

/// A key so that two are in the order of their bytes as SQLite orders them.
fn write_key(bytes: &mut Vec<u8>, key: ValueRef<'_>) {
    bytes.clear();
    match key {
        ValueRef::Null => bytes.push(0),
        ValueRef::Integer(number) => {
            bytes.push(1);
            bytes.extend_from_slice(&(number ^ i64::MIN).to_be_bytes());
        }
        // No column that is looked for is one.
        ValueRef::Real(number) => {
            bytes.push(2);
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        ValueRef::Text(text) => {
            bytes.push(3);
            bytes.extend_from_slice(text);
        }
        ValueRef::Blob(blob) => {
            bytes.push(4);
            bytes.extend_from_slice(blob);
        }
    }
}

fn check_names(connection: &Db) -> Result<(), Fault> {
    let broken = || Fault::Damaged("what bills go by is not what their rows say, so a bill may not be found".into());
    let mut sums = Sums::new(1);
    let mut named = Vec::new();
    let mut name_of = |kind: &str, name: &str, bill: i64| {
        named.clear();
        named.extend_from_slice(name.as_bytes());
        named.push(0);
        named.extend_from_slice(kind.as_bytes());
        (named.clone(), bill)
    };
    rows::visit(connection, NAMED, [], |row| {
        for (kind, name) in names_of(&row.state) {
            let (name, bill) = name_of(kind, &name, row.id);
            sums.add(0, &name, bill);
        }
        Ok(true)
    })?;
    let mut before = None;
    // That index is the table itself; left to choose, SQLite would go through a smaller one.
    let mut statement = connection.prepare("SELECT kind, name, bill FROM names INDEXED BY sqlite_autoindex_names_1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(|_| broken());
        let entry = name_of(text(0)?, text(1)?, row.get(2)?);
        sums.take(0, &entry.0, entry.1);
        if before.as_ref().is_some_and(|before| *before >= entry) {
            return Err(broken());
        }
        before = Some(entry);
    }
    if sums.1 == [0] { Ok(()) } else { Err(broken()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::conformance::new_sqlite;
    use crate::ledger::seals::Seals;

    #[test]
    fn every_index_is_held_against_its_table_and_gives_its_own_entries() {
        let (folder, _ledger) = new_sqlite();
        let db = Db::new(rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap(), Seals::UNKEYED);
        let texts = |sql: &str, column: usize| -> Vec<String> {
            let mut statement = db.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(column)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let mut ours = Vec::new();
        for table in &TABLES {
            for index in table.indexes {
                ours.push(index.name.to_owned());
                let plan = texts(&format!("EXPLAIN QUERY PLAN {}", index.entries(table)), 3);
                // Of an index of some rows, these may be looked at, too; what it orders by it has itself.
                let scan = ["COVERING INDEX", "INDEX"].map(|kind| format!("SCAN {} USING {kind} {}", table.name, index.name));
                assert!(plan == scan[..1] || index.rows != "TRUE" && plan == scan[1..], "{plan:?}");
            }
        }
        ours.sort();
        // Of these tables the whole is in the order of its key, and names are held against bills.
        let all =
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name NOT IN ('leases', 'names', 'totals', 'bodies') ORDER BY 1";
        assert_eq!(ours, texts(all, 0));
    }
}
