//! Codes of what DOKU answered: E04xx.

use crate::domain::code::StableCode;
use crate::domain::conclusion::AnswerSays;

/// HTTP 400 or 422.
pub const VALIDATION: StableCode = StableCode::new(
    "E0401",
    "DOKU refused the request's content",
    "DOKU answered 400 or 422 to a first attempt: a field is not what it accepts. The operation was not carried out and is not sent again while the row stays as it is. If the refusal bore no valid signature, Check Status is asked once before the invoice gets a new request id.",
    "Read DOKU's words in the reason column, correct the row and run the same command again.",
);
/// HTTP 404 on a mutating call.
pub const NOT_FOUND: StableCode = StableCode::new(
    "E0402",
    "DOKU does not know the path or the code",
    "DOKU answered 404, 405, 410 or 501 to a first attempt. If every row gets it, a path in `doku.paths` is wrong, and the run stops after 20 (exit 2); if one row gets it, DOKU does not know that code. It is not remembered against the row: the next run sends it.",
    "Check `doku.paths` and `doku.base_url`; look the invoice up with `tagih why`.",
);
/// HTTP 409 with an error body.
pub const DUPLICATE: StableCode = StableCode::new(
    "E0403",
    "DOKU already has an order with this invoice number",
    "DOKU answered 409 with an error instead of a replayed success: the invoice number was used before by a request this ledger does not hold.",
    "If the code was made elsewhere, adopt it with `tagih ledger import`; otherwise bill under a new invoice number.",
);
/// Any other 4xx.
pub const OTHER: StableCode = StableCode::new(
    "E0404",
    "DOKU refused the request",
    "DOKU answered with a 4xx status that documents nothing further. The operation was not carried out.",
    "Read DOKU's words in the reason column.",
);
/// 401, or a message about signature, client or timestamp.
pub const CREDENTIALS: StableCode = StableCode::new(
    "E0405",
    "DOKU refused our credentials or signature",
    "Three different operations in a row were refused so, or every operation that was answered, and the run stopped (exit 4). Nothing of them was carried out; what was in doubt stays in doubt.",
    "Check `doku.client_id`, the secret and its environment, and this machine's clock (NTP); then run the same command again.",
);
/// 403.
pub const CHANNEL_CLOSED: StableCode = StableCode::new(
    "E0406",
    "DOKU refused the channel",
    "DOKU answered 403: the merchant account may not use this channel. Its rows are deferred; after three in a row the channel was left alone for the rest of the run. The other channels went on.",
    "Ask DOKU to activate the channel, then run the same command again.",
);
/// A success whose code another bill holds.
pub const CODE_OF_ANOTHER: StableCode = StableCode::new(
    "E0407",
    "DOKU gave a payment code that another invoice holds",
    "DOKU answered with a success, and its code is live for another invoice of this ledger. Two invoices cannot share a code, so nothing was handed out for this one; it stays in doubt, and the other keeps the code.",
    "Ask DOKU which order the code belongs to; then end the doubt with `tagih resolve`, or cancel the other invoice and run the same command again.",
);
/// Every code of this module.
pub const ALL: &[StableCode] = &[VALIDATION, NOT_FOUND, DUPLICATE, OTHER, CREDENTIALS, CHANNEL_CLOSED, CODE_OF_ANOTHER];

/// The code of a refusal that says so with this HTTP status.
#[must_use]
pub const fn of(says: AnswerSays, status: u16) -> StableCode {
    match says {
        AnswerSays::Duplicate | AnswerSays::Repeated => DUPLICATE,
        AnswerSays::NoSuchPath => NOT_FOUND,
        AnswerSays::Credentials => CREDENTIALS,
        AnswerSays::ChannelClosed => CHANNEL_CLOSED,
        AnswerSays::Refused if status == 400 || status == 422 => VALIDATION,
        AnswerSays::Refused | AnswerSays::Success | AnswerSays::Throttled | AnswerSays::Unclear => OTHER,
    }
}
