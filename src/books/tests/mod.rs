//! The books under trial.

mod business;
mod stories;
