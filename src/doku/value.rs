//! The values in DOKU's messages: fields out of objects, and text and amounts out of fields. Money never passes through a float.
//!
//! Belongs here: how a JSON value becomes a code, a text or whole rupiah. Must not be here: which field of which message is
//! mandatory. DOKU's own pages and samples disagree about types (API reference, section 12: quirks 5, 6 and 30), so a value is
//! taken as it is written, and a value of another type is no value: it never makes the message around it unreadable.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::amount::{Amount, AmountError};

/// A field as it is written; none if it is missing or `null`.
pub type Raw<'a> = Option<&'a RawValue>;

/// Why a value is no amount of rupiah.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// `true`, `null`, an object or an array.
    #[error("the amount is neither a number nor a text")]
    OtherType,
    /// A separator of thousands, a sign, a space, a currency, or any other character.
    #[error("the amount must be digits, at most with one decimal point and an exponent")]
    NotDecimal,
    /// Sen, or three and more decimals: `150.000` may be a hundred and fifty thousand, so it is nothing.
    #[error("the amount must be whole rupiah, with at most two decimals written")]
    Fraction,
    /// Zero, or more than 12 digits.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// The named fields of the object that `json` is, in the order of `names`; none if it is no JSON object.
///
/// Whatever else the object holds is passed over, however deep and however large its numbers. A name that stands twice with
/// two values says nothing: its field reads as one of another type, not as either value.
#[must_use]
pub fn fields<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Option<[Raw<'a>; N]> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Fields(&names)).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// The named fields of an object inside a message; each none if the section is missing or no object.
#[must_use]
pub fn section<'a, const N: usize>(raw: Raw<'a>, names: [&str; N]) -> [Raw<'a>; N] {
    raw.and_then(|raw| fields(raw.get(), names)).unwrap_or([None; N])
}

/// The fields of an object by their paths, such as `order.amount`: as [`fields`] and then [`section`] have them, but for a message
/// of the usual shape in one pass. Paths into one section stand together.
#[must_use]
pub fn paths<'a, const N: usize>(json: &'a str, paths: [&str; N]) -> Option<[Raw<'a>; N]> {
    let mut found = [None; N];
    let mut reader = serde_json::Deserializer::from_str(json);
    let is_usual = Level { paths: &paths, begin: 0, found: &mut found }.deserialize(&mut reader).is_ok() && reader.end().is_ok();
    if is_usual {
        return Some(found);
    }
    fields(json, [])?;
    Some(paths.map(|path| match path.split_once('.') {
        Some((outer, inner)) => {
            let [outer] = fields(json, [outer]).unwrap_or_default();
            let [inner] = section(outer, [inner]);
            inner
        }
        None => fields(json, [path]).and_then(|[field]| field),
    }))
}

/// The text of a JSON string, or the digits of an integer literal: codes, invoice numbers and compact dates come as either.
#[must_use]
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let written = raw.get();
    if written.bytes().all(|byte| byte.is_ascii_digit()) { Some(Cow::Borrowed(written)) } else { string(raw) }
}

/// The text of a JSON string; nothing else has one.
#[must_use]
pub fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// The text of a JSON string, or a JSON number as it is written, whatever number it is: for showing, and for identifiers.
#[must_use]
pub fn written(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first()? {
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => string(raw),
    }
}

/// The text of a field that may be missing, as `read` ([`text`], [`string`]) has it. One of another type is dropped, and its
/// `path` noted.
pub fn optional<'a>(
    raw: Raw<'a>,
    path: &'static str,
    read: impl Fn(&'a RawValue) -> Option<Cow<'a, str>>,
    notes: &mut Vec<&'static str>,
) -> Option<Cow<'a, str>> {
    let read = read(raw?);
    if read.is_none() {
        notes.push(path);
    }
    read
}

/// The rupiah of a JSON number or string, by [`decimal`].
pub fn amount(raw: &RawValue) -> Result<Amount, Unusable> {
    match raw.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => decimal(raw.get()),
        Some(b'"') => decimal(&string(raw).ok_or(Unusable::NotDecimal)?),
        _ => Err(Unusable::OtherType),
    }
}

