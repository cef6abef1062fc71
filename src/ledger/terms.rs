//! Terms stand once: an event's text, as the chain covers it and a store keeps it, has their digest where they stood.
//!
//! Belongs here: the text of events with and without their terms, the same for every store. Must not be here: what terms are.

use std::borrow::Cow;

use crate::domain::bill::RecordedTerms;
use crate::domain::digest;
use crate::domain::lifecycle::Event;
use crate::domain::mark::TermsDigest;

/// Terms as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TermsText {
    pub(super) text: String,
    pub(super) digest: TermsDigest,
}

impl TermsText {
    pub(super) fn of(terms: &RecordedTerms) -> Result<Self, String> {
        let text = serde_json::to_string(terms).map_err(|error| error.to_string())?;
        Ok(Self { digest: TermsDigest::of_text(&text), text })
    }

    /// The text of an event, as the chain covers it: with the digest where the terms stood.
    fn taken_out_of(&self, event: &str) -> Result<String, String> {
        const KEY: &str = "\"terms\":";
        // It is the first key of the event that is so called; looking for the whole text would cost more than writing it.
        let (before, rest) = event.split_once(KEY).ok_or("an event does not hold its terms")?;
        let after = rest.strip_prefix(self.text.as_str()).ok_or("an event does not hold its terms")?;
        Ok(format!("{before}\"terms\":\"{}\"{after}", digest::hex(&self.digest.0)))
    }
}

/// What stands for terms of this text.
pub(super) fn digest_of(text: &str) -> String {
    digest::hex(&TermsDigest::of_text(text).0)
}

/// An event's text with its terms in it again; `terms` is the text its row refers to, if it does.
pub(super) fn put_back<'e>(event: &'e str, terms: Option<&str>) -> Result<Cow<'e, str>, String> {
    let Some(terms) = terms else { return Ok(Cow::Borrowed(event)) };
    let wanted = format!("\"terms\":\"{}\"", digest_of(terms));
    let (before, after) = event.split_once(&wanted).ok_or("its terms are not the ones it names")?;
    Ok(Cow::Owned(format!("{before}\"terms\":{terms}{after}")))
}

/// An event's text as the chain covers it, and the terms that were taken out of it.
pub(super) fn event_text(event: &Event) -> Result<(String, Option<TermsText>), String> {
    let json = serde_json::to_string(event).map_err(|error| error.to_string())?;
    let Some(terms) = event.terms() else { return Ok((json, None)) };
    let terms = TermsText::of(terms)?;
    Ok((terms.taken_out_of(&json)?, Some(terms)))
}
