//! The month's figures as summary.json has them, under `month`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::books::breakdown::Receivables;
use crate::domain::amount::Rupiah;
use crate::domain::balance::{Balance, RollForward};
use crate::domain::line::InputFile;
use crate::reconcile::month::{AgeTable, CODES, Closing, MonthResult, OpeningFrom};

/// See the module. Figures are signed as they add up.
#[derive(Clone, Debug, Serialize)]
pub struct MonthFigures {
    /// The report the opening balances are from; `null`: derived from facts.
    pub opening_from: Option<OpeningFrom>,
    /// By balance.
    pub roll_forwards: BTreeMap<&'static str, RollFigures>,
    /// What became known of earlier periods, by the balance it moves.
    pub prior_period: BTreeMap<&'static str, Balance>,
    /// By table.
    pub ageing: BTreeMap<&'static str, AgeingFigures>,
    /// The codes' roll-forward by product and channel.
    pub products: Vec<ProductFigures>,
    /// What customers owe, by each value of each dimension.
    pub dimensions: Vec<DimensionFigures>,
    /// How many stores took money; `null` when they could not be told apart.
    pub stores: Option<usize>,
    /// Whether the evidence can be whole.
    pub completeness: CompletenessFigures,
    /// What is signed.
    pub closing: Closing,
    /// Its hash, by which the next period is linked to it.
    pub closing_hash: String,
    /// The signed close of this period and how this run differs from it; `null` while it is open.
    pub signed: Option<SignedFigures>,
}

/// One balance from opening to closing.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like the fields of `RollForward`")]
pub struct RollFigures {
    pub opening: Balance,
    pub movements: Vec<MovementFigures>,
    pub carried: Balance,
    pub closing: Balance,
}

/// One line between them.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like the fields of `Movement`")]
pub struct MovementFigures {
    pub name: &'static str,
    #[serde(flatten)]
    pub balance: Balance,
}

/// One table by age.
#[derive(Clone, Debug, Serialize)]
pub struct AgeingFigures {
    /// By bucket, in days.
    pub buckets: BTreeMap<&'static str, Balance>,
    /// Everything older than 60 days.
    pub past_60_days: Balance,
    /// All of it.
    pub total: Balance,
}

/// One product at one channel; what moved as positive figures.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like the fields of `CodeFigures`")]
pub struct ProductFigures {
    pub product: String,
    pub channel: &'static str,
    pub opening: Balance,
    pub issued: Balance,
    pub amended: Balance,
    pub settled: Balance,
    pub cancelled: Balance,
    pub expired_unpaid: Balance,
    pub closing: Balance,
}

/// What customers owe whose bills have one value of a dimension; an empty value: none.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like the fields of `Receivables`")]
pub struct DimensionFigures {
    pub dimension: String,
    pub value: String,
    pub opening: Balance,
    pub billed_amount: Rupiah,
    pub received_amount: Rupiah,
    pub other_amount: Rupiah,
    pub moved_amount: Rupiah,
    pub closing: Balance,
    /// What of it is older than 60 days.
    pub past_60_days: Balance,
}

/// Whether the evidence can be whole.
#[derive(Clone, Debug, Serialize)]
pub struct CompletenessFigures {
    /// Days on which nothing was notified; a channel of `null`: by none.
    pub empty_days: Vec<EmptyDay>,
    /// First and last arrival by log.
    pub files: Vec<FileSpan>,
}

/// A day without a message.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "a day and a channel")]
pub struct EmptyDay {
    pub day: Date,
    pub channel: Option<&'static str>,
}

/// What one log covers; `null` where it tells no times.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "a log and two times")]
pub struct FileSpan {
    pub path: String,
    pub first_received_at: Option<Timestamp>,
    pub last_received_at: Option<Timestamp>,
}

/// A signed close, beside this run.
#[derive(Clone, Debug, Serialize)]
pub struct SignedFigures {
    /// The run that was signed.
    pub run_id: String,
    /// The hash of its closing balances.
    pub hash: String,
    /// By whom, when and why.
    #[serde(flatten)]
    pub signature: Signature,
    /// Every figure of the closing balances that is another now.
    pub differences: Vec<ChangedFigure>,
}

/// Who signed a close.
#[derive(Clone, Debug, Serialize)]
pub struct Signature {
    /// Who closed it.
    pub by: String,
    /// Who looked at it besides.
    pub reviewed_by: Option<String>,
    /// When (UTC).
    pub at: Timestamp,
    /// Why, or on what grounds.
    pub reason: String,
}

