//! Inquiry logs of `serve` → what was answered about each code, and when.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::EvidenceError;
use super::blocks::{Blocks, Content};
use crate::doku::inquiry::{self, Status};
use crate::domain::classify::InquiryAnswer;
use crate::domain::line::InputFile;

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
    let (mut read, mut blocks) = (Inquiries::default(), Blocks::new(files));
    loop {
        let batch = blocks.batch(1)?;
        let Some(block) = batch.first() else { break };
        match &block.content {
            Content::Lines(bytes) => lines_of(bytes).for_each(|line| read.line(line)),
            Content::Oversized(_) => read.unreadable = read.unreadable.saturating_add(1),
        }
        blocks.take_back(batch);
    }
    read.files = blocks.done;
    for answers in read.by_code.values_mut() {
        answers.sort_unstable();
        answers.dedup();
    }
    Ok(read)
}

fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty())
}

impl Inquiries {
    fn line(&mut self, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<InquiryLine>(line) else {
            self.unreadable = self.unreadable.saturating_add(1);
            return;
        };
        // A question that names no code was declined, and is about no payment.
        let Ok(question) = inquiry::parse(&line.body) else { return };
        let payable = line.amount.filter(|_| line.answer == Status::Success.name());
        self.by_code.entry(question.payment_code.as_str().to_owned()).or_default().push(InquiryAnswer { at: line.received_at, payable });
    }
}
