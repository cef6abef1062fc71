//! The stable codes of refused rows (`E01xx`) and of files that the settings do not fit (`E0214` on): what `tagih explain` prints of them.
//!
//! Belongs here: one constant a kind of refusal. Must not be here: the rules that find them. A code is never given a new
//! meaning; one that falls out of use stays reserved (E0102: blank rows are skipped and counted).

use crate::domain::code::StableCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $($(#[$doc])* pub const $name: StableCode = StableCode::new($id, $title, $meaning, $remedy);)*

        /// Every code of this module, in order.
        pub const ALL: &[StableCode] = &[$($name),*];
    };
}

codes! {
    /// The row has more or fewer cells than the header.
    CELL_COUNT = "E0101", "wrong number of cells",
        "The row has more or fewer cells than the header, so no cell can be trusted to be in its column.",
        "Look for a delimiter inside a value: such a value must be in double quotes.";
    /// A mandatory cell is empty.
    CELL_EMPTY = "E0103", "mandatory cell empty",
        "The column must have a value in this row, and no default is configured for it.",
        "Fill in the cell, or set a default under `intake.defaults`.";
    /// A value spans lines.
    LINE_BREAK = "E0104", "line break inside a value",
        "The value spans several lines, and a counter's screen or receipt has one for it.",
        "Look at the line where the record starts: remove the line break.";
    /// A value holds a control character.
    CONTROL_CHARACTER = "E0105", "control character inside a value",
        "The value holds an invisible character (a tab, a null, an escape) that would reach the counter's screen or receipt.",
        "Retype the value.";
    /// A value is over the configured byte limit.
    CELL_TOO_LARGE = "E0106", "value too large",
        "The value has more bytes than `intake.limits.field_bytes_max`, far more than any field of DOKU takes.",
        "Look for a missing quote or delimiter; shorten the value.";
    /// The amount has separators, decimals, signs or currency.
    AMOUNT_FORMAT = "E0107", "amount not understood",
        "An amount is whole rupiah in digits only. `1.500` may mean one and a half or one thousand five hundred, so separators are refused unless a format is configured, and decimals other than zero always.",
        "Export the column as a plain number, or set `amount_format` (under `intake` or in the layout) to `dot_thousands` or `comma_thousands`.";
    /// The amount is zero or negative.
    AMOUNT_NOT_POSITIVE = "E0108", "amount zero or negative",
        "DOKU takes amounts of one rupiah and more.",
        "Remove the row, or write `cancel` in the `action` column.";
    /// The amount has more than 12 digits.
    AMOUNT_TOO_LARGE = "E0109", "amount over 12 digits",
        "DOKU takes amounts of at most 999,999,999,999 rupiah.",
        "Check the amount.";
    /// A number in E-notation.
    SPREADSHEET_DAMAGE = "E0110", "number damaged by a spreadsheet",
        "A spreadsheet has rewritten a long number as `8,89651E+15`; its last digits are lost and cannot be recovered from the file.",
        "Export again from the source with this column as text.";
    /// Not an invoice number.
    INVOICE_NUMBER = "E0111", "invoice number not valid",
        "An invoice number has 1 to 64 printable ASCII characters.",
        "Correct the number; it is the key of the bill and is never changed by tagih.";
    /// A text is longer than the channel takes.
    TEXT_TOO_LONG = "E0112", "text too long for the channel",
        "DOKU limits each text by channel; tagih does not cut texts, as the cut may change the meaning.",
        "Shorten the text.";
    /// Not a channel.
    CHANNEL = "E0113", "unknown channel",
        "The channel is the chain of counters that takes the money.",
        "Write `alfa` or `indomaret`.";
    /// Not a method.
    METHOD = "E0114", "unknown method",
        "The method says who makes the payment code.",
        "Write `doku`, `merchant` or `inquiry`.";
    /// Not an action.
    ACTION = "E0115", "unknown action",
        "The action column is empty for a bill that is wanted and `cancel` for one that is not.",
        "Leave the cell empty or write `cancel`.";
    /// Not yes or no.
    YES_OR_NO = "E0116", "neither yes nor no",
        "`reusable` says whether one code may be paid more than once.",
        "Write `true`, `false`, `yes`, `no`, `1` or `0`.";
    /// Not an e-mail address.
    EMAIL = "E0117", "e-mail address not valid",
        "DOKU refuses malformed addresses, and with them the whole code.",
        "Correct the address, or leave the cell empty.";
    /// Not a payment code.
    PAYMENT_CODE = "E0118", "payment code not valid",
        "A payment code has 1 to 20 digits; leading zeros count.",
        "Correct the code.";
    /// A merchant code is missing.
    PAYMENT_CODE_MISSING = "E0119", "payment code missing",
        "With method `merchant` or `inquiry` the payment code is yours to give, and the row gives none and nothing to make one of.",
        "Fill in `payment_code`, set `merchant_code.template` and fill in the columns it names, or write `doku` as the method.";
    /// A code was given where DOKU makes it.
    PAYMENT_CODE_GIVEN = "E0120", "payment code given though DOKU makes it",
        "With method `doku` the code comes from DOKU; the one in the row would be lost.",
        "Empty the cell, or write `merchant` or `inquiry` as the method.";
    /// A merchant code without the merchant's prefix.
    PAYMENT_CODE_PREFIX = "E0121", "payment code without your prefix",
        "Codes of your own making begin with the company code (BIN) DOKU gave you: `intake.merchant_bin`.",
        "Correct the code, or the configured prefix.";
    /// The channel takes no merchant codes.
    MERCHANT_CODES = "E0122", "no merchant codes on this channel",
        "DOKU documents codes of the merchant's making, registered or asked for (direct inquiry), for Alfa only.",
        "Write `doku` as the method.";
    /// Minutes that are not a number in range.
    EXPIRY_MINUTES = "E0123", "expiry out of range",
        "The code must stay payable for at least one minute and at most what the channel allows: 99,999 minutes on Alfa, 99,999,999 on Indomaret.",
        "Correct the expiry.";
    /// A date or time that is not understood.
    DATE = "E0124", "date or time not understood",
        "Dates are written `2026-10-31`, times `2026-10-31 17:00` (WIB) or `2026-10-31T17:00:00+07:00`; day and month in another order would be a guess.",
        "Rewrite the date in that form.";
    /// Two expiries.
    EXPIRY_TWICE = "E0126", "two expiries",
        "Both `expiry_minutes` and `expires_at` have a value, and they would have to agree to the minute.",
        "Empty one of the two cells.";
    /// No expiry.
    EXPIRY_MISSING = "E0127", "no expiry",
        "DOKU would choose 60 minutes by itself; tagih always sends an expiry.",
        "Fill in `expiry_minutes` or `expires_at`, or set `intake.defaults.expiry_minutes`.";
    /// Insurance text outside printable ASCII.
    INSURANCE_TEXT = "E0128", "policy text not printable ASCII",
        "Policy texts are shown on Alfa's cash register, which prints plain ASCII only.",
        "Write the text without accents and symbols.";
    /// Spaces around an identifying value.
    SPACES_AROUND = "E0129", "spaces around a number",
        "The value begins or ends with a space. In a number that identifies something, that makes it another number.",
        "Remove the spaces.";
    /// One invoice number, different content.
    INVOICE_CONFLICT = "E0130", "same invoice number, different content",
        "Two or more rows of the input speak of this invoice and disagree, so none of them is carried out.",
        "Keep the row that is right.";
    /// One payment code for two invoices.
    PAYMENT_CODE_CONFLICT = "E0131", "same payment code for two invoices",
        "A counter could not tell which of the two bills a payment is for, so none of them is carried out.",
        "Give each bill a code of its own, or cancel one of them.";
    /// A cell a code is made of does not fit.
    CODE_PART = "E0132", "cell does not fit into the payment code",
        "`merchant_code.template` makes the payment code of this cell, which must be digits only and no longer than the code has room for.",
        "Correct the cell, fill in `payment_code`, or change `merchant_code.template` or `merchant_code.length`.";
    /// A notification URL that cannot be used.
    OVERRIDE_URL = "E0133", "notification URL not valid",
        "DOKU lets a bill's own notification URL differ from the configured one in its host only, and it receives every payment of the bill, so its host must be listed.",
        "Correct the URL, or add its host to `additional_info.override_hosts`.";
    /// A split that cannot be right.
    SETTLEMENT = "E0134", "settlement split not valid",
        "A split is written `ACCOUNT:VALUE:TYPE;ACCOUNT:VALUE:TYPE`, where TYPE is `PERCENTAGE` (1 to 100, together at most 100) or `FIX` (whole rupiah, together at most the amount).",
        "Correct the split.";
    /// Settlement features at a counter that settles directly.
    SETTLEMENT_CHANNEL = "E0135", "no settlement features on this channel",
        "Indomaret pays merchants directly, so DOKU has nothing to split, hold or move there, unless your contract says otherwise.",
        "Empty the cell, or set `additional_info.indomaret_settlement = true` if DOKU has confirmed it for you.";
    /// An account's id that is none.
    ACCOUNT = "E0136", "account id not valid",
        "An account id is printable ASCII without spaces, at most 64 characters, such as `SAC-0001-123`.",
        "Correct the id.";
    /// A report column that DOKU would not take.
    REPORT = "E0137", "report column not valid",
        "What `additional_info.report` makes of this row has more than 64 characters.",
        "Shorten the cell, or change `additional_info.report`.";
    /// An apostrophe in front of a number.
    APOSTROPHE = "E0138", "apostrophe before a number",
        "The value begins with an apostrophe, which a spreadsheet puts before a number to keep it as text. It would become part of the number.",
        "Remove the apostrophe; format the column as text instead.";
    /// A value nobody can mean.
    PLACEHOLDER = "E0139", "value that cannot be meant",
        "The cell holds what a program writes where it has no value: an error of a spreadsheet (`#N/A`, `#REF!`, …), `NULL`, `nan`, or `-` or `0` as a name.",
        "Correct the cell or empty it; `--allow-value` lets such a value through where it is meant.";
    /// A row of totals.
    TOTAL_ROW = "E0140", "row of totals",
        "The last row's amount is the sum of rows above it, and it says so or lacks what a bill must have: it is a total, not a bill.",
        "Remove the row.";
    /// A row without a header.
    ROW_UNCLAIMED = "E0141", "row that no header claims",
        "The row stands above the header, so no column of it is known.",
        "Move the header to the top, or remove the row.";
    /// A key of the merchant's own that cannot be one, or a value too long for it.
    FREE_KEY = "E0142", "additional key not valid",
        "A column `additional_info.KEY` or the setting `additional_info.free` gives DOKU a text of your own: the key has 1 to 64 letters, digits, `_` or `-` and is none of DOKU's, the text has at most 64 characters.",
        "Shorten the value, or rename the column; what DOKU gives a meaning has a column of its own.";

    /// The template needs a cycle.
    CYCLE_MISSING = "E0214", "billing cycle not given",
        "Invoice numbers are made from a template with `{cycle}`; the cycle is never taken from the clock, as a late run would then bill another month.",
        "Give `--cycle`, for example `--cycle 2026-10`.";
    /// The template is wrong.
    TEMPLATE = "E0215", "invoice number template not valid",
        "The template names something that is none of tagih's columns, or a column of personal data, gives a width outside 1 to 64, has a brace too many, or would give every row the same number.",
        "Use `{cycle}` and tagih's own names of columns, for example `{policy_number}-{cycle}`; headers of yours are given these names under `[intake.columns]`.";
    /// The mapping names an unknown column.
    MAPPING = "E0216", "unknown column in the mapping",
        "`intake.columns` maps tagih's column names to your headers; one of the names is not tagih's.",
        "Correct the name; `docs/formats-input.md` lists them.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(ALL.iter().all(|code| !code.meaning.is_empty() && !code.remedy.is_empty()));
    }
}
