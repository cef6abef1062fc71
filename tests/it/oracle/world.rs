//! A small random world from a seed: an external ledger, notification logs, a period, an as-of, and the settings.
//!
//! It aims at edges: instants fall on midnight in WIB, on an expiry, on the end of a grace, and a second to either side.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::lines;
use crate::support::message::utc;
use crate::support::random::Random;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;
/// 2026-10-01 00:00 in WIB.
const OCTOBER: i64 = 1_790_787_600;

pub(crate) const COLUMNS: [&str; 14] = [
    "invoice_number",
    "payment_code",
    "channel",
    "amount",
    "status",
    "reusable",
    "created_at",
    "expires_at",
    "cancelled_at",
    "paid_at",
    "paid_amount",
    "amount_history",
    "bill_group",
    "policy_status",
];
/// How many of them every external ledger has.
const REQUIRED: usize = 9;

/// What a run is told besides its files. Times in seconds since 1970, spans in seconds, money in rupiah.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// First instant of the period.
    pub from: i64,
    /// First instant after the period.
    pub until: i64,
    pub as_of: i64,
    /// Unverifiable lines count as money.
    pub trust_log: bool,
    pub expiry_grace: i64,
    pub tolerance: u64,
    pub skew: i64,
}

/// How a log file ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    LineBreak,
    /// Nothing after the last line.
    None,
    /// Half of the last line is missing.
    Torn,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct LogFile {
    pub lines: Vec<String>,
    pub ending: Ending,
    /// Lines end in CR LF.
    pub windows: bool,
}

impl LogFile {
    pub(crate) fn text(&self) -> String {
        let line_break = if self.windows { "\r\n" } else { "\n" };
        let mut text: String = self.lines.iter().flat_map(|line| [line.as_str(), line_break]).collect();
        let last = self.lines.last().map_or("", String::as_str);
        let cut = match self.ending {
            Ending::Torn if !last.is_empty() => line_break.len() + last.len() / 2,
            Ending::None if !last.is_empty() => line_break.len(),
            _ => 0,
        };
        text.truncate(text.len() - cut);
        text
    }
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub settings: Settings,
    /// The external ledger's columns.
    pub header: String,
    pub rows: Vec<String>,
    pub files: Vec<LogFile>,
}

impl World {
    /// A world in which no two payments happen in the same second.
    pub(crate) fn generate(seed: u64) -> Self {
        Self::generated(seed, false)
    }

    /// A world in which they may: only for comparing the engine with itself.
    pub(crate) fn generate_with_ties(seed: u64) -> Self {
        Self::generated(seed, true)
    }

    fn generated(seed: u64, ties: bool) -> Self {
        let mut random = Random::new(seed);
        let settings = settings(&mut random);
        let bills = bills(&mut random, &settings);
        // The optional columns come together or not at all.
        let columns = if random.chance(10) { REQUIRED } else { COLUMNS.len() };
        let mut rows: Vec<String> = bills.iter().map(|bill| bill.cells()[..columns].join(",")).collect();
        for row in &mut rows {
            if random.chance(5) {
                *row = malformed(&mut random, row);
            }
        }
        let mut files = vec![LogFile::default(); 1 + random.below(3)];
        for line in lines::generate(&mut random, &settings, &bills, ties) {
            let file = random.below(files.len());
            files[file].lines.push(line);
        }
        for file in &mut files {
            file.ending = random.weighted(&[(8, Ending::LineBreak), (1, Ending::None), (1, Ending::Torn)]);
            file.windows = random.chance(5);
        }
        Self { settings, header: COLUMNS[..columns].join(","), rows, files }
    }

    pub(crate) fn ledger_text(&self) -> String {
        let mut text = format!("{}\n", self.header);
        for row in &self.rows {
            text.push_str(row);
            text.push('\n');
        }
        text
    }

    /// Writes the files into `folder` and gives their paths: the ledger, then the logs.
    pub(crate) fn write(&self, folder: &Path) -> (PathBuf, Vec<PathBuf>) {
        let ledger = folder.join("ledger.csv");
        fs::write(&ledger, self.ledger_text()).unwrap();
        let logs = (1_usize..).zip(&self.files).map(|(number, file)| {
            let path = folder.join(format!("log-{number}.jsonl"));
            fs::write(&path, file.text()).unwrap();
            path
        });
        (ledger.clone(), logs.collect())
    }
}

pub(crate) fn settings(random: &mut Random) -> Settings {
    let (first, days) = random.pick(&[(0, 31), (0, 31), (9, 1), (12, 7)]);
    let from = OCTOBER + first * DAY;
    let until = from + days * DAY;
    Settings {
        from,
        until,
        as_of: until + random.pick(&[-DAY, -1, 0, HOUR, DAY - 1, DAY, 2 * DAY, 10 * DAY, 70 * DAY]),
        trust_log: random.chance(30),
        expiry_grace: random.pick(&[0, 5 * MINUTE, HOUR]),
        tolerance: random.pick(&[0, 0, 500, 1_000]),
        skew: random.pick(&[0, 10 * MINUTE]),
    }
}

/// A bill before it becomes text.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub invoice: String,
    pub code: String,
    pub channel: &'static str,
    pub amount: u64,
    pub status: &'static str,
    pub reusable: bool,
    pub created: i64,
    pub expires: i64,
    pub cancelled: Option<i64>,
    pub paid: Option<(i64, Option<u64>)>,
    pub history: Vec<u64>,
    pub group: String,
    pub policy: &'static str,
    /// The cell is left empty.
    pub created_empty: bool,
    /// Another way to write the expiry, or none.
    pub expiry_text: Option<String>,
}

