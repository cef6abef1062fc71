//! Refused rows for the eye: the first of them, and where there are many, what they have in common.

use std::collections::BTreeMap;

use super::output;
use super::setup::Setup;
use crate::domain::code::Code;
use crate::intake::{Input, RefusedRow};

/// Rows that are named one by one.
const SHOWN_MAX: usize = 10;
/// Places that are named of a group.
const PLACES_MAX: usize = 3;

/// Refusals of one kind.
struct Group<'a> {
    code: Code,
    column: &'a str,
    count: u64,
    first: Vec<&'a RefusedRow>,
    /// The settings that would cure them, as their reasons name them, and how many each.
    cures: BTreeMap<&'a str, u64>,
}

/// Names refused rows on stderr; rejected.csv has them all.
pub(super) fn lines<T>(setup: &Setup, input: &Input<T>) {
    if setup.quiet {
        return;
    }
    for refused in input.refused.iter().take(SHOWN_MAX) {
        output::note(refused);
    }
    let Some(more) = input.refused.len().checked_sub(SHOWN_MAX).filter(|&more| more > 0) else { return };
    output::note(format_args!("... and {more} more; by column and kind:"));
    for group in groups(&input.refused) {
        output::note(words(&group, input.rows));
    }
}

/// The groups, largest first.
fn groups(refused: &[RefusedRow]) -> Vec<Group<'_>> {
    let mut found: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
    for row in refused {
        let new = || Group { code: row.code, column: &row.column, count: 0, first: Vec::new(), cures: BTreeMap::new() };
        let group = found.entry((&row.column, row.code.id)).or_insert_with(new);
        group.count = group.count.saturating_add(1);
        if group.first.len() < PLACES_MAX {
            group.first.push(row);
        }
        if let Some(cure) = cure(&row.reason) {
            let count = group.cures.entry(cure).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut groups: Vec<Group<'_>> = found.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

/// `set …`, at the end of a reason.
fn cure(reason: &str) -> Option<&str> {
    reason.rsplit_once("set `").and_then(|(before, _)| reason.get(before.len()..))
}

fn words(group: &Group<'_>, rows: u64) -> String {
    let Group { code, column, count, first, cures } = group;
    let places = first.iter().map(|row| row.place.to_string()).collect::<Vec<_>>().join(", ");
    let whose = if column.is_empty() { String::new() } else { format!("{column}: ") };
    let example = first.iter().find(|row| !row.value.is_empty()).map_or_else(String::new, |row| format!(" such as `{}`", row.value));
    let best = cures.iter().max_by_key(|(_, count)| **count);
    let remedy = best.map_or_else(|| code.remedy.to_owned(), |(cure, count)| format!("{count} of them are cured where you {cure}"));
    format!("  {whose}{count} of {rows} rows: {}{example} [{code}], first {places}\n    {remedy}", code.title)
}
