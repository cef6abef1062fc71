//! Fields one behind the other, as rows are kept while a command works on them. Never leaves the process.
//!
//! Belongs here: how texts and numbers become bytes, and come back. Must not be here: which fields something has.

/// Stands for the length of a text that is not there.
const ABSENT: u32 = u32::MAX;

/// Puts a text behind what is there.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(ABSENT, |text| u32::try_from(text.len()).unwrap_or(ABSENT));
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
}

/// Puts a yes or no behind what is there.
pub(super) fn put_flag(bytes: &mut Vec<u8>, flag: bool) {
    bytes.push(flag.into());
}

/// Puts a number behind what is there.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// Puts a number that may be large or negative behind what is there.
pub(super) fn put_wide(bytes: &mut Vec<u8>, number: i128) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// Gives fields back in their order. Whether the bytes were as they were put is known at the [`Fields::end`].
pub(super) struct Fields<'b> {
    rest: &'b [u8],
    is_wrong: bool,
}

impl<'b> Fields<'b> {
    pub(super) const fn of(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, is_wrong: false }
    }

    /// Whether there are no more.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn taken<const N: usize>(&mut self) -> [u8; N] {
        let Some((first, rest)) = self.rest.split_first_chunk::<N>() else {
            self.is_wrong = true;
            return [0; N];
        };
        self.rest = rest;
        *first
    }

    /// A text, if it was there.
    pub(super) fn text(&mut self) -> Option<&'b str> {
        let length = u32::from_be_bytes(self.taken());
        if length == ABSENT {
            return None;
        }
        let parts = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let text = parts.and_then(|(text, rest)| {
            self.rest = rest;
            str::from_utf8(text).ok()
        });
        self.is_wrong |= text.is_none();
        text
    }

    /// A text as `read` understands it, if it was there.
    pub(super) fn parsed<T>(&mut self, read: impl FnOnce(&'b str) -> Option<T>) -> Option<T> {
        let text = self.text()?;
        let read = read(text);
        self.is_wrong |= read.is_none();
        read
    }

    /// A text of its own, if it was there.
    pub(super) fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// A yes or no.
    pub(super) fn flag(&mut self) -> bool {
        let [flag] = self.taken::<1>();
        self.is_wrong |= flag > 1;
        flag == 1
    }

    /// A number.
    pub(super) fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.taken())
    }

    /// A number that may be large or negative.
    pub(super) fn wide(&mut self) -> i128 {
        i128::from_be_bytes(self.taken())
    }

    /// What was read, if all was as it was put and nothing is left over.
    pub(super) fn end<T>(&self, read: T) -> Option<T> {
        (self.is_at_end() && !self.is_wrong).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were_put_and_anything_else_is_noticed() {
        let mut bytes = Vec::new();
        for text in [Some("Siti"), None, Some("")] {
            put_text(&mut bytes, text);
        }
        put_number(&mut bytes, 7);
        put_wide(&mut bytes, -8);
        let read = |bytes: &[u8]| {
            let mut fields = Fields::of(bytes);
            let read = (fields.string(), fields.string(), fields.string(), fields.number(), fields.wide());
            fields.end(read)
        };
        assert_eq!(read(&bytes), Some((Some("Siti".to_owned()), None, Some(String::new()), 7, -8)));
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(read(&[&bytes[..], b"x"].concat()), None);
    }
}
