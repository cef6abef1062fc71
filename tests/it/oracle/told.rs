//! What Check Status told of our own ledger's bills: payments that notifications prove too, in other words, and payments nobody
//! was notified of.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tagih::domain::amount::Amount;
use tagih::domain::channel::Channel;
use tagih::domain::check_status::{FoundPayment, StatusDetails, Word};
use tagih::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use tagih::domain::lifecycle::Event;

use super::evidence::{self, Facts, Paid, hex};
use super::own::{Fate, Known, OwnWorld, Story, digest_of};
use super::world::{DAY, HOUR, LogFile, Settings};
use crate::support::random::Random;

/// One answer of Check Status that tells of a payment.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The bill it is about.
    pub story: String,
    pub at: Timestamp,
    pub facts: Facts,
    /// The answer's body, which nothing but its digest is made of.
    pub answer: String,
}

impl Told {
    pub(crate) fn event(&self) -> Event {
        let facts = &self.facts;
        let payment = FoundPayment {
            identity: digest_of(&facts.identity, facts.date),
            canonical: Some(digest_of(&facts.canonical(), Timestamp::from_second(facts.date.as_second()).unwrap())),
            invoice_number: InvoiceNumber::new(&facts.invoice).unwrap(),
            payment_code: PaymentCode::new(&facts.code).unwrap(),
            channel: if facts.channel == "alfa" { Channel::Alfa } else { Channel::Indomaret },
            amount: Amount::new(facts.amount.unwrap()).unwrap(),
            paid_at: facts.date,
            request_id: RequestId::from_digest(&Sha256::digest(&self.answer).into()),
            answer_digest: Sha256::digest(&self.answer).into(),
        };
        Event::Checked {
            order: payment.invoice_number.clone(),
            word: Word::Success,
            chosen: false,
            payment: Some(payment),
            details: StatusDetails::default(),
        }
    }
}

fn by_date(facts: &Facts) -> Vec<String> {
    [facts.channel, &facts.code, &facts.invoice, &facts.date.to_string()].map(str::to_owned).to_vec()
}

/// Answers about bills DOKU can be asked about; dates that nobody else has used, so that no two payments share an instant.
pub(crate) fn generate(random: &mut Random, settings: &Settings, stories: &[Story], known: &[Known], files: &[LogFile]) -> Vec<Told> {
    let texts: Vec<String> = files.iter().map(LogFile::text).collect();
    let (_, payments) = evidence::read(&texts, settings.trust_log);
    let mut dates: Vec<i64> = payments.iter().map(|paid| paid.facts.date.as_second()).collect();
    dates.extend(known.iter().map(|known| known.date.as_second()));
    let mut told: Vec<Told> = Vec::new();
    let askable = |fate: Fate| matches!(fate, Fate::Active | Fate::AmendRejected | Fate::Cancelled(_) | Fate::Retired | Fate::Adopted);
    for story in stories.iter().filter(|story| askable(story.fate)) {
        let Some(issued) = &story.issued else { continue };
        for turn in 0..random.weighted(&[(5, 0), (4, 1), (1, 2)]) {
            let number = told.len();
            let notified = payments.iter().find(|paid| (&paid.facts.invoice, &paid.facts.code) == (&issued.wire, &issued.code));
            let notified = notified.filter(|paid| turn == 0 && paid.facts.amount.is_some());
            let ingested = known.iter().find(|known| (&known.invoice, &known.code) == (&issued.wire, &issued.code)).filter(|_| turn == 0);
            let own = |transaction: String| [story.channel, &issued.code, "ALFAMART", "S3", &transaction].map(str::to_owned).to_vec();
            let (identity, channel, amount, date) = match (notified, ingested) {
                (Some(paid), _) if random.chance(60) => {
                    (paid.facts.identity.clone(), paid.facts.channel, paid.facts.amount, paid.facts.date)
                }
                (_, Some(known)) if random.chance(60) => (known.identity.clone(), known.channel, Some(known.amount), known.date),
                _ => {
                    let inside = settings.from + random.below((settings.until - settings.from) as usize) as i64;
                    let mut second = random.pick(&[inside, inside, inside, settings.from - DAY, settings.until, issued.accepted + HOUR]);
                    while dates.contains(&second) {
                        second += 1;
                    }
                    dates.push(second);
                    let due = story.due();
                    let amount = random.pick(&[due, due, due, due / 2, (due + 1_000).min(999_999_999_999)]);
                    (own(format!("C{number}")), story.channel, Some(amount), Timestamp::from_second(second).unwrap())
                }
            };
            let mut facts = Facts {
                store: Default::default(),
                identity,
                success: true,
                invoice: issued.wire.clone(),
                code: issued.code.clone(),
                channel,
                acquirer_fits: true,
                amount,
                amount_text: String::new(),
                date,
            };
            // An answer may leave out the store's number of the payment, or be the only one to have it.
            if random.chance(25) {
                facts.identity = if facts.identity.len() == 5 { by_date(&facts) } else { own(format!("D{number}")) };
            }
            let hours = random.pick(&[1, 71, 72, 73, 100, -5]);
            let at = Timestamp::from_second(settings.as_of - hours * HOUR - random.pick(&[0, 1])).unwrap();
            told.push(Told { story: story.invoice.clone(), at, facts, answer: format!("answer {number}") });
        }
    }
    told
}

/// The payments told of, each once, less those that the ledger has a notification of.
pub(crate) fn standing(world: &OwnWorld) -> Vec<Paid> {
    let mut standing: Vec<Paid> = Vec::new();
    for told in world.told.iter().filter(|told| world.stories.iter().any(|story| story.invoice == told.story)) {
        let facts = &told.facts;
        let ingested = |known: &Known| {
            let one = evidence::are_one((&known.canonical, &known.moment()), (&facts.canonical(), &facts.moment()));
            one || known.identity == facts.identity
        };
        if world.known.iter().any(ingested) || standing.iter().any(|earlier| earlier.facts.is_payment_of(&told.facts)) {
            continue;
        }
        let digest = hex(&Sha256::digest(&told.answer));
        standing.push(Paid {
            facts: told.facts.clone(),
            line_digest: digest.clone(),
            received_at: None,
            flags: std::collections::BTreeSet::new(),
            evidence: [digest].into(),
            told_at: Some(told.at),
            canonical: facts.canonical(),
            names: [facts.identity.clone(), facts.canonical()].into(),
        });
    }
    standing
}
