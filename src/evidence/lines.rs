//! A block of lines → its messages, each with the span it stands in. Every line is a message, blank, or wrapping, and none is two.

use std::borrow::Cow;

use super::physical_lines::{LINE_MAX, Span, physical, surely_ends};
use super::wrapper::{self, Record, Wrapper};
use crate::domain::line::Detail;

/// One line, or a message of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A message: its physical line (the first, if it is split over several), and its text where that is another.
    Message {
        /// The line.
        span: Span,
        /// What was logged; `None` where the line is the message.
        text: Option<Cow<'a, str>>,
        /// Whether the line holds others beside it.
        place: Place,
    },
    /// A row of a table that cannot be read, and why.
    Malformed {
        /// The row.
        span: Span,
        /// In which way.
        why: Detail,
    },
    /// Nothing stands on it.
    Blank,
    /// It holds no message of its own.
    Wrapping,
}

/// A message among those of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// There is no other.
    Only,
    /// The first of several.
    First,
    /// One after the first.
    Further,
}

/// Shows every piece of `bytes`, in the order of their lines but for messages that are split over several.
pub(super) fn pieces<'a>(bytes: &'a [u8], wrapper: Wrapper, mut see: impl FnMut(Piece<'a>)) {
    let mut joins = Joins::default();
    for (span, raw) in physical(bytes) {
        if raw.trim_ascii().is_empty() {
            see(Piece::Blank);
            continue;
        }
        // Where nothing stands around messages, whoever reads them looks at their bytes but once.
        let record = if wrapper == Wrapper::None { None } else { str::from_utf8(raw).ok() };
        match record {
            None => see(Piece::Message { span, text: None, place: Place::Only }),
            Some(line) => line_of(line, span, wrapper, &mut joins, &mut see),
        }
    }
    joins.close(&mut see);
}

/// One line of a file whose lines are wrapped.
fn line_of<'a>(line: &'a str, span: Span, wrapper: Wrapper, joins: &mut Joins, see: &mut impl FnMut(Piece<'a>)) {
    if wrapper == Wrapper::Document {
        return match wrapper::of_document(line) {
            Some(texts) => inner(texts, span, see),
            None => see(Piece::Message { span, text: None, place: Place::Only }),
        };
    }
    match wrapper::record(line) {
        Some((_, record)) => joins.take(record, span, see),
        // Where lists are set out in lines, their brackets stand alone.
        None if wrapper == Wrapper::Other && line.bytes().all(|byte| b"[], ".contains(&byte)) => see(Piece::Wrapping),
        None => see(Piece::Message { span, text: None, place: Place::Only }),
    }
}

/// The messages of one line, in their order; where none is left the line is wrapping.
pub(super) fn inner<'a>(texts: Vec<Cow<'a, str>>, span: Span, see: &mut impl FnMut(Piece<'a>)) {
    let texts: Vec<_> = texts.into_iter().flat_map(wrapper::inner).collect();
    let is_only = texts.len() == 1;
    if texts.is_empty() {
        see(Piece::Wrapping);
    }
    for (nth, text) in texts.into_iter().enumerate() {
        let place = match nth {
            _ if is_only => Place::Only,
            0 => Place::First,
            _ => Place::Further,
        };
        see(Piece::Message { span, text: Some(text), place });
    }
}

/// A message whose last piece has not come yet.
struct Open {
    stream: String,
    span: Span,
    text: String,
}

/// Puts the pieces of messages together, stream by stream.
#[derive(Default)]
struct Joins {
    open: Vec<Open>,
}

impl Joins {
    fn take<'a>(&mut self, record: Record<'a>, span: Span, see: &mut impl FnMut(Piece<'a>)) {
        let at = self.open.iter().position(|open| open.stream == record.stream);
        let single = match record.texts.as_slice() {
            [text] if at.is_some() || !record.ends => text,
            _ => return inner(record.texts, span, see),
        };
        // What is whole by itself is no piece: some collectors take the line end away.
        let is_whole = wrapper::is_object(single);
        match at {
            Some(at) if !is_whole => {
                see(Piece::Wrapping);
                let Some(open) = self.open.get_mut(at) else { return };
                open.text.push_str(single);
                if record.ends || open.text.len() > LINE_MAX {
                    self.close_one(at, see);
                }
            }
            _ => {
                if let Some(at) = at {
                    self.close_one(at, see);
                }
                if is_whole || record.ends || !single.trim_start().starts_with('{') {
                    return inner(record.texts, span, see);
                }
                self.open.push(Open { stream: record.stream.into_owned(), span, text: single.clone().into_owned() });
            }
        }
    }

    fn close_one<'a>(&mut self, at: usize, see: &mut impl FnMut(Piece<'a>)) {
        let open = self.open.swap_remove(at);
        inner(vec![Cow::Owned(open.text)], open.span, see);
    }

    /// What was begun and never ended is a message all the same, if a torn one.
    fn close<'a>(mut self, see: &mut impl FnMut(Piece<'a>)) {
        while !self.open.is_empty() {
            self.close_one(0, see);
        }
    }
}

/// How many of `bytes`, which are whole lines, can be cut off without parting the pieces of a message.
pub(super) fn joined(wrapper: Wrapper, bytes: &[u8]) -> usize {
    match wrapper {
        Wrapper::None | Wrapper::CloudWatch | Wrapper::Document | Wrapper::Other | Wrapper::Table => bytes.len(),
        Wrapper::Docker | Wrapper::Cri | Wrapper::Journald => settled(bytes),
    }
}

fn settled(bytes: &[u8]) -> usize {
    let (mut joins, mut settled) = (Joins::default(), 0);
    for (span, raw) in physical(bytes) {
        if (!joins.open.is_empty() || !surely_ends(raw))
            && let Some((_, record)) = str::from_utf8(raw).ok().and_then(wrapper::record)
        {
            joins.take(record, span, &mut |_| {});
        }
        if joins.open.is_empty() {
            let end = span.offset.saturating_add(span.length);
            let rest = bytes.get(end..).unwrap_or_default();
            settled = memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| end.saturating_add(at).saturating_add(1));
        }
    }
    settled
}
