//! Codes of what DOKU answered: E04xx.

use crate::domain::code::Code;

/// HTTP 400 or 422.
pub const VALIDATION: Code = Code::new(
    "E0401",
    "DOKU refused the request's content",
    "DOKU answered 400 or 422: a field is not what it accepts. The operation was not carried out and is not sent again while the row stays as it is.",
    "Read DOKU's words in the reason column, correct the row and run the same command again.",
);
/// HTTP 404 on a mutating call.
pub const NOT_FOUND: Code = Code::new(
    "E0402",
    "DOKU does not know the path or the code",
    "DOKU answered 404 to a mutating call. If every row gets it, a path in `doku.paths` is wrong; if one row gets it, DOKU does not know that code.",
    "Check `doku.paths` and `doku.base_url`; look the invoice up with `tagih why`.",
);
/// HTTP 409 with an error body.
pub const DUPLICATE: Code = Code::new(
    "E0403",
    "DOKU already has an order with this invoice number",
    "DOKU answered 409 with an error instead of a replayed success: the invoice number was used before by a request this ledger does not hold.",
    "If the code was made elsewhere, adopt it with `tagih ledger import`; otherwise bill under a new invoice number.",
);
/// Any other 4xx.
pub const OTHER: Code = Code::new(
    "E0404",
    "DOKU refused the request",
    "DOKU answered with a 4xx status that documents nothing further. The operation was not carried out.",
    "Read DOKU's words in the reason column.",
);
/// 401, or a message about signature, client or timestamp.
pub const CREDENTIALS: Code = Code::new(
    "E0405",
    "DOKU refused our credentials or signature",
    "Every further request would be refused alike, so the run stopped at once (exit 4). Nothing was carried out.",
    "Check `doku.client_id`, the secret and its environment, and this machine's clock (NTP); then run the same command again.",
);
/// 403.
pub const CHANNEL_CLOSED: Code = Code::new(
    "E0406",
    "DOKU refused the channel",
    "DOKU answered 403: the merchant account may not use this channel. The other channels went on.",
    "Ask DOKU to activate the channel, then run the same command again.",
);
/// Every code of this module.
pub const ALL: &[Code] = &[VALIDATION, NOT_FOUND, DUPLICATE, OTHER, CREDENTIALS, CHANNEL_CLOSED];
