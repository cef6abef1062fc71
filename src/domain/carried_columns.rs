//! Which columns of the user's own go through to the result files.

use serde::{Deserialize, Serialize};

/// See the module. Written as a list of headers, as headers between commas, or as `all`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Written", into = "Written")]
pub enum CarriedColumns {
    /// Those with these headers, in this order, also where tagih uses them itself.
    Named(Vec<String>),
    /// Every column that tagih does not use itself.
    Unused,
}

impl Default for CarriedColumns {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl CarriedColumns {
    /// The columns that `names` say: `all` alone means every unused one.
    #[must_use]
    pub fn of(names: Vec<String>) -> Self {
        if matches!(names.as_slice(), [one] if one == ALL) { Self::Unused } else { Self::Named(names) }
    }

    /// Whether nothing is carried.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }
}

const ALL: &str = "all";

/// How it stands in a configuration.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Written {
    List(Vec<String>),
    Text(String),
}

impl From<Written> for CarriedColumns {
    fn from(written: Written) -> Self {
        match written {
            Written::List(names) => Self::Named(names),
            Written::Text(text) => Self::of(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()),
        }
    }
}

impl From<CarriedColumns> for Written {
    fn from(carry: CarriedColumns) -> Self {
        match carry {
            CarriedColumns::Named(names) => Self::List(names),
            CarriedColumns::Unused => Self::Text(ALL.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_headers_between_commas_and_all_are_understood_and_written_back() {
        let named = |names: &[&str]| CarriedColumns::Named(names.iter().map(|&name| name.to_owned()).collect());
        for (written, means) in [
            (r#""all""#, CarriedColumns::Unused),
            (r#""NO_REF, CABANG""#, named(&["NO_REF", "CABANG"])),
            (r#"["NO_REF", "A, B"]"#, named(&["NO_REF", "A, B"])),
            (r#"["all"]"#, named(&["all"])),
            (r#""""#, CarriedColumns::default()),
            ("[]", CarriedColumns::default()),
        ] {
            let carry: CarriedColumns = serde_json::from_str(written).unwrap();
            assert_eq!(carry, means, "{written}");
            let again: CarriedColumns = serde_json::from_str(&serde_json::to_string(&carry).unwrap()).unwrap();
            assert_eq!(again, carry, "{written}");
        }
    }
}
