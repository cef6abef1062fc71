//! The tables, column by column, and writing many rows of one at once.
//!
//! Belongs here: what the schema's SQL says, as data. Must not be here: what is written.

use tokio_postgres::types::ToSql;

use super::cells::Written;
use super::session::Session;
use crate::ledger::sql::cells::Value;
use crate::ledger::sql::fault::Fault;

/// A table: its name, and its columns with their types.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, &'static str)],
}

/// One row, in the order of the columns.
pub(super) type Row = Vec<Value>;

const NUMBER: &str = "bigint";
const FLAG: &str = "boolean";
const TEXT: &str = "text";
const BYTES: &str = "bytea";

pub(super) const EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("sequence", NUMBER),
        ("at", NUMBER),
        ("kind", TEXT),
        ("invoice_number", TEXT),
        ("event", TEXT),
        ("hash", BYTES),
        ("terms", NUMBER),
        ("previous", NUMBER),
        ("beside", BYTES),
        ("fence", NUMBER),
    ],
};
pub(super) const TERMS: Table = Table { name: "terms", columns: &[("id", NUMBER), ("text", TEXT)] };
/// In the order of [`COLUMNS`](crate::ledger::sql::rows::COLUMNS), after id and seal.
pub(super) const BILLS: Table = Table {
    name: "bills",
    columns: &[
        ("id", NUMBER),
        ("seal", BYTES),
        ("invoice_number", TEXT),
        ("status", TEXT),
        ("generation", NUMBER),
        ("retired_count", NUMBER),
        ("amount", NUMBER),
        ("reusable", FLAG),
        ("planned_at", NUMBER),
        ("cancelled_at", NUMBER),
        ("in_doubt_since", NUMBER),
        ("code", TEXT),
        ("code_is_live", FLAG),
        ("held_code", TEXT),
        ("wire_number", TEXT),
        ("accepted_at", NUMBER),
        ("expires_at", NUMBER),
        ("ends_at", NUMBER),
        ("may_tell", FLAG),
        ("code_details", TEXT),
        ("open", TEXT),
        ("refusal", TEXT),
        ("checks", TEXT),
        ("hold", TEXT),
        ("former", TEXT),
        ("terms", NUMBER),
        ("first_paid_at", NUMBER),
        ("paid", TEXT),
        ("last_event", NUMBER),
        ("salt", BYTES),
        ("purged_by", NUMBER),
    ],
};
pub(super) const NAMES: Table = Table { name: "names", columns: &[("bill", NUMBER), ("kind", TEXT), ("name", TEXT)] };
pub(super) const PAYMENTS: Table = Table {
    name: "payments",
    columns: &[
        ("sequence", NUMBER),
        ("identity", BYTES),
        ("invoice_number", TEXT),
        ("payment_code", TEXT),
        ("channel", TEXT),
        ("amount", NUMBER),
        ("paid_at", NUMBER),
        ("received_at", NUMBER),
        ("line_digest", BYTES),
        ("canonical", BYTES),
        ("seal", BYTES),
    ],
};
pub(super) const TOTALS: Table = Table {
    name: "totals",
    columns: &[("what", TEXT), ("paid", FLAG), ("held", FLAG), ("ends_on", NUMBER), ("count", NUMBER), ("amount", NUMBER)],
};
pub(super) const BODIES: Table = Table { name: "bodies", columns: &[("bill", NUMBER), ("request_id", TEXT), ("body", BYTES)] };
pub(super) const CUSTOMERS: Table =
    Table { name: "customers", columns: &[("bill", NUMBER), ("name", TEXT), ("email", TEXT), ("account_name", TEXT)] };

pub(super) const SEALS: Table = Table { name: "seals", columns: &[("place", NUMBER), ("digests", BYTES)] };

/// Nothing that was recorded: who is at work.
pub(super) const OPERATIONS: Table = Table { name: "operations", columns: &[("bill", NUMBER), ("lease", NUMBER)] };

/// All that hold what was recorded, each after what it refers to.
pub(super) const ALL: [Table; 9] = [TERMS, EVENTS, BILLS, NAMES, PAYMENTS, TOTALS, BODIES, CUSTOMERS, SEALS];

impl Table {
    /// The names of its columns, as SQL lists them.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Rows as a table of parameters, one array a column.
    fn given(&self) -> String {
        let arrays: Vec<String> = self.columns.iter().zip(1..).map(|((_, kind), number)| format!("${number}::{kind}[]")).collect();
        format!("UNNEST({}) AS given ({})", arrays.join(", "), self.names())
    }

    /// Adds rows; `otherwise` is what follows for those that are there already.
    pub(super) async fn insert(&self, session: &Session, rows: Vec<Row>, otherwise: &str) -> Result<(), Fault> {
        let sql = format!("INSERT INTO {} ({}) SELECT * FROM {} {otherwise}", self.name, self.names(), self.given());
        self.run(session, &sql, rows).await.map(drop)
    }

    /// The same; gives all columns of the rows as they are then.
    pub(super) async fn put(&self, session: &Session, rows: Vec<Row>, otherwise: &str) -> Result<Vec<tokio_postgres::Row>, Fault> {
        let columns: Vec<String> = self.columns.iter().map(|(column, _)| format!("{}.{column}", self.name)).collect();
        let (name, names) = (self.name, self.names());
        let sql = format!("INSERT INTO {name} ({names}) SELECT * FROM {} {otherwise} RETURNING {}", self.given(), columns.join(", "));
        self.run(session, &sql, rows).await
    }

    /// Writes rows over those with the same first column.
    pub(super) async fn update(&self, session: &Session, rows: Vec<Row>) -> Result<(), Fault> {
        let Some(((key, _), others)) = self.columns.split_first() else { return Ok(()) };
        let changes: Vec<String> = others.iter().map(|(name, _)| format!("{name} = given.{name}")).collect();
        let name = self.name;
        let sql = format!("UPDATE {name} SET {} FROM {} WHERE {name}.{key} = given.{key}", changes.join(", "), self.given());
        self.run(session, &sql, rows).await.map(drop)
    }

    /// Removes exactly these rows.
    pub(super) async fn delete(&self, session: &Session, rows: Vec<Row>) -> Result<(), Fault> {
        let name = self.name;
        let same: Vec<String> = self.columns.iter().map(|(column, _)| format!("{name}.{column} = given.{column}")).collect();
        self.run(session, &format!("DELETE FROM {name} USING {} WHERE {}", self.given(), same.join(" AND ")), rows).await.map(drop)
    }

    async fn run(&self, session: &Session, sql: &str, rows: Vec<Row>) -> Result<Vec<tokio_postgres::Row>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut columns: Vec<Vec<Written>> = self.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(Written(value));
            }
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| -> &(dyn ToSql + Sync) { column }).collect();
        session.query(sql, &parameters).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sql::rows::COLUMNS;

    #[test]
    fn a_bill_is_written_in_the_order_its_columns_are_read() {
        let names: Vec<&str> = BILLS.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(names[..2], ["id", "seal"]);
        assert_eq!(names[2..], COLUMNS);
    }
}
