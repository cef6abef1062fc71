//! The policy behind a bill, out of its row.

use super::bill_column::BillColumn;
use super::row_cells::{Cells, text};
use super::{cells, codes};
use crate::domain::bill::Policy;
use crate::domain::channel::ChannelProfile;
use crate::domain::code::StableCode;
use crate::domain::personal::Personal;

/// Where the channel shows policies, their texts must fit its cash registers. The name is that of the policy's holder, where the row
/// gives it beside the customer's.
pub(super) fn policy(cells: &mut Cells<'_>, profile: Option<&ChannelProfile>) -> (Policy, Option<Personal>) {
    let length_max = profile.and_then(|profile| profile.insurance_length_max);
    let mut part = |column: BillColumn| {
        let text = text(cells, column, None, length_max)?;
        if length_max.is_some() && !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            let wrong: (StableCode, String) = (codes::INSURANCE_TEXT, "the value has characters outside printable ASCII".into());
            cells.refuse(column, wrong);
        }
        Some(text)
    };
    let (number, kind, status) = (part(BillColumn::PolicyNumber), part(BillColumn::PolicyType), part(BillColumn::PolicyStatus));
    let account_name = part(BillColumn::PolicyAccountName).map(Personal::new);
    let due_date = cells.parsed(BillColumn::DueDate, |text| cells::dated(text, "a date such as `2026-10-31`", cells::date));
    (Policy { number, kind, status, due_date, dimensions: cells.dimensions() }, account_name)
}
