//! By what messages are read and judged: keys, the client they must be for, the policy, pairs of tables.

use super::Pairs;
use crate::doku::keyring::Keyring;
use crate::domain::classify::MatchingPolicy;
use crate::table::TableSettings;

/// What lines are held against.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The keys that may have signed: the present one, and the one before it while it is being replaced.
    pub keys: &'a Keyring,
    /// Our `Client-Id`.
    pub client_id: &'a str,
    /// What the rules leave to the merchant.
    pub policy: &'a MatchingPolicy,
    /// The bills, for ids that need not be kept.
    pub pairs: &'a dyn Pairs,
    /// How notifications that are kept in tables are understood.
    pub tables: &'a TableSettings,
}

impl std::fmt::Debug for ReadOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOptions").field("client_id", &self.client_id).field("policy", &self.policy).finish_non_exhaustive()
    }
}
