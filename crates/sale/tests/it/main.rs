//! The core's tests from outside: its rules in tables, and random sequences against a naive oracle.

mod clock;
mod fence;
mod memory;
mod model;
mod oracle;
mod rebuild;
mod repeats;
mod rules;
mod snapshot;
