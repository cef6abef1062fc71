//! Since when a bill's wish has been in doubt, however often it was found not done and sent anew: what the alarm counts from.

use jiff::Timestamp;

use super::lifecycle::{Event, Verdict};

/// When the first doubt of the wish that is not settled yet began; `None` where there was none since the last definite end.
/// `Not done` is no such end: the same wish is sent again, and may be in doubt again every night.
#[must_use]
pub fn unsettled_since<'a>(events: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Option<Timestamp> {
    events.into_iter().fold(None, |since, (at, event)| match event {
        Event::Doubted { .. } | Event::Reopened { .. } => since.or(Some(at)),
        Event::Adopted { .. }
        | Event::Accepted { .. }
        | Event::Rejected { .. }
        | Event::Registered { .. }
        | Event::Retired { .. }
        | Event::Settled { verdict: Verdict::Done | Verdict::Dead, .. } => None,
        Event::Planned { .. }
        | Event::Intended { .. }
        | Event::NotSent { .. }
        | Event::Noted { .. }
        | Event::Checked { .. }
        | Event::Held { .. }
        | Event::Released { .. }
        | Event::Settled { verdict: Verdict::NotDone, .. } => since,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PaymentCode;
    use crate::domain::lifecycle::CodeAnswer;

    fn doubted() -> Event {
        Event::Doubted { reason: "cut".into(), answered: false, refusal: None }
    }

    fn settled(verdict: Verdict) -> Event {
        Event::Settled { verdict, answer: None, by: "status".into(), reason: String::new() }
    }

    fn since(events: &[Event]) -> Option<i64> {
        let timed = events.iter().zip(1_i64..).map(|(event, second)| (Timestamp::from_second(second).unwrap(), event));
        unsettled_since(timed).map(Timestamp::as_second)
    }

    #[test]
    fn not_done_does_not_restart_the_clock_and_every_definite_end_stops_it() {
        let answer = CodeAnswer { payment_code: PaymentCode::new("1").unwrap(), created_at: None, expires_at: None, how_to_pay_page: None };
        let not_sent = Event::NotSent { reason: String::new() };
        assert_eq!(since(&[not_sent.clone(), doubted(), doubted()]), Some(2));
        assert_eq!(since(&[doubted(), settled(Verdict::NotDone), not_sent, doubted()]), Some(1), "night after night");
        let ends = [
            settled(Verdict::Done),
            settled(Verdict::Dead),
            Event::Accepted { answer, replayed: true, amount: None },
            Event::Rejected { code: "E0401".into(), reason: String::new(), provisional: false },
            Event::Retired { reason: String::new() },
        ];
        for end in ends {
            assert_eq!(since(&[doubted(), end.clone()]), None, "{end:?}");
            assert_eq!(since(&[doubted(), end.clone(), doubted()]), Some(3), "{end:?}");
        }
    }
}
