//! What browsers send without scripts: queries and forms in `application/x-www-form-urlencoded`.

/// Names and values in order; a value may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=1&b=two+words`; a broken escape stands for itself.
    pub(super) fn read(text: &str) -> Self {
        let one = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |part: &str| percent_decoded(&part.replace('+', " "));
            (plain(name), plain(value))
        };
        Self(text.split('&').filter(|pair| !pair.is_empty()).map(one).collect())
    }

    /// The query of a path.
    pub(super) fn of_query(path: &str) -> Self {
        Self::read(path.split_once('?').map_or("", |(_, query)| query))
    }

    /// The first value called `name`, without surrounding blanks; `None` when it is missing or blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Every value called `name` that is not blank.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// `%20` and the like as the bytes they stand for; a broken escape stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text` as part of a path or query.
pub(super) fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = Form::read("payment_code=6059+0390%200389&note=%3Cb%3E%26&quirk=a&quirk=b&empty=&broken=%zz");
        assert_eq!(form.get("payment_code"), Some("6059 0390 0389"));
        assert_eq!(form.get("note"), Some("<b>&"));
        assert_eq!(form.all("quirk").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.get("empty"), form.get("missing"), form.get("broken")), (None, None, Some("%zz")));
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for text in ["INV/2026 10+1", "ä&=?#%", "plain-._~9"] {
            assert_eq!(percent_decoded(&percent_encoded(text)), text);
        }
    }
}
