//! What the merchant decided beforehand: period, as-of, tolerances, channels, contracts.

use super::figures::Read;
use super::kit::{Kit, KitFacts};
use crate::columns::{Column, Value};
use crate::domain::channel::Channel;
use crate::domain::classify::Unverifiable;
use crate::domain::fee::FeeShare;
use crate::domain::settlement::NamedChannel;
use crate::reconcile::books_inputs::Opened;
use crate::report::atomic::WriteError;

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn named(facts: &KitFacts<'_>, read: &Read) -> Vec<(&'static str, String)> {
    let (terms, books, inputs) = (facts.terms, facts.settings, facts.inputs);
    let policy = &terms.policy;
    let settled = inputs.settlement.as_ref().map(|input| &input.terms);
    vec![
        ("period_from", terms.period.from.to_string()),
        ("period_to", terms.period.to.to_string()),
        ("starts_at_us", terms.period.starts_at().as_microsecond().to_string()),
        ("ends_at_us", terms.period.ends_at().as_microsecond().to_string()),
        ("as_of_us", terms.as_of.as_microsecond().to_string()),
        ("ledger", read.ledger.clone()),
        ("tolerance_rupiah", policy.tolerance_rupiah.to_string()),
        ("expiry_grace_us", policy.expiry_grace_minutes.saturating_mul(60_000_000).to_string()),
        ("skew_us", policy.skew_minutes.saturating_mul(60_000_000).to_string()),
        ("trusts_log", yes(policy.unverifiable == Unverifiable::TrustLog)),
        ("late_notification_us", policy.late_notification_minutes.saturating_mul(60_000_000).to_string()),
        ("expired_break_us", policy.expired_break_days.saturating_mul(86_400_000_000).to_string()),
        ("status_grace_us", policy.status_grace_hours.saturating_mul(3_600_000_000).to_string()),
        ("notification_grace_us", settled.map_or(0, |terms| terms.notification_grace_hours.saturating_mul(3_600_000_000)).to_string()),
        ("has_settlement", yes(settled.is_some())),
        ("has_shares", yes(settled.is_some_and(|terms| !terms.shares.is_empty()))),
        ("has_inquiries", yes(inputs.inquiries.is_some())),
        ("has_bank", yes(inputs.bank.is_some())),
        ("is_carried", yes(matches!(facts.opened, Opened::Carried { .. }))),
        ("lines_read", inputs.lines_read.to_string()),
        ("lines_apart", inputs.lines_apart.to_string()),
        ("bills_in_scope", inputs.scope.count.to_string()),
        ("bills_in_scope_rupiah", inputs.scope.rupiah.to_string()),
        ("lapse_after_days", books.lapse_after_days.map_or_else(String::new, |days| days.to_string())),
        ("accept_late", yes(books.accept_late)),
        ("bank_statement", yes(books.bank_statement)),
        ("bank_window_days", books.bank_window_days.to_string()),
        ("known_months", books.known_months.to_string()),
    ]
}

pub(super) fn write(kit: &mut Kit<'_>, facts: &KitFacts<'_>, read: &Read) -> Result<(), WriteError> {
    let columns: [Column<'_, (&str, String)>; 2] =
        [Column::text("name", |(name, _)| (*name).into()), Column::text("value", |(_, value)| value.into())];
    kit.table("facts/settings", &columns, named(facts, read).into_iter())?;
    let columns: [Column<'_, &str>; 1] = [Column::text("class", |class| (*class).into())];
    let read_by_source: Vec<_> = facts.inputs.not_evaluated.iter().map(|class| class.id()).collect();
    kit.table("facts/not_evaluated", &columns, read_by_source.into_iter())?;
    channels(kit, facts)?;
    let terms = || facts.inputs.settlement.iter().map(|input| &input.terms);
    let columns: [Column<'_, (&String, &NamedChannel)>; 2] = [
        Column::foreign("name", |(name, _)| (*name).into()),
        Column::text("channel", |(_, named)| match named {
            NamedChannel::Ours(channel) => channel.name().into(),
            NamedChannel::Other => "other".into(),
        }),
    ];
    kit.table("facts/channel_names", &columns, terms().flat_map(|terms| &terms.channels))?;
    let columns: [Column<'_, jiff::civil::Date>; 1] = [Column::date("day", |day| (*day).into())];
    kit.table("facts/holidays", &columns, terms().flat_map(|terms| terms.working_days.holidays()))?;
    let columns: [Column<'_, (&String, &FeeShare, bool)>; 4] = [
        Column::foreign("name", |(name, ..)| (*name).into()),
        Column::rupiah("rupiah", |(_, share, _)| if let FeeShare::Fixed(rupiah) = share { (*rupiah).into() } else { Value::Empty }),
        Column::count(
            "basis_points",
            |(_, share, _)| {
                if let FeeShare::BasisPoints(points) = share { i64::from(*points).into() } else { Value::Empty }
            },
        ),
        Column::text("is_third_party", |(.., is_third)| (*is_third).into()),
    ];
    let shares = terms().flat_map(|terms| terms.shares.iter().map(|(name, share)| (name, share, terms.third_parties.contains(name))));
    kit.table("facts/shares", &columns, shares)
}

/// The channels' rules, as a table.
fn channels(kit: &mut Kit<'_>, facts: &KitFacts<'_>) -> Result<(), WriteError> {
    struct Rule {
        channel: &'static str,
        is_settled: bool,
        working_days: i64,
        fee: Option<crate::domain::fee::FeeSchedule>,
        vat_percent: i64,
    }
    let columns: [Column<'_, Rule>; 7] = [
        Column::text("channel", |rule| rule.channel.into()),
        Column::text("settled_by_doku", |rule| rule.is_settled.into()),
        Column::count("working_days", |rule| rule.working_days.into()),
        Column::rupiah("fee_rupiah", |rule| rule.fee.map(|fee| fee.flat_rupiah).into()),
        Column::count("fee_basis_points", |rule| rule.fee.map(|fee| i64::from(fee.basis_points)).into()),
        Column::count("fee_vat_percent", |rule| rule.fee.map(|fee| i64::from(fee.vat_percent)).into()),
        Column::count("vat_percent", |rule| rule.vat_percent.into()),
    ];
    let rules = Channel::ALL.into_iter().map(|channel| {
        let terms = facts.inputs.settlement.as_ref().map(|input| *input.terms.of(channel));
        Rule {
            channel: channel.name(),
            is_settled: facts.settings.is_settled_by_doku(channel),
            working_days: terms.map_or(0, |terms| terms.working_days.into()),
            fee: terms.and_then(|terms| terms.fee),
            vat_percent: facts.settings.vat_percent_of(channel).into(),
        }
    });
    kit.table("facts/channels", &columns, rules)
}
