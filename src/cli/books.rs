//! `[books]`, `[bank]` and what else the books depend on, as their settings.

use crate::books;
use crate::config::Config;
use crate::domain::channel::PerChannel;

/// The rules by which the books post; ranges were checked when the configuration was read.
pub(super) fn books_settings(config: &Config) -> books::BooksSettings {
    let (books, bank, settlement) = (&config.books, &config.bank, &config.settlement);
    books::BooksSettings {
        tolerance: config.reconcile.tolerance_rupiah,
        lapse_after_days: Some(books.lapse_after_days).filter(|&days| days > 0),
        accept_late: books.accept_late,
        settled_by_doku: PerChannel::from_fn(|channel| settlement.of(channel).settled_by_doku),
        vat_percent: PerChannel::from_fn(|channel| settlement.of(channel).vat_percent),
        bank_statement: bank.statement,
        bank_window_days: bank.window_days,
        bank_filter: bank.filter.clone(),
        known_months: books.known_months,
        premium: books.premium,
        receipts: books.receipts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::settings::Booked;
    use crate::config::resolve;

    #[test]
    fn every_setting_of_the_books_comes_from_the_configuration_and_the_defaults_are_theirs() {
        let defaults = books_settings(&resolve(None, [], &[]).unwrap());
        assert_eq!(defaults, books::BooksSettings { vat_percent: PerChannel::from_fn(|_| 11), ..books::BooksSettings::default() });
        let text = "[books]\npremium = \"tagih\"\nreceipts = \"core\"\nlapse_after_days = 90\naccept_late = true\nknown_months = 13\n\
                    [bank]\nstatement = true\nwindow_days = 3\nfilter = [\"DOKU\"]\n[reconcile]\ntolerance_rupiah = 500\n\
                    [settlement.alfa]\nvat_percent = 12\n[settlement.indomaret]\nsettled_by_doku = false";
        let set = books_settings(&resolve(Some(("my.toml", text)), [], &[]).unwrap());
        assert_eq!(
            set,
            books::BooksSettings {
                tolerance: 500,
                lapse_after_days: Some(90),
                accept_late: true,
                settled_by_doku: PerChannel::new([true, false]),
                vat_percent: PerChannel::new([12, 11]),
                bank_statement: true,
                bank_window_days: 3,
                bank_filter: vec!["DOKU".into()],
                known_months: 13,
                premium: Booked::Tagih,
                receipts: Booked::Core,
            }
        );
    }
}
