//! Why one row is no row of its table. Belongs here: the words. Must not be here: the checks.

use std::fmt;

/// See the module. None of them shows what the row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A quote opens a cell and is not closed within the limits.
    QuoteOpen,
    /// A quote closes a cell and something other than a delimiter follows.
    QuoteInside,
    /// Two stray quotes would make one cell of several rows.
    QuoteStray,
    /// More cells than the header, or fewer.
    Width {
        /// How many.
        found: usize,
        /// How many the header has.
        wanted: usize,
    },
    /// More bytes than the limit.
    TooLarge(usize),
    /// No header claims it: it stands above the header, or below what ends the table.
    Unclaimed,
}

impl Wrong {
    /// Whether a quote is at fault, so that other rows may be meant too.
    #[must_use]
    pub const fn is_quote(self) -> bool {
        matches!(self, Self::QuoteOpen | Self::QuoteInside | Self::QuoteStray)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuoteOpen => f.write_str("a double quote opens a cell and is never closed"),
            Self::QuoteInside => f.write_str("a double quote closes inside a cell: after it comes neither a delimiter nor a line end"),
            Self::QuoteStray => f.write_str("a stray double quote would swallow the rows below it"),
            Self::Width { found, wanted } => write!(f, "it has {found} cells, the header has {wanted}"),
            Self::TooLarge(limit) => write!(f, "it has more than {limit} bytes"),
            Self::Unclaimed => f.write_str("no header claims it: it stands above the header or after the table's end"),
        }
    }
}
