//! Random worlds of our own ledger: what happened to each bill, told once, becomes the ledger's events on one side and the
//! oracle's facts on the other.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tagih::domain::amount::Amount;
use tagih::domain::channel::Channel;
use tagih::domain::ids::{InvoiceNumber, PaymentCode};
use tagih::domain::payment::Payment;

use super::evidence::{self, Moment, Paid};
use super::ledger::{Bill, Former, Ingested, Own};
use super::lines;
use super::told::{self, Told};
use super::world::{self, DAY, Draft, HOUR, LogFile, MINUTE, Settings};
use crate::support::random::Random;

/// How far a bill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Planned,
    Rejected,
    /// Sent, no answer recorded.
    Requested,
    /// Sent, and nobody knows what became of it.
    Doubted,
    Active,
    AmendDoubted,
    AmendRejected,
    CancelDoubted,
    Cancelled(i64),
    /// DOKU said the code has expired.
    Retired,
    /// Made elsewhere, taken over.
    Adopted,
}

/// One code as DOKU answered it.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub code: String,
    pub wire: String,
    /// If DOKU said so.
    pub created: Option<i64>,
    pub expires: Option<i64>,
    pub accepted: i64,
}

/// Everything that happened to one bill.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub invoice: String,
    pub channel: &'static str,
    pub reusable: bool,
    pub group: String,
    pub planned: i64,
    /// A code of our own making.
    pub merchant_code: Option<String>,
    /// What was asked of DOKU: an instant, or minutes.
    pub asked_at: Option<i64>,
    pub asked_minutes: u32,
    /// What it asked for at first, and after each amendment.
    pub amounts: Vec<u64>,
    /// A code before the present one, lost to expiry.
    pub before: Option<Issued>,
    /// The code of a bill that has one.
    pub issued: Option<Issued>,
    /// The number of an issue without an answer.
    pub open: Option<String>,
    /// An issue was refused before the present one.
    pub refused_once: bool,
    /// The state of its policy when it was planned, and another that was noted later.
    pub policy: &'static str,
    pub policy_noted: Option<(i64, &'static str)>,
    pub fate: Fate,
}

impl Story {
    pub(crate) fn due(&self) -> u64 {
        *self.amounts.last().unwrap()
    }

    /// The facts the rules speak of, without the ledger's payments.
    fn facts(&self, settings: &Settings) -> Bill {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let in_doubt = matches!(self.fate, Fate::Requested | Fate::Doubted);
        let held = self.issued.as_ref().or(self.before.as_ref());
        // While an issue is open, its code is the one we make, or unknown; the code before it is dead, but still known.
        let code = self.merchant_code.clone().filter(|_| in_doubt).or_else(|| held.map(|held| held.code.clone()));
        let unknown_code = in_doubt && self.merchant_code.is_none();
        let registered_as = if in_doubt && !unknown_code { self.open.clone() } else { held.map(|held| held.wire.clone()) };
        // An expiry is what DOKU answered of the code that may be payable.
        let expires = held.filter(|_| !in_doubt).and_then(|held| held.expires);
        let created = held.filter(|_| !in_doubt).and_then(|held| held.created);
        let operations = 1 + self.amounts.len() - 1 + usize::from(self.before.is_some()) + usize::from(self.refused_once);
        let untouched = matches!(self.fate, Fate::Active | Fate::Adopted) && operations == 1;
        let asked = self.asked_at.or(created.map(|created| created + i64::from(self.asked_minutes) * MINUTE));
        let differs = |(asked, expires): (i64, i64)| (asked - expires).abs() > settings.expiry_grace;
        Bill {
            invoice: self.invoice.clone(),
            code: code.unwrap_or_default(),
            channel: self.channel.to_owned(),
            amount: self.due(),
            reusable: self.reusable,
            created: Some(at(created.unwrap_or(self.planned))),
            expires: expires.map(at),
            cancelled: if let Fate::Cancelled(cancelled) = self.fate { Some(at(cancelled)) } else { None },
            paid: None,
            paid_amount: None,
            history: self.amounts[..self.amounts.len() - 1].to_vec(),
            group: self.group.clone(),
            policy: String::new(),
            own: Own {
                wire: registered_as.filter(|wire| *wire != self.invoice).unwrap_or_default(),
                open: self.open.clone().filter(|_| unknown_code).unwrap_or_default(),
                in_doubt,
                planned: Some(at(self.planned)),
                retired: self.fate == Fate::Retired,
                otherwise: untouched && asked.zip(expires).is_some_and(differs),
                held: held.map(|held| (held.wire.clone(), held.code.clone())),
                former: self.before.iter().filter(|_| self.issued.is_some()).map(former).collect(),
                ingested: Vec::new(),
                policies: std::iter::once((self.planned, self.policy)).chain(self.policy_noted).collect(),
            },
        }
    }

