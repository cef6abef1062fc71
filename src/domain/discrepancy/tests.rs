//! The table of statuses and events against a second copy.

use super::*;

const GRID: &str = "
    status   first again    changed  gone    decide   propose  approve  note     reopen
    unknown  open  .        .        .       .        .        .        .        .
    open     .     open     open     cleared accepted proposed .        open     .
    proposed .     proposed reopened cleared .        .        accepted proposed reopened
    accepted .     accepted reopened cleared .        .        .        accepted reopened
    cleared  .     reopened reopened .       .        .        .        cleared  .
    reopened .     reopened reopened cleared accepted proposed .        reopened .
";

#[test]
fn every_status_meets_every_event_as_the_grid_says() {
    let mut lines = GRID.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty());
    assert_eq!(lines.next().unwrap().len(), EventKind::ALL.len() + 1, "the grid has every event, in order");
    let mut statuses = Vec::new();
    for words in lines {
        let status = Status::parse(words[0]);
        assert_eq!(words.len(), EventKind::ALL.len() + 1, "{words:?}");
        for (event, expected) in EventKind::ALL.into_iter().zip(&words[1..]) {
            assert_eq!(next_status(status, event), Status::parse(expected), "{} meets {event:?}", words[0]);
        }
        statuses.push(status);
    }
    let all: Vec<_> = std::iter::once(None).chain(Status::ALL.map(Some)).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, all, "the grid has every status");
}
