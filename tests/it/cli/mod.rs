//! The program as a person meets it: what it prints, asks, refuses and ends with, whatever the command; and what the machine it runs on does to it.

mod doctor;
mod exit_codes;
mod help;
mod install;
mod journald;
mod left;
mod log;
mod meant;
mod metrics;
mod quiet;
mod retention;
mod runs;
mod sandbox;
mod small_faults;
mod support_bundle;
mod trust;
mod unsaid;
