//! A waiver is taken back while money waits for its bill: the money goes to what is owed again, and `why`, the register of decisions, the list and
//! the books all say so.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz};

use super::told::{agrees, why};
use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{line, summary};

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
    let [(first, on_first, ends_first), (second, on_second, ends_second), (now, on_now, ends)] =
        [2, 1, 0].map(|ago: i64| month(today.first_of_month().checked_sub(ago.months()).unwrap()));
    let expires = today.checked_add(3.months()).unwrap().to_string();
    // Money that came in a month that is over waits there; what comes in this month finds the bill owed again.
    for (is_own, amount, over, has_waited) in
        [(true, 100_000, 0, true), (false, 150_000, 50_000, true), (true, 40_000, 0, true), (false, 100_000, 0, false)]
    {
        let what = format!("own: {is_own}, {amount} paid, waited: {has_waited}");
        let of = Books::new("");
        if is_own {
            of.issue("B-01", 100_000, &on_first(1), &expires);
        }
        let bill = format!("alfa,{},B-01,100000,{}T05:00:00Z,{expires}T05:00:00Z,ACTIVE,false,", code("B-01"), on_first(1));
        let head = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";
        of.world.file("bills.csv", format!("{head}\n{bill}\n"));
        of.world.file("none.jsonl", "");
        let day = if has_waited { on_second(9) } else { on_now(0) };
        let paid = line("B-01", &code("B-01"), amount, &format!("{day}T03:00:00Z"), "T1");
        let run = |month: &str, log: &str, as_of: &str, more: &[&str]| {
            let source: &[&str] = if is_own { &[] } else { &["--external-ledger", "bills.csv"] };
            of.reconcile(month, log, as_of, &[source, more].concat());
        };
        let journal = |arguments: &[&str]| of.world.run(&[&["discrepancies"], arguments, &["--by", "Sari"]].concat()).expect(0);
        let close = |month: &str| {
            journal(&["take", month]);
            of.close(month).expect(0);
        };
        run(&first, "none.jsonl", &ends_first, &[]);
        let rows = of.world.rows(&format!("{first}/open_items.csv"));
        let waived = &rows.iter().find(|row| row["account"] == "receivable").unwrap()["discrepancy_id"];
        journal(&["take", &first, "--item", waived]);
        journal(&["accept", waived, "--action", "waive", "--reason", "goodwill", "--effective", &on_first(20)]);
        run(&first, "none.jsonl", &ends_first, &[]);
        close(&first);
        if is_own {
            of.log("paid.jsonl", &[paid]);
        } else {
            of.world.file("paid.jsonl", format!("{paid}\n"));
        }
        run(&second, if has_waited { "paid.jsonl" } else { "none.jsonl" }, &ends_second, &["--opening", &first]);
        let waits = if has_waited { vec![format!("P06 {amount}")] } else { vec![] };
        assert_eq!((stands(&of, &second, "suspense"), stands(&of, &second, "receivable")), (waits, vec![]), "{what}");
        close(&second);
        journal(&["reopen", waived, "--reason", "it was another customer's"]);
        run(&now, if has_waited { "none.jsonl" } else { "paid.jsonl" }, &ends, &["--opening", &second]);

        let went = amount.min(100_000);
        let left = |amount: u64, class: &str| if amount > 0 { vec![format!("{class} {amount}")] } else { vec![] };
        assert_eq!(stands(&of, &now, "suspense"), left(over, "P06"), "{what}");
        assert_eq!(stands(&of, &now, "receivable"), left(100_000 - went, "L11"), "{what}");
        let books = summary(&of.world.path(&now))["books"].clone();
        assert!(books["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true), "{what}: {books}");
        let postings = of.world.rows(&format!("{now}/postings.csv"));
        let given = postings.iter().filter(|row| row["credit_account"] == "receivable" && row["movement"] != "reversed");
        let given: Vec<(&str, u64)> = given.map(|row| (&*row["debit_account"], row["amount"].parse().unwrap())).collect();
        assert_eq!(given, [(if has_waited { "suspense" } else { "doku" }, went)], "{what}: {postings:#?}");
        let story = why(&of.world, "B-01", &["--report", &now]);
        agrees(&of.world, &now, "B-01", &story, &what);
        let (told, page) =
            (story.0["books"]["story"].to_string(), std::fs::read_to_string(of.world.path(&format!("{now}/report.html"))).unwrap());
        let went = rupiah(went);
        let says_why = told.contains(&format!("taken back: Rp100.000; by that {went} of the money that was held for it went to the bill"));
        let says_register = page.contains(&format!("{went} that was held went to the bill by that"));
        assert_eq!([says_why, says_register], [has_waited; 2], "{what}: {told}");
        assert!(told.contains("taken back: Rp100.000"), "{what}: {told}");
        crate::support::audit::agrees(&of.world, &now);
    }
}

fn rupiah(amount: u64) -> String {
    format!("Rp{}.000", amount / 1_000)
}
