//! What an answer to a mutating call concludes: whose word it is × what it says × whether something may have reached DOKU before.
//!
//! Belongs here: the table, as one function, and what follows for the operation. Must not be here: reading answers (`doku`'s),
//! sending, recording. The rule behind it: **only DOKU's own word concludes anything, and a refusal of a repetition proves nothing
//! about the first attempt.**

/// Whose word an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// DOKU's, and its signature is valid.
    Signed,
    /// DOKU's, as far as its shape tells: it bears no valid signature, and the settings let that pass.
    Unsigned,
    /// Anybody's: a page, a text, nothing, another order's answer.
    Foreign,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerSays {
    /// 2xx: our order, our code.
    Success,
    /// 409 with a success for our order.
    Repeated,
    /// 409 with an error, or a 4xx that calls the order a duplicate.
    Duplicate,
    /// 400, 402, 406, 413, 422, 451 or another 4xx: not with this content.
    Refused,
    /// 404, 405, 410, 501: there is no such path or method.
    NoSuchPath,
    /// 401, or a 400 that names the signature.
    Credentials,
    /// 403: not through this channel.
    ChannelClosed,
    /// 429: too fast.
    Throttled,
    /// 3xx, 408, 425, 5xx, an unreadable 2xx, no answer at all: nothing can be read from it.
    Unclear,
}

impl AnswerSays {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Repeated,
        Self::Duplicate,
        Self::Refused,
        Self::NoSuchPath,
        Self::Credentials,
        Self::ChannelClosed,
        Self::Throttled,
        Self::Unclear,
    ];
}

/// What may have reached DOKU under the same id before this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing, as far as this ledger knows.
    Nothing,
    /// An attempt that ended without DOKU's own answer.
    Unanswered,
    /// Attempts that DOKU itself answered, without that concluding anything.
    Answered,
}

impl Before {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Unanswered, Self::Answered];
}

/// What follows for the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It was carried out, now or by an earlier attempt (`replayed`).
    Accepted {
        /// Whether by an earlier one.
        replayed: bool,
    },
    /// It is carried out if Check Status confirms it: the repeated answer may be another operation's.
    Confirm,
    /// It was refused if Check Status knows no such order; otherwise the order is somebody's.
    AskWhose,
    /// DOKU refused it, and nothing was carried out. Provisional without a valid signature.
    Rejected {
        /// Whether Check Status is to be asked before its bill gets a new id.
        provisional: bool,
    },
    /// DOKU has no such path: refused, and not remembered against the row.
    PathRefused,
    /// No further attempt in this run: our credentials were refused.
    CredentialsRefused,
    /// No further attempt in this run: the channel was refused.
    ChannelRefused,
    /// The same bytes again, later. With the attempts used up nothing was sent if DOKU said so, and it is in doubt otherwise.
    SendAgain {
        /// Whether it is DOKU's own word.
        own: bool,
    },
    /// It may have been carried out.
    InDoubt {
        /// Whether DOKU itself answered.
        answered: bool,
    },
}

impl Conclusion {
    /// The name used in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted { replayed: false } => "accepted",
            Self::Accepted { replayed: true } => "replayed",
            Self::Confirm => "to_be_confirmed",
            Self::AskWhose => "to_be_asked_whose",
            Self::Rejected { .. } => "rejected",
            Self::PathRefused => "path_refused",
            Self::CredentialsRefused => "credentials_refused",
            Self::ChannelRefused => "channel_refused",
            Self::SendAgain { .. } => "to_be_sent_again",
            Self::InDoubt { .. } => "in_doubt",
        }
    }
}

