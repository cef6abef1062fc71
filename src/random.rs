//! Randomness's only owner: the machine's, or whatever a test hands in.

use rand::Rng as _;

/// Where random bytes come from. The composition root hands it in.
pub trait Randomness: Send + Sync + std::fmt::Debug {
    /// Fills `bytes`, unguessably.
    fn fill(&self, bytes: &mut [u8]);

    /// So many bytes.
    fn bytes<const COUNT: usize>(&self) -> [u8; COUNT]
    where
        Self: Sized,
    {
        let mut bytes = [0; COUNT];
        self.fill(&mut bytes);
        bytes
    }

    /// Any number up to `limit`, that included, each about as likely; less so the nearer `limit` is to the largest there is.
    fn up_to(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        limit.checked_add(1).map_or(u64::from_be_bytes(bytes), |count| u64::from_be_bytes(bytes) % count)
    }
}

/// The operating system's, through a generator of this thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineRandomness;

impl Randomness for MachineRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
