//! Nights at random: hundreds of bills, an intermediary that does as its dice say, kills in between. DOKU's record is the judge.
//!
//! `TAGIH_BORDER_CAMPAIGNS`, `TAGIH_BORDER_BILLS`, `TAGIH_BORDER_NIGHTS` set the size, `TAGIH_BORDER_SEED` the first seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::between::{ALWAYS, Fate, PAGES, page};
use super::doku::{Doku, State, finding, refusal};
use super::merchant::Merchant;
use super::wire::{Answer, Request, SECRET};
use crate::support::dice::Dice;

/// A name that must be in no output (I22).
const NAME: &str = "Kenari-Kuning";

/// What is wanted of a bill.
#[derive(Clone, Debug)]
struct Wish {
    invoice: String,
    amount: u64,
    merchant_code: Option<String>,
    is_cancelled: bool,
}

impl Wish {
    fn row(&self) -> String {
        let (invoice, amount) = (&self.invoice, self.amount);
        match (&self.merchant_code, self.is_cancelled) {
            (_, true) => format!("{invoice},,,,,,,cancel"),
            (Some(code), false) => format!("{invoice},{amount},{NAME},alfa,merchant,{code},1440,"),
            (None, false) => format!("{invoice},{amount},{NAME},alfa,,,1440,"),
        }
    }
}

/// What the intermediary remembers.
struct Mischief {
    dice: Dice,
    /// Of a hundred requests, those it meddles with.
    percent: u64,
    /// The last answer that passed, whosever it was.
    last: Option<Answer>,
    /// Request-Ids that have been seen, and the orders DOKU itself refused at the first sight of theirs.
    seen: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Mischief {
    /// A page of a gateway, by number.
    fn page(&mut self) -> Answer {
        page(self.dice.below(PAGES))
    }

    fn change(&mut self, request: &Request, doku: &mut Doku) -> Fate {
        let is_first = self.seen.insert(request.request_id().to_owned());
        if !self.dice.percent(self.percent) {
            let answer = doku.handle(request);
            // Only successes change places: an unproven refusal may be taken for DOKU's, provisionally.
            if matches!(answer.status, 200 | 409) {
                self.last = Some(answer.clone());
            }
            return answer.into();
        }
        match self.dice.below(11) {
            0 | 1 => self.page().into(),
            2 | 3 => {
                doku.handle(request);
                self.page().into()
            }
            4 => Fate::Cut,
            5 => {
                doku.handle(request);
                Fate::Cut
            }
            6 => Fate::Torn(doku.handle(request)),
            7 => {
                // Another's answer, if there is one.
                let answer = doku.handle(request);
                self.last.replace(answer).map_or(Fate::Cut, Fate::from)
            }
            8 => {
                doku.handle(request);
                doku.handle(request).into()
            }
            9 => Fate::Later(Duration::from_millis(400), Box::new(doku.handle(request).into())),
            // DOKU's own word, unsigned, that it will not: it has not, and says so of repetitions too.
            _ => {
                if is_first {
                    self.refused.insert(request.about());
                }
                refusal(400, "temporarily not valid").into()
            }
        }
    }

    fn query(&mut self, request: &Request, doku: &mut Doku) -> Fate {
        if !self.dice.percent(self.percent) {
            return doku.handle(request).into();
        }
        let order = doku.orders.values().nth(self.dice.below(doku.orders.len() as u64) as usize).cloned();
        let word = ["PENDING", "EXPIRED", "SUCCESS", "REFUNDED"][self.dice.below(4) as usize];
        match (self.dice.below(4), order) {
            (0, Some(order)) if order.invoice != request.about() => doku.sign(Answer::json(200, &finding(&order, word)), request).into(),
            (1, Some(order)) => {
                let lie = super::doku::Order { invoice: request.about(), ..order };
                Answer::json(200, &finding(&lie, word)).forged(request, &doku.now().to_string()).into()
            }
            (2, _) => Fate::Cut,
            _ => self.page().into(),
        }
    }
}

struct Campaign {
    merchant: Merchant,
    dice: Dice,
    mischief: Arc<Mutex<Mischief>>,
    wishes: Vec<Wish>,
    kills: usize,
}

impl Campaign {
    fn open(seed: u64, bills: usize) -> Self {
        let mut dice = Dice::new(seed);
        let policy = if dice.percent(50) { "\"enforce\"" } else { "\"warn\"" };
        let merchant = Merchant::open(&[
            ("doku.verify_response", policy),
            ("retry.attempts_max", &(1 + dice.below(3)).to_string()),
            ("timeout.request_ms", "300"),
        ]);
        merchant.net.doku().takes_twice = true;
        let mischief =
            Mischief { dice: Dice::new(seed ^ 0xface), percent: 35, last: None, seen: BTreeSet::new(), refused: BTreeSet::new() };
        let mut campaign = Self { merchant, dice, mischief: Arc::new(Mutex::new(mischief)), wishes: vec![], kills: 0 };
        campaign.bill(bills);
        campaign
    }

