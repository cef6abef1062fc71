//! Codes of what planning refuses: E03xx.

use super::code::StableCode;

/// A change to a column that DOKU takes only when the code is issued.
pub const ISSUE_ONLY: StableCode = StableCode::new(
    "E0301",
    "this column cannot change on a live code",
    "DOKU's update call does not take the column, so the code would keep showing the old value at the counter.",
    "Cancel the invoice (`action=cancel`), then bill the new terms under a new invoice number; or put the old value back. What comes from the configuration (`[additional_info]`) counts as part of the row.",
);
/// A channel change of a live code.
pub const CHANNEL_CHANGE: StableCode = StableCode::new(
    "E0302",
    "the invoice is live at another channel",
    "One invoice belongs to one channel: a second code elsewhere could be paid too.",
    "Cancel it first, or bill the other channel as a second invoice with a common `bill_group`.",
);
/// An amendment or cancellation on a channel that documents none.
pub const CANNOT_AMEND: StableCode = StableCode::new(
    "E0303",
    "this channel documents no update and no cancellation",
    "DOKU's Indomaret page has no update call, and an undocumented one is never made. The code stays payable under its present terms until it expires, and the customer may still pay the old amount.",
    "Put the old values back and let the code expire, or ask DOKU to disable it by hand; then bill the new terms under a new invoice number. Keep expiries short on this channel.",
);
/// A name that PATCH does not take.
pub const NAME_TOO_LONG_TO_AMEND: StableCode = StableCode::new(
    "E0304",
    "the customer name is too long for an update",
    "DOKU takes 64 characters when a code is issued, but 40 when it is updated.",
    "Shorten the name to 40 characters and run the same command again.",
);
/// A merchant code that is live on another invoice.
pub const CODE_LIVE_ELSEWHERE: StableCode = StableCode::new(
    "E0305",
    "the payment code is live for another invoice",
    "One code is never live for two invoices: a payment could not be told apart.",
    "Cancel the other invoice in the same file (its cancellation goes first), or use another code. An invoice that is paid or past its expiry and grace frees its code by itself, once Check Status agrees.",
);
/// An expiry that has passed, or is less than a minute away.
pub const EXPIRY_PASSED: StableCode = StableCode::new(
    "E0306",
    "the expiry has passed",
    "Less than one whole minute remains until `expires_at`, so no counter could take the money.",
    "Set a later `expires_at`, or use `expiry_minutes`.",
);
/// Different terms for a cancelled invoice.
pub const CANCELLED_BEFORE: StableCode = StableCode::new(
    "E0307",
    "the invoice was cancelled",
    "DOKU keeps an invoice number for one order, so a cancelled invoice is not issued again.",
    "Bill the new terms under a new invoice number.",
);
/// A cancellation of what the ledger does not know.
pub const NOTHING_TO_CANCEL: StableCode = StableCode::new(
    "E0308",
    "the ledger holds no such invoice",
    "Only codes in the ledger can be cancelled; this invoice number was never issued or adopted here.",
    "Check the invoice number; if the code was made elsewhere, adopt it first with `tagih ledger import`.",
);
/// A cancellation of what is paid.
pub const PAID_BEFORE: StableCode = StableCode::new(
    "E0309",
    "the invoice is already paid",
    "A verified payment is in the ledger, so cancelling the code would change nothing.",
    "Refund or credit the payment; see `tagih why`.",
);
/// A suffixed number that does not fit.
pub const WIRE_NUMBER_TOO_LONG: StableCode = StableCode::new(
    "E0310",
    "the invoice number leaves no room for the re-issue suffix",
    "An expired bill is issued anew under its number with a suffix, and DOKU takes 64 characters.",
    "Shorten `plan.reissue_suffix`, or bill under a new invoice number.",
);
/// A name is needed for a cancellation, and none is kept.
pub const NAME_UNKNOWN: StableCode = StableCode::new(
    "E0311",
    "the customer's name is not known",
    "DOKU wants a name in a cancellation. The code was adopted without one, or the personal data was purged.",
    "Run `tagih issue` once with the bill's full row, or set `plan.cancel_name`.",
);

/// No code is left to give out.
pub const CODES_USED_UP: StableCode = StableCode::new(
    "E0312",
    "no payment code is left",
    "The row asks for a code of your own making and gives none, and every number of `merchant_code.template` has been given out.",
    "Raise `merchant_code.length`, use another prefix in `merchant_code.template`, or fill in `payment_code`.",
);

/// A number that DOKU knows another bill by.
pub const NUMBER_TAKEN: StableCode = StableCode::new(
    "E0313",
    "the invoice number belongs to another invoice's re-issue",
    "DOKU keeps a number for one order. Another invoice expired and was issued anew under its number with a suffix, and that is this number: a payment or a status answer could not be told apart. Nothing was sent and nothing recorded.",
    "Bill it under another invoice number, and set `plan.reissue_suffix` to something your own numbers never end with.",
);
/// A bill that waits for a person.
pub const HELD: StableCode = StableCode::new(
    "E0314",
    "the invoice is held",
    "DOKU told of money for this invoice that could not be understood: a SUCCESS, or a status nobody can read, with an unusable amount or date, or an amount other than the one that was asked for. Until a person has looked, its code is not changed, cancelled or issued anew, and inquiries about it are declined.",
    "Look at `tagih why INVOICE` and at DOKU's Back Office; then `tagih resolve INVOICE --as released --reason ...`.",
);

/// Every code of this module.
pub const ALL: &[StableCode] = &[
    ISSUE_ONLY,
    CHANNEL_CHANGE,
    CANNOT_AMEND,
    NAME_TOO_LONG_TO_AMEND,
    CODE_LIVE_ELSEWHERE,
    EXPIRY_PASSED,
    CANCELLED_BEFORE,
    NOTHING_TO_CANCEL,
    PAID_BEFORE,
    WIRE_NUMBER_TOO_LONG,
    NAME_UNKNOWN,
    CODES_USED_UP,
    NUMBER_TAKEN,
    HELD,
];
