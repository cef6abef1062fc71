//! What an item is called: invoice numbers, codes and channel, and the id under which lists show it.

use crate::books::Account;
use crate::books::fact::Payee;
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::{BookedBill, Known};
use crate::books::pair::Leg;
use crate::domain::amount::Rupiah;
use crate::reconcile::finding::{bill_id, id};

/// Invoice numbers, codes and channel of what an item is about; empty where it has none.
#[must_use]
pub fn names_of(known: &Known, item: ItemId) -> (String, String, String) {
    let channel = |channel: Option<crate::domain::channel::Channel>| channel.map_or_else(String::new, |channel| channel.name().to_owned());
    match item.subject() {
        BooksSubject::Debt => {
            of_bills(known.debts.get(&item).into_iter().flat_map(|debt| &debt.bills).filter_map(|bill| known.bills.get(bill)))
        }
        BooksSubject::Payment => {
            let Some(payment) = known.payments.get(&item) else { return Default::default() };
            match payment.payee {
                Payee::Bill(bill) => {
                    let (invoice_number, payment_code, _) = of_bills(known.bills.get(&bill).into_iter());
                    (invoice_number, payment_code, channel(Some(payment.channel)))
                }
                Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => {
                    let notified = &payment.notified;
                    (notified.invoice_number.to_string(), notified.payment_code.to_string(), channel(Some(payment.channel)))
                }
            }
        }
        BooksSubject::Row => {
            let row = known.rows.get(&item);
            let invoice_number = row.map_or_else(String::new, |row| row.invoice_number.to_string());
            (invoice_number, String::new(), channel(row.and_then(|row| row.kind.channel())))
        }
        BooksSubject::Batch => (batch_name(known, item), String::new(), String::new()),
        BooksSubject::Payout => {
            let batch = known.payouts.get(&item).map(|payout| payout.batch);
            (batch.map_or_else(String::new, |batch| batch_name(known, batch)), String::new(), String::new())
        }
        BooksSubject::Decision => {
            let of =
                known.decisions.get(&item).and_then(|decided| decided.leg?.item).filter(|item| item.subject() != BooksSubject::Decision);
            of.map_or_else(Default::default, |item| names_of(known, item))
        }
        BooksSubject::Bill | BooksSubject::Event | BooksSubject::BankLine | BooksSubject::Alarm | BooksSubject::Books => Default::default(),
    }
}

fn of_bills<'k>(bills: impl Iterator<Item = &'k BookedBill>) -> (String, String, String) {
    let bills: Vec<&BookedBill> = bills.collect();
    let mut invoices: Vec<&str> = bills.iter().map(|bill| &*bill.invoice_number).collect();
    invoices.dedup();
    let named: Vec<(&str, &str)> = bills.iter().flat_map(|bill| &bill.names).filter_map(|name| name.split_once('/')).collect();
    let codes: Vec<&str> = named.iter().map(|(_, code)| *code).collect();
    let channel = named.first().map_or("", |(channel, _)| *channel);
    (invoices.join(" "), codes.join(" "), channel.to_owned())
}

fn batch_name(known: &Known, batch: ItemId) -> String {
    known.batches.get(&batch).map_or_else(String::new, |batch| batch.name.to_string())
}

/// The id under which lists of discrepancies have always shown what is wrong with it: that of a bill under its code, of money that
/// is not paid out, of a row by what rows are told by; else that of the item itself.
pub(super) fn listed_as(known: &Known, leg: Leg) -> String {
    let Some(item) = leg.item else { return String::new() };
    let own = item.key_text();
    match (leg.account, item.subject()) {
        // One id is one row: what nothing proves has that of the bill, and what is asked for beyond it another.
        (Account::Receivable, BooksSubject::Debt) if known.balance(Leg::of(Account::Unproven, item)) != Rupiah::ZERO => {
            id(&[b"receivable", own.as_bytes()])
        }
        (Account::Receivable | Account::Unproven, BooksSubject::Debt) => {
            let bills = known.debts.get(&item).map(|debt| &debt.bills);
            let mut bills: Vec<&BookedBill> = bills.into_iter().flatten().filter_map(|bill| known.bills.get(bill)).collect();
            bills.sort_by_key(|bill| (!bill.is_live, &bill.invoice_number));
            bills.first().map_or(own, |bill| {
                let code = bill.names.last().and_then(|name| name.split_once('/')).map_or("", |(_, code)| code);
                bill_id(&bill.invoice_number, code)
            })
        }
        (Account::Doku | Account::Direct, BooksSubject::Payment) => {
            let payment = known.payments.get(&item);
            // A difference is told of the row that settled it.
            let row = payment.and_then(|payment| known.rows.get(&payment.row?)).filter(|row| !row.listed_as.is_empty());
            let unsettled = || payment.and_then(|payment| payment.identity).map(|identity| id(&[b"unsettled", &identity]));
            row.map(|row| row.listed_as.to_string()).or_else(unsettled).unwrap_or(own)
        }
        (Account::Suspense, BooksSubject::Row) => {
            let row = known.rows.get(&item).filter(|row| !row.listed_as.is_empty());
            row.map_or(own, |row| row.listed_as.to_string())
        }
        _ => own,
    }
}
