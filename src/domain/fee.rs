//! What DOKU keeps of a payment by contract: a flat part, a part of the amount, and VAT on both.
//!
//! Rounding: each part that is a fraction of another is rounded half up to whole rupiah, the percentage first, then the VAT
//! on the whole fee. Nothing is ever a float.

use serde::Serialize;

/// Hundredths of a percent in one whole.
const BASIS: u128 = 10_000;

/// What a channel costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FeeSchedule {
    /// Rupiah per payment, without VAT.
    pub flat_rupiah: u64,
    /// Hundredths of a percent of the amount, without VAT.
    pub basis_points: u32,
    /// VAT in percent of the fee.
    pub vat_percent: u32,
}

impl FeeSchedule {
    /// The fee of `amount` rupiah, VAT included.
    #[must_use]
    pub fn of(&self, amount: u64) -> u64 {
        let part = share(amount, u64::from(self.basis_points));
        let fee = self.flat_rupiah.saturating_add(part);
        fee.saturating_add(share(fee, u64::from(self.vat_percent).saturating_mul(100)))
    }
}

/// The VAT contained in `fee` rupiah, rounded half up, with the sign of the fee.
#[must_use]
pub fn vat_contained(fee: i64, vat_percent: u32) -> i64 {
    let (amount, percent) = (u128::from(fee.unsigned_abs()), u128::from(vat_percent));
    let whole = percent.saturating_add(100);
    let doubled = amount.saturating_mul(percent).saturating_mul(2).saturating_add(whole);
    let vat = i64::try_from(doubled.checked_div(whole.saturating_mul(2)).unwrap_or(0)).unwrap_or(i64::MAX);
    if fee < 0 { vat.saturating_neg() } else { vat }
}

/// `basis_points` of `amount`, rounded half up.
fn share(amount: u64, basis_points: u64) -> u64 {
    let exact = u128::from(amount).saturating_mul(u128::from(basis_points));
    u64::try_from(exact.saturating_add(BASIS / 2) / BASIS).unwrap_or(u64::MAX)
}

/// One account's share of what is paid out, computed on the net amount after fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FeeShare {
    /// So many rupiah.
    Fixed(i64),
    /// So many hundredths of a percent.
    BasisPoints(u32),
}

impl FeeShare {
    /// Reads `2500` (rupiah) or `10%`, `12.5%`, `0.25%`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().ok().filter(|rupiah| *rupiah >= 0).map(Self::Fixed);
        };
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || fraction.len() > 2 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let points: u32 = format!("{whole}{fraction:0<2}").parse().ok()?;
        (points <= 10_000).then_some(Self::BasisPoints(points))
    }

    /// Whether `paid` is this share of `net`. Which way DOKU rounds is not documented, so both whole rupiah next to the exact
    /// share are right.
    #[must_use]
    pub fn is_met(self, net: i64, paid: i64) -> bool {
        match self {
            Self::Fixed(rupiah) => paid == rupiah,
            Self::BasisPoints(points) => {
                let exact = i128::from(net).saturating_mul(i128::from(points));
                let paid = i128::from(paid).saturating_mul(10_000);
                exact.abs_diff(paid) < BASIS
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fees_integrators_quote_come_out_to_the_rupiah() {
        let flat = |flat_rupiah| FeeSchedule { flat_rupiah, basis_points: 0, vat_percent: 11 };
        assert_eq!([flat(5_000), flat(6_500), flat(4_500)].map(|fee| fee.of(504_440)), [5_550, 7_215, 4_995]);
    }

    #[test]
    fn each_fraction_is_rounded_half_up_and_the_vat_last() {
        let fee = |basis_points, vat_percent, amount| FeeSchedule { flat_rupiah: 0, basis_points, vat_percent }.of(amount);
        assert_eq!(fee(150, 0, 100), 2, "1.5");
        assert_eq!(fee(149, 0, 100), 1, "1.49");
        // 0.7% of 150,000 is 1,050; 11% of that is 115.5.
        assert_eq!(fee(70, 11, 150_000), 1_166);
        assert_eq!(FeeSchedule { flat_rupiah: 1_000, basis_points: 70, vat_percent: 11 }.of(150_000), 2_276, "225.5 of 2,050");
        assert_eq!(fee(10_000, 100, u64::MAX), u64::MAX, "saturates instead of wrapping");
    }

    #[test]
    fn a_share_is_rupiah_or_a_percentage_to_two_places_and_may_be_rounded_either_way() {
        assert_eq!(FeeShare::parse("2500"), Some(FeeShare::Fixed(2_500)));
        assert_eq!(FeeShare::parse("12.5%"), Some(FeeShare::BasisPoints(1_250)));
        assert_eq!(FeeShare::parse("100%"), Some(FeeShare::BasisPoints(10_000)));
        for wrong in ["", "%", "101%", "1.234%", "-1%", "-5", "ten", ".5%"] {
            assert_eq!(FeeShare::parse(wrong), None, "{wrong}");
        }
        let third = FeeShare::BasisPoints(3_333);
        assert_eq!([33, 34, 32, 35].map(|paid| third.is_met(100, paid)), [true, true, false, false]);
        assert_eq!([9, 10, 11].map(|paid| FeeShare::BasisPoints(1_000).is_met(100, paid)), [false, true, false], "exact is exact");
        assert!(FeeShare::Fixed(5).is_met(1, 5) && !FeeShare::Fixed(5).is_met(1, 6));
    }
}
