//! Layers, suggestions, ranges, and every shipped file read whole.

use super::*;
use crate::books::Account;

fn with_file(text: &str) -> Result<Config, ConfigError> {
    resolve(Some(("my.toml", text)), [], &[])
}

#[test]
fn every_shipped_configuration_is_read_whole() {
    assert_eq!(resolve(None, [], &[]).unwrap().pacing.rate_per_second.get(), 5);
    let production = with_file(include_str!("../../config/production.toml")).unwrap();
    assert_eq!(production.doku.environment, Environment::Production);
    assert_eq!(production.intake.columns["amount"], "premi");
}

#[test]
fn later_layers_win() {
    let file = Some(("my.toml", "[pacing]\nburst = 7\nrate_per_second = 7\nin_flight_max = 7"));
    let variables = [("TAGIH_PACING_BURST".to_owned(), "8".to_owned()), ("TAGIH_PACING_RATE_PER_SECOND".to_owned(), "8".to_owned())];
    let pacing = resolve(file, variables, &[("pacing.burst", "9".into())]).unwrap().pacing;
    assert_eq!((pacing.in_flight_max.get(), pacing.rate_per_second.get(), pacing.burst.get()), (7, 8, 9));
}

#[test]
fn a_column_can_be_mapped_from_the_environment() {
    let variable = ("TAGIH_INTAKE_COLUMNS_CUSTOMER_NAME".to_owned(), "nama".to_owned());
    assert_eq!(resolve(None, [variable], &[]).unwrap().intake.columns["customer_name"], "nama");
}

#[test]
fn an_unknown_key_is_an_error_with_a_suggestion() {
    let error = with_file("[pacing]\nrate_per_secnod = 3").unwrap_err().to_string();
    assert_eq!(error, "my.toml: there is no setting `pacing.rate_per_secnod`\nhint: did you mean `pacing.rate_per_second`?");
    let error = resolve(None, [("TAGIH_PACING_BRUST".to_owned(), "3".to_owned())], &[]).unwrap_err().to_string();
    assert_eq!(error, "environment: there is no setting `TAGIH_PACING_BRUST`\nhint: did you mean `TAGIH_PACING_BURST`?");
}

#[test]
fn production_demands_https_and_environments_do_not_mix() {
    for wrong in [
        "[doku]\nenvironment = \"production\"\nbase_url = \"http://127.0.0.1:1\"",
        "[doku]\nenvironment = \"production\"",
        "[doku]\nbase_url = \"http://10.0.0.1\"",
        "[doku]\nbase_url = \"http://127.0.0.1.evil.example\"",
        "[doku]\nbase_url = \"https://api.doku.com\"",
        "[doku]\nbase_url = \"https://API.doku.com:443\"",
        "[doubt]\nnot_found_minutes = 0",
        "[doku]\nbase_url = \"https://api-sandbox.doku.com/\"",
        "[settlement.channels]\n\"Alfa Group\" = \"alfamart\"",
        "[settlement.shares]\nAgent = \"ten\"",
        "[settlement]\nholidays = [\"2026-02-30\"]",
        "[settlement.alfa]\nvat_percent = 101",
        "[settlement.indomaret]\nworking_days = 61",
        "[books]\npremium = \"finance\"",
        "[books]\nlapse_after_days = 3651",
        "[books]\nlapse_after_days = -1",
        "[books]\nknown_months = 2",
        "[books]\nknown_months = 121",
        "[bank]\nwindow_days = 61",
        "[bank]\nfilter = [\"DOKU\", \" \"]",
        "[bank]\nfilter = \"DOKU\"",
        "[accounts]\nbank = \"11\\n\"",
        "[pacing]\nburst = 0",
        "[pacing]\nburst = \"many\"",
    ] {
        assert!(matches!(with_file(wrong), Err(ConfigError::Value(_))), "{wrong}");
    }
    assert!(with_file("[doku]\nbase_url = \"http://127.0.0.1:8080\"").is_ok());
}

#[test]
fn channel_names_and_holidays_are_the_users_own() {
    let text =
        "[settlement]\nholidays = [\"2026-12-25\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n[settlement.alfa]\nfee_rupiah = 5000";
    let settlement = with_file(text).unwrap().settlement;
    assert_eq!(settlement.holidays[0].to_string(), "2026-12-25");
    assert_eq!(settlement.channels["Alfa Group"], "alfa");
    assert_eq!((settlement.alfa.fee_rupiah, settlement.indomaret.fee_rupiah), (5_000, 0));
    let error = with_file("[settlement.alfa]\nfee = 5000").unwrap_err();
    assert!(matches!(error, ConfigError::UnknownKey { .. }), "only the names are open");
}

