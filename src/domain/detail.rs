//! What can be said of a line that got no further: a list of sentences and of names of fields.

/// Why a line got no further; index into a fixed list, so that a record stays small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detail(u8);

impl Detail {
    /// Nothing to say.
    pub const NONE: Self = Self(0);

    /// None comes after it.
    pub const LAST: Self = Self(u8::MAX);

    /// What can be said.
    pub const TEXTS: [&'static str; 37] = [
        "",
        "the line is longer than 1 MiB",
        "the line is not UTF-8",
        "the line is not a JSON object",
        "there is no body",
        "`Client-Id` is not ours",
        "`Client-Id` is missing",
        "`Request-Id` is missing",
        "`Request-Timestamp` is missing",
        "`Signature` is missing",
        "the target is missing",
        "no key is configured",
        "the body stands without headers",
        "body",
        "service.id",
        "acquirer.id",
        "channel.id",
        "transaction.status",
        "transaction.date",
        "order.invoice_number",
        "order.amount",
        "online_to_offline_info.payment_code",
        "the body is an object, not the text that was signed: log the bytes as they were received",
        "the signature does not match the bytes received; they may have been written anew by a database that keeps JSON as JSON (jsonb)",
        "a double quote of the row is open or stands inside a cell: double every quote in a quoted cell",
        "the row escapes its quotes with backslashes: export it with every quote doubled, as in \"{\"\"service\"\": …\"",
        "the body holds the delimiter and is not quoted: quote every cell on export",
        "the row has another number of cells than the header",
        "the row stands above the header of its table",
        "`headers` is neither a JSON object nor lines of `Name: value`",
        "the body was cut off at 32,767 characters, as a spreadsheet does: export it without one",
        "an id is stored as a number, which a spreadsheet rounds: keep it as text",
        "`received_at` is a time without an offset: set `notifications.received_at_offset`, such as \"+07:00\" for WIB",
        "`received_at` is no time as 2026-10-31T17:00:00+07:00: set `notifications.date_format`",
        "`received_at` is no time that can be read, such as 2026-10-31T17:00:00+07:00",
        "order.currency",
        "online_to_offline_payment.identifier",
    ];

    /// The detail with this text; none for a text outside the list.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let place = Self::TEXTS.iter().position(|&known| known == text);
        Self(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0))
    }

    /// Its text; empty when there is nothing to say.
    #[must_use]
    pub fn text(self) -> &'static str {
        Self::TEXTS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}