impl Draft {
    fn cells(&self) -> [String; 14] {
        let time = |second: Option<i64>| second.map(utc).unwrap_or_default();
        let paid_amount = self.paid.and_then(|(_, amount)| amount);
        let history: Vec<String> = self.history.iter().map(u64::to_string).collect();
        [
            self.invoice.clone(),
            self.code.clone(),
            self.channel.to_owned(),
            self.amount.to_string(),
            self.status.to_owned(),
            self.reusable.to_string(),
            if self.created_empty { String::new() } else { utc(self.created) },
            self.expiry_text.clone().unwrap_or_else(|| utc(self.expires)),
            time(self.cancelled),
            time(self.paid.map(|(at, _)| at)),
            paid_amount.map(|amount| amount.to_string()).unwrap_or_default(),
            history.join(";"),
            self.group.clone(),
            self.policy.to_owned(),
        ]
    }
}

fn bills(random: &mut Random, settings: &Settings) -> Vec<Draft> {
    let count = random.below(13);
    let mut drafts: Vec<Draft> = Vec::new();
    for number in 0..count {
        let mut draft = draft(random, settings, number);
        // Now and then a number, a code or a group that another bill has already.
        if let Some(other) = drafts.get(random.below(count)) {
            match random.below(100) {
                0..10 => draft.code.clone_from(&other.code),
                10..13 => draft.invoice.clone_from(&other.invoice),
                13..16 => (draft.invoice, draft.code) = (other.invoice.clone(), other.code.clone()),
                _ => {}
            }
        }
        drafts.push(draft);
    }
    drafts
}

fn draft(random: &mut Random, settings: &Settings, number: usize) -> Draft {
    let (from, until, as_of, grace) = (settings.from, settings.until, settings.as_of, settings.expiry_grace);
    let created = match random.below(10) {
        0 => random.pick(&[from - 1, from, until - 1, until, as_of, as_of + 1]),
        1 | 2 => from - random.pick(&[40, 20, 3]) * DAY,
        _ => from + random.below((until - from) as usize) as i64,
    };
    let expires = match random.below(10) {
        0 => random.pick(&[from, from - grace, from - grace - 1, from - 1]),
        1 => random.pick(&[as_of, as_of - grace, as_of - grace - 1, as_of - grace + 1]),
        _ => created + random.pick(&[HOUR, DAY, 3 * DAY, 30 * DAY, 60 * DAY]),
    };
    let expires = expires.max(created + MINUTE);
    let amount = random.pick(&[10_000, 150_000, 150_000, 275_500, 999_999_999_999]);
    let status = random.weighted(&[(12, "ACTIVE"), (4, "PAID"), (4, "CANCELLED"), (2, "EXPIRED")]);
    let middle = created + random.below((expires - created) as usize) as i64;
    let cancelled = (status == "CANCELLED").then(|| random.pick(&[middle, middle, created + 1, from, from - 1, as_of, as_of + 1]));
    let paid_amount = random.pick(&[None, Some(amount), Some(amount), Some(amount / 2), Some(amount + 1_000)]);
    let paid = (status == "PAID" && random.chance(80))
        .then(|| (random.pick(&[middle, middle, from, from - 1, until - 1, until, from - 5 * DAY]), paid_amount));
    let history = if random.chance(30) {
        vec![random.pick(&[100_000, 120_000, amount, 150_000]), (amount + 400).min(999_999_999_999)]
    } else {
        Vec::new()
    };
    let wib = Timestamp::from_second(expires).unwrap().to_zoned(TimeZone::fixed(Offset::constant(7)));
    let expiry_text = match random.below(20) {
        0 if status != "EXPIRED" => Some(String::new()),
        1 => Some(wib.strftime("%Y-%m-%d").to_string()),
        2 => Some(wib.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        3 => Some(wib.strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string()),
        _ => None,
    };
    Draft {
        invoice: format!("INV-{number:04}"),
        code: if random.chance(4) { String::new() } else { format!("{:016}", 6_059_000_000_000_000_u64 + number as u64) },
        channel: random.pick(&["alfa", "alfa", "indomaret"]),
        amount,
        status,
        reusable: random.chance(15),
        created,
        expires,
        cancelled,
        paid,
        history,
        group: if random.chance(25) { random.pick(&["G1", "G2"]).to_owned() } else { String::new() },
        policy: random.pick(&["", "", "inforce", "inforce", "inforce", "LAPSED", "batal"]),
        created_empty: random.chance(3),
        expiry_text,
    }
}

/// A row that cannot be read, each time for another reason.
fn malformed(random: &mut Random, row: &str) -> String {
    let mut cells: Vec<&str> = row.split(',').collect();
    match random.below(9) {
        0 => cells[0] = "",
        1 => cells[1] = "6.05900E+15",
        2 => cells[2] = "lawson",
        3 => cells[3] = "150.000",
        4 => cells[4] = "OPEN",
        5 => cells[5] = "maybe",
        6 => cells[6] = "yesterday",
        7 => cells[7] = "2026-13-01T00:00:00Z",
        _ => cells.truncate(4),
    }
    cells.join(",")
}
