//! A month in which every class is planted by hand. What it must come to is written down as it is planted, never computed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tagih::domain::digest;

use crate::reconcile::settlement::{self, Row};
use crate::support::message::{Envelope, Message, SECRET, utc};
use crate::support::random::Random;

/// 2026-10-01 12:00 in WIB.
const NOON: i64 = 1_790_787_600 + 12 * 3_600;
const DAY: i64 = 86_400;

/// Count and rupiah by side and class.
pub(super) type Figures = BTreeMap<(&'static str, &'static str), (i64, i64)>;

/// A bill of the external ledger.
#[derive(Clone)]
pub(super) struct Bill {
    pub(super) invoice: String,
    pub(super) code: String,
    pub(super) channel: &'static str,
    pub(super) amount: i64,
    status: &'static str,
    reusable: bool,
    created: String,
    expires: String,
    cancelled: String,
    history: String,
    group: String,
    policy: &'static str,
}

impl Bill {
    fn line(&self) -> String {
        let Self { invoice, code, channel, amount, status, reusable, created, expires, cancelled, history, group, policy, .. } = self;
        format!("{invoice},{code},{channel},{amount},{status},{reusable},{created},{expires},{cancelled},{history},{group},{policy}")
    }
}

pub(super) const HEADER: &str =
    "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,amount_history,bill_group,policy_status";

/// A notification that is about to be written.
pub(super) struct Note {
    message: Message,
    envelope: Envelope,
    secret: &'static str,
}

/// Everything a run reads, and everything it must say.
pub(super) struct Month {
    random: Random,
    next: u64,
    pub(super) bills: Vec<String>,
    pub(super) lines: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) figures: Figures,
    /// Class and subject of every discrepancy: an invoice number, of a line its digest.
    pub(super) found: Vec<(&'static str, String)>,
    /// What settlement batches book: bank, fees, VAT, gross.
    pub(super) booked: [i64; 4],
    /// What groups were paid beyond their largest bill, which is all that they owe.
    pub(super) group_excess: i64,
}

