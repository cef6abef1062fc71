//! The control identities of a run: what was counted as it was read against what was concluded of it.

use super::dedupe::Payments;
use super::inputs::Inputs;
use super::judge_bills::Attached;
use super::tally::{ControlIdentity, Tallies};
use super::told_by_status::Placed;
use crate::domain::classify::Class;
use crate::domain::sum::Sum;

/// The identities of the rules, section 3, first build.
pub(super) fn identities(
    inputs: &Inputs,
    payments: &Payments,
    attached: &Attached,
    tallies: [&Tallies; 3],
    status: &Placed,
) -> Vec<ControlIdentity> {
    let [lines, paid, bills] = tallies;
    let proving = lines.of(Class::N00).count;
    let unique = u64::try_from(payments.proved.len()).unwrap_or(u64::MAX);
    let notified = unique.saturating_sub(status.only.count);
    let told = status.notified.plus(status.only);
    // SUCCESS as summed while parsing, less what repeats or contradicts a payment, is what was paid.
    let not_first = lines.of(Class::N06).plus(lines.of(Class::N07));
    let first = inputs.raw.success_amount.minus(not_first.rupiah);
    let attaching: Sum = paid.iter().filter(|(class, _)| class.attaches()).map(|(_, sum)| sum).sum();
    let row = |name, left: i128, right: i128| ControlIdentity { name, left, right };
    vec![
        row("lines_read_equal_line_classes", inputs.lines_read.into(), inputs.lines_apart.saturating_add(lines.total().count.into())),
        row("success_lines_parsed_equal_success_classes", inputs.raw.success_count.into(), proving.saturating_add(not_first.count).into()),
        row("proving_lines_equal_unique_payments", proving.into(), notified.into()),
        row("unique_payments_equal_payment_classes", unique.into(), paid.total().count.into()),
        row("proving_lines_rupiah_equal_payment_classes_rupiah", first.get(), paid.total().rupiah.minus(status.only.rupiah).get()),
        row("payments_told_by_status_equal_notified_and_status_only", inputs.status.total.count.into(), told.count.into()),
        row("rupiah_told_by_status_equal_notified_and_status_only_rupiah", inputs.status.total.rupiah.get(), told.rupiah.get()),
        row("bills_in_scope_equal_bill_classes", inputs.scope.count.into(), bills.total().count.into()),
        row("bills_in_scope_rupiah_equal_bill_classes_rupiah", inputs.scope.rupiah.get(), bills.total().rupiah.get()),
        row("payments_attached_to_bills_equal_attaching_classes", attached.total().count.into(), attaching.count.into()),
        row("rupiah_attached_to_bills_equal_attaching_classes_rupiah", attached.total().rupiah.get(), attaching.rupiah.get()),
    ]
}
