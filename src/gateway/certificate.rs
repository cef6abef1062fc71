//! How long a server's certificate is valid. Whether it is to be trusted, TLS has decided before.

use jiff::Timestamp;

/// ASN.1's tags of what is walked over on the way to the dates.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The instant after which a certificate (X.509 in DER, RFC 5280 section 4.1) is no longer valid; `None` for what is none.
#[must_use]
pub(super) fn ends_at(certificate: &[u8]) -> Option<Timestamp> {
    let mut whole = Fields(Fields(certificate).next(SEQUENCE)?);
    let mut signed = Fields(whole.next(SEQUENCE)?);
    if signed.tag() == Some(VERSION) {
        signed.next(VERSION)?;
    }
    // Serial number, algorithm of the signature, issuer.
    for _ in 0..3 {
        signed.next(signed.tag()?)?;
    }
    let mut validity = Fields(signed.next(SEQUENCE)?);
    validity.next(validity.tag()?)?;
    let tag = validity.tag()?;
    time(tag, std::str::from_utf8(validity.next(tag)?).ok()?)
}

/// Fields that follow one another.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next field, which must have this tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(usize::from(byte)))?, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` after.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let full = match tag {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| full.get(from..to);
    let (date, clock) = ((part(0, 4)?, part(4, 6)?, part(6, 8)?), (part(8, 10)?, part(10, 12)?, part(12, 14)?));
    (part(14, 15)? == "Z").then_some(())?;
    format!("{}-{}-{}T{}:{}:{}Z", date.0, date.1, date.2, clock.0, clock.1, clock.2).parse().ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    /// Made for this test alone (`openssl req -x509 -newkey ec`), with nothing of anybody's in it.
    const CERTIFICATE: &str = include_str!("certificate.pem");

    fn der() -> Vec<u8> {
        let text: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_and_no_bytes_whatever_stop_the_reader() {
        let der = der();
        assert_eq!(ends_at(&der).unwrap().to_string(), "2031-01-07T10:49:42Z");
        for end in 0..der.len().min(120) {
            assert_eq!(ends_at(&der[..end]), None, "cut after {end} bytes");
        }
        for at in 0..der.len().min(200) {
            let mut broken = der.clone();
            broken[at] ^= 0xff;
            drop(ends_at(&broken).map(|end| end.to_string()));
        }
        assert_eq!(ends_at(&[0x30, 0xff, 1]), None);
    }

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        assert_eq!(time(UTC_TIME, "310203040506Z").unwrap().to_string(), "2031-02-03T04:05:06Z");
        assert_eq!(time(UTC_TIME, "990203040506Z").unwrap().to_string(), "1999-02-03T04:05:06Z");
        assert_eq!(time(GENERALIZED_TIME, "20500203040506Z").unwrap().to_string(), "2050-02-03T04:05:06Z");
        for (tag, text) in [(UTC_TIME, "3102030405Z"), (UTC_TIME, "é10203040506Z"), (0x02, "310203040506Z"), (UTC_TIME, "")] {
            assert_eq!(time(tag, text), None, "{text}");
        }
    }
}
