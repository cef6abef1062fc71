//! What a line tells of a payment, as bytes that can be put aside: all that says which payment it is of and what that is. Not where it stands,
//! which bill is meant, and why something was left out of it.

use super::{Class, Line, Lines, Marks, NO_BILL};
use crate::domain::channel::Channel;

impl Lines {
    /// Appends what `line`, one of these of no known bill, tells.
    pub fn put_told(&self, line: &Line, bytes: &mut Vec<u8>) {
        let Line { digest, identity, paid_at_us, received_at_us, amount, moment, request_key, content_key, body_key, .. } = line;
        let [paid_at_us, received_at_us] = [paid_at_us, received_at_us].map(|at| at.cast_unsigned());
        bytes.extend_from_slice(digest);
        bytes.extend_from_slice(identity);
        for number in [paid_at_us, received_at_us, *amount, *moment, *request_key] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for key in [content_key, body_key] {
            bytes.extend_from_slice(&key.to_be_bytes());
        }
        let channel = Channel::ALL.iter().position(|channel| *channel == line.channel).and_then(|place| u8::try_from(place).ok());
        let Marks(marks) = line.marks;
        bytes.extend_from_slice(&[line.class.index(), channel.unwrap_or_default(), marks, line.invoice_length, line.code_length]);
        let (number, code) = self.texts(line);
        bytes.extend_from_slice(number.as_bytes());
        bytes.extend_from_slice(code.as_bytes());
        if line.marks.has(Marks::EVENED) {
            bytes.extend_from_slice(&self.canonical(line));
        }
    }

    /// Adds a line of what one told; nothing, and `None`, of bytes that are not as they were put.
    pub fn take_told(&mut self, mut bytes: &[u8]) -> Option<()> {
        let (digest, identity) = (*taken(&mut bytes)?, *taken(&mut bytes)?);
        let mut number = || Some(u64::from_be_bytes(*taken(&mut bytes)?));
        let [paid_at_us, received_at_us, amount, moment, request_key] = [number()?, number()?, number()?, number()?, number()?];
        let mut key = || Some(u32::from_be_bytes(*taken(&mut bytes)?));
        let (content_key, body_key) = (key()?, key()?);
        let [class, channel, marks, invoice_length, code_length] = *taken(&mut bytes)?;
        let class = Class::all().find(|known| known.index() == class)?;
        let text_at = self.put_texts(bytes);
        self.put(Line {
            text_at,
            paid_at_us: paid_at_us.cast_signed(),
            received_at_us: received_at_us.cast_signed(),
            identity,
            amount,
            moment,
            request_key,
            content_key,
            body_key,
            bill: NO_BILL,
            invoice_length,
            code_length,
            channel: *Channel::ALL.get(usize::from(channel))?,
            marks: Marks(marks),
            ..Line::of_class(class, digest)
        });
        Some(())
    }
}

fn taken<'b, const LENGTH: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; LENGTH]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::store::Stores;

    #[test]
    fn a_line_that_was_put_aside_tells_what_it_told() {
        let lengths = |line: Line| Line { invoice_length: 5, code_length: 4, ..line };
        let first = Line { paid_at_us: -7, amount: 150_000, moment: 9, request_key: 3, ..Line::of_class(Class::N00, [1; 32]) };
        let second = Line {
            identity: [2; 32],
            received_at_us: 11,
            content_key: 4,
            body_key: 5,
            channel: Channel::Indomaret,
            marks: Marks::EVENED.and(Marks::VERIFIED, true),
            text_at: 9,
            ..Line::of_class(Class::N09, [3; 32])
        };
        let (mut lines, mut again) = (Lines::default(), Lines::default());
        let texts = [&b"INV-10100INV-20200"[..], &[7; 32]].concat();
        lines.append(vec![lengths(first), lengths(second)], &texts, &Stores::default());
        for (_, line) in lines.iter() {
            let mut bytes = Vec::new();
            lines.put_told(line, &mut bytes);
            assert_eq!(again.take_told(&bytes[..100]), None);
            again.take_told(&bytes).unwrap();
        }
        let shown = |lines: &Lines| -> Vec<String> {
            lines.iter().map(|(_, line)| format!("{:?} {:?} {:?}", line, lines.texts(line), lines.canonical(line))).collect()
        };
        assert_eq!(shown(&again), shown(&lines));
        assert_eq!(again.canonical(again.get(1).unwrap()), [7; 32]);
    }
}