impl Month {
    pub(super) fn new(seed: u64) -> Self {
        let (bills, lines, rows) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            random: Random::new(seed),
            next: 1,
            bills,
            lines,
            rows,
            figures: Figures::new(),
            found: Vec::new(),
            booked: [0; 4],
            group_excess: 0,
        }
    }

    /// It comes to this.
    pub(super) fn is(&mut self, side: &'static str, class: &'static str, amount: i64) {
        let slot = self.figures.entry((side, class)).or_default();
        (slot.0, slot.1) = (slot.0 + 1, slot.1 + amount);
    }

    /// It needs a person.
    pub(super) fn finds(&mut self, class: &'static str, subject: &str) {
        self.found.push((class, subject.to_owned()));
    }

    /// A bill that may still be written down differently.
    pub(super) fn draft(&mut self) -> Bill {
        let number = self.next;
        self.next += 1;
        let amount = 100_000 + self.random.below(900_000) as i64;
        Bill {
            invoice: format!("INV-{number:05}"),
            code: format!("{:016}", 6_058_000_000_000_000 + number),
            channel: if number.is_multiple_of(3) { "indomaret" } else { "alfa" },
            amount,
            status: "ACTIVE",
            reusable: false,
            created: "2026-10-01".to_owned(),
            expires: "2026-12-31".to_owned(),
            cancelled: String::new(),
            history: String::new(),
            group: String::new(),
            policy: "",
        }
    }

    /// A bill with changes, of this class.
    pub(super) fn bill(&mut self, class: &'static str, change: impl FnOnce(&mut Bill)) -> Bill {
        let mut bill = self.draft();
        change(&mut bill);
        self.bills.push(bill.line());
        self.is("bills", class, bill.amount);
        bill
    }

    /// A SUCCESS of `bill` on a day of October, 0 being the first; not written yet.
    pub(super) fn note(&mut self, bill: &Bill, day: i64) -> Note {
        let paid_at = NOON + day * DAY + self.random.below(3_600) as i64;
        let serial = self.lines.len();
        let (store, transaction) = (format!("S{}", self.random.below(40)), format!("T{serial}"));
        let message = Message::paid(&bill.invoice, &bill.code, 0, utc(paid_at)).by("CHAIN", &store, &transaction);
        let message = Message { channel: bill.channel, amount_json: bill.amount.to_string(), ..message };
        let envelope = Envelope::of(&message, format!("request-{serial}"), utc(paid_at + 4));
        Note { message, envelope: Envelope { received_at: Some(utc(paid_at + 5)), ..envelope }, secret: SECRET }
    }

    /// Writes a line of this class; `amount` is what it counts with. Its digest is given back.
    pub(super) fn line(&mut self, class: &'static str, amount: i64, note: &Note) -> String {
        let line = Envelope { body: note.message.body(), ..note.envelope.clone() }.line(note.secret);
        self.raw(class, amount, line)
    }

    pub(super) fn raw(&mut self, class: &'static str, amount: i64, line: String) -> String {
        self.is("lines", class, amount);
        let digest = digest::hex(&digest::of_bytes(line.as_bytes()));
        self.lines.push(line);
        digest
    }

    /// A payment of `bill` of this class, proved by one line.
    pub(super) fn pay(&mut self, class: &'static str, bill: &Bill, day: i64, change: impl FnOnce(&mut Note)) -> Note {
        let mut note = self.note(bill, day);
        change(&mut note);
        let amount = note.message.amount_json.parse().unwrap_or(0);
        self.line("N00", amount, &note);
        self.is("payments", class, amount);
        note
    }

    /// The settlement row of `bill`'s payment on that day, as it should be, a week later.
    pub(super) fn right_row(bill: &Bill, day: i64) -> Row {
        let (channel, fee) = if bill.channel == "alfa" { ("Alfa Group", 5_550) } else { ("Indomaret", 7_215) };
        let net = bill.amount - fee;
        Row {
            channel,
            date: text_of(day),
            invoice: bill.invoice.clone(),
            code: bill.code.clone(),
            amount: bill.amount,
            fee,
            paid_out: net,
            out: text_of(day + 7),
            share: net / 10,
            ..settlement::row(1)
        }
    }

    pub(super) fn settle(&mut self, class: &'static str, bill: &Bill, day: i64, change: impl FnOnce(&mut Row)) -> Row {
        let mut row = Self::right_row(bill, day);
        change(&mut row);
        self.is("settlement", class, row.amount);
        if !["S05", "S06", "S07", "S11", "S12", "S14"].contains(&class) {
            let vat = [(5_550, 550), (7_215, 715), (6_000, 595), (7_665, 760)].into_iter().find(|(fee, _)| *fee == row.fee).unwrap().1;
            for (slot, rupiah) in self.booked.iter_mut().zip([row.paid_out, row.fee - vat, vat, row.amount]) {
                *slot += rupiah;
            }
        }
        self.rows.push(row.clone());
        row
    }

    /// A bill that is paid and settled as it should be, on a day of the month's first three weeks.
    pub(super) fn exact(&mut self) -> (Bill, i64) {
        let bill = self.bill("L00", |_| {});
        let day = self.random.below(20) as i64;
        self.pay("P00", &bill, day, |_| {});
        self.settle("S00", &bill, day, |_| {});
        (bill, day)
    }

    /// Paid and notified, and never settled, long ago.
    pub(super) fn unsettled(&mut self, invoice: &str, amount: i64) {
        self.is("settlement", "S02", amount);
        self.finds("S02", invoice);
    }

    pub(super) fn ledger(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for bill in &self.bills {
            writeln!(text, "{bill}").unwrap();
        }
        text
    }

    /// In no order at all.
    pub(super) fn shuffle(&mut self) {
        self.random.shuffle(&mut self.bills);
        self.random.shuffle(&mut self.lines);
        self.random.shuffle(&mut self.rows);
    }
}

