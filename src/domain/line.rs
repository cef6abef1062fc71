//! One line of evidence as a compact record of fixed size, and the store that holds millions of them.
//!
//! Belongs here: what a line was found to say, without its text. Must not be here: reading, parsing, verifying.

use std::borrow::Cow;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Rupiah};
use super::channel::Channel;
use super::classify::Class;
use super::digest::Digest;
use super::store::Stores;

mod marks;
mod told;

pub use self::marks::Marks;
pub use super::detail::Detail;

/// No bill is known to be meant.
pub const NO_BILL: u32 = u32::MAX;

/// What reading a file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Which file.
    pub path: PathBuf,
    /// SHA-256 of the file as it is, compressed or not.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its lines, decompressed.
    pub lines: u64,
    /// What the lines of a log are.
    pub contents: LogContents,
    /// What more is to be said of what it holds instead, for people; empty for nothing.
    pub remark: String,
}

impl InputFile {
    /// The path, as people read it, of the one of `files` that a row or a line names by its place among them.
    #[must_use]
    pub fn shown_path(files: &[Self], place: u32) -> Option<String> {
        Some(files.get(usize::try_from(place).ok()?)?.path.display().to_string())
    }
}

/// What the lines of a log are: lines + packed = messages + elsewhere + blank + wrapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogContents {
    /// Messages, each of which has a class.
    pub messages: u64,
    /// Messages of it that are counted where the evidence store has them, or that it keeps no longer.
    pub elsewhere: u64,
    /// How many of them could not be parsed (N01).
    pub malformed: u64,
    /// How many of them DOKU has signed.
    pub verified: u64,
    /// How many do not fit their signature (N02) and look as if what kept them had written them anew.
    pub rewritten: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that hold no message of their own: pieces of one that began before, and what only holds records together.
    pub wrapping: u64,
    /// Messages beyond the first of their line.
    pub packed: u64,
    /// What stands around the messages; empty for none.
    pub wrapper: &'static str,
    /// What the file seems to be instead of a log.
    pub oddity: Option<FileOddity>,
    /// The commonest reason why its lines could not be parsed; none when all could.
    pub fault: Option<Detail>,
}

impl LogContents {
    /// Both added; what the file is stays.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            elsewhere: self.elsewhere.saturating_add(other.elsewhere),
            malformed: self.malformed.saturating_add(other.malformed),
            verified: self.verified.saturating_add(other.verified),
            rewritten: self.rewritten.saturating_add(other.rewritten),
            blank: self.blank.saturating_add(other.blank),
            wrapping: self.wrapping.saturating_add(other.wrapping),
            packed: self.packed.saturating_add(other.packed),
            ..self
        }
    }

    /// Lines without a message that counts here, less the messages that share a line: what lines have beyond messages.
    #[must_use]
    pub fn apart(&self) -> i128 {
        let apart = [self.blank, self.wrapping, self.elsewhere].map(i128::from).into_iter().fold(0, i128::saturating_add);
        apart.saturating_sub(self.packed.into())
    }

    /// Whether it is a table that has changed every message it was to keep: none is as it was signed, and some are visibly not.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.wrapper == "table" && self.rewritten > 0 && self.verified == 0
    }

    /// Whether at most `malformed_max_percent` of its messages could not be parsed.
    #[must_use]
    pub fn is_readable(&self, malformed_max_percent: u64) -> bool {
        u128::from(self.malformed).saturating_mul(100) <= u128::from(self.messages).saturating_mul(malformed_max_percent.into())
    }

    /// Whether it can pass for a whole log: it is readable, is nothing else for certain, and holds messages if it seems to be something
    /// else.
    #[must_use]
    pub fn is_whole(&self, malformed_max_percent: u64) -> bool {
        let is_other = self.oddity.as_ref().is_some_and(|oddity| oddity.is_certain || self.messages == 0);
        self.is_readable(malformed_max_percent) && !is_other && !self.is_rewritten()
    }
}

