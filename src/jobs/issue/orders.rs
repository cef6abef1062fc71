//! The rows of a run, as often as they are needed, and the codes that those get which bring none.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;

use jiff::Timestamp;

use crate::domain::bill::{Bill, Wanted};
use crate::domain::ids::PaymentCode;
use crate::domain::plan::{Lacking, Mint, Minting, codes_kept};
use crate::exit::{Explained, Explanation};
use crate::jobs::portion::{self, Portion};
use crate::ledger::{LedgerError, LedgerView, Names};

/// The rows of a run: bills, by the number of their row, a part at a time.
pub trait Orders: Sync {
    /// Why rows cannot be given again.
    type Error: fmt::Display + fmt::Debug;

    /// One more than the highest number of a row.
    fn row_count(&self) -> usize;

    /// The rows that are `wanted`, in their order.
    fn parts<'s>(
        &'s self,
        wanted: &'s (dyn Fn(usize) -> bool + Sync),
    ) -> impl Iterator<Item = Result<Vec<(usize, Bill)>, Self::Error>> + 's;
}

/// Rows that are all in memory.
impl Orders for [Bill] {
    type Error = Infallible;

    fn row_count(&self) -> usize {
        self.len()
    }

    fn parts<'s>(
        &'s self,
        wanted: &'s (dyn Fn(usize) -> bool + Sync),
    ) -> impl Iterator<Item = Result<Vec<(usize, Bill)>, Infallible>> + 's {
        std::iter::once_with(|| Ok(self.iter().cloned().enumerate().filter(|(row, _)| wanted(*row)).collect()))
    }
}

/// The highest code that `minting` may have given out before, as far as the ledger knows.
///
/// # Errors
/// The ledger's.
pub async fn highest_code(view: &impl LedgerView, minting: &Minting) -> Result<Option<PaymentCode>, LedgerError> {
    view.highest_code(&minting.prefix, minting.length).await
}

/// Why a run over rows could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The ledger's failure.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The rows cannot be given again.
    #[error(transparent)]
    Orders(E),
}

impl<E: Explained> Explained for RunError<E> {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Ledger(error) => error.explanation(),
            Self::Orders(error) => error.explanation(),
        }
    }
}

/// Orders, with codes of our own making for those that bring none.
#[derive(Debug)]
pub struct Coded<'a, O: ?Sized> {
    orders: &'a O,
    codes: HashMap<usize, PaymentCode>,
}

impl<'a, O: Orders + ?Sized> Coded<'a, O> {
    /// Chooses the codes at `now`; see [`Mint`]. `lacks` says whether any row brings none; without a `view` there is no ledger yet.
    ///
    /// # Errors
    /// The ledger's, and those of the rows.
    pub async fn of(
        orders: &'a O,
        lacks: bool,
        view: Option<&impl LedgerView>,
        minting: Option<&Minting>,
        now: Timestamp,
    ) -> Result<Self, RunError<O::Error>> {
        if !lacks {
            return Ok(Self { orders, codes: HashMap::new() });
        }
        let mut mint = Mint::default();
        for part in orders.parts(&|_| true) {
            part.map_err(RunError::Orders)?.iter().for_each(|(row, bill)| mint.take(*row, bill));
        }
        let mut lacking = mint.lacking().into_iter().peekable();
        while lacking.peek().is_some() {
            let part: Vec<Lacking> = lacking.by_ref().take(portion::BILLS_MAX).collect();
            let portion = match view {
                Some(view) => known(view, &part).await?,
                None => Portion::default(),
            };
            mint.keep(part, &portion.view(), now);
        }
        let mut seen: Vec<PaymentCode> = Vec::new();
        if let (Some(view), Some(minting)) = (view, minting) {
            // Somebody may still hold a code that its bill has lost, and must not pay another's bill with it: all count.
            let highest = highest_code(view, minting).await?;
            if mint.needs_all_codes(highest.as_ref(), minting) {
                view.visit_codes(&minting.prefix, minting.length, |code| seen.push(code.clone())).await?;
            }
            seen.extend(highest);
        }
        Ok(Self { orders, codes: mint.number(&seen, minting) })
    }

    /// A bill with its code.
    #[must_use]
    pub fn coded(&self, row: usize, mut bill: Bill) -> Bill {
        if let (Some(code), Wanted::Live(terms)) = (self.codes.get(&row), &mut bill.wanted) {
            terms.payment_code = Some(code.clone());
        }
        bill
    }
}

/// The bills of rows, and whoever has the codes they had.
async fn known(view: &impl LedgerView, part: &[Lacking]) -> Result<Portion, LedgerError> {
    let mut names = Names { numbers: part.iter().map(|lacking| lacking.invoice_number.clone()).collect(), ..Names::default() };
    let bills = view.bills_about(&names).await?;
    names.codes = codes_kept(&bills).cloned().collect();
    Portion::about(view, &names).await
}

impl<O: Orders + ?Sized> Orders for Coded<'_, O> {
    type Error = O::Error;

    fn row_count(&self) -> usize {
        self.orders.row_count()
    }

    fn parts<'s>(
        &'s self,
        wanted: &'s (dyn Fn(usize) -> bool + Sync),
    ) -> impl Iterator<Item = Result<Vec<(usize, Bill)>, Self::Error>> + 's {
        self.orders.parts(wanted).map(|part| Ok(part?.into_iter().map(|(row, bill)| (row, self.coded(row, bill))).collect()))
    }
}
