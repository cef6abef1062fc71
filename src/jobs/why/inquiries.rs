//! What the inquiry logs of `serve` tell of one bill.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::WhyError;
use super::story::{StoryEvent, StoryLine};
use super::subject::Subject;
use crate::doku::inquiry;
use crate::evidence;
use crate::table::TableSettings;

#[derive(Deserialize)]
struct InquiryLine {
    received_at: Option<Timestamp>,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    invoice_number: String,
    #[serde(default)]
    body: String,
}

/// Every inquiry about it, in the order of the files.
pub(super) fn told(subject: &Subject, files: &[PathBuf]) -> Result<Vec<StoryLine>, Box<WhyError>> {
    let mut told = Vec::new();
    evidence::visit(files, &TableSettings::default(), |_, _, bytes| {
        let Ok(line) = serde_json::from_slice::<InquiryLine>(bytes) else { return };
        let code = || inquiry::parse(&line.body).is_ok_and(|question| subject.payment_codes.contains(question.payment_code.as_str()));
        let is_ours = if line.invoice_number.is_empty() { code() } else { subject.invoice_numbers.contains(&line.invoice_number) };
        if is_ours {
            told.push(StoryLine { at: line.received_at, what: StoryEvent::Inquiry { answer: line.answer, decision: line.decision } });
        }
    })?;
    Ok(told)
}