/// What a file seems to be instead of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOddity {
    /// What it is, such as `a zip archive`.
    pub what: Cow<'static, str>,
    /// What to do with it.
    pub remedy: Cow<'static, str>,
    /// Whether it is that beyond doubt, so that even lines which can be read are not all of it.
    pub is_certain: bool,
}

/// Sums taken while lines are parsed, before anything is concluded from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawTotals {
    /// Lines that say SUCCESS and count.
    pub success_count: u64,
    /// Their rupiah.
    pub success_amount: Rupiah,
}

/// What a line was found to say. Instants are microseconds since 1970 (UTC).
#[derive(Clone, Debug)]
pub struct Line {
    /// SHA-256 of the raw line.
    pub digest: Digest,
    /// What makes its payment this and no other; zero when the line holds no usable message.
    pub identity: Digest,
    /// `transaction.date`.
    pub paid_at_us: i64,
    /// When it arrived; [`Line::UNKNOWN_TIME`] when the log does not say, so that it sorts last.
    pub received_at_us: i64,
    /// Rupiah; 0 when unusable.
    pub amount: u64,
    /// [`moment`](super::payment::moment) of what it tells.
    pub moment: u64,
    /// Equal for equal Request-Ids; as wide as needed to be unique among all lines.
    pub request_key: u64,
    /// Equal for equal amount, date and invoice; only compared within one identity.
    pub content_key: u32,
    /// Equal for equal bodies; only compared within one Request-Id.
    pub body_key: u32,
    /// Where the line starts in its (decompressed) file.
    pub byte: u64,
    /// Where the invoice number, then the code, are in [`Lines`]' text; unused when `bill` is known.
    pub text_at: u32,
    /// Which line of its file, from 1.
    pub number: u32,
    /// Which file, by its place in the input list.
    pub file: u32,
    /// The bill that its invoice number and code name together, or [`NO_BILL`].
    pub bill: u32,
    /// Length of the invoice number's text.
    pub invoice_length: u8,
    /// Length of the code's text.
    pub code_length: u8,
    /// Its class.
    pub class: Class,
    /// Where the payment was made.
    pub channel: Channel,
    /// See [`Marks`].
    pub marks: Marks,
    /// Why it got no further, or what was left out of it.
    pub detail: Option<Detail>,
    /// Which store took the money, by its place in [`Lines::stores`]; 0 when it is not named.
    pub store: u16,
}

const _: () = assert!(size_of::<Line>() <= 144, "evidence holds millions of lines");

impl Line {
    /// What `received_at_us` is when the log does not say.
    pub const UNKNOWN_TIME: i64 = i64::MAX;

    /// Whether it holds a usable message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.identity != [0; 32]
    }

    /// A line that holds no usable message.
    #[must_use]
    pub const fn of_class(class: Class, digest: Digest) -> Self {
        Self {
            digest,
            identity: [0; 32],
            paid_at_us: 0,
            received_at_us: Self::UNKNOWN_TIME,
            amount: 0,
            moment: 0,
            content_key: 0,
            request_key: 0,
            body_key: 0,
            byte: 0,
            text_at: 0,
            number: 0,
            file: 0,
            bill: NO_BILL,
            invoice_length: 0,
            code_length: 0,
            class,
            channel: Channel::Alfa,
            marks: Marks(0),
            detail: None,
            store: 0,
        }
    }

    /// When the payment was made.
    #[must_use]
    pub fn paid_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.paid_at_us).unwrap_or(Timestamp::MAX)
    }

    /// When it arrived, if the log says so.
    #[must_use]
    pub fn received_at(&self) -> Option<Timestamp> {
        (self.received_at_us != Self::UNKNOWN_TIME).then(|| Timestamp::from_microsecond(self.received_at_us).ok())?
    }

    /// How much, if usable.
    #[must_use]
    pub const fn usable_amount(&self) -> Option<Amount> {
        match Amount::new(self.amount) {
            Ok(amount) => Some(amount),
            Err(_) => None,
        }
    }
}

