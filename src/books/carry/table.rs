//! The tables of a carry: which columns each has, and how what is known becomes rows and comes back.

use std::collections::BTreeMap;
use std::io;

use serde::de::{DeserializeOwned, Error as _, IntoDeserializer as _};

use super::columns::{Kind, Named, Rows};
use super::record::Record;
use crate::books::known::{
    Accepted, Alarm, BookedBankLine, BookedBatch, BookedBill, BookedPayment, BookedRow as SettlementRow, Debt, Decided, Known, Open, Payout,
};
use crate::columns::{self, Value};

/// One table.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// What a row is about.
    pub(super) key: &'static str,
    /// Its other columns, each a field of what is known, under its name.
    pub(super) columns: &'static [Named],
    /// Whether people read it: then it is written as CSV, too.
    pub(super) has_csv: bool,
    write: fn(&Known, &mut Rows) -> io::Result<()>,
    read: fn(&mut Known, &str, Record<'_, '_>) -> Result<(), serde_json::Error>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! cell {
    (Text $rows:ident $field:ident) => {
        $rows.text($field)?
    };
    (Number $rows:ident $field:ident) => {
        $rows.number(*$field)?
    };
    (Json $rows:ident $field:ident) => {
        $rows.json($field)?
    };
    (Hex $rows:ident $field:ident) => {
        $rows.hex(*$field)?
    };
}

// A field without a column does not compile: the record is taken apart by its columns.
macro_rules! tables {
    ($($name:literal $map:ident: $record:ident $key:literal $audience:ident { $($column:ident $kind:ident),* $(,)? })*) => {
        /// All of them, in the order in which they are written and read.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: $name,
            key: $key,
            columns: &[$((stringify!($column), Kind::$kind)),*],
            has_csv: matches!(Audience::$audience, Audience::People),
            write: |known, rows| {
                for (key, $record { $($column),* }) in &known.$map {
                    rows.text(key)?;
                    $(cell!($kind rows $column);)*
                    rows.end()?;
                }
                Ok(())
            },
            read: |known, key, record| insert(&mut known.$map, key, record),
        }),*];
    };
}

/// Columns that earlier formats do not have, and the format that brought them.
const ADDED: [(&str, &str, u32); 10] = [
    ("settlement_rows", "number", 3),
    ("settlement_rows", "bill", 4),
    ("settlement_rows", "paid_on", 5),
    ("settlement_rows", "unposted", 6),
    ("settlement_rows", "codes", 6),
    ("payments", "canonical", 2),
    ("payments", "class", 3),
    ("alarms", "invoice_number", 3),
    ("alarms", "payment_code", 3),
    ("alarms", "channel", 3),
];

/// Who reads a table.
enum Audience {
    /// What is open or was decided.
    People,
    /// What must only be known again: there may be millions of rows.
    Programs,
}

tables! {
    "items" balances: Open "item" People { amount Number, since Text, moved_on Text, moved_by Text, cause Text }
    "bills" bills: BookedBill "bill" Programs {
        debt Text, invoice_number Text, names Json, due_on Text, expires_on Text, events Json, amount Number, is_live Json, dimensions Json,
    }
    "debts" debts: Debt "debt" Programs {
        bills Json, due Number, is_reusable Json, is_before_books Json, applied Json, payments Json, taken_off Json,
    }
    "payments" payments: BookedPayment "payment" Programs {
        identity Hex, notified Json, is_before_books Json, channel Text, amount Number, paid_at Text, content Hex, payee Json, hold Text,
        only_told Json, debt Text, account Text, held_as Text, row Text, aliases Json, canonical Hex, class Text,
    }
    "settlement_rows" rows: SettlementRow "row" Programs {
        batch Text, invoice_number Text, listed_as Text, paid_out_on Text, kind Json, gross Number, state Text, number Text, bill Text, paid_on Text,
        unposted Json, codes Json,
    }
    "batches" batches: BookedBatch "batch" People { name Text, stated Number, days Json }
    "payouts" payouts: Payout "payout" People { batch Text, on Text }
    "bank_lines" bank_lines: BookedBankLine "bank_line" People { on Text, amount Number }
    "decisions" decisions: Decided "decision" People {
        action Text, on Text, leg Text, debt Text, posted Json, taken_off Json, applied Json, refused Text, is_taken_back Json,
    }
    "alarms" alarms: Alarm "alarm" People {
        class Text, on Text, at_stake Number, answered_by Text, accepted_by Text, invoice_number Text, payment_code Text, channel Text,
    }
    "accepted" accepted: Accepted "item" People { decision Text, amount Number }
}

fn insert<K: Ord + DeserializeOwned, V: DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: &str,
    record: Record<'_, '_>,
) -> Result<(), serde_json::Error> {
    let key = K::deserialize(key.into_deserializer())?;
    let value = V::deserialize(record)?;
    if map.insert(key, value).is_some() { Err(serde_json::Error::custom("two rows are about one thing")) } else { Ok(()) }
}

impl Table {
    /// The name of its file.
    pub(super) fn file(&self) -> String {
        format!("{}.parquet", self.name)
    }

    /// Every row, in the order of what it is about.
    pub(super) fn rows(&self, known: &Known) -> io::Result<Rows> {
        let mut rows = Rows::of(self.columns(), self.has_csv);
        (self.write)(known, &mut rows)?;
        Ok(rows)
    }

    /// Takes a row of these columns back, its key first.
    pub(super) fn take(&self, columns: &[&Named], known: &mut Known, cells: &[Value<'_>]) -> Result<(), serde_json::Error> {
        let key = cells.split_first().and_then(|(key, cells)| Some((key.as_text()?, cells)));
        let Some((key, cells)) = key else { return Err(serde_json::Error::custom("a row is about nothing")) };
        (self.read)(known, key, Record { columns, cells })
    }

    /// The columns it has in `format`, without the key.
    pub(super) fn columns_of(&self, format: u32) -> impl Iterator<Item = &'static Named> {
        let is_there =
            move |column: &str| ADDED.iter().all(|(table, added, since)| (*table, *added) != (self.name, column) || format >= *since);
        self.columns.iter().filter(move |(column, _)| is_there(column))
    }

    /// The names of the columns it has in `format`, the key first.
    pub(super) fn header_of(&self, format: u32) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.columns_of(format).map(|(name, _)| *name))
    }

    /// The names of its columns, the key first.
    pub(super) fn header(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.columns.iter().map(|(name, _)| *name))
    }

    /// What its columns are called and how they are written, the key first.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, columns::ColumnKind)> {
        let kinds = std::iter::once(Kind::Text).chain(self.columns.iter().map(|(_, kind)| *kind));
        self.header().zip(kinds.map(Kind::written))
    }
}
