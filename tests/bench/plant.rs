//! What is planted: every bill's row and messages, together with the classes they must get, as a pure function of its index.
//!
//! Belongs here: the facts and their expected classes, written from the rules. Must not be here: bytes of files, signatures.

use std::fmt::Write as _;

/// 2026-10-01T00:00:00 WIB, the first instant of the period, in seconds of UTC.
pub const PERIOD_START: i64 = 1_790_787_600;
/// 2026-11-02T00:00:00 WIB: the as-of.
pub const AS_OF: i64 = PERIOD_START + 32 * DAY;
/// Seconds of a day.
pub const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const MINUTE: i64 = 60;
/// Payments begin this long after the period does and end as long before its end, so that no shift leaves it.
const MARGIN: i64 = 6 * HOUR;

/// A seeded stream of numbers (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// The stream `purpose` of subject `index`.
    pub fn new(seed: u64, index: u64, purpose: u64) -> Self {
        let mut dice = Self(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
        dice.next();
        dice
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to, not including, `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low) as u64) as i64
    }

    /// The first entry whose share of 100,000 the dice fall into.
    fn pick<T: Copy + Default>(&mut self, shares: &[(i64, T)]) -> T {
        let mut rest = self.between(0, 100_000);
        for &(share, kind) in shares {
            rest -= share;
            if rest < 0 {
                return kind;
            }
        }
        T::default()
    }
}

/// One row of the external ledger. Times are seconds of UTC.
#[derive(Clone)]
pub struct Row {
    pub invoice: String,
    pub code: String,
    pub indomaret: bool,
    pub amount: u64,
    pub status: &'static str,
    pub reusable: bool,
    pub created: i64,
    pub expires: i64,
    pub cancelled: Option<i64>,
    pub paid: Option<i64>,
    pub earlier_amount: Option<u64>,
    pub group: Option<u64>,
    pub malformed: bool,
}

/// What is wrong with a line on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    None,
    Torn,
    Forged,
    Unsigned,
    Bare,
    ForeignClient,
    NoInvoice,
    ForeignService,
}

/// One notification and the class of its line.
#[derive(Clone)]
pub struct Message {
    pub class: &'static str,
    /// Rupiah the line counts for in the summary.
    pub money: u64,
    pub indomaret: bool,
    pub invoice: String,
    pub code: String,
    /// The JSON of `order.amount`.
    pub amount: String,
    pub status: &'static str,
    pub date: i64,
    pub store: i64,
    pub transaction: u64,
    /// Messages of one subject with the same number carry the same `Request-Id`.
    pub request: u64,
    pub received: i64,
    pub damage: Damage,
}

/// Everything about one bill.
pub struct Plan {
    pub row: Row,
    pub messages: Vec<Message>,
    pub payments: Vec<(&'static str, u64)>,
    /// `None`: not in scope.
    pub bill: Option<&'static str>,
    pub flags: Vec<&'static str>,
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Paid,
    Open,
    Expired,
    Cancelled,
    PaidBefore,
    CancelledBefore,
    ExpiredBefore,
    Reusable,
    PaidMark,
    NoCode,
    Under,
    Over,
    Twice,
    Late,
    AfterCancel,
    BeforeIssue,
    Superseded,
    WrongChannel,
    OtherPeriod,
    Unusable,
    Malformed,
    UnknownCode,
}

/// Shares of 100,000 bills; the rest is paid once, in time and exactly.
const KINDS: &[(i64, Kind)] = &[
    (2_500, Kind::Open),
    (1_500, Kind::Expired),
    (500, Kind::Cancelled),
    (1_000, Kind::PaidBefore),
    (300, Kind::CancelledBefore),
    (300, Kind::ExpiredBefore),
    (5_000, Kind::Reusable),
    (20, Kind::PaidMark),
    (30, Kind::NoCode),
    (30, Kind::Under),
    (30, Kind::Over),
    (40, Kind::Twice),
    (30, Kind::Late),
    (20, Kind::AfterCancel),
    (20, Kind::BeforeIssue),
    (15, Kind::Superseded),
    (20, Kind::WrongChannel),
    (200, Kind::OtherPeriod),
    (15, Kind::Unusable),
    (5, Kind::Malformed),
    (20, Kind::UnknownCode),
];

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Pair {
    #[default]
    Strangers,
    /// One debt, two counters, both paid.
    OneDebt,
    /// A payment names the one's invoice and the other's code.
    Crossed,
    /// Both hold the same live code.
    SharedCode,
}

/// Shares of 100,000 pairs of neighbouring bills.
const PAIRS: &[(i64, Pair)] = &[(40, Pair::OneDebt), (20, Pair::Crossed), (20, Pair::SharedCode)];

/// Lines beside the bills' own, in shares of 100,000 bills.
const EXTRAS: &[(i64, Extra)] = &[
    (10, Extra::Torn),
    (20, Extra::Forged),
    (10, Extra::Unsigned),
    (5, Extra::Bare),
    (20, Extra::ForeignClient),
    (10, Extra::NoInvoice),
    (500, Extra::ForeignService),
    (20, Extra::Orphan),
    (300, Extra::NeverFinal),
    (200, Extra::Stale),
    (10, Extra::Conflicting),
    (5, Extra::ReusedId),
];

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Extra {
    #[default]
    None,
    Torn,
    Forged,
    Unsigned,
    Bare,
    ForeignClient,
    NoInvoice,
    ForeignService,
    Orphan,
    NeverFinal,
    Stale,
    Conflicting,
    ReusedId,
}

/// The whole portfolio.
#[derive(Clone, Copy)]
pub struct Portfolio {
    pub seed: u64,
    pub bills: u64,
    stride: u64,
    stride_inverse: u64,
}

impl Portfolio {
    /// `bills` bills; payments come in an order unlike that of the rows, as in life.
    pub fn new(seed: u64, bills: u64) -> Self {
        let mut stride = (bills / 1_618 * 1_000) | 1;
        while gcd(stride, bills) != 1 {
            stride += 2;
        }
        let stride_inverse = inverse(stride, bills);
        Self { seed, bills, stride, stride_inverse }
    }

    /// The bill whose payment comes at `slot` of all.
    pub fn bill_at(&self, slot: u64) -> u64 {
        (u128::from(slot) * u128::from(self.stride) % u128::from(self.bills)) as u64
    }

    fn slot_of(&self, index: u64) -> u64 {
        (u128::from(index) * u128::from(self.stride_inverse) % u128::from(self.bills)) as u64
    }

    fn pays_at(&self, index: u64) -> i64 {
        let length = 31 * DAY - 2 * MARGIN;
        let offset = u128::from(self.slot_of(index)) * length as u128 / u128::from(self.bills);
        PERIOD_START + MARGIN + offset as i64
    }

    fn code(index: u64, indomaret: bool) -> String {
        // The factor has no divisor in common with 10^11, so no two numbers meet.
        let unique = u128::from(index) * 31_415_926_533 % 100_000_000_000;
        format!("{}{unique:011}", if indomaret { "88888" } else { "60590" })
    }

    fn pair(&self, index: u64) -> Pair {
        if index | 1 >= self.bills {
            return Pair::Strangers;
        }
        Dice::new(self.seed, index / 2, 1).pick(PAIRS)
    }

    /// The plain facts of a bill, before its kind changes them.
    fn row(&self, index: u64) -> Row {
        let mut dice = Dice::new(self.seed, index, 2);
        let at = self.pays_at(index);
        let indomaret = dice.between(0, 100) < 40;
        Row {
            invoice: format!("PRM-{index:09}"),
            code: Self::code(index, indomaret),
            indomaret,
            amount: dice.between(50, 3_000) as u64 * 1_000,
            status: "ACTIVE",
            reusable: false,
            created: at - dice.between(2 * DAY, 20 * DAY),
            expires: at + dice.between(2 * DAY, 40 * DAY),
            cancelled: None,
            paid: None,
            earlier_amount: None,
            group: None,
            malformed: false,
        }
    }

    /// Bill `index` with all its messages and what must come of them.
    pub fn plan(&self, index: u64) -> Plan {
        let mut draft = Draft::new(self, index);
        match self.pair(index) {
            Pair::Strangers => {
                let kind = Dice::new(self.seed, index, 3).pick(KINDS);
                draft.single(kind);
                if matches!(kind, Kind::Paid) {
                    draft.extra();
                }
            }
            pair => draft.paired(pair, self.row(index ^ 1), self.pays_at(index & !1)),
        }
        draft.plan
    }
}

struct Draft {
    plan: Plan,
    index: u64,
    at: i64,
    dice: Dice,
}

impl Draft {
    fn new(portfolio: &Portfolio, index: u64) -> Self {
        let row = portfolio.row(index);
        let plan = Plan { row, messages: Vec::new(), payments: Vec::new(), bill: None, flags: Vec::new() };
        Self { plan, index, at: portfolio.pays_at(index), dice: Dice::new(portfolio.seed, index, 4) }
    }

    fn single(&mut self, kind: Kind) {
        let at = self.at;
        let amount = self.plan.row.amount;
        match kind {
            Kind::Paid => {
                if self.dice.between(0, 10) < 6 {
                    self.plan.row.status = "PAID";
                    self.plan.row.paid = Some(at);
                }
                self.settle("P00", "L00", amount, at);
            }
            Kind::Open => self.open("L01"),
            Kind::Expired => {
                self.plan.row.status = "EXPIRED";
                self.plan.row.expires = at;
                self.plan.bill = Some("L02");
            }
            Kind::Cancelled => {
                self.cancel(at);
                self.plan.bill = Some("L03");
            }
            Kind::PaidBefore => self.closed_before("PAID"),
            Kind::CancelledBefore => self.closed_before("CANCELLED"),
            Kind::ExpiredBefore => self.closed_before("EXPIRED"),
            Kind::Reusable => self.reusable(),
            Kind::PaidMark => {
                self.open("L04");
                self.plan.row.status = "PAID";
                self.plan.row.paid = Some(at);
            }
            Kind::NoCode => {
                self.open("L05");
                self.plan.row.code.clear();
            }
            Kind::Under => self.settle("P03", "L11", amount - 1_000, at),
            Kind::Over => self.settle("P04", "L12", amount + 1_000, at),
            Kind::Twice => {
                self.settle("P00", "L12", amount, at);
                self.pay("P06", amount, at + 3 * HOUR);
            }
            Kind::Late => {
                self.plan.row.expires = at - self.dice.between(HOUR, 4 * HOUR);
                self.settle("P07", "L00", amount, at);
            }
            Kind::AfterCancel => {
                let cancelled = at - self.dice.between(HOUR, 4 * HOUR);
                self.cancel(cancelled);
                self.settle("P08", "L00", amount, at);
            }
            Kind::BeforeIssue => {
                self.plan.row.created = at + self.dice.between(HOUR, 4 * HOUR);
                self.settle("P09", "L00", amount, at);
            }
            Kind::Superseded => {
                self.plan.row.earlier_amount = Some(amount - 5_000);
                self.settle("P10", "L11", amount - 5_000, at);
            }
            Kind::WrongChannel => {
                self.settle("P11", "L00", amount, at);
                for message in &mut self.plan.messages {
                    message.indomaret = !message.indomaret;
                }
            }
            Kind::OtherPeriod => {
                self.open("L01");
                let late = self.dice.between(0, 2) == 0;
                let base = if late { AS_OF - DAY } else { PERIOD_START - DAY };
                let at = base + self.dice.between(HOUR, 20 * HOUR);
                self.plan.row.created = PERIOD_START - self.dice.between(2 * DAY, 20 * DAY);
                self.pay("P16", amount, at);
            }
            Kind::Unusable => self.unusable(),
            Kind::Malformed => self.plan.row.malformed = true,
            Kind::UnknownCode => {
                self.open("L01");
                self.pay("P02", amount, at);
                for message in &mut self.plan.messages {
                    message.code.replace_range(..5, "60591");
                }
            }
        }
    }

    fn paired(&mut self, pair: Pair, other: Row, at_of_first: i64) {
        let first = self.index.is_multiple_of(2);
        let amount = self.plan.row.amount;
        match pair {
            Pair::OneDebt => {
                let at = at_of_first + if first { 0 } else { HOUR };
                self.plan.row.group = Some(self.index / 2);
                self.plan.row.created = at - 9 * DAY;
                self.plan.row.expires = at + 9 * DAY;
                self.settle(if first { "P00" } else { "P12" }, "L00", amount, at);
            }
            Pair::Crossed => {
                self.open("L01");
                if first {
                    self.pay("P02", amount, self.at);
                    for message in &mut self.plan.messages {
                        message.code.clone_from(&other.code);
                        message.indomaret = other.indomaret;
                    }
                }
            }
            Pair::SharedCode => {
                self.open("L01");
                self.plan.flags.push("L07");
                if first {
                    self.pay("P15", amount, self.at);
                    for message in &mut self.plan.messages {
                        message.invoice.insert(0, 'X');
                    }
                } else {
                    self.plan.row.code = other.code;
                    self.plan.row.indomaret = other.indomaret;
                }
            }
            Pair::Strangers => {}
        }
    }

    /// Still payable at the as-of.
    fn open(&mut self, class: &'static str) {
        self.plan.row.expires = AS_OF + self.dice.between(DAY, 30 * DAY);
        self.plan.bill = Some(class);
    }

    fn cancel(&mut self, at: i64) {
        self.plan.row.status = "CANCELLED";
        self.plan.row.cancelled = Some(at);
        self.plan.row.expires = AS_OF + 3 * DAY;
    }

    fn closed_before(&mut self, status: &'static str) {
        let closed = PERIOD_START - self.dice.between(HOUR, 20 * DAY);
        let row = &mut self.plan.row;
        row.status = status;
        row.created = closed - 5 * DAY;
        row.expires = AS_OF + DAY;
        match status {
            "PAID" => row.paid = Some(closed),
            "CANCELLED" => row.cancelled = Some(closed),
            _ => row.expires = closed,
        }
    }

    fn reusable(&mut self) {
        self.plan.row.reusable = true;
        self.plan.row.expires = AS_OF + 20 * DAY;
        self.plan.bill = Some("L00");
        for nth in 0..self.dice.between(1, 5) {
            self.pay("P13", self.plan.row.amount, self.at + nth * HOUR);
        }
    }

    fn unusable(&mut self) {
        self.open("L01");
        let amount = self.plan.row.amount;
        self.pay("P17", amount, self.at);
        self.plan.payments = vec![("P17", 0)];
        for message in &mut self.plan.messages {
            message.amount = format!("{amount}.50");
            message.money = 0;
        }
    }

    /// One payment, and the class it gives its bill.
    fn settle(&mut self, payment: &'static str, bill: &'static str, amount: u64, at: i64) {
        self.plan.bill = Some(bill);
        self.pay(payment, amount, at);
    }

    /// One payment: its first notification, and in one of twenty cases a repetition on DOKU's schedule.
    fn pay(&mut self, class: &'static str, amount: u64, at: i64) {
        self.plan.payments.push((class, amount));
        let nth = self.plan.payments.len() as u64;
        let received = at + self.dice.between(1, MINUTE);
        let message = self.message("N00", nth, amount, at, received);
        self.plan.messages.push(message.clone());
        if self.dice.between(0, 10_000) < 495 {
            let delay = [30 * MINUTE, 6 * HOUR, 12 * HOUR][self.dice.between(0, 3) as usize];
            let request = if self.dice.between(0, 2) == 0 { message.request } else { nth + 100 };
            self.plan.messages.push(Message { class: "N06", received: received + delay, request, ..message });
        }
    }

    fn message(&mut self, class: &'static str, nth: u64, amount: u64, date: i64, received: i64) -> Message {
        let row = &self.plan.row;
        Message {
            class,
            money: amount,
            indomaret: row.indomaret,
            invoice: row.invoice.clone(),
            code: row.code.clone(),
            amount: amount.to_string(),
            status: "SUCCESS",
            date,
            store: self.dice.between(100, 9_999),
            transaction: self.index * 16 + nth,
            request: nth,
            received,
            damage: Damage::None,
        }
    }

    /// A line that is no payment of this bill, beside an ordinary payment.
    fn extra(&mut self) {
        let extra = self.dice.pick(EXTRAS);
        if extra == Extra::None {
            return;
        }
        let first = self.plan.messages[0].clone();
        let amount = first.money;
        let strange = |class, damage| Message { class, money: 0, damage, transaction: first.transaction + 7, request: 7, ..first.clone() };
        let later = first.received + 2 * MINUTE;
        let message = match extra {
            Extra::None => return,
            Extra::Torn => strange("N01", Damage::Torn),
            Extra::Forged => strange("N02", Damage::Forged),
            Extra::Unsigned => strange("N03", Damage::Unsigned),
            Extra::Bare => strange("N03", Damage::Bare),
            Extra::ForeignClient => strange("N04", Damage::ForeignClient),
            Extra::NoInvoice => strange("N12", Damage::NoInvoice),
            Extra::ForeignService => strange("N13", Damage::ForeignService),
            Extra::Orphan => {
                self.plan.payments.push(("P01", amount));
                let mut orphan = Message { money: amount, ..strange("N00", Damage::None) };
                orphan.invoice.insert(0, 'X');
                orphan.code.replace_range(..5, "60592");
                orphan
            }
            Extra::NeverFinal => Message { status: "FAILED", money: amount, ..strange("N09", Damage::None) },
            Extra::Stale => Message { class: "N08", status: "PENDING", request: 8, ..first },
            Extra::Conflicting => {
                let conflict = amount + 2_000;
                Message { class: "N07", money: conflict, amount: conflict.to_string(), request: 9, received: later, ..first }
            }
            Extra::ReusedId => {
                // A repetition under the same id would be flagged too.
                self.plan.messages.truncate(1);
                self.plan.flags.extend(["N05", "N05"]);
                Message { status: "FAILED", request: first.request, money: amount, ..strange("N09", Damage::None) }
            }
        };
        self.plan.messages.push(message);
    }
}

/// RFC 3339 of an instant: UTC with `Z`, or WIB with `+07:00`.
pub fn write_instant(out: &mut String, at: i64, wib: bool) {
    let local = if wib { at + 7 * HOUR } else { at };
    let (days, seconds) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / HOUR, seconds / MINUTE % 60, seconds % 60);
    let zone = if wib { "+07:00" } else { "Z" };
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}").unwrap();
}

/// The date of a count of days since 1970-01-01 in the proleptic Gregorian calendar.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
    (date.year().into(), date.month().into(), date.day().into())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The inverse of `a` modulo `modulus`; the two have no common divisor.
fn inverse(a: u64, modulus: u64) -> u64 {
    let (mut r, mut next_r) = (i128::from(modulus), i128::from(a));
    let (mut t, mut next_t) = (0_i128, 1_i128);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r - quotient * next_r);
        (t, next_t) = (next_t, t - quotient * next_t);
    }
    t.rem_euclid(i128::from(modulus)) as u64
}