    fn bill(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.wishes.len() + 1;
            let merchant_code = self.dice.percent(30).then(|| format!("77{number:010}"));
            let amount = 10_000 + self.dice.below(900_000);
            self.wishes.push(Wish { invoice: format!("B-{number:04}"), amount, merchant_code, is_cancelled: false });
        }
    }

    /// New bills, other amounts, cancellations.
    fn month(&mut self) {
        for index in 0..self.wishes.len() {
            let (roll, amount) = (self.dice.below(100), 10_000 + self.dice.below(900_000));
            let wish = &mut self.wishes[index];
            match roll {
                0..25 => wish.amount = amount,
                25..33 => wish.is_cancelled = true,
                _ => {}
            }
        }
        self.bill(self.wishes.len() / 10);
    }

    fn trouble(&self) {
        let net = &self.merchant.net;
        net.calm();
        let mischief = Arc::clone(&self.mischief);
        net.cue("GET", "", ALWAYS, move |request: &Request, doku: &mut Doku| mischief.lock().unwrap().query(request, doku));
        let mischief = Arc::clone(&self.mischief);
        net.cue("", "", ALWAYS, move |request: &Request, doku: &mut Doku| mischief.lock().unwrap().change(request, doku));
    }

    /// Some runs of a night, most of them killed; the last is not.
    fn night(&mut self) {
        let rows: Vec<String> = self.wishes.iter().map(Wish::row).collect();
        self.merchant.bills("bills.csv", &rows);
        self.trouble();
        for _run in 0..self.dice.below(3) {
            let running = self.merchant.start(&["issue", "bills.csv", "--out", "out"]);
            std::thread::sleep(Duration::from_millis(40 + self.dice.below(400)));
            self.kills += usize::from(running.kill().was_killed());
            self.record();
        }
        drop(fs::remove_dir_all(self.merchant.path("out")));
        let retry: &[&str] = if self.dice.percent(50) { &["--retry-rejected"] } else { &[] };
        let finished = self.merchant.run(&[&["issue", "bills.csv", "--out", "out"], retry].concat());
        self.record();
        self.judge(finished.code(), &format!("{finished:?}"));
    }

    /// What DOKU's record says at any moment.
    fn record(&self) {
        let doku = self.merchant.net.doku();
        let mut live = BTreeMap::<&str, usize>::new();
        let now = doku.now();
        for order in doku.payable().into_iter().chain(doku.doubles.iter().filter(|order| order.is_payable(now))) {
            *live.entry(&order.invoice).or_default() += 1;
        }
        assert!(live.values().all(|count| *count == 1), "two live codes for a bill (I3): {live:?}");
        let mut bodies = BTreeMap::<&str, &[u8]>::new();
        for call in &doku.calls {
            let body = bodies.entry(&call.request_id).or_insert(&call.body);
            assert!(call.method == "GET" || *body == call.body, "one Request-Id, two bodies (I4): {call:?}");
        }
        if self.merchant.path("tagih.ledger").exists() {
            let exported = self.merchant.run(&["ledger", "export"]).stdout;
            for call in doku.calls.iter().filter(|call| call.method != "GET") {
                assert!(exported.contains(&call.request_id), "DOKU saw a call without a durable intent (I1): {call:?}");
            }
        }
    }

