//! What a bill is broken down by, beside its channel: product, branch, agent.
//!
//! Belongs here: the values of one bill, by name. Must not be here: which names there are (`[report] dimensions`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The dimension that every bill with a policy type has.
pub const PRODUCT: &str = "product";

/// The most characters of a value.
pub const VALUE_LENGTH_MAX: usize = 64;

/// The values of a bill, by the names of the dimensions, none of them empty. Bills that have the same may share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dimensions(Option<Arc<[Dimension]>>);

/// A name and its value.
type Dimension = (Box<str>, Box<str>);

impl Dimensions {
    /// Those of these names and values; what is blank is none, and of a name that is given twice the last counts.
    pub fn of<'d>(all: impl IntoIterator<Item = (&'d str, &'d str)>) -> Self {
        let given = all.into_iter().filter(|(_, value)| !value.is_empty());
        // In the order of the names, so that the same values are equal however a file orders its columns.
        let sorted: BTreeMap<&str, &str> = given.collect();
        if sorted.is_empty() {
            return Self::default();
        }
        Self(Some(sorted.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// These with the product beside them.
    #[must_use]
    pub fn with_product(&self, product: &str) -> Self {
        Self::of(self.iter().chain(std::iter::once((PRODUCT, product))))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|all| all.iter()).map(|(name, value)| (&**name, &**value))
    }

    /// The value of a dimension; empty for none.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.iter().find(|(found, _)| *found == name).map_or("", |(_, value)| value)
    }

    /// `branch=Jakarta; product=Life`: how a list shows them.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

impl Serialize for Dimensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A carry of before the dimensions had names knew the product only.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Named(BTreeMap<String, String>),
            Product(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::Named(all) => Ok(Self::of(all.iter().map(|(name, value)| (name.as_str(), value.as_str())))),
            Written::Product(products) => match products.as_slice() {
                [] => Ok(Self::default()),
                [product] => Ok(Self::of([(PRODUCT, product.as_str())])),
                _ => Err(D::Error::custom("more than one value without a name")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equal_in_any_order_blank_ones_are_none_and_all_come_back_as_written() {
        let these = Dimensions::of([("branch", "Jakarta"), ("agent", "A-7"), ("region", "")]);
        assert_eq!(these, Dimensions::of([("agent", "A-7"), ("branch", "Jakarta")]));
        assert_eq!(these.in_words(), "agent=A-7; branch=Jakarta");
        assert_eq!(these.with_product("Life").value(PRODUCT), "Life");
        assert_eq!(these.with_product(""), these);
        for written in [these.clone(), Dimensions::default(), these.with_product("Life")] {
            let json = serde_json::to_string(&written).unwrap();
            assert_eq!(serde_json::from_str::<Dimensions>(&json).unwrap(), written, "{json}");
        }
    }

    #[test]
    fn a_carry_that_knew_the_product_only_is_understood() {
        assert_eq!(serde_json::from_str::<Dimensions>(r#"["Life"]"#).unwrap(), Dimensions::of([(PRODUCT, "Life")]));
        assert_eq!(serde_json::from_str::<Dimensions>("[]").unwrap(), Dimensions::default());
        assert!(serde_json::from_str::<Dimensions>(r#"["Life", "Jakarta"]"#).is_err());
    }
}
