//! The part of the ledger that some bills' plan needs, out of one view.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::bill::{Bill, Salts, Wanted};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::domain::mark::{BillMark, TermsDigest};
use crate::domain::owner::{self, Paid};
use crate::domain::plan::{MapView, Unchanged};
use crate::ledger::{LedgerError, LedgerView, Names};
use crate::parallel;

/// Bills planned from one question at most: enough that asking costs little, few enough that memory stays flat.
pub const BILLS_MAX: usize = 1_000;

/// Bills that are looked over in less time than anybody notices, and how many times the rows of a file may be, without the file's planning
/// taking notably longer.
const LOOKED_OVER: u64 = 10_000;
const LOOKED_OVER_A_ROW: u64 = 4;

/// Looks whether all that was recorded is there, before so many rows are planned on it: a bill that was removed would be billed again. In a
/// ledger far larger than the file only what the rows name is looked at, as it always is.
///
/// # Errors
/// The ledger's.
pub async fn look_over(view: &impl LedgerView, rows: u64, now: Timestamp) -> Result<(), LedgerError> {
    let bills: u64 = view.totals(now).await?.by_status.iter().map(|(_, sum)| sum.count).sum();
    if bills <= LOOKED_OVER.max(rows.saturating_mul(LOOKED_OVER_A_ROW)) { view.whole().await } else { Ok(()) }
}

/// Why bills are left alone, where their marks alone say so; `None` of every other.
///
/// # Errors
/// The ledger's.
pub async fn left_alone<'b>(
    view: &impl LedgerView,
    bills: impl Iterator<Item = &'b Bill> + Clone,
    salts: &Salts,
    now: Timestamp,
) -> Result<Vec<Option<Unchanged>>, LedgerError> {
    let numbers: Vec<&InvoiceNumber> = bills.clone().map(|bill| &bill.invoice_number).collect();
    let marks = view.marks(&numbers).await?;
    let of = |(bill, mark): &(&Bill, Option<BillMark>)| match &bill.wanted {
        // What has no digest is looked at whole.
        Wanted::Live(terms) => {
            let mark = mark.as_ref()?;
            let wanted = terms.recorded(&salts.of(&bill.invoice_number, mark.salt));
            mark.leaves_alone(TermsDigest::of(&wanted).ok()?, now)
        }
        Wanted::Cancelled => None,
    };
    let marked: Vec<(&Bill, Option<BillMark>)> = bills.zip(marks).collect();
    Ok(parallel::map(&marked, of))
}

/// Bills that are wanted, whoever has the codes they want or goes by their numbers, and who of all these is paid.
#[derive(Debug, Default)]
pub struct Portion {
    bills: HashMap<InvoiceNumber, BillState>,
    paid: HashMap<InvoiceNumber, Paid>,
}

impl Portion {
    /// What `view` has about `wanted`; a bill that was issued anew may get any number that begins with its own and `reissue_suffix`.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn of(view: &impl LedgerView, wanted: impl IntoIterator<Item = &Bill>, reissue_suffix: &str) -> Result<Self, LedgerError> {
        let mut names = Names::default();
        for bill in wanted {
            names.numbers.insert(bill.invoice_number.clone());
            if let Wanted::Live(terms) = &bill.wanted {
                names.codes.extend(terms.payment_code.clone());
            }
        }
        let mut portion = Self::about(view, &names).await?;
        let lost_one: Vec<InvoiceNumber> =
            portion.bills.values().filter(|state| state.retired_count > 0).map(|state| state.invoice_number.clone()).collect();
        for number in lost_one {
            for state in view.bills_beginning(&format!("{number}{reissue_suffix}")).await? {
                portion.bills.entry(state.invoice_number.clone()).or_insert(state);
            }
        }
        Ok(portion)
    }

    /// What `view` has of these numbers and codes.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn about(view: &impl LedgerView, names: &Names) -> Result<Self, LedgerError> {
        let mut bills = HashMap::new();
        let mut numbers: Vec<InvoiceNumber> = names.numbers.iter().cloned().collect();
        for state in view.bills_about(names).await? {
            if !names.numbers.contains(&state.invoice_number) {
                numbers.push(state.invoice_number.clone());
            }
            bills.insert(state.invoice_number.clone(), state);
        }
        let mut paid = view.paid(&numbers).await?;
        for state in bills.values() {
            add_told(&mut paid, state);
        }
        Ok(Self { bills, paid })
    }

    /// For planning.
    #[must_use]
    pub fn view(&self) -> MapView<'_> {
        MapView::new(&self.bills, &self.paid)
    }

    /// One bill's state.
    #[must_use]
    pub fn bill(&self, number: &InvoiceNumber) -> Option<&BillState> {
        self.bills.get(number)
    }

    /// One bill's state, given away.
    pub fn take(&mut self, number: &InvoiceNumber) -> Option<BillState> {
        self.bills.remove(number)
    }
}

/// What Check Status told counts beside what notifications prove.
fn add_told(paid: &mut HashMap<InvoiceNumber, Paid>, state: &BillState) {
    if let Some(told) = owner::told_paid(state) {
        let by = paid.entry(state.invoice_number.clone()).or_insert(told);
        *by = told.max(*by);
    }
}