/// A day of October (0 is the first) as a settlement report writes it.
pub(super) fn text_of(day: i64) -> &'static str {
    let date = jiff::civil::date(2026, 10, 1).checked_add(jiff::Span::new().days(day)).unwrap();
    date.strftime("%d-%m-%Y").to_string().leak()
}

impl Note {
    pub(super) fn paying(&mut self, amount: i64) {
        self.message.amount_json = amount.to_string();
    }

    pub(super) fn received_later(&mut self, seconds: i64) {
        let at: jiff::Timestamp = self.envelope.received_at.take().unwrap().parse().unwrap();
        self.envelope.received_at = Some(utc(at.as_second() + seconds));
    }
}

/// A bill's special terms.
impl Bill {
    pub(super) fn expires(&mut self, day: i64) {
        self.expires = iso(day);
    }

    pub(super) fn cancelled(&mut self, day: i64) {
        (self.status, self.cancelled) = ("CANCELLED", iso(day));
    }
}

fn iso(day: i64) -> String {
    jiff::civil::date(2026, 10, 1).checked_add(jiff::Span::new().days(day)).unwrap().to_string()
}

/// Plants `each` of every class.
pub(super) fn plant(month: &mut Month, each: usize) {
    for _ in 0..each {
        lines(month);
        payments(month);
        more_payments(month);
        bills(month);
        settlements(month);
        more_settlements(month);
    }
}

fn lines(month: &mut Month) {
    for (class, change) in [
        ("N02", (|note: &mut Note| note.secret = "SK-somebody-else") as fn(&mut Note)),
        ("N03", |note| note.envelope.missing = Some("Signature")),
        ("N04", |note| note.envelope.client = Some("BRN-0000-0000000000000")),
        ("N12", |note| note.message.missing = Some("order.invoice_number")),
        ("N13", |note| note.message.service = "VIRTUAL_ACCOUNT"),
    ] {
        let bill = month.bill("L01", |_| {});
        let mut note = month.note(&bill, 3);
        change(&mut note);
        let digest = month.line(class, 0, &note);
        if class != "N13" {
            month.finds(class, &digest);
        }
    }
    let torn = format!("{{\"torn\": {}", month.lines.len());
    let digest = month.raw("N01", 0, torn);
    month.finds("N01", &digest);
    let bill = month.bill("L01", |_| {});
    let mut failed = month.note(&bill, 4);
    failed.message.status = "FAILED";
    month.line("N09", bill.amount, &failed);
    // A second notification of a payment: the same, an older status, another amount.
    for class in ["N06", "N08", "N07"] {
        let bill = month.bill("L00", |_| {});
        let mut note = month.pay("P00", &bill, 5, |_| {});
        month.settle("S00", &bill, 5, |_| {});
        note.received_later(1_800);
        note.envelope.request_id += "-again";
        match class {
            "N08" => note.message.status = "PENDING",
            "N07" => note.paying(bill.amount + 10_000),
            _ => {}
        }
        let amount = note.message.amount_json.parse().unwrap();
        let digest = month.line(class, amount, &note);
        if class == "N07" {
            month.finds(class, &digest);
        }
    }
    flagged(month);
}

/// N05, N10 and N11 are flags on lines that prove payments.
fn flagged(month: &mut Month) {
    let pair = [(); 2].map(|()| month.bill("L00", |_| {}));
    let shared = format!("request-shared-{}", month.lines.len());
    for bill in &pair {
        month.settle("S00", bill, 6, |_| {});
        let note = month.pay("P00", bill, 6, |note| note.envelope.request_id.clone_from(&shared));
        let line = Envelope { body: note.message.body(), ..note.envelope.clone() }.line(note.secret);
        month.is("flags", "N05", bill.amount);
        month.finds("N00", &digest::hex(&digest::of_bytes(line.as_bytes())));
    }
    for (flag, hours) in [("N10", 30), ("N11", 15)] {
        let bill = month.bill("L00", |_| {});
        month.settle("S00", &bill, 6, |_| {});
        month.pay("P00", &bill, 6, |note| note.received_later(hours * 3_600));
        month.is("flags", flag, bill.amount);
        if flag == "N10" {
            month.is("flags", "N11", bill.amount);
        }
    }
}

