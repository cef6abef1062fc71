//! How often a line was there. Statements overlap and are given again, so equal lines are the same line, unless one statement, or several that
//! follow one another, have them more than once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::mt940::in_rupiah;
use super::{BankLine, IsCounted, MalformedLine, Moved, Statement, Statements, Told};
use crate::domain::digest::Digest;

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
            Ok(Moved { on, amount, account }) => {
                let mut line = BankLine { place, on, amount, text, account, occurrence: 0 };
                let times = run.entry(line.content()).or_default();
                line.occurrence = *times;
                *times = times.saturating_add(1);
                let most = self.most.entry(line.content()).or_default();
                if *times <= *most {
                    statements.copies = statements.copies.saturating_add(1);
                } else {
                    *most = *times;
                    statements.lines.push(line);
                }
            }
            Err(_) if is_no_rupiah && !text.is_empty() && !(self.is_counted)(&text) => {
                statements.left_alone = statements.left_alone.saturating_add(1)
            }
            Err((column, reason)) => statements.malformed.push(MalformedLine { place, column, reason, is_heading }),
        }
    }

    /// Takes a message; the same one again is the same.
    pub(super) fn message(&mut self, statements: &mut Statements, one: Statement) {
        if self.known.insert(one.digest) {
            self.messages.push(one);
        } else {
            let lines = one.lines.iter().filter(|line| line.says.is_ok()).count();
            statements.copies = statements.copies.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        }
    }

    /// Counts the lines of all messages, run by run, and tells pages whose page before was not given.
    pub(super) fn finish(mut self, statements: &mut Statements) {
        let messages = std::mem::take(&mut self.messages);
        let at = |one: &Statement, balance: Option<i128>| Some((one.account, balance?));
        let closings: BTreeSet<(Digest, i128)> = messages.iter().filter_map(|one| at(one, one.closing)).collect();
        let missing = |one: &Statement| at(one, one.opening).is_some_and(|opening| !closings.contains(&opening));
        for one in messages.iter().filter(|one| missing(one)) {
            let (Some(place), Some(opening)) = (one.goes_on_from, one.opening) else { continue };
            let opening = in_rupiah(opening);
            let reason = format!("it is {opening}, and no page before this one ends with that: a page is missing");
            statements.malformed.push(MalformedLine { place, column: "opening balance", reason, is_heading: false });
        }
        // Runs begin with what follows nothing; what is left then goes round in a circle, and begins anywhere.
        let (starts, rest): (Vec<usize>, Vec<usize>) = (0..messages.len()).partition(|at| messages.get(*at).is_some_and(missing));
        let mut by_opening: BTreeMap<(Digest, i128), VecDeque<usize>> = BTreeMap::new();
        for (number, one) in messages.iter().enumerate() {
            if let Some(opening) = at(one, one.opening) {
                by_opening.entry(opening).or_default().push_back(number);
            }
        }
        let mut left: Vec<Option<Statement>> = messages.into_iter().map(Some).collect();
        for start in starts.into_iter().chain(rest) {
            let (mut run, mut next) = (Run::new(), Some(start));
            while let Some(one) = next.and_then(|next| left.get_mut(next)).and_then(Option::take) {
                let closing = at(&one, one.closing);
                for told in one.lines {
                    self.told(statements, &mut run, told);
                }
                let following = closing.and_then(|closing| by_opening.get_mut(&closing));
                next = following.and_then(|of| {
                    of.retain(|number| left.get(*number).is_some_and(Option::is_some));
                    of.pop_front()
                });
            }
        }
    }
}
