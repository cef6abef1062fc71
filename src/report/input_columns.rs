//! The user's own columns in the files about their rows: behind ours, each under a name that no column of ours has.

use std::collections::BTreeSet;

use super::issue::columns;
use super::plan_columns;

/// Before a header that one of our files has already.
const PREFIX: &str = "input_";

/// The names of columns with these headers: the same in every file.
#[must_use]
pub(super) fn named_apart(headers: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = columns::names().chain(plan_columns::names().map(str::to_owned)).collect();
    let mut names = Vec::with_capacity(headers.len());
    for header in headers {
        let mut name = header.clone();
        while !taken.insert(name.to_lowercase()) {
            name.insert_str(0, PREFIX);
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_ours_is_prefixed_and_no_name_stands_twice() {
        let headers = ["NO_REF", "note", "Amount", "input_note", "input_mark", "no_ref"].map(str::to_owned);
        let names = named_apart(&headers);
        assert_eq!(names, ["NO_REF", "input_note", "input_Amount", "input_input_note", "input_input_mark", "input_no_ref"]);
    }
}
