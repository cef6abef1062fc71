//! Who acts on what is open.

/// A desk that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Collects from customers.
    Collections,
    /// Finds out whose money it is, and decides.
    Finance,
    /// Asks DOKU's settlement desk.
    Settlement,
    /// Sends and receives money at the bank.
    Treasury,
    /// Looks into evidence that is forged, odd or unreadable.
    Security,
    /// Issues codes, and answers for what they ask.
    Issuing,
    /// Totals, and what is as it should be: nobody has to.
    Nobody,
}

impl Owner {
    /// All that act, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Collections, Self::Finance, Self::Settlement, Self::Treasury, Self::Security, Self::Issuing];

    /// The name used in files; empty for nobody.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collections => "collections",
            Self::Finance => "finance",
            Self::Settlement => "settlement",
            Self::Treasury => "treasury",
            Self::Security => "security",
            Self::Issuing => "issuing",
            Self::Nobody => "",
        }
    }
}
