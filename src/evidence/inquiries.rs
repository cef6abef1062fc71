//! Inquiry logs of `serve` → what was answered about each code, and when.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::EvidenceError;
use super::visit::visit_all;
use crate::doku::inquiry::{self, InquiryWord};
use crate::domain::classify::InquiryAnswer;
use crate::domain::line::InputFile;
use crate::table::TableSettings;

/// What the logs say.
#[derive(Debug, Default)]
pub struct Inquiries {
    /// By code; the answers in the order of their times, each once.
    pub by_code: BTreeMap<String, Vec<InquiryAnswer>>,
    /// Lines that are no inquiry with its answer.
    pub unreadable: u64,
    /// The files.
    pub files: Vec<InputFile>,
}

#[derive(Deserialize)]
struct InquiryLine {
    received_at: Timestamp,
    answer: String,
    amount: Option<u64>,
    #[serde(default)]
    body: String,
}

/// Reads inquiry logs.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn inquiries(files: &[PathBuf]) -> Result<Inquiries, EvidenceError> {
    let mut read = Inquiries::default();
    let (files, oversized) = visit_all(files, &TableSettings::default(), |_, _, line| read.line(line))?;
    read.unreadable = read.unreadable.saturating_add(oversized);
    read.files = files;
    for answers in read.by_code.values_mut() {
        answers.sort_unstable();
        answers.dedup();
    }
    Ok(read)
}

impl Inquiries {
    fn line(&mut self, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<InquiryLine>(line) else {
            self.unreadable = self.unreadable.saturating_add(1);
            return;
        };
        // A question that names no code was declined, and is about no payment.
        let Ok(question) = inquiry::parse(&line.body) else { return };
        let payable = line.amount.filter(|_| line.answer == InquiryWord::Success.name());
        self.by_code.entry(question.payment_code.as_str().to_owned()).or_default().push(InquiryAnswer { at: line.received_at, payable });
    }
}