/// Millions of lines in pieces of equal size, so that growing never copies them, and the texts they need.
#[derive(Debug, Default)]
pub struct Lines {
    pieces: Vec<Vec<Line>>,
    texts: Vec<u8>,
    stores: Stores,
}

impl Lines {
    const PIECE: usize = 1 << 16;

    /// Adds lines, and the texts and stores to which their `text_at` and `store` refer.
    pub fn append(&mut self, lines: Vec<Line>, texts: &[u8], stores: &Stores) {
        let base = self.put_texts(texts);
        let moved = self.stores.take(stores);
        for mut line in lines {
            line.text_at = line.text_at.saturating_add(base);
            line.store = usize::from(line.store).checked_sub(1).and_then(|place| moved.get(place)).copied().unwrap_or(0);
            self.put(line);
        }
    }

    /// Adds the texts of a line; where they are.
    fn put_texts(&mut self, texts: &[u8]) -> u32 {
        let text_at = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.extend_from_slice(texts);
        text_at
    }

    fn put(&mut self, line: Line) {
        if self.pieces.last().is_none_or(|piece| piece.len() == Self::PIECE) {
            self.pieces.push(Vec::with_capacity(Self::PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(line);
        }
    }

    /// Adds those of `others` that `as_here` gives back, as it gives them.
    pub fn absorb(&mut self, others: Self, as_here: impl FnMut(Line) -> Option<Line>) {
        let lines = others.pieces.into_iter().flatten().filter_map(as_here).collect();
        self.append(lines, &others.texts, &others.stores);
    }

    /// The stores that took money.
    #[must_use]
    pub const fn stores(&self) -> &Stores {
        &self.stores
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many bytes of text are kept; `text_at` reaches up to 4 GiB.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.texts.len()
    }

    /// All of them, with their index.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Line)> {
        (0_u32..).zip(self.pieces.iter().flatten())
    }

    /// All of them in pieces, each with the index of its first, for those who share the work.
    pub fn pieces(&self) -> impl Iterator<Item = (u32, &[Line])> {
        let first = |piece: usize| u32::try_from(piece.saturating_mul(Self::PIECE)).unwrap_or(u32::MAX);
        self.pieces.iter().enumerate().map(move |(piece, lines)| (first(piece), lines.as_slice()))
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Line> {
        self.pieces.iter_mut().flatten()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Line> {
        let (piece, place) = Self::place(index);
        self.pieces.get(piece)?.get(place)
    }

    /// One of them, to be changed.
    pub fn get_mut(&mut self, index: u32) -> Option<&mut Line> {
        let (piece, place) = Self::place(index);
        self.pieces.get_mut(piece)?.get_mut(place)
    }

    /// The invoice number and the code of a line whose bill is not known; empty for one that kept none.
    #[must_use]
    pub fn texts(&self, line: &Line) -> (&str, &str) {
        let start = usize::try_from(line.text_at).unwrap_or(usize::MAX);
        let middle = start.saturating_add(usize::from(line.invoice_length));
        let end = middle.saturating_add(usize::from(line.code_length));
        let text = |from, to| self.texts.get(from..to).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
        (text(start, middle), text(middle, end))
    }

    /// What makes a line's payment this and no other, however its message was written.
    #[must_use]
    pub fn canonical(&self, line: &Line) -> Digest {
        if !line.marks.has(Marks::EVENED) {
            return line.identity;
        }
        let start = usize::try_from(line.text_at).unwrap_or(usize::MAX);
        let start = start.saturating_add(usize::from(line.invoice_length)).saturating_add(usize::from(line.code_length));
        self.texts.get(start..).and_then(|rest| rest.first_chunk()).copied().unwrap_or(line.identity)
    }

    fn place(index: u32) -> (usize, usize) {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        (index >> 16, index & 0xffff)
    }
}
