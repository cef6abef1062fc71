//! Which phrases there are; every language has all of them, or does not compile.

use crate::domain::language::Language;

macro_rules! phrases {
    ($($name:ident)*) => {
        /// The phrases of one language, named after what they say in English.
        #[derive(Debug)]
        pub(in crate::report) struct Words {
            pub(in crate::report) language: Language,
            pub(in crate::report) months: [&'static str; 12],
            $(pub(in crate::report) $name: &'static str,)*
        }

        impl Words {
            /// Every phrase with its name.
            #[cfg(test)]
            pub(in crate::report) fn all(&self) -> Vec<(&'static str, &'static str)> {
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
