//! MT940, the statement that SWIFT defines and banks send to companies: messages of tagged fields → lines.
//!
//! A message states what the account held before and after its lines, so that a statement which was cut off, or of which a line could not be
//! read, does not pass for a whole one.

use jiff::civil::Date;

use super::{BankLine, CellFault, Statement, Told};
use crate::domain::digest::{self, Digest};
use crate::domain::personal::shown;
use crate::domain::reason::ForeignByte;
use crate::domain::settlement::RowPlace;

/// The only currency there is here.
const RUPIAH: &str = "IDR";
/// Others, to be named in a message.
const CURRENCIES: [&str; 8] = ["USD", "SGD", "EUR", "JPY", "CNY", "AUD", "MYR", "HKD"];
/// A physical line of this many characters was broken by its length and goes on with the next; a shorter one ended.
const TEXT_LINE_LENGTH: usize = 65;
/// What a reference says where there is none.
const NO_REFERENCE: &str = "NONREF";

/// Whether `content` is one: its first line opens SWIFT's envelope, or is the first field of a message.
pub(super) fn is(content: &[u8]) -> bool {
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content).trim_ascii_start();
    text.starts_with(b"{1:") || text.starts_with(b":20:")
}

/// Tells every message with its lines, and every balance that does not agree with them; gives how many lines there were.
pub(super) fn read(content: &[u8], file: u32, tell: &mut dyn FnMut(Statement)) -> u64 {
    let mut message = Message::default();
    let mut told = 0_u64;
    let mut tell = |one: Statement| {
        told = told.saturating_add(u64::try_from(one.lines.len()).unwrap_or(u64::MAX));
        tell(one);
    };
    let mut fields = fields(content, file).peekable();
    while let Some(field) = fields.next() {
        if field.tag == b"20" {
            std::mem::take(&mut message).end(&mut tell);
        }
        message.digests.extend(field.digest());
        let mut last = field.place;
        match field.tag {
            b"25" => message.account = field.lines.concat(),
            b"61" => {
                let about = fields.next_if(|next| next.tag == b"86");
                message.line(&field, about.as_ref());
                if let Some(about) = &about {
                    message.digests.extend(about.digest());
                    last = about.place;
                }
            }
            b"60F" | b"60M" => {
                message.goes_on_from = (field.tag == b"60M").then_some(field.place);
                message.opened = Some(field.balance("opening balance"));
            }
            b"62F" | b"62M" => message.closed = Some((field.place, field.balance("closing balance"))),
            _ => {}
        }
        message.last = Some(last);
    }
    message.end(&mut tell);
    told
}

/// What has been read of a message.
#[derive(Default)]
struct Message {
    account: Vec<u8>,
    /// Where it says that it is a further page.
    goes_on_from: Option<RowPlace>,
    opened: Option<Result<Balance, CellFault>>,
    closed: Option<(RowPlace, Result<Balance, CellFault>)>,
    moved: i128,
    is_partly_unread: bool,
    last: Option<RowPlace>,
    lines: Vec<Told>,
    digests: Vec<u8>,
}

struct Balance {
    currency: String,
    amount: i128,
}

impl Message {
    fn line(&mut self, field: &Field<'_>, about: Option<&Field<'_>>) {
        let account = digest::of_bytes(&self.account);
        let says = self.in_rupiah().and_then(|()| field.line(about)).map(|line| BankLine { account: Some(account), ..line });
        match &says {
            Ok(line) => self.moved = self.moved.saturating_add(line.amount.into()),
            Err(_) => self.is_partly_unread = true,
        }
        self.lines.push(Told { place: field.place, says, is_heading: false });
    }

    fn in_rupiah(&self) -> Result<(), CellFault> {
        match &self.opened {
            Some(Ok(opened)) if opened.currency != RUPIAH => {
                let named = CURRENCIES.iter().find(|known| **known == opened.currency).unwrap_or(&"another currency");
                Err(("currency", format!("the account is kept in {named}, and only rupiah are read")))
            }
            _ => Ok(()),
        }
    }

