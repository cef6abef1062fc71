//! How often a line was there. Statements overlap and are given again, so equal lines are the same line, unless the account held something else
//! before, or one statement, or several that follow one another, have them more than once.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::civil::Date;

use super::mt940::in_rupiah;
use super::statement::{BankLine, IsCounted, MalformedLine, Moved, Standing, Statement, Statements, Told};
use crate::domain::digest::Digest;
use crate::domain::settlement::RowPlace;
use crate::domain::statement_text::StatementText;

/// How often lines were there that follow one another: of a table, or of messages each of which begins with the balance that the one before
/// ends with.
pub(super) type Run = BTreeMap<Digest, u32>;

/// What all files have said.
pub(super) struct Counts<'c> {
    /// Which lines are looked at.
    is_counted: IsCounted<'c>,
    /// How often each line was there at most in one run.
    most: BTreeMap<Digest, u32>,
    /// Messages, each once. Which follow one another is only seen when all are there.
    messages: Vec<Statement>,
    known: BTreeSet<Digest>,
}

impl<'c> Counts<'c> {
    pub(super) fn of(is_counted: IsCounted<'c>) -> Self {
        Self { is_counted, most: BTreeMap::new(), messages: Vec::new(), known: BTreeSet::new() }
    }

    /// Takes what a row says, as one more of `run`.
    pub(super) fn told(&mut self, statements: &mut Statements, run: &mut Run, told: Told) {
        let Told { place, text, says, is_no_rupiah, is_heading } = told;
        match says {
            Ok(moved) => {
                let mut line = line_of(place, text, moved);
                line.equal = count(run, line.content());
                line.occurrence = if line.before.is_some() { count(run, line.identity()) } else { line.equal };
                let most = self.most.entry(line.identity()).or_default();
                if line.occurrence < *most {
                    statements.copies.push(line);
                } else {
                    *most = line.occurrence.saturating_add(1);
                    statements.lines.push(line);
                }
            }
            Err(_) if is_no_rupiah && !text.is_empty() && !(self.is_counted)(&text) => {
                statements.left_alone = statements.left_alone.saturating_add(1);
            }
            Err((column, reason)) => statements.malformed.push(MalformedLine { place, column, reason, is_heading }),
        }
    }

    /// Takes a message; the same one again is the same.
    pub(super) fn message(&mut self, statements: &mut Statements, one: Statement) {
        if self.known.insert(one.digest) {
            self.messages.push(one);
        } else {
            let lines = one.lines.into_iter().filter_map(|told| Some(line_of(told.place, told.text, told.says.ok()?)));
            statements.copies.extend(lines);
        }
    }

    /// Counts the lines of all messages, run by run, and tells pages whose page before was not given.
    pub(super) fn finish(mut self, statements: &mut Statements) {
        let messages = std::mem::take(&mut self.messages);
        let mut closings: BTreeMap<(Digest, i128), Vec<usize>> = BTreeMap::new();
        let mut openings: BTreeMap<(Digest, i128), Vec<usize>> = BTreeMap::new();
        for (number, one) in messages.iter().enumerate() {
            for (of, standing) in [(&mut closings, one.closing), (&mut openings, one.opening)] {
                if let Some(standing) = standing {
                    of.entry((one.account, standing.sen)).or_default().push(number);
                }
            }
        }
        // What each may be followed by, the earliest first.
        let mut next_of: Vec<VecDeque<usize>> = messages.iter().map(|one| followers(one, &messages, &openings)).collect();
        let is_followed_to: BTreeSet<usize> = next_of.iter().flatten().copied().collect();
        for one in messages.iter().filter(|one| one.opening.is_some_and(|opening| !closings.contains_key(&(one.account, opening.sen)))) {
            let (Some(place), Some(opening)) = (one.goes_on_from, one.opening) else { continue };
            let opening = in_rupiah(opening.sen);
            let reason = format!("it is {opening}, and no page before this one ends with that: a page is missing");
            statements.malformed.push(MalformedLine { place, column: "opening balance", reason, is_heading: false });
        }
        // Runs begin with what follows nothing; what is left then goes round in a circle, and begins anywhere.
        let (starts, rest): (Vec<usize>, Vec<usize>) = (0..messages.len()).partition(|number| !is_followed_to.contains(number));
        let mut left: Vec<Option<Statement>> = messages.into_iter().map(Some).collect();
        for start in starts.into_iter().chain(rest) {
            let (mut run, mut next) = (Run::new(), Some(start));
            while let Some((number, one)) = next.and_then(|number| Some((number, left.get_mut(number)?.take()?))) {
                for told in one.lines {
                    self.told(statements, &mut run, told);
                }
                let following = next_of.get_mut(number).map(std::mem::take).unwrap_or_default();
                next = following.into_iter().find(|number| left.get(*number).is_some_and(Option::is_some));
            }
        }
    }
}

fn line_of(place: RowPlace, text: StatementText, moved: Moved) -> BankLine {
    let Moved { on, amount, account, before } = moved;
    BankLine { place, on, amount, text, account, before, occurrence: 0, equal: 0 }
}

/// How many there were before this one.
fn count(run: &mut Run, of: Digest) -> u32 {
    let times = run.entry(of).or_default();
    std::mem::replace(times, times.saturating_add(1))
}

/// The statements that may be the next after `one`: of the same account, beginning with what it ended with, and not before. One that begins
/// where it began, or has its number, is the same statement once more, with what was booked since.
fn followers(one: &Statement, messages: &[Statement], openings: &BTreeMap<(Digest, i128), Vec<usize>>) -> VecDeque<usize> {
    let Some(closing) = one.closing else { return VecDeque::new() };
    let is_next = |other: &Statement| {
        let is_again = if one.number.is_empty() { one.opening == other.opening } else { one.number == other.number };
        let is_page = other.goes_on_from.is_some();
        // An account that is emptied every day begins with nothing every day, so on one day balances alone prove nothing.
        let is_moved = one.opening.is_some_and(|opening| opening.sen != closing.sen);
        let is_later = |opening: Standing| match opening.on.cmp(&closing.on) {
            Ordering::Greater => true,
            Ordering::Equal => is_moved || is_page || other.first_day().is_some_and(|first| first > closing.on) || one.is_before(other),
            Ordering::Less => false,
        };
        (is_page || !is_again) && other.opening.is_some_and(is_later)
    };
    let beginning = openings.get(&(one.account, closing.sen)).into_iter().flatten();
    let mut next: Vec<usize> = beginning.copied().filter(|number| messages.get(*number).is_some_and(is_next)).collect();
    next.sort_by_key(|number| messages.get(*number).map(|other| (other.opening, other.closing)));
    next.into()
}

impl Statement {
    /// The first day of which it has a line.
    fn first_day(&self) -> Option<Date> {
        self.lines.iter().filter_map(|line| line.says.as_ref().ok()).map(|moved| moved.on).min()
    }

    /// Whether its number says that `other` is the next statement, or its own next page.
    fn is_before(&self, other: &Self) -> bool {
        let parts = |number: &str| {
            let (statement, page) = number.split_once('/').unwrap_or((number, "1"));
            Some((statement.parse::<u64>().ok()?, page.parse::<u64>().ok()?))
        };
        let (Some((statement, page)), Some(next)) = (parts(&self.number), parts(&other.number)) else { return false };
        next == (statement, page.saturating_add(1)) || next.0 == statement.saturating_add(1)
    }
}
