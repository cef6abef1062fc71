//! The tables of a carry: which columns each has, and how what is known becomes rows and comes back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::columns::{Cell, Kind};
use crate::books::known::Known;

/// A row: what it is about, and its cells in the order of the columns.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) cells: Vec<Cell>,
}

/// What takes each row.
type Each<'e> = &'e mut dyn FnMut(Row) -> io::Result<()>;

/// One table.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// What a row is about.
    pub(super) key: &'static str,
    /// Its other columns, each a field of what is known, under its name.
    pub(super) columns: &'static [(&'static str, Kind)],
    write: fn(&Self, &Known, Each<'_>) -> io::Result<()>,
    read: fn(&mut Known, String, Value) -> Result<(), String>,
}

macro_rules! tables {
    ($($name:literal $field:ident $key:literal { $($column:ident $kind:ident),* $(,)? })*) => {
        /// All of them, in the order in which they are written and read.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: $name,
            key: $key,
            columns: &[$((stringify!($column), Kind::$kind)),*],
            write: |table, known, row| table.rows(&known.$field, row),
            read: |known, key, value| insert(&mut known.$field, key, value),
        }),*];
    };
}

tables! {
    "items" balances "item" { amount Number, since Text, moved_on Text, moved_by Text, cause Text }
    "bills" bills "bill" {
        debt Text, invoice_number Text, names Json, due_on Text, expires_on Text, events Json, amount Number, is_live Json, dimensions Json,
    }
    "debts" debts "debt" {
        bills Json, due Number, is_reusable Json, is_before_books Json, applied Json, payments Json, taken_off Json,
    }
    "payments" payments "payment" {
        identity Text, notified Json, is_before_books Json, channel Text, amount Number, paid_at Text, content Text, payee Json, hold Text, only_told Json, debt Text, account Text,
        held_as Text, row Text, aliases Json,
    }
    "settlement_rows" rows "row" { batch Text, invoice_number Text, listed_as Text, paid_out_on Text, kind Json, gross Number, state Text }
    "batches" batches "batch" { name Text, stated Number, days Json }
    "payouts" payouts "payout" { batch Text, on Text }
    "bank_lines" bank_lines "bank_line" { on Text, amount Number }
    "decisions" decisions "decision" {
        action Text, on Text, leg Text, debt Text, posted Json, taken_off Json, applied Json, refused Text, is_taken_back Json,
    }
    "alarms" alarms "alarm" { class Text, on Text, at_stake Number, answered_by Text, accepted_by Text }
    "accepted" accepted "item" { decision Text, amount Number }
}

fn insert<K: Ord + TryFrom<String, Error = &'static str>, V: DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: String,
    value: Value,
) -> Result<(), String> {
    let key = K::try_from(key).map_err(str::to_owned)?;
    let value = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if map.insert(key, value).is_some() { Err("two rows are about one thing".to_owned()) } else { Ok(()) }
}

impl Table {
    fn rows<K: Copy + Into<String>, V: Serialize>(&self, map: &BTreeMap<K, V>, row: Each<'_>) -> io::Result<()> {
        for (key, value) in map {
            let Value::Object(mut fields) = serde_json::to_value(value)? else { return Err(io::Error::other("not a record")) };
            let taken = self.columns.iter().map(|(name, kind)| kind.cell(fields.remove(*name).unwrap_or(Value::Null)));
            let cells = taken.collect::<Result<Vec<Cell>, _>>().map_err(io::Error::other)?;
            if let Some(field) = fields.keys().next() {
                return Err(io::Error::other(format!("table `{}` has no column for `{field}`", self.name)));
            }
            row(Row { key: (*key).into(), cells })?;
        }
        Ok(())
    }

    /// Every row, in the order of what it is about.
    pub(super) fn each(&self, known: &Known, row: Each<'_>) -> io::Result<()> {
        (self.write)(self, known, row)
    }

    /// Takes a row back.
    pub(super) fn take(&self, known: &mut Known, row: Row) -> Result<(), String> {
        let fields = self.columns.iter().zip(row.cells).map(|((name, kind), cell)| Ok(((*name).to_owned(), kind.value(cell)?)));
        (self.read)(known, row.key, Value::Object(fields.collect::<Result<Map<_, _>, String>>()?))
    }

    /// The names of its columns, the key first.
    pub(super) fn header(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.columns.iter().map(|(name, _)| *name))
    }

    /// Writes it as CSV; says how many rows.
    pub(super) fn write_csv(&self, known: &Known, out: &mut dyn Write) -> io::Result<u64> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.header())?;
        let mut count = 0_u64;
        self.each(known, &mut |row| {
            let cells = row.cells.into_iter().map(Cell::into_text);
            writer.write_record(std::iter::once(row.key).chain(cells))?;
            count = count.saturating_add(1);
            Ok(())
        })?;
        writer.flush()?;
        Ok(count)
    }
}