fn payments(month: &mut Month) {
    // Amounts: unusable, too little, too much, nearly, as it was before.
    for (class, of_bill, difference) in [("P03", "L11", -1_000), ("P04", "L12", 1_000), ("P05", "L00", -50), ("P10", "L11", -5_000)] {
        let bill = month.bill(of_bill, |bill| {
            if class == "P10" {
                bill.history = (bill.amount - 5_000).to_string();
            }
        });
        month.pay(class, &bill, 7, |note| note.paying(bill.amount + difference));
        month.settle("S00", &bill, 7, |row| {
            (row.amount, row.paid_out) = (row.amount + difference, row.paid_out + difference);
            row.share = row.paid_out / 10;
        });
        if class != "P05" {
            month.finds(class, &bill.invoice);
            month.finds(of_bill, &bill.invoice);
        }
    }
    let bill = month.bill("L01", |_| {});
    month.pay("P17", &bill, 7, |note| "150000.5".clone_into(&mut note.message.amount_json));
    month.settle("S03", &bill, 7, |_| {});
    month.finds("P17", &bill.invoice);
    month.finds("S03", &bill.invoice);
    // Exact, and wrong in another way.
    for class in ["P07", "P08", "P09", "P11", "P18"] {
        let bill = month.bill("L00", |bill| match class {
            "P07" => bill.expires(4),
            "P08" => bill.cancelled(4),
            "P09" => bill.created = iso(12),
            "P18" => bill.policy = "Lapsed",
            _ => {}
        });
        month.pay(class, &bill, 8, |note| {
            if class == "P11" {
                note.message.channel = if bill.channel == "alfa" { "indomaret" } else { "alfa" };
            }
        });
        month.settle("S00", &bill, 8, |_| {});
        month.finds(class, &bill.invoice);
    }
}

fn more_payments(month: &mut Month) {
    // Of September, settled in October.
    let bill = month.bill("L01", |bill| "2026-09-20".clone_into(&mut bill.created));
    month.pay("P16", &bill, -1, |_| {});
    month.settle("S08", &bill, -1, |_| {});
    // Nobody's, one of two bills', and one whose code is unknown.
    let stranger = Bill { invoice: format!("NOBODY-{}", month.next), code: format!("99{:014}", month.next), ..month.draft() };
    month.pay("P01", &stranger, 9, |_| {});
    let first = month.bill("L02", |bill| bill.expires(14));
    let second = month.bill("L01", |bill| (bill.code, bill.channel) = (first.code.clone(), first.channel));
    let either = Bill { invoice: format!("EITHER-{}", month.next), ..second };
    month.pay("P15", &either, 9, |_| {});
    let half = month.bill("L01", |_| {});
    let half = Bill { code: format!("98{:014}", month.next), ..half };
    month.pay("P02", &half, 9, |_| {});
    for (class, bill) in [("P01", &stranger), ("P15", &either), ("P02", &half)] {
        month.finds(class, &bill.invoice);
        month.unsettled(&bill.invoice, bill.amount);
    }
    // Twice, and elsewhere.
    let twice = month.bill("L12", |_| {});
    month.finds("L12", &twice.invoice);
    let group = format!("G{}", month.next);
    let [one, other] = [(); 2].map(|()| month.bill("L00", |bill| bill.group.clone_from(&group)));
    month.group_excess += one.amount.min(other.amount);
    if one.amount != other.amount {
        month.finds("L14", "");
    }
    for (class, day, bill) in [("P00", 2, &twice), ("P06", 5, &twice), ("P00", 2, &one), ("P12", 5, &other)] {
        month.pay(class, bill, day, |_| {});
        month.settle("S00", bill, day, |_| {});
        if class != "P00" {
            month.finds(class, &bill.invoice);
        }
    }
    let reusable = month.bill("L00", |bill| bill.reusable = true);
    for day in [3, 6, 9] {
        month.pay("P13", &reusable, day, |_| {});
        month.settle("S00", &reusable, day, |_| {});
    }
}

