//! Every class, in the order in which the rules try them: the first that hits is the primary one. **Whatever follows from a class stands
//! in its row**; a new one is a row here and its words in `texts/id.toml`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::super::ageing::AgesFrom;
use super::super::code::StableCode;
use super::super::duty::Owner;
use super::columns::{ClassMoney, ClassSubject, Family, Flag, Stands};
use super::{Nature, Severity};

/// One class of a line (N), a payment (P), a bill (L) or a settlement row (S), or a code that was inquired about (I); also the flags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

/// What is fixed about a class.
#[derive(Clone, Copy, Debug)]
pub struct ClassInfo {
    /// Its id, title, test and default action.
    pub code: StableCode,
    /// The list it is a class of.
    pub family: Family,
    /// What a finding of it is about.
    pub about: ClassSubject,
    /// Its nature; L02, P19 and S02 become BREAKs with age, and S01 is TIMING at first.
    pub nature: Nature,
    /// How bad it is when it is a BREAK.
    pub severity: Severity,
    /// What it says of money.
    pub money: ClassMoney,
    /// Where its items stand in the books.
    pub stands: Stands,
    /// Whether it may be a flag, and what that does.
    pub flag: Flag,
    /// From when it ages while it is open.
    pub ages: AgesFrom,
    /// Who acts on it.
    pub owner: Owner,
}

impl Class {
    /// Its place in the table.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Every class.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(TABLE.len()).map(Self)
    }

    /// Every class of one list.
    pub fn of(family: Family) -> impl Iterator<Item = Self> {
        Self::all().filter(move |class| class.info().family == family)
    }

    /// The class with this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::all().find(|class| class.id() == id)
    }

    /// What is fixed about it.
    #[must_use]
    pub fn info(self) -> &'static ClassInfo {
        TABLE.get(usize::from(self.0)).unwrap_or(&TABLE[0])
    }

    /// Whether payments of it are a bill's.
    #[must_use]
    pub fn attaches(self) -> bool {
        self.info().money.attaches()
    }

    /// Whether its money waits in suspense until somebody decides.
    #[must_use]
    pub fn is_held(self) -> bool {
        self.info().money.is_held()
    }

    /// Its id, such as `P06`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.info().code.id
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::parse(&id).ok_or_else(|| de::Error::custom(format_args!("`{id}` is no class")))
    }
}

impl std::fmt::Debug for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

