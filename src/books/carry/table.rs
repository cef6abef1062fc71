//! The tables of a carry: which columns each has, and how what is known becomes rows and comes back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::de::DeserializeOwned;

use super::columns::{Cell, Cells, Kind, hex};
use crate::books::known::{Accepted, Alarm, BankLine, Batch, Bill, Debt, Decided, Known, Open, Payment, Payout, Row as SettlementRow};

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
    write: fn(&Known, Each<'_>) -> io::Result<()>,
    read: fn(&mut Known, String, &[u8]) -> Result<(), String>,
}

macro_rules! cell {
    (Text $cells:ident $field:ident) => {
        $cells.text($field)?
    };
    (Number $cells:ident $field:ident) => {
        $cells.number($field)?
    };
    (Json $cells:ident $field:ident) => {
        $cells.json($field)?
    };
    (Hex $cells:ident $field:ident) => {
        hex(*$field)
    };
}

// A field without a column does not compile: the record is taken apart by its columns.
macro_rules! tables {
    ($($name:literal $map:ident: $record:ident $key:literal { $($column:ident $kind:ident),* $(,)? })*) => {
        /// All of them, in the order in which they are written and read.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: $name,
            key: $key,
            columns: &[$((stringify!($column), Kind::$kind)),*],
            write: |known, row| {
                let mut cells = Cells::default();
                for (key, $record { $($column),* }) in &known.$map {
                    row(Row { key: (*key).into(), cells: vec![$(cell!($kind cells $column)),*] })?;
                }
                Ok(())
            },
            read: |known, key, json| insert(&mut known.$map, key, json),
        }),*];
    };
}

tables! {
    "items" balances: Open "item" { amount Number, since Text, moved_on Text, moved_by Text, cause Text }
    "bills" bills: Bill "bill" {
        debt Text, invoice_number Text, names Json, due_on Text, expires_on Text, events Json, amount Number, is_live Json, dimensions Json,
    }
    "debts" debts: Debt "debt" {
        bills Json, due Number, is_reusable Json, is_before_books Json, applied Json, payments Json, taken_off Json,
    }
    "payments" payments: Payment "payment" {
        identity Hex, notified Json, is_before_books Json, channel Text, amount Number, paid_at Text, content Hex, payee Json, hold Text,
        only_told Json, debt Text, account Text, held_as Text, row Text, aliases Json,
    }
    "settlement_rows" rows: SettlementRow "row" {
        batch Text, invoice_number Text, listed_as Text, paid_out_on Text, kind Json, gross Number, state Text,
    }
    "batches" batches: Batch "batch" { name Text, stated Number, days Json }
    "payouts" payouts: Payout "payout" { batch Text, on Text }
    "bank_lines" bank_lines: BankLine "bank_line" { on Text, amount Number }
    "decisions" decisions: Decided "decision" {
        action Text, on Text, leg Text, debt Text, posted Json, taken_off Json, applied Json, refused Text, is_taken_back Json,
    }
    "alarms" alarms: Alarm "alarm" { class Text, on Text, at_stake Number, answered_by Text, accepted_by Text }
    "accepted" accepted: Accepted "item" { decision Text, amount Number }
}

fn insert<K: Ord + TryFrom<String, Error = &'static str>, V: DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: String,
    json: &[u8],
) -> Result<(), String> {
    let key = K::try_from(key).map_err(str::to_owned)?;
    let value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if map.insert(key, value).is_some() { Err("two rows are about one thing".to_owned()) } else { Ok(()) }
}

impl Table {
    /// Every row, in the order of what it is about.
    pub(super) fn each(&self, known: &Known, row: Each<'_>) -> io::Result<()> {
        (self.write)(known, row)
    }

    /// Takes a row back; `json` is where its record is put together.
    pub(super) fn take(&self, known: &mut Known, row: Row, json: &mut Vec<u8>) -> Result<(), String> {
        json.clear();
        for (((name, kind), cell), before) in self.columns.iter().zip(&row.cells).zip(std::iter::once(b'{').chain(std::iter::repeat(b',')))
        {
            json.push(before);
            serde_json::to_writer(&mut *json, name).map_err(|error| error.to_string())?;
            json.push(b':');
            kind.write_json(cell, json)?;
        }
        json.push(b'}');
        (self.read)(known, row.key, json)
    }

    /// The names of its columns, the key first.
    pub(super) fn header(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.columns.iter().map(|(name, _)| *name))
    }

    /// The first line of its CSV.
    pub(super) fn csv_header(&self) -> io::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.header())?;
        writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

impl Row {
    /// As a line of CSV.
    pub(super) fn write_csv(&self, writer: &mut csv::Writer<impl Write>) -> io::Result<()> {
        writer.write_field(&self.key)?;
        for cell in &self.cells {
            match cell {
                Cell::Empty => writer.write_field("")?,
                Cell::Text(text) => writer.write_field(text)?,
                Cell::Number(number) => writer.write_field(number.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    }
}
