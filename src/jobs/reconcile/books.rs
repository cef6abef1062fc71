//! What the books of a run are opened with: the carry of the month before, or, where there is none, what an older report closed with.

use super::error::ReconcileError;
use super::options::{OpeningFolder, ReconcileOptions};
use crate::books::carry::CarryFolder;
use crate::books::take_on::TakenOn;
use crate::books::{Account, BooksSubject, ItemId, Known};
use crate::domain::ageing::{date_of, wib_day_number};
use crate::jobs::discrepancies;
use crate::reconcile::books_inputs::{BooksInputs, Opened};
use crate::reconcile::month::{Opening, SuspenseItem};
use crate::register::Register;
use crate::report::books::open_carry;

/// The books of the month before.
pub(super) struct Carried {
    pub(super) folder: Box<CarryFolder>,
    pub(super) hash: String,
}

/// Opens the carry in `folder`, which must be the one its closing balances name; `None` where that report had no books. `listen` hears of
/// everything that is known.
pub(super) fn carried(
    folder: &OpeningFolder,
    opening: Option<&Opening>,
    listen: impl FnMut(&Known),
) -> Result<Option<Carried>, ReconcileError> {
    let Some(signed) = opening.and_then(|opening| opening.books.clone()) else { return Ok(None) };
    let wrong = |reason: String| ReconcileError::Opening { path: folder.path.clone(), reason };
    let opened = open_carry(&folder.path, listen).map_err(|error| wrong(error.to_string()))?;
    let hash = opened.head().hash().map_err(|error| wrong(error.to_string()))?;
    if hash != signed {
        return Err(wrong("its carry is not the one its closing balances were made with".to_owned()));
    }
    Ok(Some(Carried { folder: Box::new(opened), hash }))
}

/// What the books are made with.
pub(super) fn inputs(carried: Option<Carried>, opening: Option<&Opening>, register: &Register, options: &ReconcileOptions) -> BooksInputs {
    let opened = match carried {
        Some(Carried { folder, hash }) => Opened::Carried { folder, hash },
        None => Opened::TakenOn { items: opening.map_or_else(Vec::new, |opening| opening.held.iter().map(taken_on).collect()) },
    };
    BooksInputs { opened, decisions: register.decisions().to_vec(), asked: discrepancies::asked(register), settings: options.books.clone() }
}

/// Money that an older report held.
fn taken_on(held: &SuspenseItem) -> TakenOn {
    let paid_at = jiff::Timestamp::from_microsecond(held.paid_at_us).unwrap_or_default();
    TakenOn {
        account: Account::Suspense,
        item: ItemId::of(BooksSubject::Payment, &[&held.identity]),
        amount: held.amount,
        on: date_of(wib_day_number(paid_at)),
        channel: Some(held.channel),
        batch: None,
    }
}
