//! What tests share and none of them tests: builders of bills, terms, events and messages, DOKU in this process and beside it, a merchant's
//! folder, processes, networks, a database server, dice. A helper that two folders use belongs here; one that a single folder uses, there.

pub mod audit;
pub mod bills;
pub mod cluster;
pub mod dice;
pub mod doku;
pub mod exposition;
pub mod folder;
pub mod message;
pub mod network;
pub mod preload;
pub mod process;
pub mod random;
pub mod sandbox;
pub mod world;