/// The table.
#[must_use]
#[allow(clippy::match_same_arms, reason = "one line a rule")]
pub const fn conclude(whose: Whose, says: AnswerSays, before: Before) -> Conclusion {
    let own = !matches!(whose, Whose::Foreign);
    match (says, whose, before) {
        (AnswerSays::Unclear, _, _) => Conclusion::InDoubt { answered: false },
        (AnswerSays::Throttled, _, _) => Conclusion::SendAgain { own },
        (_, Whose::Foreign, _) => Conclusion::InDoubt { answered: false },

        (AnswerSays::Success, _, Before::Nothing) => Conclusion::Accepted { replayed: false },
        (AnswerSays::Success, _, Before::Unanswered | Before::Answered) => Conclusion::Accepted { replayed: true },
        (AnswerSays::Repeated, _, Before::Unanswered) => Conclusion::Accepted { replayed: true },
        (AnswerSays::Repeated, _, Before::Nothing | Before::Answered) => Conclusion::Confirm,

        (AnswerSays::Credentials, _, _) => Conclusion::CredentialsRefused,
        (AnswerSays::ChannelClosed, _, _) => Conclusion::ChannelRefused,

        (AnswerSays::Duplicate, _, Before::Nothing) => Conclusion::AskWhose,
        (AnswerSays::Refused, Whose::Signed, Before::Nothing) => Conclusion::Rejected { provisional: false },
        (AnswerSays::Refused, _, Before::Nothing) => Conclusion::Rejected { provisional: true },
        (AnswerSays::NoSuchPath, _, Before::Nothing) => Conclusion::PathRefused,
        (AnswerSays::Duplicate | AnswerSays::Refused | AnswerSays::NoSuchPath, _, Before::Unanswered | Before::Answered) => {
            Conclusion::InDoubt { answered: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell, written a second time. Columns: nothing before, an unanswered attempt before, answered ones before.
    const TABLE: &[(AnswerSays, Whose, [&str; 3])] = &[
        (AnswerSays::Success, Whose::Signed, ["accepted", "replayed", "replayed"]),
        (AnswerSays::Success, Whose::Unsigned, ["accepted", "replayed", "replayed"]),
        (AnswerSays::Success, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Repeated, Whose::Signed, ["confirm", "replayed", "confirm"]),
        (AnswerSays::Repeated, Whose::Unsigned, ["confirm", "replayed", "confirm"]),
        (AnswerSays::Repeated, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Duplicate, Whose::Signed, ["whose?", "heard", "heard"]),
        (AnswerSays::Duplicate, Whose::Unsigned, ["whose?", "heard", "heard"]),
        (AnswerSays::Duplicate, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Refused, Whose::Signed, ["rejected", "heard", "heard"]),
        (AnswerSays::Refused, Whose::Unsigned, ["rejected?", "heard", "heard"]),
        (AnswerSays::Refused, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::NoSuchPath, Whose::Signed, ["path", "heard", "heard"]),
        (AnswerSays::NoSuchPath, Whose::Unsigned, ["path", "heard", "heard"]),
        (AnswerSays::NoSuchPath, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Credentials, Whose::Signed, ["credentials", "credentials", "credentials"]),
        (AnswerSays::Credentials, Whose::Unsigned, ["credentials", "credentials", "credentials"]),
        (AnswerSays::Credentials, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::ChannelClosed, Whose::Signed, ["channel", "channel", "channel"]),
        (AnswerSays::ChannelClosed, Whose::Unsigned, ["channel", "channel", "channel"]),
        (AnswerSays::ChannelClosed, Whose::Foreign, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Throttled, Whose::Signed, ["again", "again", "again"]),
        (AnswerSays::Throttled, Whose::Unsigned, ["again", "again", "again"]),
        (AnswerSays::Throttled, Whose::Foreign, ["again, doubt", "again, doubt", "again, doubt"]),
        (AnswerSays::Unclear, Whose::Signed, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Unclear, Whose::Unsigned, ["doubt", "doubt", "doubt"]),
        (AnswerSays::Unclear, Whose::Foreign, ["doubt", "doubt", "doubt"]),
    ];

    const fn name(conclusion: Conclusion) -> &'static str {
        match conclusion {
            Conclusion::Accepted { replayed: false } => "accepted",
            Conclusion::Accepted { replayed: true } => "replayed",
            Conclusion::Confirm => "confirm",
            Conclusion::AskWhose => "whose?",
            Conclusion::Rejected { provisional: false } => "rejected",
            Conclusion::Rejected { provisional: true } => "rejected?",
            Conclusion::PathRefused => "path",
            Conclusion::CredentialsRefused => "credentials",
            Conclusion::ChannelRefused => "channel",
            Conclusion::SendAgain { own: true } => "again",
            Conclusion::SendAgain { own: false } => "again, doubt",
            Conclusion::InDoubt { answered: false } => "doubt",
            Conclusion::InDoubt { answered: true } => "heard",
        }
    }

    #[test]
    fn every_answer_of_everybody_concludes_what_the_table_says() {
        let mut rows = TABLE.iter();
        for says in AnswerSays::ALL {
            for whose in [Whose::Signed, Whose::Unsigned, Whose::Foreign] {
                let (of, by, expected) = rows.next().unwrap();
                assert_eq!((*of, *by), (says, whose), "the table has every row, in order");
                assert_eq!(Before::ALL.map(|before| name(conclude(whose, says, before))), *expected, "{says:?} {whose:?}");
            }
        }
        assert!(rows.next().is_none());
    }
}
