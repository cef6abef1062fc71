//! The files in `samples/` are read as their users will read them.

use std::path::Path;

use super::{Intake, listed, options};
use crate::domain::bill::{Bill, Terms, Wanted};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::intake::{AdditionalOptions, AmountFormat, CodeTemplate, Options, ReportTemplate, read};

fn sample(name: &str, options: &Options) -> Intake {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let intake = listed(&read(&[path], options).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(intake.refused, []);
    assert_eq!(intake.duplicates, []);
    intake
}

fn terms(bill: &Bill) -> &Terms {
    match &bill.wanted {
        Wanted::Live(terms) => terms,
        Wanted::Cancelled => panic!("{bill:?}"),
    }
}

#[test]
fn the_sample_policies_are_five_hundred_valid_bills_on_both_channels() {
    let options = Options { merchant_bin: Some("889650".into()), defaults: crate::intake::Defaults::default(), ..options() };
    let intake = sample("policies.csv", &options);
    assert_eq!((intake.valid.len(), intake.rows), (500, 500));
    assert_eq!(intake.notes, []);
    let count = |is_one: &dyn Fn(&Terms) -> bool| intake.valid.iter().filter(|bill| is_one(terms(&bill.item))).count();
    assert_eq!(count(&|terms| terms.channel == Channel::Alfa), 350);
    assert_eq!(count(&|terms| terms.method == IssuanceMethod::Merchant), 120);
    assert!(intake.valid.iter().all(|bill| (15_000..=5_000_000).contains(&terms(&bill.item).amount.get())));
}

#[test]
fn the_sample_invoices_are_read_with_their_semicolons() {
    let intake = sample("invoices.csv", &options());
    assert_eq!(intake.valid.len(), 40);
    assert_eq!(intake.notes, []);
}

#[test]
fn the_samples_of_own_codes_have_a_code_for_every_row() {
    let intake = sample("inquiry.csv", &Options { merchant_bin: Some("889650".into()), ..options() });
    assert!(intake.valid.iter().all(|bill| terms(&bill.item).method == IssuanceMethod::Inquiry), "{intake:?}");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/merchant-codes.toml")).unwrap();
    let config = crate::config::resolve(Some(("merchant-codes.toml", &text)), [], &[]).unwrap();
    let bin = config.intake.merchant_bin.as_str();
    let template = CodeTemplate::parse(&config.merchant_code.template, Some(bin), config.merchant_code.length).unwrap();
    let report = ReportTemplate::parse(&config.additional_info.report, None).unwrap();
    let additional = AdditionalOptions { report, ..AdditionalOptions::default() };
    let options = Options { merchant_bin: Some(bin.into()), code_template: Some(template), additional, ..options() };
    let intake = sample("merchant-codes.csv", &options);
    let codes: Vec<String> = intake.valid.iter().map(|bill| terms(&bill.item).payment_code.as_ref().unwrap().to_string()).collect();
    assert_eq!((codes.len(), codes[0].as_str(), codes[11].as_str()), (12, "8896500000001000", "8896500000001407"));
    let split = |bill: &Bill| terms(bill).additional.as_ref().is_some_and(|additional| !additional.settlement.is_empty());
    assert_eq!(intake.valid.iter().filter(|bill| split(&bill.item)).count(), 3);
}

#[test]
fn the_sample_with_own_columns_is_read_through_the_mapping_beside_it() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/own-columns.toml")).unwrap();
    let config: toml::Table = text.parse().unwrap();
    let intake = config["intake"].as_table().unwrap();
    let pairs = intake["columns"].as_table().unwrap().iter();
    let mut options = Options {
        tables: crate::table::TableSettings {
            base: crate::table::TableLayout {
                columns: pairs.map(|(ours, theirs)| (ours.clone(), theirs.as_str().unwrap().to_owned())).collect(),
                amount_format: AmountFormat::DotThousands,
                ..Default::default()
            },
            ..Default::default()
        },
        invoice_number_template: Some(intake["invoice_number_template"].as_str().unwrap().to_owned()),
        cycle: Some("2026-10".into()),
        ..options()
    };
    options.defaults.receipt_description = Some("Pembayaran premi asuransi".into());
    let intake = sample("own-columns.csv", &options);
    assert_eq!(intake.valid.len(), 25);
    assert!(intake.valid.iter().all(|bill| bill.item.invoice_number.as_str().ends_with("-2026-10")));
    assert_eq!(intake.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["column `cabang` is not used"]);
}
