//! MT940, the statement that SWIFT defines and banks send to companies: messages of tagged fields → lines.
//!
//! A message states what the account held before and after its lines, so that a statement which was cut off, or of which a line could not be
//! read, does not pass for a whole one.

use jiff::civil::Date;

use super::statement::{CellFault, DIGITS_MAX, Moved, Standing, Statement, Told};
use crate::domain::digest::{self, Digest};
use crate::domain::personal::shown;
use crate::domain::reason::ForeignByte;
use crate::domain::settlement::RowPlace;
use crate::domain::statement_text::StatementText;

/// The only currency there is here.
const RUPIAH: &str = "IDR";
/// Others, to be named in a message.
const CURRENCIES: [&str; 8] = ["USD", "SGD", "EUR", "JPY", "CNY", "AUD", "MYR", "HKD"];
/// Sen in a rupiah. Accounts have them, of interest and taxes; what DOKU pays has none.
const SEN: i128 = 100;
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
            b"28C" | b"28" => String::from_utf8_lossy(&field.lines.concat()).trim().clone_into(&mut message.number),
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
    number: String,
    /// Where it says that it is a further page.
    goes_on_from: Option<RowPlace>,
    opened: Option<Result<Balance, CellFault>>,
    closed: Option<(RowPlace, Result<Balance, CellFault>)>,
    moved_sen: i128,
    is_partly_unread: bool,
    last: Option<RowPlace>,
    lines: Vec<Told>,
    digests: Vec<u8>,
}

struct Balance {
    currency: String,
    at: Standing,
}

impl Message {
    fn line(&mut self, field: &Field<'_>, about: Option<&Field<'_>>) {
        let account = Some(digest::of_bytes(&self.account));
        // What the account held before a line is known as long as all lines before it are.
        let opened = self.opened.as_ref().and_then(|opened| opened.as_ref().ok()).filter(|_| !self.is_partly_unread);
        let before = opened.map(|opened| opened.at.sen.saturating_add(self.moved_sen));
        let moved = self.in_rupiah().and_then(|()| field.moved());
        match &moved {
            Ok((_, sen)) => self.moved_sen = self.moved_sen.saturating_add(*sen),
            Err(_) => self.is_partly_unread = true,
        }
        let is_no_rupiah = moved.is_ok();
        let (text, fault) = match field.description(about) {
            Ok(text) => (text, None),
            Err(fault) => (StatementText::default(), Some(fault)),
        };
        let says = match fault {
            Some(fault) => Err(fault),
            None => moved.and_then(|(on, sen)| Ok(Moved { on, amount: whole_rupiah(sen)?, account, before })),
        };
        self.lines.push(Told { place: field.place, text, says, is_no_rupiah, is_heading: false });
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
        let amount = |balance: &Result<Balance, CellFault>| balance.as_ref().ok().map(|balance| balance.at);
        let opening = self.opened.as_ref().and_then(amount);
        let closing = self.closed.as_ref().and_then(|(_, closed)| amount(closed));
        let (place, says) = match (self.opened, self.closed) {
            (_, None) => (last, Err(("closing balance", "there is none (`:62F:`): the statement is cut off".to_owned()))),
            (None, Some((place, _))) => (place, Err(("opening balance", "there is none (`:60F:`)".to_owned()))),
            (Some(Err(fault)), Some((place, _))) | (Some(Ok(_)), Some((place, Err(fault)))) => (place, Err(fault)),
            (Some(Ok(opened)), Some((place, Ok(closed)))) => (place, self_consistent(&opened, self.moved_sen, &closed)),
        };
        // What could not be read is told already, and is why the rest does not add up.
        if let Err(fault) = says
            && !self.is_partly_unread
        {
            self.lines.push(Told { place, text: StatementText::default(), says: Err(fault), is_no_rupiah: false, is_heading: false });
        }
        let (account, digest) = (digest::of_bytes(&self.account), digest::of_bytes(&self.digests));
        tell(Statement { account, digest, goes_on_from: self.goes_on_from, number: self.number, opening, closing, lines: self.lines });
    }
}

