//! The exit codes: stable, documented in docs/commands.md. When several hold, the first of 9, 8, 4, 5, 7, 6, 2, 130 or 143, 1 for what is
//! overdue, 3, 1.

pub mod codes;
mod explained;

pub use explained::{Explained, Explanation};

/// What a run ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing needs a person.
    Done,
    /// 1: done, a person must look.
    Look,
    /// 1: a doubt is older than `doubt.overdue_hours`, and running the same command again has not ended it: a person must look,
    /// whatever else that command may still finish.
    Overdue,
    /// 2: usage or configuration.
    Usage,
    /// 3: done in part; the same command finishes it.
    Partial,
    /// 4: DOKU refused our credentials or signature.
    Credentials,
    /// 5: stopped by the breaker.
    Breaker,
    /// 6: another sender holds the ledger.
    Held,
    /// 7: an input file was refused.
    Input,
    /// 8: the ledger is damaged, or a control identity does not hold.
    Damaged,
    /// 9: the local disk or database failed.
    Disk,
    /// 130 or 143: interrupted by a signal, resumable.
    Signal(u8),
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Look | Self::Overdue => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Credentials => 4,
            Self::Breaker => 5,
            Self::Held => 6,
            Self::Input => 7,
            Self::Damaged => 8,
            Self::Disk => 9,
            Self::Signal(code) => code,
        }
    }

    /// How much it weighs when several hold.
    const fn rank(self) -> u8 {
        match self {
            Self::Disk => 11,
            Self::Damaged => 10,
            Self::Credentials => 9,
            Self::Breaker => 8,
            Self::Input => 7,
            Self::Held => 6,
            Self::Usage => 5,
            Self::Signal(_) => 4,
            Self::Overdue => 3,
            Self::Partial => 2,
            Self::Look => 1,
            Self::Done => 0,
        }
    }

    /// The weightier of two.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_nine_eight_four_five_seven_three_one_wins_and_what_is_overdue_goes_before_three() {
        let order = [
            Exit::Disk,
            Exit::Damaged,
            Exit::Credentials,
            Exit::Breaker,
            Exit::Input,
            Exit::Overdue,
            Exit::Partial,
            Exit::Look,
            Exit::Done,
        ];
        assert_eq!(order.map(Exit::code), [9, 8, 4, 5, 7, 1, 3, 1, 0]);
        for (index, weightier) in order.iter().enumerate() {
            for lighter in &order[index..] {
                assert_eq!(weightier.or(*lighter), *weightier);
                assert_eq!(lighter.or(*weightier), *weightier);
            }
        }
    }
}
