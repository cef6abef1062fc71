//! Every phrase of a report, in each language. A phrase without a translation does not compile.
//!
//! Belongs here: words. `{0}`, `{1}` … stand for values, see `text::fill`.

mod en;
mod glossary;
mod id;

use crate::books::{Account, Movement};
use crate::domain::ageing::AgeBucket;
use crate::domain::classify::{Class, Nature, Severity};
use crate::domain::language::{Language, Say as _};
use crate::domain::reason::Reason;
use crate::domain::texts::{self, Text};
use crate::reconcile::Finding;
use crate::register::ItemStatus;
use crate::report::text::{self, fill};

macro_rules! phrases {
    ($($name:ident)*) => {
        /// The phrases of one language, named after what they say in English.
        #[derive(Debug)]
        pub(super) struct Words {
            pub(super) language: Language,
            pub(super) months: [&'static str; 12],
            $(pub(super) $name: &'static str,)*
        }

        impl Words {
            /// Every phrase with its name.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

phrases! {
    report_title report_subtitle days_from_to decimal_sign total contents yes no cover verdict_broken
    nature_break nature_timing nature_ok about fact value entity period
    cut_off cut_off_rule as_of run_id version configuration bills_from bills_from_own bills_from_file evidence_from evidence_from_files
     days_without prepared reviewed approved signature summary summary_note needs_person needs_nobody held_bills held_since by_subject subject evidence_lines
    payments bills count_of amount_of classes classes_note counted_apart inquiries flags_raised discrepancies_chart not_evaluated not_evaluated_note
    control control_note identity left right holds unit_count unit_rupiah identity_lines identity_success identity_proving
    identity_payments  identity_bills  identity_attached identity_inquiries days
    days_note days_chart day discrepancies discrepancies_note first_of all no_rows id
    class what nature severity severity_critical severity_high severity_medium invoice code channel expected paid difference paid_at
    received_at age reason action flags evidence first_seen last_seen owner status status_accepted status_cleared
    status_open status_proposed status_reopened comment count amount inputs inputs_note
     file bytes lines digest first_received last_received method method_note settings setting class_definitions meaning
    retry_slots retry_slot late_evidence late_evidence_after_grace page_of
    closing_balance
    standing_other_nature
    standing_otherwise
    standing_by_nature
    accepted_by_class standing_of_discrepancies standing_all standing_needs standing_accepted standing_reopened
    standing_cleared settlement settlement_note settlement_by_class settlement_by_channel settlement_batches settlement_differences
    unsettled_ageing rows malformed gross refund fee vat discount net net_check batch stated summed which_total roll_forward
    roll_forward_note balances_from opening_from opening_signed opening_unsigned opening_derived opening_run opening_hash closing_hash
    signed_state signed_open signed_same signed_other signed_by signed_why signed_differences figure signed_value value_now line balance_codes
    balance_suspense balance_discrepancies balance_none move_opening move_carried move_closing move_prior_period move_issued
    move_amended move_settled move_cancelled move_expired_unpaid move_orphan_and_held move_applied move_refunded move_new
    move_reopened move_cleared move_accepted move_added move_removed move_late_payment move_decided ageing ageing_note ageing_limit
    ageing_bills ageing_bills_chart ageing_exceptions ageing_exceptions_chart ageing_line bucket not_due over_90 past_limit breakdowns
    breakdowns_note by_product by_store stores_unknown by_class_nature product agent store agreed differing held prior_period
    prior_period_note balance happened happened_at kind kind_notifications kind_settlement kind_bank completeness completeness_gaps
    completeness_whole every_channel messages_of gap identity_codes_carried identity_suspense_carried identity_discrepancies_carried
    identity_codes_listed identity_by_day identity_by_store identity_settlement_rows identity_paid_out identity_stated
    identity_settled identity_status notification_logs
}

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