#[test]
fn every_account_of_the_books_has_a_key_and_a_former_name_is_that_key() {
    let config = resolve(None, [], &[]).unwrap();
    assert_eq!(config.accounts.keys().copied().collect::<Vec<_>>(), Account::ALL);
    for account in Account::ALL {
        for name in [account.name(), account.info().former_name].into_iter().filter(|name| !name.is_empty()) {
            let in_file = with_file(&format!("[accounts]\n{name} = \"1130\"")).unwrap();
            let variable = (format!("TAGIH_ACCOUNTS_{}", name.to_uppercase()), "1140".to_owned());
            let in_environment = resolve(Some(("my.toml", "[accounts]\nbank = \"1\"")), [variable], &[]).unwrap();
            assert_eq!((in_file.accounts[&account].as_str(), in_environment.accounts[&account].as_str()), ("1130", "1140"), "{name}");
            assert!(in_file.unused.is_empty());
        }
    }
    let error = with_file("[accounts]\nin_transit = \"1\"\ndoku = \"1\"").unwrap_err().to_string();
    assert!(error.contains("`accounts.in_transit` is the former name of `accounts.doku`"), "{error}");
    let error = with_file("[accounts]\nsuspence = \"1\"").unwrap_err().to_string();
    assert!(error.contains("did you mean `accounts.suspense`"), "{error}");
    let config = with_file("[accounts]\nshortfall = \"6610\"").unwrap();
    assert_eq!(config.unused["accounts.shortfall"], "6610");
    assert!(with_file("[accounts]\nshortfall = \"\"").unwrap().unused.is_empty());
}

/// Of every number of the configuration: the ends its refusal names are taken, and nothing beyond them, nor the ends of the type.
#[test]
fn every_number_has_a_range_and_keeps_to_it() {
    let defaults: toml::Table = DEFAULT.parse().unwrap();
    let number =
        |key: &String| key.split('.').try_fold(Value::Table(defaults.clone()), |at, part| at.get(part).cloned()).unwrap().is_integer();
    let keys: Vec<String> = leaves(&defaults).into_iter().filter(number).collect();
    assert!(keys.len() > 50, "{keys:?}");
    for key in keys {
        let (section, name) = key.rsplit_once('.').unwrap();
        let with = |value: i128| with_file(&format!("[{section}]\n{name} = {value}"));
        for value in [i64::MIN, -1, i64::MAX].map(i128::from).into_iter().chain([i128::from(i64::MAX) + 1, i128::from(u64::MAX)]) {
            assert!(with(value).is_err(), "{key} = {value}");
        }
        let refusal = with(i64::MAX.into()).unwrap_err().to_string();
        let ends =
            refusal.split_once("must be ").and_then(|(_, rest)| rest.split_once(", not")).and_then(|(ends, _)| ends.split_once(" to "));
        let (least, most): (i128, i128) = ends.map(|(least, most)| (least.parse().unwrap(), most.parse().unwrap())).expect(&refusal);
        assert!(with(least).is_ok() && with(most).is_ok(), "{key}: {refusal}");
        assert!(with(least - 1).is_err() && with(most + 1).is_err(), "{key}: {refusal}");
    }
}

#[test]
fn no_error_repeats_a_key_that_stands_in_a_wrong_place() {
    const KEY: &str = "SK-TOPSECRET-abcdef";
    for text in [
        format!("[doku]\nsecret = {KEY}"),
        format!("[doku]\nsecret = \"{KEY}\""),
        format!("[doku]\nsecret_file = {KEY}"),
        format!("[doku]\nsecret_file = \"{KEY}\""),
        format!("[doku]\nsecret_file = \"/etc/{KEY}\""),
        format!("[doku]\nsecret_file_previous = \"{KEY}\""),
        format!("[doku]\nsecret_file = \"{KEY}"),
        format!("[doku]\nsecret_file = [\"{KEY}\"]"),
        format!("[doku]\nverify_response = \"{KEY}\""),
        format!("[doku]\n{KEY}"),
        format!("[doku]\n{KEY} = 1"),
        format!("{KEY} = 1"),
    ] {
        let error = with_file(&text).unwrap_err().to_string();
        assert!(!error.contains("TOPSECRET"), "{text}: {error}");
    }
    let variable = ("TAGIH_PACING_BURST".to_owned(), KEY.to_owned());
    assert!(!resolve(None, [variable], &[]).unwrap_err().to_string().contains("TOPSECRET"));
    let error = with_file("[doku]\nclient_id = \"C\"\nproxy = http://p").unwrap_err().to_string();
    assert!(error.starts_with("my.toml: line 3, column "), "{error}");
}

#[test]
fn no_setting_takes_a_key_of_dokus() {
    const KEY: &str = "SK-TOPSECRET-abcdef";
    let defaults: Table = DEFAULT.parse().unwrap();
    let value = |key: &String| key.split('.').try_fold(Value::Table(defaults.clone()), |at, part| at.get(part).cloned()).unwrap();
    let mut all = 0;
    for key in leaves(&defaults) {
        let (section, name) = key.rsplit_once('.').unwrap();
        let text = match value(&key) {
            Value::String(_) => format!("[{section}]\n{name} = \"{KEY}\""),
            Value::Array(_) => format!("[{section}]\n{name} = [\"a\", \"--token={KEY}\"]"),
            _ => continue,
        };
        let error = with_file(&text).map(drop).expect_err(&key).to_string();
        assert!(error.contains(name) && !error.contains("TOPSECRET"), "{key}: {error}");
        all += 1;
    }
    assert!(all > 60, "{all}");
    assert!(with_file("[intake.columns]\namount = \"SK-Pengangkatan-Direksi\"").is_ok(), "a header is what somebody else calls it");
}