fn bills(month: &mut Month) {
    for (class, change) in [
        ("L05", (|bill: &mut Bill| bill.code.clear()) as fn(&mut Bill)),
        ("L04", |bill| bill.status = "PAID"),
        ("L03", |bill| bill.cancelled(9)),
        ("L02", |bill| bill.expires(25)),
        ("L01", |_| {}),
    ] {
        let bill = month.bill(class, change);
        if ["L05", "L04"].contains(&class) {
            month.finds(class, &bill.invoice);
        }
    }
    let old = month.bill("L02", |bill| bill.expires(3));
    month.finds("L02", &old.invoice);
    // L07: the same live code on two invoices.
    let first = month.bill("L01", |_| {});
    let second = month.bill("L01", |bill| (bill.code, bill.channel) = (first.code.clone(), first.channel));
    for bill in [first, second] {
        month.is("flags", "L07", bill.amount);
        month.finds("L01", &bill.invoice);
    }
    let malformed = Bill { created: "soon".to_owned(), ..month.draft() };
    month.bills.push(malformed.line());
    month.is("counted_apart", "L10", 0);
    month.finds("L10", &malformed.invoice);
}

fn settlements(month: &mut Month) {
    for class in ["S03", "S05", "S04", "S09"] {
        let bill = month.bill("L00", |_| {});
        month.pay("P00", &bill, 10, |_| {});
        month.settle(class, &bill, 10, |row| match class {
            "S03" => (row.amount, row.paid_out, row.share) = (row.amount - 1_000, row.paid_out - 1_000, (row.paid_out - 1_000) / 10),
            "S05" => (row.paid_out, row.share) = (row.paid_out - 500, (row.paid_out - 500) / 10),
            "S04" => (row.fee, row.paid_out, row.share) = (row.fee + 450, row.paid_out - 450, (row.paid_out - 450) / 10),
            _ => row.share -= 100,
        });
        month.finds(class, &bill.invoice);
    }
    // Paid out in November; not yet; and long overdue.
    let bill = month.bill("L00", |_| {});
    month.pay("P00", &bill, 27, |_| {});
    month.settle("S08", &bill, 27, |row| row.out = text_of(31));
    month.is("settlement", "S02", bill.amount);
    let bill = month.bill("L00", |_| {});
    month.pay("P00", &bill, 29, |_| {});
    month.is("settlement", "S02", bill.amount);
    let bill = month.bill("L00", |_| {});
    month.pay("P00", &bill, 12, |_| {});
    month.unsettled(&bill.invoice, bill.amount);
    // Settled, and nobody was told.
    let bill = month.bill("L01", |_| {});
    month.settle("S01", &bill, 12, |_| {});
    month.finds("S01", &bill.invoice);
}

fn more_settlements(month: &mut Month) {
    // Money again, and money back.
    let (bill, day) = month.exact();
    month.settle("S07", &bill, day, |row| row.out = text_of(28));
    month.finds("S07", &bill.invoice);
    // Listed once more without a day of pay-out, as it was before it had one.
    let (bill, day) = month.exact();
    month.settle("S14", &bill, day, |row| row.out = "");
    let (bill, day) = month.exact();
    month.settle("S06", &bill, day, |row| (row.kind, row.paid_out, row.share) = ("Refund", -row.amount - row.fee, 0));
    month.finds("S06", &bill.invoice);
    // Two payments of a day, two rows, and no amount that tells which is which.
    let reusable = month.bill("L00", |bill| bill.reusable = true);
    for more in [1, 2] {
        month.pay("P13", &reusable, 11, |_| {});
        month.unsettled(&reusable.invoice, reusable.amount);
        month.settle("S13", &reusable, 11, |row| (row.amount, row.paid_out) = (row.amount + more, row.paid_out + more));
        month.finds("S13", &reusable.invoice);
    }
    let stranger = month.draft();
    month.settle("S12", &stranger, 11, |row| row.channel = "Virtual Account BCA");
    month.settle("S11", &stranger, 11, |row| row.channel = "Alfamart");
}
