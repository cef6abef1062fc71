//! The table of statuses and events against a second copy, written as a grid.

use super::*;

/// What design section 3 says, one row a status and one column an event; `.` is illegal. Columns: plan, adopt, intend to
/// issue, to amend, to cancel, not sent, accepted, rejected, doubted, settled as done, as not done, as dead, retired, noted,
/// checked, registered here, changed here, cancelled here, sent again, doubted again (an issue, an amendment, a cancellation), held, released,
/// asked about.
const GRID: &str = "
    status    plan  adopt issue amend cancel unsent accept reject doubt done  undone dead  retire note  check reg   regamd regcan  again  reoiss reoamd reocan hold   free       alias
    unknown   plan  live  .     .     .      .      .      .      .     .     .      .     .      .     .      live  .      .       .      .      .      .      .      .         .
    plan      plan  live  sent  .     .      .      .      .      .     .     .      .     .      .     .      live  .      .       .      .      .      .      plan   plan      .
    sent      .     .     .     .     .      plan   live   refuse ?iss  .     .      .     .      .     sent   .     .      .       .      .      .      .      sent   sent      .
    live      .     live  .     amend cancel .      .      .      .     .     .      .     gone   live  live   .     live   dead    .      .      ?amd   ?can   live   live      live
    amend     .     .     .     .     .      live   live   live   ?amd  .     .      .     .      .     amend  .     .      .       .      .      .      .      amend  amend     .
    cancel    .     .     .     .     .      live   dead   live   ?can  .     .      .     .      .     cancel .     .      .       .      .      .      .      cancel cancel    .
    refuse    plan  live  .     .     .      .      .      .      .     .     .      .     .      .     refuse .     .      .       .      ?iss   .      .      refuse refuse    .
    dead      .     .     .     .     .      .      .      .      .     .     .      .     .      .     dead   .     .      .       .      .      .      .      dead   dead      .
    gone      .     .     sent  .     .      .      .      .      .     .     .      .     .      .     gone   live  .      .       .      .      .      .      gone   gone      .
    ?iss      .     live  .     .     .      .      live   refuse ?iss  live  refuse gone  .      .     ?iss   .     .      .       ?iss   .      .      .      ?iss   ?iss      .
    ?amd      .     .     .     ?amd  .      .      live   live   ?amd  live  live   gone  .      .     ?amd   .     .      .       ?amd   .      .      .      ?amd   ?amd      .
    ?can      .     .     .     .     ?can   .      dead   live   ?can  dead  live   gone  .      .     ?can   .     .      .       ?can   .      .      .      ?can   ?can      .
";

fn status_of(word: &str) -> Option<Status> {
    Some(match word {
        "unknown" | "." => return None,
        "plan" => Status::Planned,
        "sent" => Status::Requested,
        "live" => Status::Active,
        "amend" => Status::Amending,
        "cancel" => Status::Cancelling,
        "refuse" => Status::Rejected,
        "dead" => Status::Cancelled,
        "gone" => Status::Retired,
        "?iss" => Status::InDoubt(OperationKind::Issue),
        "?amd" => Status::InDoubt(OperationKind::Amend),
        "?can" => Status::InDoubt(OperationKind::Cancel),
        other => panic!("{other}"),
    })
}

fn event_of(word: &str) -> EventKind {
    match word {
        "plan" => EventKind::Planned,
        "adopt" => EventKind::Adopted,
        "issue" => EventKind::Intended(OperationKind::Issue),
        "amend" => EventKind::Intended(OperationKind::Amend),
        "cancel" => EventKind::Intended(OperationKind::Cancel),
        "unsent" => EventKind::NotSent,
        "accept" => EventKind::Accepted,
        "reject" => EventKind::Rejected,
        "doubt" => EventKind::Doubted,
        "done" => EventKind::DoubtEnded(DoubtVerdict::Done),
        "undone" => EventKind::DoubtEnded(DoubtVerdict::NotDone),
        "dead" => EventKind::DoubtEnded(DoubtVerdict::Dead),
        "retire" => EventKind::Retired,
        "note" => EventKind::Noted,
        "check" => EventKind::Checked,
        "reg" => EventKind::Registered(OperationKind::Issue),
        "regamd" => EventKind::Registered(OperationKind::Amend),
        "again" => EventKind::Repeated,
        "reoiss" => EventKind::Reopened(OperationKind::Issue),
        "reoamd" => EventKind::Reopened(OperationKind::Amend),
        "reocan" => EventKind::Reopened(OperationKind::Cancel),
        "hold" => EventKind::Held,
        "free" => EventKind::Released,
        "alias" => EventKind::Aliased,
        "regcan" => EventKind::Registered(OperationKind::Cancel),
        other => panic!("{other}"),
    }
}

#[test]
fn every_status_meets_every_event_as_the_design_says() {
    let mut lines = GRID.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty());
    let events: Vec<EventKind> = lines.next().unwrap()[1..].iter().map(|word| event_of(word)).collect();
    assert_eq!(events, EventKind::ALL, "the grid has every event, in order");
    let mut statuses = Vec::new();
    for words in lines {
        let status = status_of(words[0]);
        assert_eq!(words.len(), events.len() + 1, "row {words:?}");
        for (event, expected) in events.iter().zip(&words[1..]) {
            assert_eq!(next_status(status, *event), status_of(expected), "{} meets {event:?}", words[0]);
        }
        statuses.push(status);
    }
    let all: Vec<_> = std::iter::once(None).chain(Status::ALL.map(Some)).collect();
    assert_eq!(statuses, all, "the grid has every status, in order");
}
