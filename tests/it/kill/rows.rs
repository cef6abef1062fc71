//! A year's billing in miniature: the first file, and what every later month changes in it. All of it follows from the seed.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::support::dice::Dice;

/// In every customer's name, and nowhere else.
pub const NAME_CANARY: &str = "Kenari";
/// In every address.
pub const EMAIL_CANARY: &str = "rahasia.example";

const HEADER: [&str; 12] = [
    "invoice_number",
    "amount",
    "customer_name",
    "email",
    "channel",
    "method",
    "payment_code",
    "expiry_minutes",
    "expires_at",
    "receipt_description",
    "action",
    "catatan",
];

/// Where a code is paid and who makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    AlfaDoku,
    AlfaMerchant,
    /// The code is left to tagih.
    AlfaMinted,
    /// DOKU is told of nothing.
    AlfaInquiry,
    Indomaret,
}

impl Counter {
    pub fn channel(self) -> &'static str {
        if self == Self::Indomaret { "indomaret" } else { "alfa" }
    }

    fn method(self) -> &'static str {
        match self {
            Self::AlfaDoku | Self::Indomaret => "doku",
            Self::AlfaMerchant | Self::AlfaMinted => "merchant",
            Self::AlfaInquiry => "inquiry",
        }
    }

    pub fn reaches_doku(self) -> bool {
        self != Self::AlfaInquiry
    }

    /// Indomaret documents no update.
    fn can_change(self) -> bool {
        self != Self::Indomaret
    }
}

/// One invoice, as the next file wants it.
#[derive(Clone, Debug)]
pub struct Row {
    pub invoice: String,
    pub counter: Counter,
    pub code: Option<String>,
    pub amount: u64,
    pub live: bool,
    name: String,
    email: String,
    /// Minutes, or an instant.
    expiry: [String; 2],
}

impl Row {
    fn record(&self) -> [String; HEADER.len()] {
        let (name, email) = (self.name.clone(), self.email.clone());
        let [minutes, instant] = self.expiry.clone();
        let receipt = if self.counter == Counter::Indomaret { "Premi asuransi" } else { "" };
        let action = if self.live { "" } else { "cancel" };
        let note = format!("titip {NAME_CANARY}");
        let code = self.code.clone().unwrap_or_default();
        let [channel, method, receipt, action] = [self.counter.channel(), self.counter.method(), receipt, action].map(str::to_owned);
        [self.invoice.clone(), self.amount.to_string(), name, email, channel, method, code, minutes, instant, receipt, action, note]
    }
}

/// What a written file must come to.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub rows: u64,
    pub refused: u64,
    pub duplicates: u64,
}

/// Everything that is wanted at present, and everything that no longer is.
#[derive(Debug)]
pub struct Wishes {
    pub rows: Vec<Row>,
    dice: Dice,
    seed: u64,
    made: usize,
    codes: usize,
}

impl Wishes {
    /// The first month: `count` invoices.
    pub fn new(seed: u64, count: usize) -> Self {
        let mut wishes = Self { rows: Vec::new(), dice: Dice::new(seed ^ 0x7461_6769), seed, made: 0, codes: 0 };
        for _ in 0..count {
            wishes.add(None);
        }
        wishes
    }

    /// Gives how many changes at DOKU this makes.
    fn add(&mut self, moved_code: Option<String>) -> usize {
        let (seed, number) = (self.seed, self.made);
        self.made += 1;
        let counter = match (moved_code.is_some(), self.dice.below(6)) {
            (true, 0..4) | (false, 2) => Counter::AlfaMerchant,
            (true, _) | (false, 4) => Counter::AlfaInquiry,
            (false, 0 | 1) => Counter::AlfaDoku,
            (false, 3) => Counter::AlfaMinted,
            (false, _) => Counter::Indomaret,
        };
        let code = matches!(counter, Counter::AlfaMerchant | Counter::AlfaInquiry).then(|| {
            self.codes += 1;
            moved_code.unwrap_or_else(|| format!("88965{seed:04}{:07}", self.codes))
        });
        // A slash does not fit into the path of a status query, which then goes by Request-Id.
        let separator = if self.dice.percent(25) { "/" } else { "-" };
        let expiry = if self.dice.percent(25) {
            let hours = 500 + i64::try_from(self.dice.below(500)).unwrap();
            let at = Timestamp::now() + SignedDuration::from_hours(hours);
            [String::new(), at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()]
        } else {
            [(1_440 + self.dice.below(9_000)).to_string(), String::new()]
        };
        let row = Row {
            invoice: format!("INV{separator}{seed}{separator}{number:05}"),
            counter,
            code,
            amount: self.amount(),
            live: true,
            name: format!("{NAME_CANARY} {number:05}"),
            email: if self.dice.percent(50) { format!("pembayar.{number}@{EMAIL_CANARY}") } else { String::new() },
            expiry,
        };
        // Anywhere, so that the new owner of a code may stand before the old one.
        let place = usize::try_from(self.dice.below(self.rows.len() as u64 + 1)).unwrap();
        self.rows.insert(place, row);
        usize::from(counter.reaches_doku())
    }

    /// Rows that DOKU is told of.
    pub fn orders(&self) -> usize {
        self.rows.iter().filter(|row| row.counter.reaches_doku()).count()
    }

    fn amount(&mut self) -> u64 {
        10_000 + 500 * self.dice.below(4_000)
    }

    /// The next month: some rows change, some are cancelled, codes of our own move on, some rows are new. Gives the number of
    /// changes at DOKU.
    pub fn turn_month(&mut self) -> usize {
        let mut changes = 0;
        let mut freed = Vec::new();
        for index in 0..self.rows.len() {
            let row = &self.rows[index];
            if !row.live || !row.counter.can_change() {
                continue;
            }
            match self.dice.below(100) {
                0..12 => {
                    self.rows[index].live = false;
                    freed.extend(self.rows[index].code.clone());
                }
                12..30 => self.rows[index].amount += 500 + 500 * self.dice.below(100),
                30..36 => self.rows[index].name = format!("{NAME_CANARY} {:016x}", self.dice.roll()),
                _ => continue,
            }
            changes += usize::from(self.rows[index].counter.reaches_doku());
        }
        for code in freed {
            if self.dice.percent(80) {
                changes += self.add(Some(code));
            }
        }
        for _ in 0..self.made.div_ceil(20) {
            changes += self.add(None);
        }
        changes
    }

    /// Writes the present wishes; a `dirty` file also has rows to refuse and rows that stand twice.
    pub fn write(&mut self, path: &Path, dirty: bool) -> Input {
        let mut records: Vec<[String; HEADER.len()]> = self.rows.iter().map(Row::record).collect();
        let mut input = Input { rows: 0, refused: 0, duplicates: 0 };
        if dirty {
            for (column, value) in [(1, "1.500.00"), (3, "bukan alamat rahasia.example"), (4, "warung")] {
                let mut bad = records[0].clone();
                bad[0] = format!("BAD-{}-{column}", self.seed);
                (bad[5], bad[6]) = ("doku".into(), String::new());
                bad[10] = String::new();
                bad[column] = value.into();
                records.push(bad);
                input.refused += 1;
            }
            for index in [1, 2] {
                records.push(records[index].clone());
                input.duplicates += 1;
            }
        }
        input.rows = records.len() as u64;
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEADER).unwrap();
        for record in &records {
            csv.write_record(record).unwrap();
        }
        fs::write(path, csv.into_inner().unwrap()).unwrap();
        input
    }
}
