//! Refused rows for the eye: the first of them, and where there are many, what they have in common.

use std::collections::BTreeMap;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use crate::domain::code::StableCode;
use crate::intake::{Input, InputPlace, KeptItem, RefusedRow};

/// Rows that are named one by one.
const SHOWN_MAX: usize = 10;
/// Places that are named of a group.
const PLACES_MAX: usize = 3;

/// Refusals of one kind.
struct Group {
    code: StableCode,
    column: String,
    count: u64,
    places: Vec<InputPlace>,
    /// A value that was refused, of the first places.
    example: Option<String>,
    /// The settings that would cure them, as their reasons name them, and how many each.
    cures: BTreeMap<String, u64>,
}

/// Names refused rows on stderr; rejected.csv has them all.
pub(super) fn lines<T: KeptItem>(setup: &Setup, input: &Input<T>) -> Result<(), Failure> {
    if setup.quiet || input.refused == 0 {
        return Ok(());
    }
    let (mut groups, mut count) = (BTreeMap::new(), 0_usize);
    input.each(|row| -> Result<(), Failure> {
        for refused in row.refused() {
            count = count.saturating_add(1);
            if count <= SHOWN_MAX {
                output::note(refused);
            }
            add(&mut groups, refused);
        }
        Ok(())
    })?;
    let Some(more) = count.checked_sub(SHOWN_MAX).filter(|&more| more > 0) else { return Ok(()) };
    output::note(format_args!("... and {more} more; by column and kind:"));
    // The largest first.
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    for group in groups {
        output::note(words(&group, input.rows));
    }
    Ok(())
}

fn add(groups: &mut BTreeMap<(String, &'static str), Group>, row: &RefusedRow) {
    let new = || Group { code: row.code, column: row.column.clone(), count: 0, places: Vec::new(), example: None, cures: BTreeMap::new() };
    let group = groups.entry((row.column.clone(), row.code.id)).or_insert_with(new);
    group.count = group.count.saturating_add(1);
    if group.places.len() < PLACES_MAX {
        group.places.push(row.place.clone());
        if group.example.is_none() && !row.value.is_empty() {
            group.example = Some(row.value.clone());
        }
    }
    if let Some(cure) = cure(&row.reason) {
        let count = group.cures.entry(cure.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
}

/// `set …`, at the end of a reason.
fn cure(reason: &str) -> Option<&str> {
    reason.rsplit_once("set `").and_then(|(before, _)| reason.get(before.len()..))
}

fn words(group: &Group, rows: u64) -> String {
    let Group { code, column, count, places, example, cures } = group;
    let places = places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let whose = if column.is_empty() { String::new() } else { format!("{column}: ") };
    let example = example.as_ref().map_or_else(String::new, |value| format!(" such as `{value}`"));
    let best = cures.iter().max_by_key(|(_, count)| **count);
    let remedy = best.map_or_else(|| code.remedy.to_owned(), |(cure, count)| format!("{count} of them are cured where you {cure}"));
    format!("  {whose}{count} of {rows} rows: {}{example} [{code}], first {places}\n    {remedy}", code.title)
}

/// What planning or DOKU refused of rows that were read well, a line for each kind with its first row; rejected.csv has them all.
#[derive(Default)]
pub(super) struct Refusals(BTreeMap<(String, String), (String, u64)>);

impl Refusals {
    pub(super) fn add(&mut self, place: &InputPlace, column: &str, reason: &str, code: &str) {
        let first = || (format!("{place}:{column}: {reason} [{code}]"), 0);
        let (_, count) = self.0.entry((code.to_owned(), column.to_owned())).or_insert_with(first);
        *count = count.saturating_add(1);
    }

    pub(super) fn print(self, setup: &Setup) {
        for (first, count) in self.0.into_values().filter(|_| !setup.quiet) {
            let more = if count > 1 { format!(", and {} more rows", count.saturating_sub(1)) } else { String::new() };
            output::note(format_args!("{first}{more}"));
        }
    }
}
