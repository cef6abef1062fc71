//! A merchant and DOKU, each a process of its own, that know each other's address; and the four books of the money.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::reconcile::ours::{reconciled, summary};
use crate::serve::shop::{INQUIRY, NOTIFICATION, Shop};
use crate::support::world::{Doku, SECRET, until};

/// Where no merchant listens.
pub const NOWHERE: &str = "http://127.0.0.1:1/payments/notifications";

/// `tagih serve` over a folder of its own, and `tagih sandbox`, which asks and notifies it.
pub struct Town {
    pub shop: Shop,
    pub doku: Doku,
    paths: [&'static str; 2],
}

/// How much each payment is, by the counter's number of it.
type Money = BTreeMap<String, u64>;

impl Town {
    /// `settings` go under `[serve]`, `flags` to the sandbox, where a `--notify` counts instead of the server's URL.
    pub fn open(settings: &str, flags: &[&str]) -> Self {
        Self::open_at([INQUIRY, NOTIFICATION], settings, flags)
    }

    /// The same with the server's URLs at these paths.
    pub fn open_at(paths: [&'static str; 2], settings: &str, flags: &[&str]) -> Self {
        let mut shop = Shop::new(settings);
        shop.open();
        shop.world.reconfigure("127.0.0.1:0", &shop.address);
        let doku = Self::doku(&shop, paths, SECRET, flags);
        shop.world.reconfigure("http://127.0.0.1:1\"", &format!("{}\"", doku.base_url()));
        Self { shop, doku, paths }
    }

    fn doku(shop: &Shop, paths: [&str; 2], secret: &str, flags: &[&str]) -> Doku {
        let [inquire, notify] = paths.map(|path| format!("http://{}{path}", shop.address));
        let notify = if flags.contains(&"--notify") { vec![] } else { vec!["--notify", &notify] };
        let configuration = shop.world.path("tagih.toml").display().to_string();
        let fixed = ["--config", &configuration, "--inquire", &inquire];
        Doku::process_keyed(secret, &[&fixed, notify.as_slice(), flags].concat())
    }

    /// DOKU begins anew: empty books, and another key.
    pub fn rekey(&mut self, secret: &str) {
        let doku = Self::doku(&self.shop, self.paths, secret, &[]);
        self.shop.world.reconfigure(&self.doku.base_url(), &doku.base_url());
        self.doku = doku;
    }

    /// SIGTERM, then a server at the same address.
    pub fn reopen(&mut self) {
        assert_eq!(self.shop.close(), Some(0));
        self.shop.open();
    }

    /// Issues these rows under `head`; every one must be done.
    pub fn issue(&self, head: &str, rows: &[&str]) {
        self.shop.world.file("bills.csv", format!("{head}\n{}\n", rows.join("\n")));
        self.shop.world.issue("bills.csv", &[]).expect(0);
    }

    /// Invoice → code, of the last run's live codes.
    pub fn codes(&self) -> BTreeMap<String, String> {
        let rows = self.shop.world.rows("out/accepted.csv");
        rows.into_iter().map(|row| (row["invoice_number"].clone(), row["payment_code"].clone())).collect()
    }

    /// A customer pays a code at the counter; `more` keys of the body, such as `,"amount":1000`. The notification, or the error's words.
    pub fn pays(&self, code: &str, more: &str) -> Result<Value, String> {
        let answer = self.doku.ask("POST", "/_sandbox/pay", &format!(r#"{{"payment_code":"{code}"{more}}}"#));
        answer["error"]["message"].as_str().map_or(Ok(answer.clone()), |words| Err(words.to_owned()))
    }

    /// The same, and the counter takes the money.
    #[track_caller]
    pub fn paid(&self, code: &str, more: &str) {
        self.pays(code, more).unwrap_or_else(|words| panic!("{code}: {words}"));
    }

    /// DOKU asks about a code: the word of the answer. The answer must be in order, signature included.
    #[track_caller]
    pub fn asked(&self, code: &str) -> String {
        let inquiry = self.doku.ask("POST", "/_sandbox/inquire", &format!(r#"{{"payment_code":"{code}"}}"#));
        assert!(inquiry["problem"].is_null(), "{inquiry}");
        inquiry["status"].as_str().unwrap_or_else(|| panic!("{inquiry}")).to_owned()
    }

    /// The states of all notifications, in order.
    pub fn deliveries(&self) -> Vec<String> {
        self.doku.look("/_sandbox/deliveries").iter().map(|delivery| delivery["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until DOKU has nothing under way to the merchant any more.
    #[track_caller]
    pub fn delivered(&self) {
        until("everything is delivered", || self.deliveries().iter().all(|state| state != "waiting" && state != "under_way"));
    }

    /// What the ledger says was paid: how often, how much.
    pub fn ledger(&self) -> (u64, u64) {
        let ran = self.shop.world.run(&["status", "--json"]).expect(0);
        let status: Value = serde_json::from_str(&ran.stdout).unwrap();
        (status["payments"]["count"].as_u64().unwrap(), status["payments"]["amount"].as_u64().unwrap())
    }

    /// What DOKU's own books say.
    fn in_dokus_books(&self) -> Money {
        let orders = self.doku.look("/_sandbox/orders");
        let payments = orders.iter().flat_map(|order| order["payments"].as_array().unwrap());
        let taken = payments.filter(|payment| payment["status"] == "SUCCESS");
        taken.map(|payment| (payment["transaction_id"].as_str().unwrap().to_owned(), payment["amount"].as_u64().unwrap())).collect()
    }

    /// What the merchant's log says, read in the plainest way.
    fn in_the_log(&self) -> Money {
        let mut money = Money::new();
        for line in self.shop.lines("notifications-") {
            let body: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
            if body["transaction"]["status"] == "SUCCESS" {
                let identifiers = body["online_to_offline_payment"]["identifier"].as_array().unwrap();
                let number = identifiers.iter().find(|one| one["name"] == "AGENT_TRX_ID").unwrap()["value"].as_str().unwrap();
                money.insert(number.to_owned(), body["order"]["amount"].as_u64().unwrap());
            }
        }
        money
    }

    /// Reconciles what the server kept against the ledger: exactly these classes of lines, payments and bills, nothing for a person
    /// to do, every identity holds; and DOKU's books, the log, the ledger and the report have the same payments.
    #[track_caller]
    pub fn agrees(&self, lines: &str, payments: &str, bills: &str) {
        self.delivered();
        let doku = self.in_dokus_books();
        let (count, rupiah) = (doku.len() as u64, doku.values().sum::<u64>());
        until("the ledger has every payment", || self.ledger() == (count, rupiah));
        assert_eq!(self.in_the_log(), doku, "the log against DOKU's books");
        self.reports(lines, payments, bills, (count, rupiah));
        let exported = self.shop.world.run(&["ledger", "export"]).expect(0).stdout;
        let exported = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(exported.filter(|line| line["kind"] == "payment").count() as u64, count);
    }

    /// The report alone: these classes, so many payments and rupiah, exit code 0.
    #[track_caller]
    pub fn reports(&self, lines: &str, payments: &str, bills: &str, money: (u64, u64)) {
        let world = &self.shop.world;
        let logs = world.path("logs/notifications-*").display().to_string();
        assert_eq!(reconciled(world, &logs, 0), [lines, payments, bills]);
        let report = summary(&world.path("report"));
        let identities = report["identities"].as_array().unwrap();
        assert!(identities.len() > 8 && identities.iter().all(|identity| identity["holds"] == true), "{identities:?}");
        let classes: Vec<&Value> = report["payments"].as_object().unwrap().values().collect();
        let sum = |key: &str| classes.iter().map(|class| class[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("count"), sum("amount")), money, "the report against DOKU's books");
        assert_eq!(report["discrepancies"]["count"], 0);
        world.run(&["ledger", "verify"]).expect(0);
    }
}