/// A figure that was signed as another.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "a name and two texts")]
pub struct ChangedFigure {
    pub figure: &'static str,
    pub signed: String,
    pub now: String,
}

impl SignedFigures {
    /// `now` beside what was signed.
    #[must_use]
    pub fn of(run_id: &str, signature: Signature, signed: &Closing, now: &Closing) -> Self {
        let pairs = signed.figures().into_iter().zip(now.figures());
        let differences = pairs.filter(|(signed, now)| signed != now);
        Self {
            run_id: run_id.to_owned(),
            hash: signed.hash(),
            signature,
            differences: differences.map(|((figure, signed), (_, now))| ChangedFigure { figure, signed, now }).collect(),
        }
    }
}

impl MonthFigures {
    /// The figures of `month`; `files` are the logs read.
    #[must_use]
    pub fn of(month: &MonthResult, files: &[InputFile], signed: Option<SignedFigures>) -> Self {
        let mut prior: BTreeMap<&'static str, Balance> = [CODES, "suspense"].map(|moves| (moves, Balance::ZERO)).into();
        for line in &month.prior_period {
            let sum = prior.entry(line.moves).or_default();
            *sum = sum.plus(line.balance());
        }
        Self {
            opening_from: month.opening_from.clone(),
            roll_forwards: month.roll_forwards.iter().map(|roll| (roll.name, RollFigures::of(roll))).collect(),
            prior_period: prior,
            ageing: month.ageing.iter().map(|table| (table.name, AgeingFigures::of(table))).collect(),
            products: products(month),
            dimensions: month.dimensions.iter().map(DimensionFigures::of).collect(),
            stores: month.breakdowns.stores.as_ref().map(BTreeMap::len),
            completeness: CompletenessFigures::of(month, files),
            closing: month.closing.clone(),
            closing_hash: month.closing.hash(),
            signed,
        }
    }
}

impl RollFigures {
    fn of(roll: &RollForward) -> Self {
        let movement = |movement: &crate::domain::balance::SignedLine| MovementFigures { name: movement.name, balance: movement.balance };
        Self {
            opening: roll.opening,
            movements: roll.movements.iter().map(movement).collect(),
            carried: roll.carried(),
            closing: roll.closing,
        }
    }
}

impl AgeingFigures {
    fn of(table: &AgeTable) -> Self {
        Self {
            buckets: table.rows().map(|(bucket, balance)| (bucket.name(), balance)).collect(),
            past_60_days: table.past_limit(),
            total: table.total(),
        }
    }
}

impl DimensionFigures {
    fn of(((dimension, value), of): (&(String, String), &Receivables)) -> Self {
        Self {
            dimension: dimension.clone(),
            value: value.clone(),
            opening: of.opening,
            billed_amount: of.billed,
            received_amount: of.received,
            other_amount: of.other,
            moved_amount: of.moved,
            closing: of.closed(),
            past_60_days: of.past_limit(),
        }
    }
}

fn products(month: &MonthResult) -> Vec<ProductFigures> {
    let one =
        |((product, channel), of): (&(String, crate::domain::channel::Channel), &crate::reconcile::month::CodeFigures)| ProductFigures {
            product: product.clone(),
            channel: channel.name(),
            opening: of.opening,
            issued: of.issued,
            amended: of.amended,
            settled: of.settled,
            cancelled: of.cancelled,
            expired_unpaid: of.expired_unpaid,
            closing: of.closing,
        };
    month.products.iter().map(one).collect()
}

impl CompletenessFigures {
    fn of(month: &MonthResult, files: &[InputFile]) -> Self {
        let day = |&(day, channel): &(Date, Option<crate::domain::channel::Channel>)| EmptyDay {
            day,
            channel: channel.map(crate::domain::channel::Channel::name),
        };
        let file = |(file, span): (&InputFile, &crate::reconcile::month::Span)| FileSpan {
            path: file.path.display().to_string(),
            first_received_at: span.map(|(first, _)| first),
            last_received_at: span.map(|(_, last)| last),
        };
        Self {
            empty_days: month.completeness.empty.iter().map(day).collect(),
            files: files.iter().zip(&month.completeness.files).map(file).collect(),
        }
    }
}
