//! How bill files are to be read, by the configuration and the command's own flags.
//!
//! Belongs here: settings turned into the options of `intake` and of the codes we make. Must not be here: reading (`intake`).

use super::failure::Failure;
use super::setup::{Setup, filled};
use super::tables::BillFlags;
use crate::domain::additional::{self, UrlRules};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::plan::Minting;
use crate::intake::{self, AdditionalOptions, CodeTemplate, Defaults, FreeTemplate, ReportTemplate};

impl Setup {
    /// How bill files are to be read.
    pub(super) fn intake(&self, cycle: Option<&String>, flags: &BillFlags) -> Result<intake::Options, Failure> {
        let settings = &self.config.intake;
        Ok(intake::Options {
            tables: self.bill_tables(flags)?,
            allowed: flags.allow_value.clone(),
            invoice_number_template: filled(&settings.invoice_number_template),
            cycle: cycle.cloned(),
            defaults: self.intake_defaults()?,
            info_lengths: self.config.doku.info.lengths(),
            merchant_bin: filled(&settings.merchant_bin),
            code_template: self.code_template()?,
            additional: self.additional(cycle)?,
            ..intake::Options::new(self.clock.now())
        })
    }

    /// How codes of our own making come about, if the configuration says so.
    fn code_template(&self) -> Result<Option<CodeTemplate>, Failure> {
        let (settings, bin) = (&self.config.merchant_code, filled(&self.config.intake.merchant_bin));
        let Some(template) = filled(&settings.template) else { return Ok(None) };
        let parsed = CodeTemplate::parse(&template, bin.as_deref(), settings.length);
        parsed.map(Some).map_err(|reason| Failure::setting(format!("`merchant_code.template` cannot be used: `{template}`: {reason}")))
    }

    /// The numbers that are given out as codes, if that is their way.
    pub(super) fn minting(&self) -> Result<Option<Minting>, Failure> {
        Ok(self.code_template()?.and_then(|template| template.minting()))
    }

    /// What goes out beside the order.
    fn additional(&self, cycle: Option<&String>) -> Result<AdditionalOptions, Failure> {
        let settings = &self.config.additional_info;
        let wrong = |key: &str, reason: String| Failure::setting(format!("`additional_info.{key}` cannot be used: {reason}"));
        let hosts = settings.override_hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
        let url_rules = UrlRules {
            path: self.config.serve.notification_path.clone(),
            hosts: hosts.map(str::to_owned).collect(),
            loopback: !self.is_production(),
        };
        let override_notification_url = filled(&settings.override_notification_url);
        if let Some(reason) = override_notification_url.as_ref().and_then(|url| url_rules.check(url).err()) {
            return Err(wrong("override_notification_url", reason));
        }
        let settlement = filled(&settings.settlement).map(|text| additional::parse_settlement(&text)).transpose();
        let account_id = filled(&settings.account_id);
        if let Some(reason) = account_id.as_ref().and_then(|id| additional::check_account(id).err()) {
            return Err(wrong("account_id", reason));
        }
        Ok(AdditionalOptions {
            url_rules,
            override_notification_url,
            settlement: settlement.map_err(|reason| wrong("settlement", reason))?.unwrap_or_default(),
            hold_settlement: settings.hold_settlement,
            account_id,
            indomaret_settlement: settings.indomaret_settlement,
            report: ReportTemplate::parse(&settings.report, cycle.map(String::as_str)).map_err(|reason| wrong("report", reason))?,
            free: FreeTemplate::parse(&settings.free, cycle.map(String::as_str)).map_err(|reason| wrong("free", reason))?,
        })
    }

    fn intake_defaults(&self) -> Result<Defaults, Failure> {
        let defaults = &self.config.intake.defaults;
        let channel = filled(&defaults.channel).map(|name| Channel::parse(&name).ok_or_else(|| unknown("channel", &name))).transpose()?;
        let method =
            filled(&defaults.method).map(|name| IssuanceMethod::parse(&name).ok_or_else(|| unknown("method", &name))).transpose()?;
        Ok(Defaults {
            channel,
            method,
            expiry_minutes: Some(defaults.expiry_minutes).filter(|&minutes| minutes > 0),
            reusable: Some(defaults.reusable),
            info: filled(&defaults.info),
            receipt_description: filled(&defaults.receipt_description),
            receipt_footer: filled(&defaults.receipt_footer),
        })
    }
}

fn unknown(what: &str, name: &str) -> Failure {
    Failure::setting(format!("`intake.defaults.{what}` is not a known {what}: `{name}`"))
}
