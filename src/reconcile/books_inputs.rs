//! What the books of a run are made with, beside the run itself.

use std::collections::BTreeSet;

use crate::books::carry::{CarryError, CarryFolder, Reader};
use crate::books::take_on::TakenOn;
use crate::books::{BooksDecision, BooksSettings, Known, Leg, Part, Parts};

/// What the books are opened with.
#[derive(Debug)]
pub enum Opened {
    /// The month before, whose head has this hash.
    Carried {
        /// What was known at its end.
        folder: Box<CarryFolder>,
        /// The hash of its head.
        hash: String,
    },
    /// Nothing: they begin with this period, with bills that were open and what is told besides.
    TakenOn {
        /// Money in transit, held, credited or to be refunded.
        items: Vec<TakenOn>,
    },
}

/// What a run's books are made with, beside the run itself.
#[derive(Debug)]
pub struct BooksInputs {
    /// What they are opened with.
    pub opened: Opened,
    /// The journal's decisions.
    pub decisions: Vec<BooksDecision>,
    /// Where items stand that the journal holds open.
    pub asked: BTreeSet<Leg>,
    /// The settings that postings depend on.
    pub settings: BooksSettings,
}

impl Opened {
    /// What the books knew, from the first part on.
    pub(super) fn before<'a>(&'a self, parts: &'a Parts) -> Result<Before<'a>, CarryError> {
        match self {
            Self::Carried { folder, .. } => folder.reader(parts).map(|reader| Before(Some(reader))),
            Self::TakenOn { .. } => Ok(Before(None)),
        }
    }
}

/// What the books knew before, on its way into the parts; nothing on their first day.
pub(super) struct Before<'a>(Option<Reader<'a>>);

impl Before<'_> {
    /// What was known of some parts, which come in their order.
    pub(super) fn take(&mut self, wanted: &[Part]) -> Result<Vec<(Part, Option<Known>)>, CarryError> {
        let known = self.0.as_mut().map_or_else(|| Ok(vec![None; wanted.len()]), |reader| reader.take(wanted))?;
        Ok(wanted.iter().copied().zip(known).collect())
    }
}
