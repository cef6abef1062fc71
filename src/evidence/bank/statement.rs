//! What a statement says: messages, balances and lines as they are read, and all that was read.
//!
//! Must not be here: reading; each format tells of its rows in these words.

use std::path::PathBuf;

use jiff::civil::Date;

use crate::domain::digest::{self, Digest};
use crate::domain::line::InputFile;
use crate::domain::settlement::RowPlace;
use crate::domain::statement_text::StatementText;
use crate::table::{self, Mostly};

/// Digits an amount may have.
pub(super) const DIGITS_MAX: usize = 15;

/// The column at fault, and what is wrong with it.
pub(super) type CellFault = (&'static str, String);
/// Which lines are looked at, by their text: those of others are left alone.
pub type IsCounted<'c> = &'c dyn Fn(&StatementText) -> bool;

/// A message of an MT940.
pub(super) struct Statement {
    pub(super) account: Digest,
    /// Of all it says.
    pub(super) digest: Digest,
    /// Where it says that it is a further page.
    pub(super) goes_on_from: Option<RowPlace>,
    /// Its number and page (`:28C:`); empty where it has none.
    pub(super) number: String,
    pub(super) opening: Option<Standing>,
    pub(super) closing: Option<Standing>,
    pub(super) lines: Vec<Told>,
}

/// What an account held on a day, in sen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) on: Date,
    pub(super) sen: i128,
}

/// What a row of a file says.
pub(super) struct Told {
    pub(super) place: RowPlace,
    /// Its text, as far as it can be read.
    pub(super) text: StatementText,
    pub(super) says: Result<Moved, CellFault>,
    /// Whether all of it can be read, though what moves is no sum that books hold: sen, or nothing.
    pub(super) is_no_rupiah: bool,
    pub(super) is_heading: bool,
}

/// What moved, and when.
#[derive(Clone, Copy)]
pub(super) struct Moved {
    pub(super) on: Date,
    pub(super) amount: i64,
    pub(super) account: Option<Digest>,
    /// What the account held before, in sen, where the statement says so.
    pub(super) before: Option<i128>,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankLine {
    /// Where it stands first.
    pub place: RowPlace,
    /// Its value date.
    pub on: Date,
    /// What the account received, in rupiah; negative for what it gave.
    pub amount: i64,
    /// Its description and reference.
    pub text: StatementText,
    /// What stands for the account, where the statement names it: tables do not.
    pub account: Option<Digest>,
    /// What the account held before it, in sen, where the statement says so: tables do not.
    pub before: Option<i128>,
    /// Which of the lines that say the same of the same balance it is, from 0.
    pub occurrence: u32,
    /// Which of those that say the same, whatever the balance.
    pub equal: u32,
}

impl BankLine {
    /// Stands for what it says: equal for the same line in another file, or in a table of another format or layout.
    #[must_use]
    pub fn content(&self) -> Digest {
        let (on, amount, text) = (self.on.to_string(), self.amount.to_string(), self.text.on_one_line());
        let parts = [b"bank-line", on.as_bytes(), amount.as_bytes(), text.as_bytes()];
        digest::of_each(parts.into_iter().chain(self.account.as_ref().map(|account| &account[..])))
    }

    /// Stands for the line itself: an account that moves the same again holds something else before.
    #[must_use]
    pub fn identity(&self) -> Digest {
        let content = self.content();
        self.before.map_or(content, |before| digest::of_parts(&[b"bank-line-at", &content, before.to_string().as_bytes()]))
    }
}

/// A row that is no line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedLine {
    /// Where it stands.
    pub place: RowPlace,
    /// The column at fault; `row` where it is none.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// Whether it stands above the header, as the heading of an account does.
    pub is_heading: bool,
}

/// Everything statements say.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    /// The files, in the order given; `lines` are rows.
    pub files: Vec<InputFile>,
    /// Their lines; one that stands in several files stands here once.
    pub lines: Vec<BankLine>,
    /// Rows that are no line.
    pub malformed: Vec<MalformedLine>,
    /// Lines that were taken for ones another file has already.
    pub copies: Vec<BankLine>,
    /// Rows that move sen or nothing, and whose text says that they are of others. They are not among the malformed.
    pub left_alone: u64,
}

impl Statements {
    /// Rows that should be lines and cannot be read: money that came may be among them.
    pub fn unread(&self) -> impl Iterator<Item = &MalformedLine> {
        self.malformed.iter().filter(|row| !row.is_heading)
    }

    /// Files most rows of which are no lines.
    #[must_use]
    pub fn mostly_unread(&self) -> Vec<(PathBuf, Mostly)> {
        let judged = (0_u32..).zip(&self.files).filter_map(|(number, file)| {
            let wrong = || self.malformed.iter().filter(move |row| row.place.file == number);
            // The heading of an account is no row of its table.
            let heading = u64::try_from(wrong().filter(|row| row.is_heading).count()).unwrap_or(u64::MAX);
            let causes = wrong().filter(|row| !row.is_heading).map(|row| (row.column, row.reason.as_str()));
            Some((file.path.clone(), table::mostly(file.lines.saturating_sub(heading), causes)?))
        });
        judged.collect()
    }
}
