//! What a report says of a bill, a code or an item: its books, its list of what somebody must look at, and its open items. Nothing is judged
//! anew here, so a story and the report it speaks of cannot differ.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::books::{BooksHappening, NamedInBooks};

use crate::books::known::{BookedBill, Known};
use crate::books::standing::class_in_books;
use crate::books::{Account, ItemId, Leg};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{self, Class, MatchingPolicy, Nature};
use crate::exit::{Exit, Explained, Explanation};
use crate::journal::reports::Reported;
use crate::journal::{Journal, JournalError};
use crate::reconcile::Finding;
use crate::reconcile::codes::BOOKS_UNREADABLE;
use crate::register::{DiscrepancyFacts, ItemStatus, ReconcileRun, Register};
use crate::report::books::read_carry;
use crate::report::folder::{self, ReportFolder};
use crate::report::manifest::{self, ReportFile};
use crate::report::open_items;

/// Why the books of a folder cannot be asked (exit 7).
#[derive(Debug, thiserror::Error)]
#[error("E0857: the books in `{}` cannot be read: {reason}\nhint: name the output folder of a `tagih reconcile`, whole", path.display())]
pub struct ReportUnreadable {
    /// Which folder.
    pub path: PathBuf,
    /// What was found.
    pub reason: String,
}

impl Explained for ReportUnreadable {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Input, BOOKS_UNREADABLE)
    }
}

/// A report that is asked.
#[derive(Debug)]
pub struct AskedReport {
    path: PathBuf,
    known: Known,
    folder: ReportFolder,
    files: Vec<ReportFile>,
    is_signed: bool,
}

impl AskedReport {
    /// The one in `path`.
    ///
    /// # Errors
    /// [`BooksError`] when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, ReportUnreadable> {
        let wrong = |reason: String| ReportUnreadable { path: path.to_path_buf(), reason };
        let (_, known) = read_carry(path).map_err(|error| wrong(error.to_string()))?;
        let folder = folder::read(path).map_err(|error| wrong(error.reason))?;
        let (files, _) = folder::listed(path).map_err(|error| wrong(error.reason))?;
        Ok(Self { path: path.to_path_buf(), known, folder, files, is_signed: false })
    }

    /// The latest that somebody has signed or taken in and that is still there as it was, or made anew by a run of ours.
    ///
    /// # Errors
    /// When the journal is damaged, or the report is.
    pub fn last_of(journal: &Journal, is_ours: impl Fn(&str) -> bool) -> Result<Option<Result<Self, ReportUnreadable>>, JournalError> {
        let is_there = |reported: &Reported| {
            folder::listed(Path::new(&reported.folder)).is_ok_and(|(files, sha256)| {
                let is_same = sha256 == reported.summary_sha256 || manifest::content(&files) == reported.content_sha256;
                is_same || !reported.is_signed && is_ours(&sha256)
            })
        };
        let last = journal.reports()?.into_iter().find(is_there);
        Ok(last.map(|last| Ok(Self { is_signed: last.is_signed, ..Self::read(Path::new(&last.folder))? })))
    }

    /// What its books know.
    #[must_use]
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// What it says of some names; nothing where it knows none of them.
    ///
    /// # Errors
    /// [`BooksError`] when it cannot be read.
    pub fn says(
        &self,
        names: &BTreeSet<String>,
        register: &Register,
        policy: &MatchingPolicy,
    ) -> Result<Option<ReportSays>, ReportUnreadable> {
        let about = NamedInBooks::of(&self.known, names);
        let bills: Vec<&BookedBill> = about.bills(&self.known).collect();
        let invoice_numbers: BTreeSet<String> = bills.iter().map(|bill| bill.invoice_number.to_string()).collect();
        let is_about = |facts: &DiscrepancyFacts| {
            let item = facts.books.as_ref().is_some_and(|books| about.has(books.item));
            item || invoice_numbers.contains(&facts.invoice_number) || names.contains(&facts.invoice_number) || names.contains(&facts.id)
        };
        let list: Vec<Listed> =
            self.folder.found.iter().filter(|facts| is_about(facts)).map(|facts| self.listed(facts.clone(), register)).collect();
        if about.is_nothing() && list.is_empty() {
            return Ok(None);
        }
        let wrong = |error: std::io::Error| ReportUnreadable { path: self.path.clone(), reason: error.to_string() };
        let items = open_items::rows(&self.path, &self.files, |item, _, _| about.has(item)).map_err(wrong)?;
        let waiting = items.into_iter().filter(|facts| list.iter().all(|row| row.facts.id != facts.id));
        let waiting: Vec<Listed> = waiting.map(|facts| self.listed(facts, register)).collect();
        let ReconcileRun { from, to, as_of, .. } = self.folder.run;
        let stands = |bill: &&BookedBill| self.stands(bill, &list, &waiting, policy);
        let owed = about.debts.iter().map(|debt| self.known.balance(Leg::of(Account::Receivable, *debt))).sum();
        Ok(Some(ReportSays {
            from,
            to,
            as_of,
            folder: self.path.clone(),
            is_signed: self.is_signed,
            payment_codes: about.codes(&self.known),
            told: about.told(&self.known),
            open: about.open(&self.known),
            owed,
            bills: bills.iter().filter_map(stands).collect(),
            invoice_numbers: invoice_numbers.into_iter().collect(),
            payments: about.payments.iter().map(ItemId::key_text).collect(),
            list,
            waiting,
        }))
    }

    fn listed(&self, facts: DiscrepancyFacts, register: &Register) -> Listed {
        let item = register.get(&facts.id);
        let is_taken = register.has_taken(&self.folder.run.run_id);
        let status = match item.map_or(ItemStatus::Open, |item| item.status) {
            // The decision moved nothing, and nobody has taken that in yet.
            ItemStatus::Accepted if self.folder.refused.contains(&facts.id) && !is_taken => ItemStatus::Reopened,
            status => status,
        };
        let posted_as = item.and_then(|item| item.resolution.as_ref()?.posted_as);
        let is_decided_since = status == ItemStatus::Accepted && posted_as.is_some_and(|id| !self.known.decisions.contains_key(&id));
        Listed { facts, status, is_decided_since }
    }

    /// As its list has it, then as its open items do, else as its books do.
    fn stands(&self, bill: &BookedBill, list: &[Listed], waiting: &[Listed], policy: &MatchingPolicy) -> Option<BillStands> {
        let class_of = |row: &Listed| Class::parse(&row.facts.class).filter(|class| is_of_bill(*class));
        let of_bill = |row: &&Listed| *row.facts.invoice_number == *bill.invoice_number;
        let of_list = list.iter().filter(of_bill).find_map(|row| Some((class_of(row)?, row.facts.is_break())));
        let by_books = class_in_books(bill, &self.known, self.folder.run.as_of, policy)?;
        let is_of_debt = |row: &&Listed| row.facts.books.as_ref().is_some_and(|books| books.item == bill.debt);
        let of_items = || waiting.iter().filter(is_of_debt).find_map(class_of).map(|class| (class, false));
        let said = of_list.or_else(|| of_items().filter(|_| BY_THE_CODE.contains(&by_books.0)));
        let (class, is_break) = said.unwrap_or((by_books.0, by_books.1 == Nature::Break));
        let nature = if is_break { Nature::Break } else { class.info().nature };
        Some(BillStands { invoice_number: bill.invoice_number.to_string(), class, nature })
    }
}