    /// Files and exit code of a run that came to its end, against DOKU's record.
    fn judge(&self, exit: Option<i32>, said: &str) {
        let (ends, summary) = (self.merchant.ends(), self.merchant.summary());
        let buckets = &summary["buckets"];
        let count = |names: &[&str]| names.iter().map(|name| buckets[*name].as_u64().unwrap()).sum::<u64>();
        let expected = match (count(&["in_doubt", "deferred"]), count(&["rejected", "refused"])) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 3,
        };
        assert_eq!(exit, Some(expected), "{buckets} {said}");
        assert_eq!(summary["input_rows"], self.wishes.len(), "{buckets} (I13)");
        let accepted: BTreeMap<String, BTreeMap<String, String>> =
            self.merchant.rows("out/accepted.csv").into_iter().map(|row| (row["invoice_number"].clone(), row)).collect();
        let refused = &self.mischief.lock().unwrap().refused;
        for (invoice, end) in &ends {
            assert!(end.bucket != "rejected" || refused.contains(invoice), "{invoice} was rejected by a stranger (I24): {end:?}");
        }
        let doku = self.merchant.net.doku();
        for order in doku.payable() {
            let end = ends.get(&order.invoice);
            if end.is_some_and(|end| end.bucket == "in_doubt") {
                continue;
            }
            let Some(row) = accepted.get(&order.invoice) else { panic!("a live code the ledger does not know (I7): {order:?} {end:?}") };
            let same = row["payment_code"] == order.code && row["amount"] == order.amount.to_string();
            assert!(same, "accepted.csv and DOKU differ: {row:?} {order:?} {end:?}");
        }
        for (invoice, row) in &accepted {
            let order = doku.orders.get(invoice);
            let is_live = order.is_some_and(|order| order.state == State::Live);
            assert!(is_live || row["action"] == "in_doubt", "accepted.csv lists what cannot be paid: {row:?} {order:?}");
        }
    }

    /// Nobody meddles any more: everything comes right, and stays so.
    fn finish(self) -> (usize, usize) {
        self.merchant.net.calm();
        let arguments = ["issue", "bills.csv", "--out", "out", "--retry-rejected"];
        let mut runs = 0;
        while self.merchant.run(&arguments).code() != Some(0) {
            runs += 1;
            self.record();
            assert!(runs < 3, "not right after {runs} undisturbed runs: {:?}", self.merchant.run(&arguments));
        }
        self.record();
        self.judge(Some(0), "");
        {
            let doku = self.merchant.net.doku();
            for wish in &self.wishes {
                let order = doku.orders.get(&wish.invoice);
                let right = match order {
                    Some(order) if !wish.is_cancelled => (order.state, order.amount) == (State::Live, wish.amount),
                    Some(order) => order.state == State::Deleted,
                    None => wish.is_cancelled,
                };
                assert!(right, "wanted {wish:?}, DOKU holds {order:?}");
            }
        }
        let mark = self.merchant.net.mark();
        self.merchant.expect(0, &arguments);
        let again = self.merchant.net.since(mark).into_iter().filter(|sent| sent.method != "GET").count();
        assert_eq!(again, 0, "a finished run called DOKU again (I21)");
        self.merchant.verify();
        for folder in ["said", "out"] {
            canaries(&self.merchant.path(folder));
        }
        let calls = self.merchant.net.doku().calls.len();
        (self.kills, calls)
    }
}

/// Neither the secret nor a name is in what was printed or written (I22).
fn canaries(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains(SECRET) && !text.contains(NAME), "{} tells what it must not (I22)", path.display());
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{name}` must be a whole number, not `{text}`")))
}

#[test]
fn nights_among_strangers_and_kills_leave_one_code_a_bill_and_a_ledger_that_knows_it() {
    let (campaigns, nights) = (setting("TAGIH_BORDER_CAMPAIGNS", 4), setting("TAGIH_BORDER_NIGHTS", 4));
    let (bills, first) = (setting("TAGIH_BORDER_BILLS", 150) as usize, setting("TAGIH_BORDER_SEED", 1));
    let (mut kills, mut calls) = (0, 0);
    for seed in first..first + campaigns {
        let again =
            format!("again: TAGIH_BORDER_SEED={seed} TAGIH_BORDER_CAMPAIGNS=1 TAGIH_BORDER_NIGHTS={nights} TAGIH_BORDER_BILLS={bills}");
        let told = std::panic::catch_unwind(|| {
            let mut campaign = Campaign::open(seed, bills);
            for night in 0..nights {
                if night > 0 {
                    campaign.month();
                }
                campaign.night();
            }
            campaign.finish()
        });
        match told {
            Ok(sum) => (kills, calls) = (kills + sum.0, calls + sum.1),
            Err(failure) => {
                eprintln!("{again}");
                std::panic::resume_unwind(failure);
            }
        }
    }
    println!("{campaigns} campaigns: {kills} kills, {calls} calls reached DOKU");
    assert!(kills > 0, "no kill hit a run at work");
}
