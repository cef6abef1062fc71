//! What the columns of the table of classes may hold.

/// The list a class is in: each line, payment, bill in scope, settlement row and inquiry is in exactly one class of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Lines of evidence.
    Line,
    /// Unique payments.
    Payment,
    /// Bills in scope.
    Bill,
    /// Settlement rows, and payments that none settles.
    Settlement,
    /// Payments of codes that only we know, and inquiries about them.
    Inquiry,
    /// Counted by itself, beside the lists.
    Apart,
    /// None: it is only ever a flag.
    Flag,
}

/// What a finding of a class is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassSubject {
    /// A line of evidence.
    Line,
    /// A payment.
    Payment,
    /// A bill.
    Bill,
    /// A code.
    Code,
    /// A row of the external ledger that cannot be read.
    LedgerRow,
    /// A settlement row, or a batch of them.
    Row,
    /// A settlement row that cannot be read.
    UnreadableRow,
}

impl ClassSubject {
    /// Whether it is told from others by its bytes alone, so that equal ones are one subject.
    #[must_use]
    pub const fn is_raw(self) -> bool {
        matches!(self, Self::Line | Self::LedgerRow | Self::UnreadableRow)
    }
}

/// What a line or payment of a class says of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassMoney {
    /// It is neither line nor payment.
    Nothing,
    /// A line that was not read: nobody's word.
    Unread,
    /// A line that was read and tells of no payment that can be used.
    Unclear,
    /// A line that tells of an attempt to pay.
    Attempted,
    /// A line that tells of money.
    Told,
    /// A payment of no usable amount.
    Unusable,
    /// A payment of another period.
    OtherPeriod,
    /// A payment that is no bill's, as far as is known: held in suspense.
    Unowned,
    /// A bill's payment that waits for a decision: attached, and held in suspense.
    Held,
    /// A bill's payment.
    Applied,
}

impl ClassMoney {
    /// Whether it is a bill's.
    #[must_use]
    pub const fn attaches(self) -> bool {
        matches!(self, Self::Held | Self::Applied)
    }

    /// Whether it waits in suspense.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Unowned | Self::Held)
    }

    /// Whether it is a usable payment of the period.
    #[must_use]
    pub const fn is_of_the_period(self) -> bool {
        matches!(self, Self::Unowned | Self::Held | Self::Applied)
    }

    /// Whether it is a line that was read.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Unclear | Self::Attempted | Self::Told)
    }

    /// Whether it is a line that tells of an attempt to pay, and of no money.
    #[must_use]
    pub const fn is_attempt(self) -> bool {
        matches!(self, Self::Attempted)
    }

    /// Whether it is a line that names a payment, made or attempted.
    #[must_use]
    pub const fn names_a_payment(self) -> bool {
        matches!(self, Self::Attempted | Self::Told)
    }
}

/// Where the items of a class stand in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stands {
    /// Its debt, on `receivable`.
    Receivable,
    /// Its debt, on `unproven`.
    Unproven,
    /// Its payment or settlement row, on `suspense`.
    Suspense,
    /// Its payment, on `doku`.
    Doku,
    /// Its batch, on `clearing`.
    Clearing,
    /// Its pay-out, on `payouts`.
    Payouts,
    /// Its payment, on `direct`.
    Direct,
    /// Its decision, on `refunds_due`.
    RefundsDue,
    /// The decision that made it, on `deposits`.
    Deposits,
    /// It has no item of its own: its money is in its debt's, and what is over in suspense.
    Shared,
    /// It has no balance: an alarm with an amount at stake.
    Alarm,
    /// It has no balance: one alarm for each file.
    AlarmOfFile,
    /// It has none, and nobody has to look.
    Remark,
}

impl Stands {
    /// The name used in files: the account's, or what it is instead.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Unproven => "unproven",
            Self::Suspense => "suspense",
            Self::Doku => "doku",
            Self::Clearing => "clearing",
            Self::Payouts => "payouts",
            Self::Direct => "direct",
            Self::RefundsDue => "refunds_due",
            Self::Deposits => "deposits",
            Self::Shared => "shared",
            Self::Alarm | Self::AlarmOfFile => "alarm",
            Self::Remark => "remark",
        }
    }
}

/// Whether a class may be a flag: a lower hit, or something beside the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// It is always the class.
    Never,
    /// It is noted.
    Marks,
    /// Whatever bears it needs somebody, whatever its class.
    Raises,
}