/// Classes that follow from the code where nothing was paid: when it expires is known to the books by the day, and to the run by the second.
const BY_THE_CODE: [Class; 3] = [Class::L01, Class::L02, Class::L05];

/// Whether a class says how a bill stands.
fn is_of_bill(class: Class) -> bool {
    class.info().about == classify::ClassSubject::Bill && ![Class::L09, Class::L13, Class::L14].contains(&class)
}

/// A row of a report's list, or one of its open items, and how it stands by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What the report says of it.
    pub facts: DiscrepancyFacts,
    /// How it stands in the journal.
    pub status: ItemStatus,
    /// Whether what was decided about it is not in those books yet.
    pub is_decided_since: bool,
}

impl Listed {
    /// Whether a person must act because of it.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        self.facts.is_break() && self.status != ItemStatus::Accepted
    }
}

/// How a bill stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillStands {
    /// Its invoice number.
    pub invoice_number: String,
    /// Its class.
    pub class: Class,
    /// Whether somebody must act.
    pub nature: Nature,
}

/// The part of a report that is about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSays {
    /// The first day of its period.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Seen from when.
    pub as_of: Timestamp,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it was found in the journal as one that is signed.
    pub is_signed: bool,
    /// Invoice numbers of the debt, sorted.
    pub invoice_numbers: Vec<String>,
    /// Codes, sorted.
    pub payment_codes: Vec<String>,
    /// What happened, oldest first; the end of a day where only the day is known.
    pub told: Vec<(Timestamp, BooksHappening)>,
    /// What is open at the end: debit +, credit −.
    pub open: Vec<(Account, Rupiah)>,
    /// What is owed on its bills.
    pub owed: Rupiah,
    /// How its bills stand.
    pub bills: Vec<BillStands>,
    /// What somebody must look at.
    pub list: Vec<Listed>,
    /// What else is open: not due yet, or to stay as it is.
    pub waiting: Vec<Listed>,
    /// The payments it knows, by the ids under which they are found.
    payments: BTreeSet<String>,
}

impl ReportSays {
    /// Whether it knows this payment.
    #[must_use]
    pub fn knows_payment(&self, id: &str) -> bool {
        self.payments.contains(id)
    }

    /// Whether somebody must act because of `finding`, which other evidence led to; nothing where the report cannot know that.
    #[must_use]
    pub fn needs_person(&self, finding: &Finding) -> Option<bool> {
        if let Some(row) = self.list.iter().find(|row| row.facts.id == finding.id) {
            return Some(row.needs_person());
        }
        let is_known = match finding.class.info().about {
            classify::ClassSubject::Payment => self.knows_payment(&finding.id),
            classify::ClassSubject::Bill => self.invoice_numbers.contains(&finding.invoice_number),
            _ => false,
        };
        is_known.then_some(false)
    }
}
