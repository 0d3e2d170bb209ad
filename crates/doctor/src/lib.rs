//! The doctor: looks at everything that a gateway uses, says what is wrong and what to do, and changes nothing.
//!
//! One file an area, in each a table of checks, one function each. An area whose server is away has one finding: that.

#![forbid(unsafe_code)]

mod clock;
mod config;
mod examine;
mod finding;
mod machine;
mod postgres;
mod rabbitmq;
mod redis;
mod sales;

pub use config::{Config, Url};
pub use examine::{Examination, Version, examine};
pub use finding::{Finding, Level};
