//! A waiver is taken back while money waits for its bill: the money goes to what is owed again, and `why`, the register of decisions, the list and
//! the books all say so.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz};

use super::told::{agrees, why};
use crate::cli::period::{Books, code};
use crate::cli::reconcile::{line, summary};

/// A month by its first day: its name, a day of it, and when it is reconciled.
fn month(first: Date) -> (String, impl Fn(i64) -> String, String) {
    let on = move |days: i64| first.checked_add(days.days()).unwrap().to_string();
    (first.to_string()[..7].to_owned(), on, first.checked_add(1.month()).unwrap().checked_add(3.days()).unwrap().to_string())
}

/// What stands on an account, such as `P06 -100000`.
fn stands(of: &Books, month: &str, account: &str) -> Vec<String> {
    let rows = of.world.rows(&format!("{month}/open_items.csv"));
    rows.iter().filter(|row| row["account"] == account).map(|row| format!("{} {}", row["class"], row["amount"])).collect()
}

#[test]
fn money_that_a_waiver_taken_back_lets_go_is_told_by_why_the_register_the_list_and_the_books() {
    // A decision is taken back on the day that is written in the journal: today.
    let today = Timestamp::now().to_zoned(tz::TimeZone::fixed(tz::offset(7))).date();
    let (before, on_before, ends_before) = month(today.first_of_month().checked_sub(1.month()).unwrap());
    let (now, on_now, ends) = month(today.first_of_month());
    let expires = today.checked_add(3.months()).unwrap().to_string();
    for (is_own, amount, over) in [(true, 100_000, 0), (false, 100_000, 0), (true, 150_000, 50_000), (false, 40_000, 0)] {
        let what = format!("own: {is_own}, {amount} paid");
        let of = Books::new("");
        if is_own {
            of.issue("B-01", 100_000, &on_before(1), &expires);
        }
        let bill = format!("alfa,{},B-01,100000,{}T05:00:00Z,{expires}T05:00:00Z,ACTIVE,false,", code("B-01"), on_before(1));
        of.world.file(
            "bills.csv",
            format!("channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at\n{bill}\n"),
        );
        of.world.file("none.jsonl", "");
        let paid = line("B-01", &code("B-01"), amount, &format!("{}T03:00:00Z", on_now(0)), "T1");
        let run = |month: &str, log: &str, as_of: &str, more: &[&str]| {
            let source: &[&str] = if is_own { &[] } else { &["--external-ledger", "bills.csv"] };
            of.reconcile(month, log, as_of, &[source, more].concat());
        };
        let id = |month: &str, account: &str| {
            let rows = of.world.rows(&format!("{month}/open_items.csv"));
            rows.iter().find(|row| row["account"] == account).unwrap_or_else(|| panic!("{what}: {account}"))["discrepancy_id"].clone()
        };
        let journal = |arguments: &[&str]| of.world.run(&[&["discrepancies"], arguments, &["--by", "Sari"]].concat()).expect(0);
        run(&before, "none.jsonl", &ends_before, &[]);
        let waived = id(&before, "receivable");
        journal(&["take", &before, "--item", &waived]);
        journal(&["accept", &waived, "--action", "waive", "--reason", "goodwill", "--effective", &on_before(20)]);
        run(&before, "none.jsonl", &ends_before, &[]);
        journal(&["take", &before]);
        of.close(&before).expect(0);

        if is_own {
            of.log("paid.jsonl", &[paid]);
        } else {
            of.world.file("paid.jsonl", format!("{paid}\n"));
        }
        run(&now, "paid.jsonl", &ends, &["--opening", &before]);
        assert_eq!((stands(&of, &now, "suspense"), stands(&of, &now, "receivable")), (vec![format!("P06 {amount}")], vec![]), "{what}");
        journal(&["take", &now]);
        journal(&["reopen", &waived, "--reason", "it was another customer's"]);
        run(&now, "paid.jsonl", &ends, &["--opening", &before]);

        let went = amount.min(100_000);
        let left = |amount: u64, class: &str| if amount > 0 { vec![format!("{class} {amount}")] } else { vec![] };
        assert_eq!(stands(&of, &now, "suspense"), left(over, "P04"), "{what}");
        assert_eq!(stands(&of, &now, "receivable"), left(100_000 - went, "L11"), "{what}");
        let books = summary(&of.world.path(&now))["books"].clone();
        assert!(books["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true), "{what}: {books}");
        let applied = of.world.rows(&format!("{now}/postings.csv"));
        let applied = applied.iter().filter(|row| row["debit_account"] == "suspense" && row["credit_account"] == "receivable");
        assert_eq!(applied.map(|row| row["amount"].parse::<u64>().unwrap()).collect::<Vec<_>>(), [went], "{what}");
        let said = rupiah(went);
        let story = why(&of.world, "B-01", &["--report", &now]);
        agrees(&of.world, &now, "B-01", &story, &what);
        let told = story.0["books"]["story"].to_string();
        assert!(
            told.contains(&format!("taken back: Rp100.000; by that {said} of the money that was held for it went to the bill")),
            "{what}: {told}"
        );
        let page = std::fs::read_to_string(of.world.path(&format!("{now}/report.html"))).unwrap();
        assert!(page.contains(&format!("{said} yang ditahan dibukukan ke tagihannya")), "{what}: the register of decisions");
        super::audit::agrees(&of.world, &now);
    }
}

fn rupiah(amount: u64) -> String {
    format!("Rp{}.000", amount / 1_000)
}