macro_rules! classes {
    ($($name:ident $id:literal $family:ident $about:ident $nature:ident $severity:ident $money:ident $stands:ident $flag:ident $ages:ident
        $owner:ident, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        /// Numbers the rows.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names are those of the constants")]
        enum Place { $($name),* }

        #[allow(missing_docs, reason = "the table below is their documentation")]
        #[allow(clippy::as_conversions, reason = "an enum's number as a constant")]
        impl Class {
            /// How many there are.
            pub const COUNT: usize = [$($id),*].len();
            $(#[doc = $title] pub const $name: Self = Self(Place::$name as u8);)*
        }

        static TABLE: [ClassInfo; Class::COUNT] = [$(ClassInfo {
            code: StableCode::new($id, $title, $meaning, $remedy),
            family: Family::$family,
            about: ClassSubject::$about,
            nature: Nature::$nature,
            severity: Severity::$severity,
            money: ClassMoney::$money,
            stands: Stands::$stands,
            flag: Flag::$flag,
            ages: AgesFrom::$ages,
            owner: Owner::$owner,
        },)*];

        /// Every class as a code that can be explained.
        pub const ALL: &[StableCode] = &[$(StableCode::new($id, $title, $meaning, $remedy)),*];
    };
}

// Columns: name, id, family, about, nature, severity, money, stands, flag, ages from, owner; title, meaning, remedy.
classes! {
    N01 "N01" Line Line Break Medium Unread AlarmOfFile Never Seen Security, "malformed envelope",
        "the log line is not a JSON object with a body: torn, over-long, not UTF-8, or something else",
        "keep the file, look at how the log is written, and ask DOKU to send the notification again";
    N04 "N04" Line Line Break High Unread AlarmOfFile Never Seen Security, "foreign client",
        "the message carries another Client-Id than ours, so it was not meant for this account",
        "check the routing of the notification URL and which account the log belongs to";
    N03 "N03" Line Line Break Medium Unread Alarm Marks Seen Security, "unverifiable",
        "headers, target or key are missing, so nobody can tell whether DOKU sent it; as a flag: it counts because the policy is `trust_log`",
        "log headers and target with the body; until then confirm by Check Status, or set the policy to `trust_log`";
    N02 "N02" Line Line Break Critical Unread Alarm Never Seen Security, "forged signature",
        "the signature does not match the bytes received under any key we hold; it never counts as money",
        "confirm the payment by Check Status, then find out who can reach the notification URL, and whether a key was rotated";
    N12 "N12" Line Line Break Medium Unclear Alarm Never Seen Security, "malformed body",
        "the message is verified, but a mandatory field is missing or unusable",
        "read the raw line, confirm the payment by Check Status, and report the field to DOKU";
    N13 "N13" Line Line Ok None Unclear Remark Never Never Nobody, "foreign service",
        "a verified message about another DOKU service than convenience stores",
        "nothing: it is counted and left alone";
    N09 "N09" Line Line Ok None Attempted Remark Never Never Nobody, "never final",
        "FAILED, PENDING or EXPIRED, and no SUCCESS of the same payment",
        "nothing: it tells how many customers tried and did not pay";
    N08 "N08" Line Line Ok None Attempted Remark Never Never Nobody, "stale status",
        "FAILED, PENDING or EXPIRED of a payment that also has a SUCCESS",
        "nothing: SUCCESS stands";
    N07 "N07" Line Line Break High Told Alarm Never Origin Security, "conflicting",
        "SUCCESS messages of one payment differ in amount, date or invoice; this is not the first of them",
        "Check Status decides which is right; the payment carries the flag `conflicting`";
    N06 "N06" Line Line Ok None Told Remark Never Never Nobody, "repeated notification",
        "a further SUCCESS of the same payment with the same content",
        "nothing: DOKU redelivers until it is answered; many at `manual` mean somebody pressed resend";
    N00 "N00" Line Line Ok None Told Remark Never Never Nobody, "proves a payment",
        "the first SUCCESS line of a payment",
        "nothing";
    N05 "N05" Flag Line Break Critical Nothing Alarm Raises Seen Security, "request id reused",
        "flag: two verified messages share a Request-Id but not a body; the money of both still counts",
        "ask DOKU which of the messages is theirs; if neither, change the secret key";
    N10 "N10" Flag Line Ok None Nothing Remark Marks Never Nobody, "clock skew or replay window",
        "flag: the message arrived long after, or before, the time it is stamped with",
        "check the clock of the receiver; an old message may have been sent again by somebody else";
    N11 "N11" Flag Line Ok None Nothing Remark Marks Never Nobody, "late notification",
        "flag: the message arrived later than DOKU's last redelivery after the payment",
        "look for an outage of the notification URL at the time of payment";

    P17 "P17" Payment Payment Break Medium Unusable Alarm Never Origin Settlement, "amount unusable",
        "the amount is a fraction, not IDR, not positive, or longer than 12 digits; it counts as no money",
        "read the raw line and ask DOKU for the right amount";
    P16 "P16" Payment Payment Ok None OtherPeriod Remark Never Never Nobody, "other period",
        "the payment's WIB day is outside the period",
        "nothing: it belongs to the report of its own period";
    P15 "P15" Payment Payment Break High Unowned Suspense Never Origin Finance, "ambiguous",
        "more than one bill could be meant; none is picked",
        "choose among the candidates listed, and give each bill its own invoice number and code";
    P01 "P01" Payment Payment Break Critical Unowned Suspense Never Origin Finance, "orphan payment",
        "neither the invoice nor the code is known",
        "book it to suspense, trace the payer, then refund it or apply it to the right bill";
    P02 "P02" Payment Payment Break High Unowned Suspense Never Origin Finance, "code and invoice disagree",
        "one of the two is known, or both are but they do not belong together",
        "hold the money and correct the mapping between invoice and code";
    P06 "P06" Payment Payment Break Critical Held Suspense Marks Origin Finance, "second payment",
        "a further payment on a code that may be paid once, and that an earlier payment or a decision covers",
        "refund the second payment";
    P12 "P12" Payment Payment Break High Held Suspense Marks Origin Finance, "already settled elsewhere",
        "the same debt was paid before through another code, channel or way",
        "refund one of the payments";
    P08 "P08" Payment Payment Break High Held Suspense Marks Origin Finance, "paid after cancellation",
        "the payment is dated after DOKU acknowledged the cancellation",
        "refund it, or reinstate the bill";
    P07 "P07" Payment Payment Break High Held Suspense Marks Origin Finance, "paid after expiry",
        "the payment is dated after the code's expiry and the grace",
        "accept it late by policy, or refund it";
    P10 "P10" Payment Payment Break Medium Applied Shared Marks Origin Finance, "paid on superseded terms",
        "the amount is one the bill asked for before it was amended",
        "accept it if it was paid before the change was acknowledged, else settle the difference";
    P03 "P03" Payment Payment Break High Applied Shared Marks Origin Collections, "under-payment",
        "less was paid than is due, beyond the tolerance",
        "collect the rest";
    P04 "P04" Payment Payment Break High Applied Shared Marks Origin Finance, "over-payment",
        "more was paid than is due, beyond the tolerance",
        "credit it to the next premium, or refund it";
    P11 "P11" Payment Payment Break Medium Applied Alarm Marks Origin Issuing, "wrong channel or acquirer",
        "the code of one chain was reported paid at another, or the acquirer is not the channel's",
        "fix the channel configuration at DOKU or in the ledger";
    P18 "P18" Payment Payment Break Medium Applied Alarm Marks Origin Finance, "policy state conflict",
        "the premium was paid while the policy was lapsed or cancelled",
        "pass it to underwriting";
    P09 "P09" Payment Payment Break Medium Applied Alarm Marks Origin Issuing, "paid before issue",
        "the payment is dated before its code was made, beyond the clock skew allowed",
        "check the clocks, then the ledger";
    P19 "P19" Payment Payment Timing High Applied Alarm Marks Origin Settlement, "paid, known only from Check Status",
        "Check Status says paid, but no notification proves it; a BREAK once the grace after it was found is over",
        "ask DOKU to send the notification again";
    P13 "P13" Payment Payment Ok None Applied Remark Never Never Nobody, "reusable code, exact payment",
        "an exact payment on a code that may be paid more than once",
        "post it";
    P14 "P14" Payment Payment Ok None Applied Remark Never Never Nobody, "completes the bill",
        "less than the bill asks for, and exactly what earlier payments or decisions have left open",
        "post it";
    P05 "P05" Payment Payment Ok None Applied Remark Never Never Nobody, "within tolerance",
        "the payment differs from what is due, but not by more than the tolerance",
        "post it, with a rounding line";
    P00 "P00" Payment Payment Ok None Applied Remark Never Never Nobody, "matched",
        "invoice, code, channel and amount agree, inside the validity",
        "post it";
    LATE_EVIDENCE "late_evidence" Flag Payment Ok None Nothing Remark Marks Never Nobody, "late evidence",
        "flag: paid inside the period, but the notification arrived after its end",
        "nothing: the payment belongs to the period of its WIB day";
    CONFLICTING "conflicting" Flag Payment Break High Nothing Remark Marks Never Nobody, "conflicting evidence",
        "flag: other SUCCESS messages of this payment say something else (N07)",
        "Check Status decides which is right";
    VARIED "varied" Flag Payment Ok None Nothing Remark Marks Never Nobody, "messages vary",
        "flag: messages of this payment differ in how they name it: capitals, spaces, fractions of a second, or the store's own number left out",
        "nothing: they are one payment";

    L06 "L06" Bill Bill Break High Nothing Receivable Never Due Issuing, "issue outcome unknown",
        "the issue is in doubt, and no payment shows that there is a code",
        "run `tagih sync`, or settle it with `tagih resolve`";
    L11 "L11" Bill Bill Break High Nothing Receivable Never Due Collections, "under-paid",
        "the payments of the bill add up to less than is due",
        "collect the rest";
    L12 "L12" Bill Bill Break High Nothing Shared Never Origin Finance, "over-paid or paid more than once",
        "the payments of the bill add up to more than is due",
        "refund the difference";
    L00 "L00" Bill Bill Ok None Nothing Remark Never Never Nobody, "settled",
        "the payments and what was decided add up to what is due (a reusable code: there is one payment at least)",
        "nothing";
    L04 "L04" Bill Bill Break Critical Nothing Unproven Never Origin Finance, "ledger says paid, no evidence",
        "the bill is marked paid, but neither a valid notification nor a settlement row of it is in the evidence",
        "look for missing logs, then confirm by Check Status; somebody may have set the mark by hand";
    L05 "L05" Bill Bill Break High Nothing Receivable Never Due Issuing, "billed, never issued",
        "the bill has no payment code: planned and not sent, or refused",
        "read the reason of the refusal, correct the row, and run `tagih issue` again";
    L03 "L03" Bill Bill Ok None Nothing Remark Never Never Nobody, "cancelled unpaid",
        "the code was cancelled and nothing was paid",
        "nothing";
    L02 "L02" Bill Bill Timing Medium Nothing Receivable Never Due Collections, "expired unpaid",
        "expiry and grace have passed and nothing was paid; a BREAK once it is old",
        "issue anew with `--reissue-expired`, or cancel the bill";
    L01 "L01" Bill Bill Timing None Nothing Receivable Never Due Collections, "issued, open",
        "the code can still be paid",
        "nothing";
    L07 "L07" Flag Bill Break Critical Nothing Alarm Raises Seen Issuing, "same live code on two invoices",
        "flag: a counter cannot tell which of the bills is being paid",
        "cancel one of the codes now";
    L08 "L08" Flag Bill Break Medium Nothing Alarm Marks Seen Issuing, "issued terms differ from what was asked",
        "flag: DOKU's expiry is not the one that was asked for, beyond the tolerance",
        "compare the code with the bill, and amend it";
    L09 "L09" Apart Bill Break High Nothing Alarm Never Seen Issuing, "code the external ledger does not know",
        "our request history holds a code that the external ledger does not",
        "add it to the external ledger";
    L10 "L10" Apart LedgerRow Break Medium Nothing Alarm Never Seen Finance, "malformed external ledger row",
        "a row of the external ledger cannot be read; it is counted apart and is no bill",
        "correct the row and run again";

    L13 "L13" Apart Bill Break High Nothing Alarm Never Seen Finance, "bills the ledger lists no more",
        "bills that were open at the end of the month before are missing from the ledger, neither paid nor cancelled",
        "give the whole ledger; what is rightly gone is cancelled, or written off as one decision";
    L14 "L14" Apart Bill Break Medium Nothing Alarm Never Seen Finance, "bills of one debt ask for different amounts",
        "bills that share a `bill_group` owe once, and do not ask for the same; the largest amount counts as what is owed",
        "correct the amounts, or the group of the bill that does not belong to it";

    S10 "S10" Settlement UnreadableRow Break Medium Nothing Clearing Never Origin Settlement, "malformed settlement row",
        "a row of a settlement file cannot be read; it settles nothing",
        "correct the export (amounts as plain integers, dates as DD-MM-YYYY, codes as text) or ask DOKU for the file again";
    S11 "S11" Settlement Row Break Medium Nothing Clearing Never Origin Finance, "unknown channel name",
        "the file calls the channel by a name that `settlement.channels` does not know, so nobody can tell whose money the rows are",
        "add the name to `settlement.channels`, as `alfa`, `indomaret` or `other`, and run again";
    S12 "S12" Settlement Row Ok None Nothing Remark Never Never Nobody, "other channel",
        "a row of another channel: one file covers the whole account",
        "nothing: it is counted and left alone";
    S07 "S07" Settlement Row Break High Nothing Clearing Never Origin Settlement, "settlement row twice",
        "the same row occurs again, or the same payment is settled by another row already",
        "ask DOKU's finance desk whether it was paid twice; drop files that were given twice";
    S14 "S14" Settlement Row Ok None Nothing Remark Never Never Nobody, "held, and settled by another row",
        "a row without a pay-out date, of a payment that another row settles: files of several days list a payment again until it is paid out",
        "nothing: no money came twice";
    S06 "S06" Settlement Row Break High Nothing Suspense Marks Origin Settlement, "refund or reversal",
        "the row takes money back: its transaction type is not `Purchase`",
        "find out why, and reopen the bill";
    S13 "S13" Settlement Row Break High Nothing Suspense Marks Origin Finance, "ambiguous settlement row",
        "more than one payment could be meant; none is picked",
        "choose among the candidates listed";
    S01 "S01" Settlement Row Break High Nothing Suspense Marks Origin Settlement, "settled, not notified",
        "a settlement row without a notification; TIMING while the notification may still come",
        "ask DOKU to send the notification again, or confirm by Check Status";
    S03 "S03" Settlement Row Break High Nothing Doku Marks Origin Settlement, "gross differs",
        "the settled amount is not the notified one",
        "ask DOKU's finance desk";
    S05 "S05" Settlement Row Break High Nothing Clearing Marks Origin Settlement, "settlement does not add up",
        "the paid amount is not amount less fee and discount, or the file's own totals are not its sums",
        "ask DOKU's finance desk for a corrected file";
    S04 "S04" Settlement Row Break Medium Nothing Alarm Marks Origin Settlement, "fee or VAT differs",
        "the fee is not what the contract in `[settlement]` comes to, VAT included",
        "compare with the contract, then claim the difference or correct the setting";
    S09 "S09" Settlement Row Break Medium Nothing Alarm Marks Origin Settlement, "split settlement shares wrong",
        "a share of the net amount is not what `settlement.shares` says",
        "check the split configuration in DOKU's Back Office";
    S08 "S08" Settlement Row Timing None Nothing Remark Marks Never Nobody, "not settled in this period",
        "paid in one period and settled in another, as payments of the last days of a month are, or still held",
        "nothing: the other period's report has its other half";
    S00 "S00" Settlement Row Ok None Nothing Remark Never Never Nobody, "settled and matched",
        "the row settles a notified payment: amounts, fee and period agree",
        "nothing";
    S02 "S02" Settlement Payment Timing High Nothing Doku Never Origin Settlement, "notified, not settled",
        "a notified payment that no settlement row holds; a BREAK once the working days of its channel have passed",
        "ask DOKU's finance desk where the money is";

    I03 "I03" Inquiry Payment Break High Nothing Alarm Never Origin Issuing, "answered not payable, then paid",
        "the last answer to DOKU's inquiry before the payment was that the code may not be paid",
        "hold the money; find out from the counter's time of payment why it was taken, then refund it or apply it";
    I04 "I04" Inquiry Payment Break High Nothing Alarm Never Origin Issuing, "answered another amount",
        "the last answer to DOKU's inquiry before the payment said another amount, beyond the tolerance",
        "settle the difference; if the bill was amended in between, the customer saw the earlier amount";
    I02 "I02" Inquiry Payment Break Medium Nothing Alarm Never Origin Issuing, "paid without inquiry",
        "a payment of a code that only we know, and no inquiry about it before then is in the logs",
        "look for inquiry logs that are missing; if none is, ask DOKU how the counter knew the code";
    I00 "I00" Inquiry Payment Ok None Nothing Remark Never Never Nobody, "inquired and paid as answered",
        "the last answer before the payment was that the code may be paid, with the amount paid",
        "nothing";
    I01 "I01" Inquiry Code Ok None Nothing Remark Never Never Nobody, "inquired, not paid",
        "a code that a counter asked about, was told it may be paid, and did not pay",
        "nothing: it tells how many customers stood at the counter and left";

    B01 "B01" Apart Row Break High Nothing Suspense Never Origin Finance, "bank line nobody explains",
        "a line of the bank statement that no pay-out of DOKU comes to",
        "find out what it is: apply it, give it back, or name it as the proof of a transfer";
    B02 "B02" Apart Row Break High Nothing Payouts Never Origin Treasury, "pay-out not in the bank",
        "DOKU's files say it was paid out, and no line of the bank statement has it within `bank.window_days`",
        "look for a statement that is missing; if none is, ask DOKU's finance desk for the transfer";
    B03 "B03" Apart Row Break Medium Nothing RefundsDue Never Origin Treasury, "refund to be transferred",
        "a refund was decided, and no transfer of it is recorded",
        "transfer it, and record that with its reference";
    B04 "B04" Apart Payment Break Medium Nothing Direct Never Origin Treasury, "collected and not received",
        "money of a channel that DOKU does not settle has not come within `bank.window_days`",
        "ask the chain where it is; once it has come, record that with its reference";
    B05 "B05" Apart Row Timing None Nothing Deposits Never Origin Finance, "customer's credit",
        "money of a customer that was kept for the next premium, by a decision",
        "apply it to the next bill, or give it back";
}

#[cfg(test)]
mod tests;
