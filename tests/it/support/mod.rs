//! What tests of the real program share: its processes, the sandbox beside it, and seeded dice.

pub mod cluster;
pub mod dice;
pub mod exposition;
pub mod network;
pub mod preload;
pub mod process;
pub mod sandbox;
