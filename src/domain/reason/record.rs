//! Why one record is no row of its table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::language::{Language, Say, say};

/// See the module. None of them shows what the row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl Say for Wrong {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuoteOpen => say!(
                to,
                language,
                "a double quote opens a cell and is never closed",
                "tanda kutip ganda membuka sel dan tidak pernah ditutup"
            ),
            Self::QuoteInside => say!(
                to,
                language,
                "a double quote closes inside a cell: after it comes neither a delimiter nor a line end",
                "tanda kutip ganda menutup di tengah sel: sesudahnya tidak ada pemisah maupun akhir baris"
            ),
            Self::QuoteStray => say!(
                to,
                language,
                "a stray double quote would swallow the rows below it",
                "tanda kutip ganda yang tersesat akan menelan baris-baris di bawahnya"
            ),
            Self::Width { found, wanted } => {
                say!(to, language, "it has {found} cells, the header has {wanted}", "memiliki {found} sel, judulnya {wanted}")
            }
            Self::TooLarge(limit) => say!(to, language, "it has more than {limit} bytes", "lebih dari {limit} bita"),
            Self::Unclaimed => say!(
                to,
                language,
                "no header claims it: it stands above the header or after the table's end",
                "tidak ada kepala tabel untuknya: berdiri di atas kepala tabel atau sesudah akhir tabel"
            ),
        }
    }
}

/// In English.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}