    /// At its end it must have come to what it says: a line that is lacking is money nobody would miss.
    fn end(mut self, tell: &mut dyn FnMut(Statement)) {
        let Some(last) = self.last else { return };
        let amount = |balance: &Result<Balance, CellFault>| balance.as_ref().ok().map(|balance| balance.amount);
        let opening = self.opened.as_ref().and_then(amount);
        let closing = self.closed.as_ref().and_then(|(_, closed)| amount(closed));
        let (place, says) = match (self.opened, self.closed) {
            (_, None) => (last, Err(("closing balance", "there is none (`:62F:`): the statement is cut off".to_owned()))),
            (None, Some((place, _))) => (place, Err(("opening balance", "there is none (`:60F:`)".to_owned()))),
            (Some(Err(fault)), Some((place, _))) | (Some(Ok(_)), Some((place, Err(fault)))) => (place, Err(fault)),
            (Some(Ok(opened)), Some((place, Ok(closed)))) => (place, self_consistent(&opened, self.moved, &closed)),
        };
        // What could not be read is told already, and is why the rest does not add up.
        if let Err(fault) = says
            && !self.is_partly_unread
        {
            self.lines.push(Told { place, says: Err(fault), is_heading: false });
        }
        let (account, digest) = (digest::of_bytes(&self.account), digest::of_bytes(&self.digests));
        tell(Statement { account, digest, goes_on_from: self.goes_on_from, opening, closing, lines: self.lines });
    }
}

fn self_consistent(opened: &Balance, moved: i128, closed: &Balance) -> Result<(), CellFault> {
    let comes_to = opened.amount.saturating_add(moved);
    if comes_to == closed.amount {
        return Ok(());
    }
    Err(("closing balance", format!("it is {}, and the opening balance with all lines comes to {comes_to}", closed.amount)))
}

/// A field: its tag, and its text over as many lines as it has.
struct Field<'c> {
    place: RowPlace,
    tag: &'c [u8],
    lines: Vec<&'c [u8]>,
}

/// The fields of all messages, in their order. What stands outside of a field, as the envelope does, is none.
fn fields(content: &[u8], file: u32) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0_u64;
    let mut lines = content.split_inclusive(|byte| *byte == b'\n').zip(1_u64..).map(move |(line, number)| {
        let place = RowPlace { file, row: number, byte: at };
        at = at.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        (place, line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii_end())
    });
    let mut next: Option<Field<'_>> = None;
    std::iter::from_fn(move || {
        for (place, line) in lines.by_ref() {
            match (tagged(line), &mut next) {
                (Some((tag, text)), _) => {
                    if let Some(field) = next.replace(Field { place, tag, lines: vec![text] }) {
                        return Some(field);
                    }
                }
                (None, Some(field)) if !is_end(line) => field.lines.push(line),
                (None, Some(_)) => return next.take(),
                (None, None) => {}
            }
        }
        next.take()
    })
}

/// `:61:text`, also behind the envelope that a message opens with.
fn tagged(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = if line.starts_with(b"{") { line.get(line.iter().rposition(|byte| matches!(byte, b'{' | b'}'))?..)? } else { line };
    let line = line.strip_prefix(b"{4:").unwrap_or(line).strip_prefix(b":")?;
    let end = line.iter().position(|byte| *byte == b':')?;
    let (tag, text) = (line.get(..end)?, line.get(end..)?.strip_prefix(b":")?);
    let is_tag = matches!(tag, [a, b] | [a, b, b'A'..=b'Z'] if a.is_ascii_digit() && b.is_ascii_digit());
    is_tag.then_some((tag, text))
}

/// Whether a message ends here, or the envelope of another begins.
fn is_end(line: &[u8]) -> bool {
    line == b"-" || line.starts_with(b"-}") || line.starts_with(b"{")
}

