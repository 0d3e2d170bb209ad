//! The core's tests from outside: its rules in tables, and random sequences against a naive oracle.

mod model;
mod oracle;
mod rebuild;
mod rules;
