//! An address on the web that every client takes for the same: scheme, host, port and path, and nothing else.
//!
//! URLs have many spellings, and whoever compares texts is deceived by one of them: a name before an `@`, percent signs, full-width
//! letters, backslashes, tabs. So a URL counts only if the parser, which decides where a request goes, would write it the same.

use url::Url;

/// An `http` or `https` URL in the one spelling that is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

impl Address {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong, in words that continue "the URL: "; what might be a password is never among them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("it is no URL ({error})"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it begins with neither https:// nor http://".into());
        }
        if text.contains('@') {
            return Err("it has a name or a password before an `@`".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it has a query (`?`) or a fragment (`#`)".into());
        }
        // The parser writes the path of a bare host, which nobody does.
        if ![text, &format!("{text}/")].contains(&url.as_str()) {
            return Err(format!("a client takes it for `{url}`; write it so if that is what is meant"));
        }
        let address = Self { url };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
        if address.host().ends_with('.') || !address.host().bytes().all(is_plain) {
            return Err("its host ends with a dot or has other signs than letters, digits, `-`, `.` and `_`".into());
        }
        Ok(address)
    }

    /// Whether it begins with `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Its host alone; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Its host, with the port where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        self.url.port().map_or_else(|| self.host().to_owned(), |port| format!("{}:{port}", self.host()))
    }

    /// Whether it leads to this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        matches!(self.host(), "127.0.0.1" | "localhost" | "[::1]")
    }

    /// Its path, `/` for a bare host.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling_and_every_other_is_refused() {
        for (text, authority, path) in [
            ("https://api.doku.com", "api.doku.com", "/"),
            ("https://api.doku.com:8443/a/b", "api.doku.com:8443", "/a/b"),
            ("http://127.0.0.1:8086", "127.0.0.1:8086", "/"),
            ("http://[::1]:9/n", "[::1]:9", "/n"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.authority().as_str(), address.path()), (authority, path), "{text}");
        }
        for text in [
            "https://x@api.doku.com",
            "https://x:y@api.doku.com",
            "https://api.doku.com@evil.example",
            "http://127.0.0.1:80@127.0.0.2:1",
            "https://api.doku.com.",
            "https://api.doku.com..",
            "https://%61pi.doku.com",
            "https://\u{ff41}pi.doku.com",
            "https://api\u{3002}doku.com",
            "https:///api.doku.com",
            "https:/api.doku.com",
            "https:api.doku.com",
            "https:\\\\api.doku.com",
            "https://api.doku.com\\@evil",
            "https://api.doku.com\\x",
            "https://API.doku.com",
            "HTTPS://api.doku.com",
            "https://api.doku.com:443",
            "https://api.doku.com:",
            "https://api.doku.com?x",
            "https://api.doku.com?",
            "https://api.doku.com#x",
            "https://api.doku.com#",
            " https://api.doku.com",
            "https://api.doku.com ",
            "https://\tapi.doku.com",
            "https://ap\ti.doku.com",
            "https://api.doku.com\n",
            "https://api\u{ad}.doku.com",
            "https://api.doku\u{200b}.com",
            "https://api.doku.com/a/../b",
            "http://0x7f.1:8",
            "http://2130706433:8",
            "http://[::1].evil.com:3",
            "https://pay.example.com:evil.com/n",
            "https://*.doku.com",
            "ftp://api.doku.com",
            "api.doku.com",
            "",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        let told = Address::parse("https://merchant:SK-secret@api.doku.com").unwrap_err();
        assert!(!told.contains("SK-secret"), "{told}");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, is_loopback) in [
            ("http://127.0.0.1:1", true),
            ("https://localhost", true),
            ("http://[::1]:8", true),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.2", false),
            ("http://0.0.0.0:8", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_loopback(), is_loopback, "{text}");
        }
    }
}
