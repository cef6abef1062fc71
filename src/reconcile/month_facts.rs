//! Facts of bills that only the month's figures ask for, beside the compact records: six bytes a bill, and four more where bills have
//! dimensions.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::new_bill::NewBill;
use crate::domain::ageing::day_number;
use crate::domain::amount::Amount;
use crate::domain::dimensions::{Dimensions, PRODUCT};

/// Of no product.
const NO_PRODUCT: u16 = 0;
const NO_DAY: i32 = i32::MIN;

/// See the module; by the number of the bill.
#[derive(Debug, Default)]
pub(super) struct Side {
    products: Vec<u16>,
    due_days: Vec<i32>,
    names: Vec<Box<str>>,
    by_name: HashMap<Box<str>, u16>,
    /// What a bill is broken down by, from 1, the product included; as long as the last bill that has more than a product.
    broken_down: Vec<u32>,
    dimensions: Vec<Dimensions>,
    by_dimensions: HashMap<Dimensions, u32>,
    /// Amounts given up, each with when (microseconds since 1970), in that order; only of bills that were amended.
    superseded: BTreeMap<u32, Vec<(i64, Amount)>>,
}

impl Side {
    pub(super) fn push(&mut self, new: &NewBill<'_>) {
        let bill = u32::try_from(self.products.len()).unwrap_or(u32::MAX);
        let product = new.product.map_or(NO_PRODUCT, |name| self.product_number(name));
        self.products.push(product);
        if new.dimensions.iter().any(|(_, value)| !value.is_empty()) {
            let dimensions = Dimensions::of(new.dimensions.iter().copied()).with_product(self.product_name(product));
            let number = self.dimensions_number(dimensions);
            self.broken_down.resize(self.products.len().saturating_sub(1), 0);
            self.broken_down.push(number);
        }
        self.due_days.push(new.due_on.map_or(NO_DAY, day_number));
        if !new.superseded_at.is_empty() {
            // A clock that was set back in between must not turn their order.
            let times = new.superseded_at.iter().scan(i64::MIN, |latest, &at| {
                *latest = Timestamp::as_microsecond(at).max(*latest);
                Some(*latest)
            });
            self.superseded.insert(bill, times.zip(new.earlier_amounts.iter().copied()).collect());
        }
    }

    /// From 1. More products than 65,535 share the last number.
    fn product_number(&mut self, name: &str) -> u16 {
        if let Some(&number) = self.by_name.get(name) {
            return number;
        }
        let Ok(number) = u16::try_from(self.names.len().saturating_add(1)) else { return u16::MAX };
        self.names.push(name.into());
        self.by_name.insert(name.into(), number);
        number
    }

    fn dimensions_number(&mut self, dimensions: Dimensions) -> u32 {
        if let Some(&number) = self.by_dimensions.get(&dimensions) {
            return number;
        }
        self.dimensions.push(dimensions.clone());
        let number = u32::try_from(self.dimensions.len()).unwrap_or(0);
        self.by_dimensions.insert(dimensions, number);
        number
    }

    /// What a bill is broken down by.
    pub(super) fn dimensions(&self, bill: u32) -> Dimensions {
        let number = usize::try_from(bill).ok().and_then(|bill| self.broken_down.get(bill)).copied().unwrap_or(0);
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        match place.and_then(|place| self.dimensions.get(place)) {
            Some(dimensions) => dimensions.clone(),
            None => Dimensions::of([(PRODUCT, self.product_name(self.product(bill)))]),
        }
    }

    /// The product of a bill by a number that stands for it; 0 for none.
    pub(super) fn product(&self, bill: u32) -> u16 {
        usize::try_from(bill).ok().and_then(|bill| self.products.get(bill)).copied().unwrap_or(NO_PRODUCT)
    }

    /// The name behind such a number; empty for none.
    pub(super) fn product_name(&self, number: u16) -> &str {
        usize::from(number).checked_sub(1).and_then(|place| self.names.get(place)).map_or("", |name| name)
    }

    /// The day a bill is due, if that was told apart from its expiry, in days since 1970.
    pub(super) fn due_day(&self, bill: u32) -> Option<i32> {
        usize::try_from(bill).ok().and_then(|bill| self.due_days.get(bill)).copied().filter(|&day| day != NO_DAY)
    }

    /// The amounts a bill gave up, each with when, in that order.
    pub(super) fn superseded(&self, bill: u32) -> &[(i64, Amount)] {
        self.superseded.get(&bill).map_or(&[], Vec::as_slice)
    }
}
