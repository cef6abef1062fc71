//! Every phrase of a report, in each language. A phrase without a translation does not compile.
//!
//! Belongs here: words. `{0}`, `{1}` … stand for values, see `text::fill`.

mod classes_id;
mod en;
mod id;
mod reasons_id;

use crate::domain::classify::{Class, Nature, Severity};
use crate::domain::discrepancy::Status;
use crate::domain::language::Language;
use crate::reconcile::Finding;

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
    report_title report_subtitle days_from_to decimal_sign total contents yes no cover verdict_broken verdict_breaks verdict_clean
    nature_break nature_timing nature_ok nature_break_note nature_timing_note nature_ok_note natures_note about fact value entity period
    cut_off cut_off_rule as_of run_id version configuration bills_from bills_from_own bills_from_file evidence_from evidence_from_files
    days_of days_without prepared reviewed approved signature summary summary_note needs_person needs_nobody by_subject subject evidence_lines
    payments bills count_of amount_of classes classes_note counted_apart flags_raised discrepancies_chart not_evaluated not_evaluated_note
    control control_note identity left right holds unit_count unit_rupiah identity_lines identity_success identity_proving
    identity_payments identity_payments_rupiah identity_bills identity_bills_rupiah identity_attached identity_attached_rupiah days
    days_note days_chart day discrepancies discrepancies_note first_of all no_rows class_sheet_note class_sheets_left_out id
    class what nature severity severity_critical severity_high severity_medium invoice code channel expected paid difference paid_at
    received_at age reason action flags evidence first_seen last_seen owner status status_accepted status_cleared
    status_open status_proposed status_reopened comment count amount inputs inputs_note
    notification_logs file bytes lines digest first_received last_received method method_note settings setting class_definitions meaning
    evaluated retry_slots retry_slot late_evidence late_evidence_after_grace page_of
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
        self.class(class).0
    }

    /// What a class means.
    pub(super) fn class_meaning(&self, class: Class) -> &'static str {
        self.class(class).1
    }

    /// What to do by default.
    pub(super) fn class_action(&self, class: Class) -> &'static str {
        self.class(class).2
    }

    /// Title, meaning, action.
    fn class(&self, class: Class) -> (&'static str, &'static str, &'static str) {
        let english = class.info().code;
        let english = (english.title, english.meaning, english.remedy);
        match self.language {
            Language::English => english,
            Language::Indonesian => classes_id::of(class.id()).unwrap_or(english),
        }
    }

    /// Why a discrepancy is one.
    pub(super) fn reason(&self, finding: &Finding) -> String {
        match self.language {
            Language::English => finding.reason.clone(),
            Language::Indonesian => reasons_id::of(&finding.reason),
        }
    }

    pub(super) const fn nature(&self, nature: Nature) -> &'static str {
        match nature {
            Nature::Ok => self.nature_ok,
            Nature::Timing => self.nature_timing,
            Nature::Break => self.nature_break,
        }
    }

    pub(super) const fn standing(&self, status: Status) -> &'static str {
        match status {
            Status::Open => self.status_open,
            Status::Proposed => self.status_proposed,
            Status::Accepted => self.status_accepted,
            Status::Cleared => self.status_cleared,
            Status::Reopened => self.status_reopened,
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

    /// The name of a control identity; its key where it has no name yet.
    pub(super) fn identity_name(&self, key: &'static str) -> &'static str {
        match key {
            "lines_read_equal_line_classes" => self.identity_lines,
            "success_lines_parsed_equal_success_classes" => self.identity_success,
            "proving_lines_equal_unique_payments" => self.identity_proving,
            "unique_payments_equal_payment_classes" => self.identity_payments,
            "proving_lines_rupiah_equal_payment_classes_rupiah" => self.identity_payments_rupiah,
            "bills_in_scope_equal_bill_classes" => self.identity_bills,
            "bills_in_scope_rupiah_equal_bill_classes_rupiah" => self.identity_bills_rupiah,
            "payments_attached_to_bills_equal_attaching_classes" => self.identity_attached,
            "rupiah_attached_to_bills_equal_attaching_classes_rupiah" => self.identity_attached_rupiah,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