    /// What customers may be told to pay, for the generator of notifications.
    fn slips(&self) -> Vec<Draft> {
        let slip = |invoice: &str, code: &str, created: i64, expires: i64| Draft {
            invoice: invoice.to_owned(),
            code: code.to_owned(),
            channel: self.channel,
            amount: self.due(),
            status: "ACTIVE",
            reusable: self.reusable,
            created,
            expires,
            cancelled: if let Fate::Cancelled(cancelled) = self.fate { Some(cancelled) } else { None },
            paid: None,
            history: self.amounts[..self.amounts.len() - 1].to_vec(),
            group: String::new(),
            policy: "",
            created_empty: false,
            expiry_text: None,
        };
        let mut slips = Vec::new();
        for issued in self.issued.iter().chain(&self.before) {
            let created = issued.created.unwrap_or(self.planned);
            let expires = issued.expires.unwrap_or(created + 10 * DAY);
            slips.push(slip(&issued.wire, &issued.code, created, expires));
            slips.push(slip(&self.invoice, &issued.code, created, expires));
        }
        if let Some(open) = &self.open {
            let code = self.merchant_code.clone().unwrap_or_else(|| format!("6{:015}", self.planned));
            slips.push(slip(open, &code, self.planned, self.planned + DAY));
        }
        if slips.is_empty() {
            slips.push(slip(&self.invoice, "6059000000009999", self.planned, self.planned + DAY));
        }
        slips
    }
}

fn former(issued: &Issued) -> Former {
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    Former { wire: issued.wire.clone(), code: issued.code.clone(), created: issued.created.map(at), expires: issued.expires.map(at) }
}

/// SHA-256 over the parts of an identity, each after its length in eight bytes.
pub(crate) fn digest_of(identity: &[String], date: Timestamp) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    let by_transaction = identity.len() == 5;
    part(if by_transaction { b"trx" } else { b"date" });
    for (index, text) in identity.iter().enumerate() {
        match index {
            3 if !by_transaction => part(&date.as_microsecond().to_be_bytes()),
            _ => part(text.as_bytes()),
        }
    }
    hasher.finalize().into()
}

/// A payment the ledger ingested before.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub identity: Vec<String>,
    pub canonical: Vec<String>,
    pub invoice: String,
    pub code: String,
    pub channel: &'static str,
    pub amount: u64,
    pub date: Timestamp,
}

impl Known {
    fn of(paid: &Paid) -> Option<Self> {
        let facts = paid.facts.clone();
        let (identity, invoice, code, channel) = (facts.identity, facts.invoice, facts.code, facts.channel);
        let canonical = paid.canonical.clone();
        Some(Self { identity, canonical, invoice, code, channel, amount: facts.amount?, date: facts.date })
    }

    pub(crate) fn moment(&self) -> Moment {
        (self.channel, self.code.clone(), self.invoice.clone(), Some(self.amount), self.date.as_second())
    }

