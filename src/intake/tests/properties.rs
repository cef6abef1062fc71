//! What holds for any input.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{options, read_bytes};
use crate::domain::additional::{Additional, SettlementShare, ShareKind};
use crate::domain::amount::Amount;
use crate::domain::bill::{Bill, Customer, Expiry, Policy, Terms, Wanted};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::dimensions::Dimensions;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::personal::Personal;

/// Text with delimiters and quotes in it, without spaces at its ends.
fn words(length_max: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just('é'), Just('"'), Just(','), Just(';'), Just('|'), Just(' '), proptest::char::range('a', 'z')],
        1..length_max,
    )
    .prop_map(|chars| chars.into_iter().collect::<String>().trim().to_owned())
    .prop_filter("not blank", |text| !text.is_empty())
}

fn terms(index: u64) -> impl Strategy<Value = Terms> {
    let expiry = prop_oneof![
        (1..=99_999_u32).prop_map(Expiry::Minutes),
        (60..5_000_000_i64).prop_map(|seconds| Expiry::At(jiff::Timestamp::from_second(1_792_033_200 + seconds).unwrap())),
    ];
    (
        any::<bool>(),
        0..IssuanceMethod::ALL.len(),
        1..=Amount::MAX,
        expiry,
        any::<bool>(),
        words(30),
        proptest::option::of(words(30)),
        words(60),
        any::<u32>(),
    )
        .prop_map(move |(is_alfa, method, rupiah, expiry, reusable, name, info, footer, salt)| {
            let channel = if is_alfa { Channel::Alfa } else { Channel::Indomaret };
            let method = if is_alfa { IssuanceMethod::ALL[method] } else { IssuanceMethod::Doku };
            Terms {
                channel,
                method,
                payment_code: (method != IssuanceMethod::Doku).then(|| PaymentCode::new(format!("{index:06}{salt:010}")).unwrap()),
                amount: Amount::new(rupiah).unwrap(),
                expiry,
                reusable,
                customer: Customer {
                    name: Personal::new(name),
                    email: (salt % 2 == 0).then(|| Personal::new("a@example.com")),
                    account_name: None,
                },
                info,
                receipt_description: (!is_alfa).then(|| footer.clone()),
                receipt_footer: Some(footer),
                policy: Policy {
                    number: Some(format!("0{salt}")),
                    kind: None,
                    status: None,
                    due_date: "2026-10-31".parse().ok(),
                    dimensions: Dimensions::of([
                        ("branch", if salt % 2 == 0 { "Kota; \"Tua\"" } else { "" }),
                        ("agent", &salt.to_string()),
                    ]),
                },
                bill_group: (salt % 3 == 0).then(|| "G".into()),
                additional: (is_alfa && salt % 5 == 0).then(|| Box::new(additional(salt))),
            }
        })
}

fn additional(salt: u32) -> Additional {
    let kinds = [ShareKind::Percentage, ShareKind::Fix];
    let share = |index: u32| SettlementShare {
        bank_account_settlement_id: format!("SBA-{index}"),
        value: 1,
        kind: kinds[usize::try_from((salt + index) % 2).unwrap()],
    };
    Additional {
        settlement: (0..salt % 4).map(share).collect(),
        hold_settlement: salt.is_multiple_of(3),
        account_id: Some(format!("SAC-{salt}")),
        ..Additional::default()
    }
}

fn bills() -> impl Strategy<Value = Vec<Bill>> {
    let wanted = |index: u64| prop_oneof![9 => terms(index).prop_map(|terms| Wanted::Live(Box::new(terms))), 1 => Just(Wanted::Cancelled)];
    let bill = move |index: u64| {
        let number = InvoiceNumber::new(format!("INV,\"{index}\"")).unwrap();
        wanted(index).prop_map(move |wanted| Bill { invoice_number: number.clone(), wanted })
    };
    (0..12_u64).prop_flat_map(move |count| (0..count).map(bill).collect::<Vec<_>>())
}

const HEADER: [&str; 22] = [
    "invoice_number",
    "Amount",
    "Customer Name",
    "E-Mail",
    "channel",
    "method",
    "payment_code",
    "expiry_minutes",
    "expires_at",
    "reusable",
    "info",
    "receipt_description",
    "receipt_footer",
    "policy_number",
    "due_date",
    "bill_group",
    "action",
    "settlement",
    "hold_settlement",
    "account_id",
    "CABANG",
    "agent",
];

