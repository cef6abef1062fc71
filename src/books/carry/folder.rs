//! The books of the month before, as a run opens them: gone through once, so that they are known in short and to be whole; read once more
//! part by part while those are posted.
//!
//! A carry is written part by part, so of each table the rows that follow one another are of one part or of later ones. What stands out
//! of that order (what was posted together, at the end; in carries of before, most) is few enough to be kept in memory from the start.

use std::io;
use std::path::Path;

use super::read::{Rows, file_of};
use super::table::{TABLES, Table};
use super::{CarryError, CarryHead};
use crate::books::account::PerAccount;
use crate::books::brief::Brief;
use crate::books::item::ItemId;
use crate::books::known::Known;
use crate::books::parts::{Part, Parts, Shares};
use crate::columns::vouched::Vouched;
use crate::domain::amount::Rupiah;

/// The tables that are read part by part, in the order in which each can be understood: a row's debt is that of its payment, an item's that
/// of whatever it is.
const IN_PARTS: [&str; 5] = ["bills", "debts", "payments", "settlement_rows", "items"];

/// See the module.
#[derive(Debug)]
pub struct CarryFolder {
    head: CarryHead,
    /// What is known, in short.
    brief: Brief,
    /// Those that are read part by part.
    tables: Vec<(&'static Table, Vouched)>,
    /// What stands out of their order.
    astray: Known,
}

impl CarryFolder {
    /// Opens the carry in `folder`: every file as `open` vouches for it by its name, every table against its digest, and the balances
    /// against their items. `listen` hears of everything once, bills before their payments.
    ///
    /// # Errors
    /// [`CarryError`].
    pub fn open(folder: &Path, open: impl Fn(&str) -> io::Result<Vouched>, mut listen: impl FnMut(&Known)) -> Result<Self, CarryError> {
        let head = CarryHead::read(folder)?;
        let mut brief = Brief::of(&Known { began_on: head.began_on, ..Known::default() });
        for table in TABLES.iter().filter(|table| !IN_PARTS.contains(&table.name)) {
            let file = file_of(table, &open)?;
            Rows::of(table, &head, &file)?.each(|known| {
                brief.common.join(known);
                Ok(())
            })?;
        }
        let mut astray = Known { began_on: head.began_on, ..Known::default() };
        let (mut tables, mut totals) = (Vec::new(), PerAccount::<Rupiah>::default());
        let in_parts = IN_PARTS.iter().filter_map(|name| TABLES.iter().find(|table| table.name == *name));
        for table in in_parts {
            let file = file_of(table, &open)?;
            let mut order = Order::default();
            Rows::of(table, &head, &file)?.each(|known| {
                listen(&known);
                brief.learn(&known);
                for (account, sum) in known.totals().into_each() {
                    let total = totals.at(account);
                    *total = total.plus(sum);
                }
                astray.join(order.sift(known, &brief).astray);
                Ok(())
            })?;
            brief.sort();
            tables.push((table, file));
        }
        head.check(&totals)?;
        Ok(Self { head, brief, tables, astray })
    }

    /// Its head.
    #[must_use]
    pub const fn head(&self) -> &CarryHead {
        &self.head
    }

    /// What is known, in short.
    #[must_use]
    pub const fn brief(&self) -> &Brief {
        &self.brief
    }

    /// All that is known, for who does not go on from it.
    ///
    /// # Errors
    /// [`CarryError`].
    pub fn whole(&self) -> Result<Known, CarryError> {
        let mut known = self.brief.common.clone();
        for (table, file) in &self.tables {
            Rows::of(table, &self.head, file)?.each(|some| {
                known.join(some);
                Ok(())
            })?;
        }
        known.remember_aliases();
        Ok(known)
    }

    /// Begins to read it part by part.
    ///
    /// # Errors
    /// [`CarryError`].
    pub fn reader<'f>(&'f self, parts: &'f Parts) -> Result<Reader<'f>, CarryError> {
        let tables =
            self.tables.iter().map(|(table, file)| Ok(InParts { rows: Some(Rows::of(table, &self.head, file)?), order: Order::default() }));
        let tables = tables.collect::<Result<_, CarryError>>()?;
        let mut shares = Shares::default();
        shares.add(self.brief.common.clone(), parts, &self.brief);
        shares.add(self.astray.clone(), parts, &self.brief);
        Ok(Reader { folder: self, parts, tables, shares, given: 0 })
    }
}

/// Which parts the rows of a table have come to.
#[derive(Debug, Default)]
struct Order {
    last: Option<u8>,
}

/// Rows of a group.
struct Sifted {
    in_order: Known,
    astray: Known,
}

impl Order {
    /// Takes the next group. What is of a part that earlier groups are beyond, or of none, stands out of the order.
    fn sift(&mut self, known: Known, brief: &Brief) -> Sifted {
        let before = self.last;
        let byte = |debt: ItemId| debt.key().first().copied().filter(|byte| before.is_none_or(|last| *byte >= last));
        let highest = known.debts_of(brief).try_fold(before, |highest, debt| debt.and_then(byte).map(|byte| highest.max(Some(byte))));
        if let Some(highest) = highest {
            self.last = highest;
            return Sifted { in_order: known, astray: Known::default() };
        }
        let mut divided = known.divided(brief, |debt| debt.and_then(byte));
        let astray = divided.remove(&None).unwrap_or_default();
        let mut in_order = Known::default();
        for (last, known) in divided {
            self.last = self.last.max(last);
            in_order.join(known);
        }
        Sifted { in_order, astray }
    }

    /// Whether nothing of the parts that begin with this byte is still to come.
    fn is_beyond(&self, byte: Option<u8>) -> bool {
        byte.is_some_and(|byte| self.last.is_some_and(|last| last > byte))
    }
}

/// A table on its way into its parts.
#[derive(Debug)]
struct InParts<'f> {
    rows: Option<Rows<'f>>,
    order: Order,
}

impl InParts<'_> {
    /// Reads until everything of the parts was read that begin with this byte; with none, to the end.
    fn up_to(&mut self, byte: Option<u8>, brief: &Brief) -> Result<Known, CarryError> {
        let mut all = Known::default();
        while let Some(rows) = &mut self.rows
            && !self.order.is_beyond(byte)
        {
            match rows.take()? {
                Some(known) => all.join(self.order.sift(known, brief).in_order),
                None => self.rows = None,
            }
        }
        Ok(all)
    }
}

/// The books of the month before, on their way into the parts of this one.
#[derive(Debug)]
pub struct Reader<'f> {
    folder: &'f CarryFolder,
    parts: &'f Parts,
    tables: Vec<InParts<'f>>,
    shares: Shares,
    /// How many things were given away.
    given: usize,
}

impl Reader<'_> {
    /// What was known of each of `wanted`, which come in their order, if anything was.
    ///
    /// # Errors
    /// [`CarryError`].
    pub fn take(&mut self, wanted: &[Part]) -> Result<Vec<Option<Known>>, CarryError> {
        let Self { folder, parts, tables, shares, .. } = self;
        if let Some(last) = wanted.last() {
            for table in tables {
                shares.add(table.up_to(parts.byte(*last), &folder.brief)?, parts, &folder.brief);
            }
        }
        let taken: Vec<Option<Known>> = wanted.iter().map(|part| self.shares.take(*part)).collect();
        self.given = taken.iter().flatten().map(Known::count).fold(self.given, usize::saturating_add);
        if wanted.contains(&Part::Together) {
            self.folder.head.check_count(self.given)?;
        }
        Ok(taken)
    }
}