    /// As the ledger keeps it.
    pub(crate) fn payment(&self) -> Payment {
        Payment {
            identity: digest_of(&self.identity, self.date),
            canonical: digest_of(&self.canonical, Timestamp::from_second(self.date.as_second()).unwrap()),
            invoice_number: InvoiceNumber::new(&self.invoice).unwrap(),
            payment_code: PaymentCode::new(&self.code).unwrap(),
            channel: if self.channel == "alfa" { Channel::Alfa } else { Channel::Indomaret },
            amount: Amount::new(self.amount).unwrap(),
            paid_at: self.date,
            received_at: None,
            line_digest: [1; 32],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OwnWorld {
    pub settings: Settings,
    pub stories: Vec<Story>,
    pub known: Vec<Known>,
    /// What Check Status said, in the order it was asked.
    pub told: Vec<Told>,
    pub files: Vec<LogFile>,
}

impl OwnWorld {
    pub(crate) fn generate(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x0000_0fed_cba9_8765);
        let settings = world::settings(&mut random);
        let count = random.below(13);
        let mut stories: Vec<Story> = Vec::new();
        for number in 0..count {
            let mut story = story(&mut random, &settings, number);
            // A code of our own making that another bill has given up.
            let free =
                stories.iter().find(|other| matches!(other.fate, Fate::Cancelled(_) | Fate::Retired) && other.merchant_code.is_some());
            if let (true, Some(mine), Some(other)) = (random.chance(85), &mut story.merchant_code, free) {
                let code = other.merchant_code.clone().unwrap();
                let taken = stories.iter().filter(|story| story.merchant_code.as_ref() == Some(&code)).count() > 1;
                if !taken {
                    for issued in story.issued.iter_mut().chain(&mut story.before) {
                        issued.code.clone_from(&code);
                    }
                    *mine = code;
                }
            }
            stories.push(story);
        }
        let slips: Vec<Draft> = stories.iter().flat_map(Story::slips).collect();
        let mut files = vec![LogFile::default(); 1 + random.below(2)];
        for line in lines::generate(&mut random, &settings, &slips, false) {
            let file = random.below(files.len());
            files[file].lines.push(line);
        }
        let known = known(&mut random, &settings, &slips, &files);
        let told = told::generate(&mut random, &settings, &stories, &known, &files);
        Self { settings, stories, known, told, files }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.files.iter().map(LogFile::text).collect()
    }

    /// The bills as the rules see them.
    pub(crate) fn bills(&self) -> Vec<Bill> {
        let bills = self.stories.iter().map(|story| story.facts(&self.settings));
        bills
            .map(|bill| {
                // A payment is the bill's when it names it, or the number of its code, and is for the code it holds, if it holds one.
                let named =
                    |known: &Known| known.invoice == bill.invoice || bill.own.held.as_ref().is_some_and(|(wire, _)| *wire == known.invoice);
                let had = |known: &Known| bill.own.former.iter().any(|former| former.code == known.code);
                let its = |known: &&Known| named(known) && bill.own.held.as_ref().is_none_or(|(_, code)| *code == known.code || had(known));
                let ingested = self.known.iter().filter(its);
                let ingested = ingested.map(|known| Ingested {
                    identity: known.identity.clone(),
                    canonical: known.canonical.clone(),
                    moment: known.moment(),
                    date: known.date,
                    amount: known.amount,
                });
                let ingested = ingested.collect();
                Bill { own: Own { ingested, ..bill.own.clone() }, ..bill }
            })
            .collect()
    }
}

fn story(random: &mut Random, settings: &Settings, number: usize) -> Story {
    let (from, until, as_of, grace) = (settings.from, settings.until, settings.as_of, settings.expiry_grace);
    let invoice = format!("INV-{number:04}");
    let planned = match random.below(10) {
        0 => random.pick(&[from - 1, from, until - 1, until, as_of, as_of + 1]),
        1 | 2 => from - random.pick(&[40, 20, 3]) * DAY,
        _ => from + random.below((until - from) as usize) as i64,
    };
    let expiry = |random: &mut Random, created: i64| {
        let expires = match random.below(10) {
            0 => random.pick(&[from, from - grace, from - grace - 1, from - 1]),
            1 => random.pick(&[as_of, as_of - grace, as_of - grace - 1, as_of - grace + 1]),
            _ => created + random.pick(&[HOUR, DAY, 3 * DAY, 30 * DAY, 60 * DAY]),
        };
        expires.max(created + MINUTE)
    };
    let merchant_code = random.chance(50).then(|| format!("8896{number:012}"));
    let code = |generation: u64| {
        merchant_code.clone().unwrap_or_else(|| format!("{:016}", 6_059_000_000_000_000 + 100 * number as u64 + generation))
    };
    let accepted = planned + random.pick(&[1, 30, MINUTE]);
    let created = accepted - random.pick(&[0, 1]);
    let expires = expiry(random, created);
    let first = Issued {
        code: code(0),
        wire: invoice.clone(),
        created: random.chance(85).then_some(created),
        expires: random.chance(85).then_some(expires),
        accepted,
    };
    let fate = random.weighted(&[
        (2, Fate::Planned),
        (1, Fate::Rejected),
        (2, Fate::Requested),
        (3, Fate::Doubted),
        (10, Fate::Active),
        (1, Fate::AmendDoubted),
        (1, Fate::AmendRejected),
        (1, Fate::CancelDoubted),
        (4, Fate::Cancelled(0)),
        (2, Fate::Retired),
        (2, Fate::Adopted),
    ]);
    let fate = match fate {
        Fate::Cancelled(_) => {
            let middle = accepted + random.below((expires - accepted).max(1) as usize) as i64;
            Fate::Cancelled(random.pick(&[middle, from, from - 1, as_of, as_of + 1, as_of + 1]).max(accepted + 2))
        }
        other => other,
    };
    let has_code = !matches!(fate, Fate::Planned | Fate::Rejected | Fate::Requested | Fate::Doubted);
    let reissued = fate != Fate::Adopted && fate != Fate::Planned && fate != Fate::Rejected && random.chance(25);
    let wire = format!("{invoice}-R1");
    let (before, issued) = if reissued {
        let accepted = expires.max(accepted) + random.pick(&[HOUR, DAY]);
        let second = Issued {
            code: code(1),
            wire: wire.clone(),
            created: random.chance(85).then_some(accepted),
            expires: random.chance(85).then(|| expiry(random, accepted)),
            accepted,
        };
        (Some(first), has_code.then_some(second))
    } else {
        (None, has_code.then_some(first))
    };
    let fate = match (fate, &issued) {
        (Fate::Cancelled(at), Some(issued)) => Fate::Cancelled(at.max(issued.accepted + 2)),
        (other, _) => other,
    };
    let open = (!has_code && !matches!(fate, Fate::Planned | Fate::Rejected)).then(|| if reissued { wire } else { invoice.clone() });
    let amount = random.pick(&[10_000, 150_000, 150_000, 275_500, 999_999_999_000]);
    let mut amounts = vec![amount];
    if has_code && fate != Fate::Adopted && random.chance(30) {
        amounts.push(random.pick(&[100_000, 120_000, amount + 400]));
        if random.chance(30) {
            amounts.push(random.pick(&[amount, 150_000, 175_000]));
        }
    }
    // An amendment that changes no amount supersedes none.
    amounts.dedup();
    let noted = random.chance(30).then(|| (accepted + random.pick(&[MINUTE, HOUR, DAY]), random.pick(&["", "inforce", "BATAL"])));
    let asked_at = random.chance(60).then(|| expires + random.weighted(&[(6, 0), (1, grace), (1, -grace - 1), (1, DAY)]));
    Story {
        invoice,
        channel: random.pick(&["alfa", "alfa", "indomaret"]),
        reusable: random.chance(15),
        group: if random.chance(25) { random.pick(&["G1", "G2"]).to_owned() } else { String::new() },
        planned,
        merchant_code,
        asked_at,
        asked_minutes: u32::try_from((expires - created) / MINUTE).unwrap() + random.pick(&[0, 0, 30]),
        amounts,
        before,
        issued,
        open,
        refused_once: fate != Fate::Adopted && random.chance(8),
        policy: random.pick(&["", "inforce", "inforce", "Lapsed"]),
        policy_noted: noted.filter(|_| matches!(fate, Fate::Active | Fate::Adopted)),
        fate,
    }
}

/// What was ingested earlier: some of this evidence, and payments whose evidence is not among the logs.
fn known(random: &mut Random, settings: &Settings, slips: &[Draft], files: &[LogFile]) -> Vec<Known> {
    let texts: Vec<String> = files.iter().map(LogFile::text).collect();
    let (_, payments) = evidence::read(&texts, settings.trust_log);
    let mut dates: Vec<i64> = payments.iter().map(|paid| paid.facts.date.as_second()).collect();
    let mut unused = |mut second: i64| {
        while dates.contains(&second) {
            second += 1;
        }
        dates.push(second);
        Timestamp::from_second(second).unwrap()
    };
    let mut known = Vec::new();
    for paid in &payments {
        let Some(mut payment) = Known::of(paid).filter(|_| random.chance(30)) else { continue };
        // The ledger met a message of this payment that had another date.
        if payment.identity.len() == 5 && random.chance(15) {
            payment.date = unused(payment.date.as_second() - random.pick(&[MINUTE, DAY, 10 * DAY]));
        }
        known.push(payment);
    }
    for number in 0..random.below(4) {
        let Some(slip) = slips.get(random.below(slips.len().max(1))).filter(|slip| !slip.code.is_empty()) else { continue };
        let inside = settings.from + random.below((settings.until - settings.from) as usize) as i64;
        let second =
            random.pick(&[inside, inside, settings.from - 1, settings.from, settings.from - 3 * DAY, settings.until, slip.created + 60]);
        let identity = [slip.channel, &slip.code, "ALFAMART", "S9", &format!("K{number}")].map(str::to_owned).to_vec();
        known.push(Known {
            canonical: identity.clone(),
            identity,
            invoice: slip.invoice.clone(),
            code: if random.chance(5) { "6059000000008888".to_owned() } else { slip.code.clone() },
            channel: slip.channel,
            amount: random.pick(&[slip.amount, slip.amount, slip.amount / 2, (slip.amount + 1_000).min(999_999_999_999)]),
            date: unused(second),
        });
    }
    known
}