fn cells(bill: &Bill) -> Vec<String> {
    let mut cells = vec![String::new(); HEADER.len()];
    cells[0] = bill.invoice_number.to_string();
    let Wanted::Live(terms) = &bill.wanted else {
        cells[16] = "Cancel".into();
        return cells;
    };
    cells[1] = terms.amount.to_string();
    cells[2] = terms.customer.name.reveal().into();
    cells[3] = terms.customer.email.as_ref().map_or("", Personal::reveal).into();
    cells[4] = terms.channel.to_string();
    cells[5] = terms.method.to_string();
    cells[6] = terms.payment_code.as_ref().map_or("", PaymentCode::as_str).into();
    match terms.expiry {
        Expiry::Minutes(minutes) => cells[7] = minutes.to_string(),
        Expiry::At(at) => cells[8] = at.to_string(),
    }
    cells[9] = if terms.reusable { "YES" } else { "0" }.into();
    cells[10] = terms.info.clone().unwrap_or_default();
    cells[11] = terms.receipt_description.clone().unwrap_or_default();
    cells[12] = terms.receipt_footer.clone().unwrap_or_default();
    cells[13] = terms.policy.number.clone().unwrap_or_default();
    cells[14] = terms.policy.due_date.map_or_else(String::new, |date| date.to_string());
    cells[15] = terms.bill_group.clone().unwrap_or_default();
    cells[20] = terms.policy.dimensions.value("branch").into();
    cells[21] = terms.policy.dimensions.value("agent").into();
    if let Some(additional) = &terms.additional {
        let share = |share: &SettlementShare| {
            let kind = if share.kind == ShareKind::Fix { "FIX" } else { "PERCENTAGE" };
            format!("{}:{}:{kind}", share.bank_account_settlement_id, share.value)
        };
        cells[17] = additional.settlement.iter().map(share).collect::<Vec<_>>().join(";");
        cells[18] = if additional.hold_settlement { "yes".into() } else { String::new() };
        cells[19] = additional.account_id.clone().unwrap_or_default();
    }
    cells
}

/// How a file is written: delimiter, byte order mark, line ends, quotes.
type Dialect = (u8, bool, bool, bool);

fn written(bills: &[Bill], (delimiter, has_mark, is_crlf, is_quoted): Dialect) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(if is_crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
        .quote_style(if is_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
        .from_writer(if has_mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() });
    writer.write_record(HEADER).unwrap();
    for bill in bills {
        writer.write_record(cells(bill)).unwrap();
    }
    writer.into_inner().unwrap()
}

fn dialect() -> impl Strategy<Value = Dialect> {
    (proptest::sample::select(b",;\t|".to_vec()), any::<bool>(), any::<bool>(), any::<bool>())
}

fn test_options() -> crate::intake::Options {
    let mapping = [("email", "e-mail"), ("branch", "Cabang")].map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    let mut options = options();
    options.tables.base.columns = BTreeMap::from(mapping);
    options.tables.dimensions = vec!["branch".to_owned(), "agent".to_owned()];
    options
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn valid_bills_written_in_any_dialect_read_back_equal(bills in bills(), dialect in dialect()) {
        let intake = read_bytes(&[&written(&bills, dialect)], &test_options()).unwrap();
        prop_assert!(intake.refused.is_empty(), "{:?}", intake.refused);
        let read: Vec<Bill> = intake.valid.into_iter().map(|sourced| sourced.item).collect();
        prop_assert_eq!(read, bills);
    }

    /// `read_bytes` asserts that rows are the sum of their parts.
    #[test]
    fn bytes_of_any_kind_are_read_or_refused_and_never_lost(
        noise in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b",;\"\n\r\tA1 ".to_vec())], 0..200),
        has_header in any::<bool>(),
    ) {
        let mut bytes = if has_header { b"invoice_number,amount,customer_name,channel\n".to_vec() } else { Vec::new() };
        bytes.extend(noise);
        drop(read_bytes(&[&bytes], &options()));
    }

    #[test]
    fn neither_the_order_of_rows_nor_of_files_changes_what_is_valid(
        bills in bills(),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..20),
        shuffled in any::<u64>(),
    ) {
        prop_assume!(!bills.is_empty());
        // Rows of few invoices, some with another's terms: duplicates, conflicts and shared codes all occur.
        let rows: Vec<Bill> = picks.iter().map(|(number, terms, own)| {
            let bill = number.get(&bills);
            let wanted = if *own { &bill.wanted } else { &terms.get(&bills).wanted };
            Bill { invoice_number: bill.invoice_number.clone(), wanted: wanted.clone() }
        }).collect();
        let summary = |files: &[&[Bill]]| {
            let bytes: Vec<Vec<u8>> = files.iter().map(|rows| written(rows, (b',', false, false, false))).collect();
            let bytes: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            let intake = read_bytes(&bytes, &test_options()).unwrap();
            let mut valid: Vec<Vec<String>> = intake.valid.iter().map(|sourced| cells(&sourced.item)).collect();
            valid.sort();
            let mut refused: Vec<_> = intake.refused.iter().map(|refused| (refused.invoice_number.clone(), refused.code.id)).collect();
            refused.sort();
            (valid, refused, intake.duplicates.len(), intake.rows)
        };
        let (first, second) = rows.split_at(rows.len() / 2);
        let mut turned = rows.clone();
        turned.rotate_left(usize::try_from(shuffled).unwrap_or(0) % rows.len());
        turned.reverse();
        let whole = summary(&[&rows]);
        prop_assert_eq!(&whole, &summary(&[second, first]));
        prop_assert_eq!(&whole, &summary(&[&turned]));
    }
}