fn self_consistent(opened: &Balance, moved_sen: i128, closed: &Balance) -> Result<(), CellFault> {
    let comes_to = opened.at.sen.saturating_add(moved_sen);
    if comes_to == closed.at.sen {
        return Ok(());
    }
    let (is, comes_to) = (in_rupiah(closed.at.sen), in_rupiah(comes_to));
    Err(("closing balance", format!("it is {is}, and the opening balance with all lines comes to {comes_to}")))
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

    /// Its lines; a bank breaks them by their length.
    fn text(&self) -> Result<String, CellFault> {
        let lines = self.lines.iter().map(|line| str::from_utf8(line).map_err(|_| ("description", ForeignByte::of(line).to_string())));
        Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    /// `:60F:C261001IDR1500000,00`.
    fn balance(&self, column: &'static str) -> Result<Balance, CellFault> {
        let text = self.text()?;
        let wrong = || (column, format!("`{}` is no balance such as C261001IDR1500000,00", shown(text.trim(), &[])));
        let (sign, rest) = signed(text.trim()).ok_or_else(wrong)?;
        let (currency, amount) = rest.get(6..9).zip(rest.get(9..)).ok_or_else(wrong)?;
        let (on, amount) = date(rest).zip(sen(amount)).ok_or_else(wrong)?;
        Ok(Balance { currency: currency.to_owned(), at: Standing { on, sen: sign.saturating_mul(amount) } })
    }

    /// `:61:2610091009CR144450,00NTRFB-1009//20261009001`: its day and what it moves, in sen.
    fn moved(&self) -> Result<(Date, i128), CellFault> {
        let text = self.first_line();
        let on = date(text).ok_or_else(|| ("date", format!("`{}` does not begin with a day such as 261009", shown(text, &[]))))?;
        let (marked, amount, _) = self.parts();
        let wrong = || ("direction", format!("`{}` is none of C, D, RC, RD", shown(marked.get(..2).unwrap_or(marked), &[])));
        let (sign, _) = signed(marked).ok_or_else(wrong)?;
        let moved = sen(amount).ok_or_else(|| ("amount", format!("`{}` is no number of rupiah such as 144450,00", shown(amount, &[]))))?;
        Ok((on, sign.saturating_mul(moved)))
    }

    /// The text of the field after it, and its own references.
    fn description(&self, about: Option<&Field<'_>>) -> Result<StatementText, CellFault> {
        let (_, _, rest) = self.parts();
        // Four characters say what kind of transfer it is; then come the references.
        let (ours, theirs) = rest.get(4..).map(|rest| rest.split_once("//").unwrap_or((rest, ""))).unwrap_or_default();
        let ours = if ours.trim() == NO_REFERENCE { "" } else { ours };
        let more = Field { place: self.place, tag: self.tag, lines: self.lines.get(1..).unwrap_or_default().to_vec() }.text()?;
        let said = about.map_or_else(|| Ok(String::new()), Field::text)?;
        Ok(StatementText::of(&[&said, ours, theirs, &more]))
    }

    fn first_line(&self) -> &str {
        self.lines.first().and_then(|line| str::from_utf8(line).ok()).unwrap_or_default()
    }

    /// The first line from its mark on, its amount, and what comes after that.
    fn parts(&self) -> (&str, &str, &str) {
        let rest = self.first_line().get(6..).unwrap_or_default();
        let marked = rest.get(4..).filter(|_| digits(rest).len() >= 4).unwrap_or(rest);
        let rest = signed(marked).map_or(marked, |(_, rest)| rest);
        // The currency's third letter may stand before the amount.
        let rest = rest.strip_prefix(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(rest);
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | '.')).unwrap_or(rest.len());
        let (amount, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        (marked, amount, rest)
    }
}

/// Which way money goes, seen from the account's holder; what is taken back goes the other way.
fn signed(text: &str) -> Option<(i128, &str)> {
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

/// An amount in sen: a comma (some banks: a point) and at most two digits may follow the rupiah, and no separators stand between.
fn sen(text: &str) -> Option<i128> {
    let (whole, cents) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_amount = (1..=DIGITS_MAX).contains(&whole.len()) && digits(whole) == whole && cents.len() <= 2 && digits(cents) == cents;
    let (whole, cents) = (whole.parse::<i128>().ok().filter(|_| is_amount)?, format!("{cents:0<2}").parse::<i128>().ok()?);
    Some(whole.saturating_mul(SEN).saturating_add(cents))
}

/// Books are kept in whole rupiah.
fn whole_rupiah(sen: i128) -> Result<i64, CellFault> {
    if sen == 0 {
        return Err(("amount", "nothing moves: it is zero".to_owned()));
    }
    let rupiah = (sen.checked_rem(SEN) == Some(0)).then(|| sen.checked_div(SEN).and_then(|rupiah| i64::try_from(rupiah).ok())).flatten();
    rupiah.ok_or_else(|| {
        let reason =
            format!("`{}` has sen, and books are kept in whole rupiah: if it is not DOKU's, `bank.filter` leaves it alone", in_rupiah(sen));
        ("amount", reason)
    })
}

/// As a statement writes it: `1500000`, `-12,50`.
pub(super) fn in_rupiah(sen: i128) -> String {
    let (sign, sen) = (if sen < 0 { "-" } else { "" }, sen.unsigned_abs());
    match (sen / SEN.unsigned_abs(), sen % SEN.unsigned_abs()) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, cents) => format!("{sign}{whole},{cents:02}"),
    }
}
