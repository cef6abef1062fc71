//! Every phrase of a report, in each language. A phrase without a translation does not compile.
//!
//! Belongs here: words. `{0}`, `{1}` … stand for values, see `text::fill`.

mod en;
mod glossary;
mod id;
pub(super) mod phrases;

use crate::books::{Account, Movement};
use crate::domain::ageing::AgeBucket;
use crate::domain::classify::{Class, Nature, Severity};
use crate::domain::language::{Language, Say as _};
use crate::domain::reason::Reason;
use crate::domain::texts::{self, Text};
use crate::reconcile::Finding;
use crate::register::ItemStatus;
use crate::report::text::{self, fill};
pub(super) use phrases::Words;

impl Words {
    /// The phrases of `language`.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &en::WORDS,
            Language::Indonesian => &id::WORDS,
        }
    }

    /// What is wrong, or right, in a few words.
    pub(super) fn class_title(&self, class: Class) -> &'static str {
        self.class(class).title
    }

    /// What a class means.
    pub(super) fn class_meaning(&self, class: Class) -> &'static str {
        self.class(class).meaning
    }

    /// What to do by default.
    pub(super) fn class_action(&self, class: Class) -> &'static str {
        self.class(class).remedy
    }

    fn class(&self, class: Class) -> Text {
        texts::text(&class.info().code, self.language)
    }

    /// Why a discrepancy is one.
    pub(super) fn reason(&self, finding: &Finding) -> String {
        self.because(&finding.reason)
    }

    /// A reason as it is read: what is only open is told with the account's name, not with its key.
    pub(super) fn because(&self, reason: &Reason) -> String {
        let Reason::Open(open) = reason else { return reason.told(self.language).to_string() };
        let account = Account::parse(&open.account).map_or_else(|| self.alarms(), |account| self.account_name(account));
        fill(self.open_since(), &[&text::day(self, open.since), account, &text::rupiah(open.size.get())])
    }

    pub(super) const fn nature(&self, nature: Nature) -> &'static str {
        match nature {
            Nature::Ok => self.nature_ok,
            Nature::Timing => self.nature_timing,
            Nature::Break => self.nature_break,
        }
    }

    pub(super) const fn standing(&self, status: ItemStatus) -> &'static str {
        match status {
            ItemStatus::Open => self.status_open,
            ItemStatus::Proposed => self.status_proposed,
            ItemStatus::Accepted => self.status_accepted,
            ItemStatus::Cleared => self.status_cleared,
            ItemStatus::Reopened => self.status_reopened,
        }
    }

    pub(super) const fn severity(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::None => "",
            Severity::Medium => self.severity_medium,
            Severity::High => self.severity_high,
            Severity::Critical => self.severity_critical,
        }
    }

    /// The name of a control identity, whichever unit it is in; its key where it has no name yet.
    pub(super) fn identity_name(&self, key: &'static str) -> &'static str {
        match key {
            "lines_read_equal_line_classes" => self.identity_lines,
            "success_lines_parsed_equal_success_classes" => self.identity_success,
            "proving_lines_equal_unique_payments" => self.identity_proving,
            "unique_payments_equal_payment_classes" | "proving_lines_rupiah_equal_payment_classes_rupiah" => self.identity_payments,
            "bills_in_scope_equal_bill_classes" | "bills_in_scope_rupiah_equal_bill_classes_rupiah" => self.identity_bills,
            "payments_attached_to_bills_equal_attaching_classes" | "rupiah_attached_to_bills_equal_attaching_classes_rupiah" => {
                self.identity_attached
            }
            "outstanding_codes_carried_equal_closing" | "outstanding_codes_rupiah_carried_equal_closing" => self.identity_codes_carried,
            "suspense_carried_equal_closing" | "suspense_rupiah_carried_equal_closing" => self.identity_suspense_carried,
            "open_discrepancies_carried_equal_closing" | "open_discrepancies_rupiah_carried_equal_closing" => {
                self.identity_discrepancies_carried
            }
            "outstanding_codes_listed_equal_closing" | "outstanding_codes_listed_rupiah_equal_closing" => self.identity_codes_listed,
            "payments_by_day_equal_payment_classes" | "rupiah_by_day_equal_payment_classes_rupiah" => self.identity_by_day,
            "payments_by_store_equal_payment_classes" | "rupiah_by_store_equal_payment_classes_rupiah" => self.identity_by_store,
            "settlement_rows_read_equal_row_classes" => self.identity_settlement_rows,
            "settlement_amounts_less_deductions_equal_paid_out" => self.identity_paid_out,
            "settlement_totals_stated_equal_paid_out" => self.identity_stated,
            "payments_told_by_status_equal_notified_and_status_only" | "rupiah_told_by_status_equal_notified_and_status_only_rupiah" => {
                self.identity_status
            }
            "notified_payments_equal_settled_and_unsettled" => self.identity_settled,
            "payments_of_the_period_equal_inquiry_classes_and_others"
            | "payments_of_the_period_rupiah_equal_inquiry_classes_and_others_rupiah" => self.identity_inquiries,
            other => other,
        }
    }

    /// The name of a balance.
    pub(super) fn balance_name(&self, key: &'static str) -> &'static str {
        match key {
            "outstanding_codes" => self.balance_codes,
            "suspense" => self.balance_suspense,
            "open_discrepancies" => self.balance_discrepancies,
            "" => self.balance_none,
            other => Account::parse(other).map_or(other, |account| self.account_name(account)),
        }
    }

    /// What moves a balance, or moved an earlier one.
    pub(super) fn movement(&self, key: &'static str) -> &'static str {
        match key {
            "prior_period" => self.move_prior_period,
            "issued" => self.move_issued,
            "amended" => self.move_amended,
            "settled" => self.move_settled,
            "cancelled" => self.move_cancelled,
            "expired_unpaid" => self.move_expired_unpaid,
            "orphan_and_held" => self.move_orphan_and_held,
            "applied" => self.move_applied,
            "refunded" => self.move_refunded,
            "new" => self.move_new,
            "reopened" => self.move_reopened,
            "cleared" => self.move_cleared,
            "accepted" => self.move_accepted,
            "added" => self.move_added,
            "removed" => self.move_removed,
            "late_payment" => self.move_late_payment,
            "decided" => self.move_decided,
            other => Movement::ALL.into_iter().find(|movement| movement.name() == other).map_or(other, |movement| self.moved(movement)),
        }
    }

    /// A bucket's days.
    pub(super) const fn bucket_name(&self, bucket: AgeBucket) -> &'static str {
        match bucket {
            AgeBucket::NotDue => self.not_due,
            AgeBucket::UpTo30 => "0–30",
            AgeBucket::UpTo60 => "31–60",
            AgeBucket::UpTo90 => "61–90",
            AgeBucket::Over90 => self.over_90,
        }
    }
}

#[cfg(test)]
mod tests;