impl Field<'_> {
    fn digest(&self) -> Digest {
        digest::of_each(std::iter::once(self.tag).chain(self.lines.iter().copied()))
    }

    fn text(&self) -> Result<String, CellFault> {
        let mut text = String::new();
        for line in &self.lines {
            let line = str::from_utf8(line).map_err(|_| ("description", ForeignByte::of(line).to_string()))?;
            text.push_str(line);
            if line.chars().count() < TEXT_LINE_LENGTH {
                text.push(' ');
            }
        }
        Ok(text)
    }

    /// `:60F:C261001IDR1500000,00`.
    fn balance(&self, column: &'static str) -> Result<Balance, CellFault> {
        let text = self.text()?;
        let wrong = || (column, format!("`{}` is no balance such as C261001IDR1500000,00", shown(text.trim(), &[])));
        let (sign, rest) = signed(text.trim()).ok_or_else(wrong)?;
        let (currency, amount) = rest.get(6..9).zip(rest.get(9..)).ok_or_else(wrong)?;
        let amount = whole_rupiah(amount).filter(|_| date(rest).is_some()).ok_or_else(wrong)?;
        Ok(Balance { currency: currency.to_owned(), amount: i128::from(sign).saturating_mul(amount.into()) })
    }

    /// `:61:2610091009CR144450,00NTRFB-1009//20261009001`, and the text of the field after it.
    fn line(&self, about: Option<&Field<'_>>) -> Result<BankLine, CellFault> {
        let text = self.lines.first().and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
        let on = date(text).ok_or_else(|| ("date", format!("`{}` does not begin with a day such as 261009", shown(text, &[]))))?;
        let rest = text.get(6..).unwrap_or_default();
        let rest = rest.get(4..).filter(|_| digits(rest).len() >= 4).unwrap_or(rest);
        let wrong = || ("direction", format!("`{}` is none of C, D, RC, RD", shown(rest.get(..2).unwrap_or(rest), &[])));
        let (sign, rest) = signed(rest).ok_or_else(wrong)?;
        // The currency's third letter may stand before the amount.
        let rest = rest.strip_prefix(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(rest);
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | '.')).unwrap_or(rest.len());
        let (amount, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let amount = whole_rupiah(amount)
            .ok_or_else(|| ("amount", format!("`{}` is no whole number of rupiah such as 144450,00", shown(amount, &[]))))?;
        if amount == 0 {
            return Err(("amount", "nothing moves: it is zero".to_owned()));
        }
        // Four characters say what kind of transfer it is; then come the references.
        let (ours, theirs) = rest.get(4..).map(|rest| rest.split_once("//").unwrap_or((rest, ""))).unwrap_or_default();
        let ours = if ours.trim() == NO_REFERENCE { "" } else { ours };
        let more = Field { place: self.place, tag: self.tag, lines: self.lines.get(1..).unwrap_or_default().to_vec() }.text()?;
        let said = about.map_or_else(|| Ok(String::new()), Field::text)?;
        let text = [said.as_str(), ours, theirs, more.as_str()].join(" ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(BankLine { place: self.place, on, amount: sign.saturating_mul(amount), text, account: None, occurrence: 0 })
    }
}

/// Which way money goes, seen from the account's holder; what is taken back goes the other way.
fn signed(text: &str) -> Option<(i64, &str)> {
    [("RC", -1), ("RD", 1), ("C", 1), ("D", -1)].into_iter().find_map(|(mark, sign)| Some((sign, text.strip_prefix(mark)?)))
}

/// The day that six digits are.
fn date(text: &str) -> Option<Date> {
    let number = |range| text.get(range).filter(|part: &&str| digits(part).len() == 2)?.parse::<i8>().ok();
    let (year, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    Date::new(i16::from(year).checked_add(2000)?, month, day).ok()
}

fn digits(text: &str) -> &str {
    text.get(..text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len())).unwrap_or_default()
}

/// Whole rupiah: a comma (some banks: a point) and at most two zeros may follow, and no separators stand between.
fn whole_rupiah(text: &str) -> Option<i64> {
    let (whole, cents) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_whole = (1..=super::DIGITS_MAX).contains(&whole.len()) && digits(whole) == whole && matches!(cents, "" | "0" | "00");
    whole.parse().ok().filter(|_| is_whole)
}