/// The whole rupiah a decimal number stands for, exactly: `150000`, `150000.0`, `150000.00`, `1.5E5`, `1.5e+5`.
///
/// At most two decimals, and zeros, is meant of the plain form: what an exponent moves before the point are no decimals, so `1.2345678E7`
/// is 12345678 and `1.50E1` is 15, while `150.000E0` is nothing. It has no sign and no separators.
pub fn decimal(written: &str) -> Result<Amount, Unusable> {
    let (mantissa, exponent) = match written.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, power_of_ten(exponent)?),
        None => (written, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(Unusable::NotDecimal),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(Unusable::NotDecimal);
    }
    let length = |digits: &str| i64::try_from(digits.len()).map_err(|_| Unusable::NotDecimal);
    let decimals = length(fraction)?.saturating_sub(exponent);
    if decimals > DECIMALS_MAX {
        return Err(Unusable::Fraction);
    }
    let mut rupiah: u64 = 0;
    // Digits still to come before the decimal point.
    let mut whole_digits = length(whole)?.saturating_add(exponent);
    for digit in whole.bytes().chain(fraction.bytes()).map(|byte| u64::from(byte.wrapping_sub(b'0'))) {
        if whole_digits > 0 {
            rupiah = ten_times(rupiah, digit)?;
        } else if digit != 0 {
            return Err(Unusable::Fraction);
        }
        whole_digits = whole_digits.saturating_sub(1);
    }
    // What the exponent adds behind the last digit; nothing becomes of zero, however large it is.
    while whole_digits > 0 && rupiah > 0 {
        rupiah = ten_times(rupiah, 0)?;
        whole_digits = whole_digits.saturating_sub(1);
    }
    Ok(Amount::new(rupiah)?)
}

/// `150000.00` is how programs write rupiah; a third decimal may as well be the last digit of thousands.
const DECIMALS_MAX: i64 = 2;

fn ten_times(rupiah: u64, digit: u64) -> Result<u64, AmountError> {
    let next = rupiah.checked_mul(10).and_then(|tens| tens.checked_add(digit));
    next.filter(|&next| next <= Amount::MAX).ok_or(AmountError::TooLarge)
}

/// An exponent beyond any amount is as good as the largest one.
fn power_of_ten(written: &str) -> Result<i64, Unusable> {
    let (negative, digits) = match written.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, written.strip_prefix('+').unwrap_or(written)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unusable::NotDecimal);
    }
    let power = digits.parse::<i32>().map_or(i64::from(i32::MAX), i64::from);
    Ok(if negative { power.saturating_neg() } else { power })
}

struct Fields<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Raw<'de>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut found: Self::Value = [None; N];
        while let Some(named) = object.next_key_seed(Name(self.0))? {
            let Some(field) = named.and_then(|at| found.get_mut(at)) else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = object.next_value::<&RawValue>()?;
            if value.get() == RawValue::NULL.get() {
                continue;
            }
            // What says two things says neither: `null` among the found stands for that, and no reader takes it.
            *field = match *field {
                Some(before) if before.get() != value.get() => Some(RawValue::NULL),
                _ => Some(value),
            };
        }
        Ok(found)
    }
}

/// Which of the wanted names a key is; as bytes, for a key need not even be valid Unicode.
struct Name<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.as_bytes() == key))
    }
}

/// One object of a message of the usual shape: every section an object, every wanted field there once.
struct Level<'p, 'f, 'a> {
    paths: &'p [&'p str],
    /// Where this object's names begin in its paths.
    begin: usize,
    found: &'f mut [Raw<'a>],
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<(), D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { paths, begin, found } = self;
        // A bit for each name, by the first of its paths.
        let mut seen = 0_u64;
        while let Some(step) = object.next_key_seed(Step { paths, begin })? {
            let Some((range, end)) = step else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let bit = u32::try_from(range.start).ok().and_then(|first| 1_u64.checked_shl(first));
            let Some(bit) = bit.filter(|bit| seen & bit == 0) else {
                return Err(A::Error::custom("a name stands twice, or is one too many"));
            };
            seen |= bit;
            let (paths, found) = (paths.get(range.clone()).unwrap_or_default(), found.get_mut(range).unwrap_or_default());
            match (paths, found) {
                ([path], [field]) if path.len() == end => {
                    *field = Some(object.next_value::<&RawValue>()?).filter(|value| value.get() != RawValue::NULL.get());
                }
                (paths, found) => object.next_value_seed(Level { paths, begin: end.saturating_add(1), found })?,
            }
        }
        Ok(())
    }
}

/// Which paths a key leads to, and where it ends in them.
struct Step<'p> {
    paths: &'p [&'p str],
    begin: usize,
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = Option<(Range<usize>, usize)>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Step<'_> {
    type Value = Option<(Range<usize>, usize)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        let leads_to = |path: &&str| {
            let rest = path.as_bytes().get(self.begin..).and_then(|rest| rest.strip_prefix(key));
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'.'))) && !key.contains(&b'.')
        };
        let Some(first) = self.paths.iter().position(leads_to) else { return Ok(None) };
        let count = self.paths.iter().skip(first).take_while(|path| leads_to(path)).count();
        Ok(Some((first..first.saturating_add(count), self.begin.saturating_add(key.len()))))
    }
}

#[cfg(test)]
mod tests;
