//! Every class, in the order in which the rules try them: the first that hits is the primary one.

use super::super::code::Code;
use super::{Nature, Severity};

/// One class of a line (N), a payment (P), a bill (L) or a settlement row (S), or a code that was inquired about (I); also the flags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

/// What is fixed about a class.
#[derive(Clone, Copy, Debug)]
pub struct ClassInfo {
    /// Its id, title, test and default action.
    pub code: Code,
    /// Its nature; L02, P19 and S02 become BREAKs with age, and S01 is TIMING at first.
    pub nature: Nature,
    /// How bad it is when it is a BREAK.
    pub severity: Severity,
    /// Whether this version evaluates it.
    pub evaluated: bool,
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

    /// Its id, such as `P06`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.info().code.id
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
    ($($index:literal $name:ident $id:literal $nature:ident $severity:ident $evaluated:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        #[allow(missing_docs, reason = "the table below is their documentation")]
        impl Class {
            /// How many there are.
            pub const COUNT: usize = [$($index),*].len();
            $(#[doc = $title] pub const $name: Self = Self($index);)*
        }

        static TABLE: [ClassInfo; Class::COUNT] = [$(ClassInfo {
            code: Code::new($id, $title, $meaning, $remedy),
            nature: Nature::$nature,
            severity: Severity::$severity,
            evaluated: $evaluated,
        },)*];

        /// Every class as a code that can be explained.
        pub const ALL: &[Code] = &[$(Code::new($id, $title, $meaning, $remedy)),*];
    };
}

classes! {
    0 N01 "N01" Break Medium true, "malformed envelope",
        "the log line is not a JSON object with a body: torn, over-long, not UTF-8, or something else",
        "keep the file, look at how the log is written, and ask DOKU to send the notification again";
    1 N04 "N04" Break High true, "foreign client",
        "the message carries another Client-Id than ours, so it was not meant for this account",
        "check the routing of the notification URL and which account the log belongs to";
    2 N03 "N03" Break Medium true, "unverifiable",
        "headers, target or key are missing, so nobody can tell whether DOKU sent it; as a flag: it counts because the policy is `trust_log`",
        "log headers and target with the body; until then confirm by Check Status, or set the policy to `trust_log`";
    3 N02 "N02" Break Critical true, "forged signature",
        "the signature does not match the bytes received under any key we hold; it never counts as money",
        "confirm the payment by Check Status, then find out who can reach the notification URL, and whether a key was rotated";
    4 N12 "N12" Break Medium true, "malformed body",
        "the message is verified, but a mandatory field is missing or unusable",
        "read the raw line, confirm the payment by Check Status, and report the field to DOKU";
    5 N13 "N13" Ok None true, "foreign service",
        "a verified message about another DOKU service than convenience stores",
        "nothing: it is counted and left alone";
    6 N09 "N09" Ok None true, "never final",
        "FAILED, PENDING or EXPIRED, and no SUCCESS of the same payment",
        "nothing: it tells how many customers tried and did not pay";
    7 N08 "N08" Ok None true, "stale status",
        "FAILED, PENDING or EXPIRED of a payment that also has a SUCCESS",
        "nothing: SUCCESS stands";
    8 N07 "N07" Break High true, "conflicting",
        "SUCCESS messages of one payment differ in amount, date or invoice; this is not the first of them",
        "Check Status decides which is right; the payment carries the flag `conflicting`";
    9 N06 "N06" Ok None true, "repeated notification",
        "a further SUCCESS of the same payment with the same content",
        "nothing: DOKU redelivers until it is answered; many at `manual` mean somebody pressed resend";
    10 N00 "N00" Ok None true, "proves a payment",
        "the first SUCCESS line of a payment",
        "nothing";
    11 N05 "N05" Break Critical true, "request id reused",
        "flag: two verified messages share a Request-Id but not a body; the money of both still counts",
        "ask DOKU which of the messages is theirs; if neither, change the secret key";
    12 N10 "N10" Ok None true, "clock skew or replay window",
        "flag: the message arrived long after, or before, the time it is stamped with",
        "check the clock of the receiver; an old message may have been sent again by somebody else";
    13 N11 "N11" Ok None true, "late notification",
        "flag: the message arrived later than DOKU's last redelivery after the payment",
        "look for an outage of the notification URL at the time of payment";

    14 P17 "P17" Break Medium true, "amount unusable",
        "the amount is a fraction, not IDR, not positive, or longer than 12 digits; it counts as no money",
        "read the raw line and ask DOKU for the right amount";
    15 P16 "P16" Ok None true, "other period",
        "the payment's WIB day is outside the period",
        "nothing: it belongs to the report of its own period";
    16 P15 "P15" Break High true, "ambiguous",
        "more than one bill could be meant; none is picked",
        "choose among the candidates listed, and give each bill its own invoice number and code";
    17 P01 "P01" Break Critical true, "orphan payment",
        "neither the invoice nor the code is known",
        "book it to suspense, trace the payer, then refund it or apply it to the right bill";
    18 P02 "P02" Break High true, "code and invoice disagree",
        "one of the two is known, or both are but they do not belong together",
        "hold the money and correct the mapping between invoice and code";
    19 P06 "P06" Break Critical true, "second payment",
        "a further payment on a code that may be paid once, and that an earlier payment covers",
        "refund the second payment";
    20 P12 "P12" Break High true, "already settled elsewhere",
        "the same debt was paid before through another code or channel",
        "refund one of the payments";
    21 P08 "P08" Break High true, "paid after cancellation",
        "the payment is dated after DOKU acknowledged the cancellation",
        "refund it, or reinstate the bill";
    22 P07 "P07" Break High true, "paid after expiry",
        "the payment is dated after the code's expiry and the grace",
        "accept it late by policy, or refund it";
    23 P10 "P10" Break Medium true, "paid on superseded terms",
        "the amount is one the bill asked for before it was amended",
        "accept it if it was paid before the change was acknowledged, else settle the difference";
    24 P03 "P03" Break High true, "under-payment",
        "less was paid than is due, beyond the tolerance",
        "collect the rest";
    25 P04 "P04" Break High true, "over-payment",
        "more was paid than is due, beyond the tolerance",
        "credit it to the next premium, or refund it";
    26 P11 "P11" Break Medium true, "wrong channel or acquirer",
        "the code of one chain was reported paid at another, or the acquirer is not the channel's",
        "fix the channel configuration at DOKU or in the ledger";
    27 P18 "P18" Break Medium true, "policy state conflict",
        "the premium was paid while the policy was lapsed or cancelled",
        "pass it to underwriting";
    28 P09 "P09" Break Medium true, "paid before issue",
        "the payment is dated before its code was made, beyond the clock skew allowed",
        "check the clocks, then the ledger";
    29 P19 "P19" Timing High true, "paid, known only from Check Status",
        "Check Status says paid, but no notification proves it; a BREAK once the grace after it was found is over",
        "ask DOKU to send the notification again";
    30 P13 "P13" Ok None true, "reusable code, exact payment",
        "an exact payment on a code that may be paid more than once",
        "post it";
    31 P05 "P05" Ok None true, "within tolerance",
        "the payment differs from what is due, but not by more than the tolerance",
        "post it, with a rounding line";
    32 P00 "P00" Ok None true, "matched",
        "invoice, code, channel and amount agree, inside the validity",
        "post it";
    33 LATE_EVIDENCE "late_evidence" Ok None true, "late evidence",
        "flag: paid inside the period, but the notification arrived after its end",
        "nothing: the payment belongs to the period of its WIB day";
    34 CONFLICTING "conflicting" Break High true, "conflicting evidence",
        "flag: other SUCCESS messages of this payment say something else (N07)",
        "Check Status decides which is right";
    35 VARIED "varied" Ok None true, "messages vary",
        "flag: messages of this payment differ in how they name it: capitals, spaces, fractions of a second, or the store's own number left out",
        "nothing: they are one payment";

    36 L06 "L06" Break High true, "issue outcome unknown",
        "the issue is in doubt, and no payment shows that there is a code",
        "run `tagih sync`, or settle it with `tagih resolve`";
    37 L11 "L11" Break High true, "under-paid",
        "the payments of the bill add up to less than is due",
        "collect the rest";
    38 L12 "L12" Break High true, "over-paid or paid more than once",
        "the payments of the bill add up to more than is due",
        "refund the difference";
    39 L00 "L00" Ok None true, "settled",
        "the payments add up to what is due (a reusable code: there is one at least)",
        "nothing";
    40 L04 "L04" Break Critical true, "ledger says paid, no evidence",
        "the bill is marked paid, but neither a valid notification nor a settlement row of it is in the evidence",
        "look for missing logs, then confirm by Check Status; somebody may have set the mark by hand";
    41 L05 "L05" Break High true, "billed, never issued",
        "the bill has no payment code: planned and not sent, or refused",
        "read the reason of the refusal, correct the row, and run `tagih issue` again";
    42 L03 "L03" Ok None true, "cancelled unpaid",
        "the code was cancelled and nothing was paid",
        "nothing";
    43 L02 "L02" Timing Medium true, "expired unpaid",
        "expiry and grace have passed and nothing was paid; a BREAK once it is old",
        "issue anew with `--reissue-expired`, or cancel the bill";
    44 L01 "L01" Timing None true, "issued, open",
        "the code can still be paid",
        "nothing";
    45 L07 "L07" Break Critical true, "same live code on two invoices",
        "flag: a counter cannot tell which of the bills is being paid",
        "cancel one of the codes now";
    46 L08 "L08" Break Medium true, "issued terms differ from what was asked",
        "flag: DOKU's expiry is not the one that was asked for, beyond the tolerance",
        "compare the code with the bill, and amend it";
    47 L09 "L09" Break High true, "code the external ledger does not know",
        "our request history holds a code that the external ledger does not",
        "add it to the external ledger";
    48 L10 "L10" Break Medium true, "malformed external ledger row",
        "a row of the external ledger cannot be read; it is counted apart and is no bill",
        "correct the row and run again";

    49 S10 "S10" Break Medium true, "malformed settlement row",
        "a row of a settlement file cannot be read; it settles nothing",
        "correct the export (amounts as plain integers, dates as DD-MM-YYYY, codes as text) or ask DOKU for the file again";
    50 S11 "S11" Break Medium true, "unknown channel name",
        "the file calls the channel by a name that `settlement.channels` does not know, so nobody can tell whose money the rows are",
        "add the name to `settlement.channels`, as `alfa`, `indomaret` or `other`, and run again";
    51 S12 "S12" Ok None true, "other channel",
        "a row of another channel: one file covers the whole account",
        "nothing: it is counted and left alone";
    52 S07 "S07" Break High true, "settlement row twice",
        "the same row occurs again, or the same payment is settled by another row already",
        "ask DOKU's finance desk whether it was paid twice; drop files that were given twice";
    53 S06 "S06" Break High true, "refund or reversal",
        "the row takes money back: its transaction type is not `Purchase`",
        "find out why, and reopen the bill";
    54 S13 "S13" Break High true, "ambiguous settlement row",
        "more than one payment could be meant; none is picked",
        "choose among the candidates listed";
    55 S01 "S01" Break High true, "settled, not notified",
        "a settlement row without a notification; TIMING while the notification may still come",
        "ask DOKU to send the notification again, or confirm by Check Status";
    56 S03 "S03" Break High true, "gross differs",
        "the settled amount is not the notified one",
        "ask DOKU's finance desk";
    57 S05 "S05" Break High true, "settlement does not add up",
        "the paid amount is not amount less fee and discount, or the file's own totals are not its sums",
        "ask DOKU's finance desk for a corrected file";
    58 S04 "S04" Break Medium true, "fee or VAT differs",
        "the fee is not what the contract in `[settlement]` comes to, VAT included",
        "compare with the contract, then claim the difference or correct the setting";
    59 S09 "S09" Break Medium true, "split settlement shares wrong",
        "a share of the net amount is not what `settlement.shares` says",
        "check the split configuration in DOKU's Back Office";
    60 S08 "S08" Timing None true, "settled in another period",
        "paid in one period and settled in another, as payments of the last days of a month are",
        "nothing: the other period's report has its other half";
    61 S00 "S00" Ok None true, "settled and matched",
        "the row settles a notified payment: amounts, fee and period agree",
        "nothing";
    62 S02 "S02" Timing High true, "notified, not settled",
        "a notified payment that no settlement row holds; a BREAK once the working days of its channel have passed",
        "ask DOKU's finance desk where the money is";

    63 I03 "I03" Break High true, "answered not payable, then paid",
        "the last answer to DOKU's inquiry before the payment was that the code may not be paid",
        "hold the money; find out from the counter's time of payment why it was taken, then refund it or apply it";
    64 I04 "I04" Break High true, "answered another amount",
        "the last answer to DOKU's inquiry before the payment said another amount, beyond the tolerance",
        "settle the difference; if the bill was amended in between, the customer saw the earlier amount";
    65 I02 "I02" Break Medium true, "paid without inquiry",
        "a payment of a code that only we know, and no inquiry about it before then is in the logs",
        "look for inquiry logs that are missing; if none is, ask DOKU how the counter knew the code";
    66 I00 "I00" Ok None true, "inquired and paid as answered",
        "the last answer before the payment was that the code may be paid, with the amount paid",
        "nothing";
    67 I01 "I01" Ok None true, "inquired, not paid",
        "a code that a counter asked about, was told it may be paid, and did not pay",
        "nothing: it tells how many customers stood at the counter and left";
}

#[cfg(test)]
mod tests {
    use super::super::ClassSet;
    use super::*;

    #[test]
    fn every_constant_points_at_its_own_row() {
        assert_eq!(Class::COUNT, 68);
        const { assert!(Class::COUNT <= ClassSet::PLACES) };
        for class in Class::all() {
            assert!(ClassSet::EMPTY.with(class).contains(class) && ClassSet::EMPTY.with(class).iter().eq([class]), "{class}");
        }
        for (class, id) in [(Class::N01, "N01"), (Class::N00, "N00"), (Class::P17, "P17"), (Class::P00, "P00"), (Class::S02, "S02")] {
            assert_eq!(class.id(), id);
        }
        for class in Class::all() {
            assert_eq!(Class::parse(class.id()), Some(class));
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_rules() {
        let order = "N01 N04 N03 N02 N12 N13 N09 N08 N07 N06 N00 N05 N10 N11 \
                     P17 P16 P15 P01 P02 P06 P12 P08 P07 P10 P03 P04 P11 P18 P09 P19 P13 P05 P00 late_evidence conflicting varied \
                     L06 L11 L12 L00 L04 L05 L03 L02 L01 L07 L08 L09 L10 \
                     S10 S11 S12 S07 S06 S13 S01 S03 S05 S04 S09 S08 S00 S02 I03 I04 I02 I00 I01";
        let ids: Vec<_> = Class::all().map(Class::id).collect();
        assert_eq!(ids, order.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn only_breaks_have_a_severity_and_all_of_them_have_one() {
        for class in Class::all() {
            let info = class.info();
            match info.nature {
                Nature::Break => assert!(info.severity > Severity::None, "{class}"),
                Nature::Ok => assert_eq!(info.severity, Severity::None, "{class}"),
                Nature::Timing => {}
            }
        }
    }
}
