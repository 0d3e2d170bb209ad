//! The doctor: looks at everything that a gateway uses, says what is wrong and what to do, and changes nothing.
//!
//! One file an area, in each a table of checks, one function each. An area whose server is away has one finding: that.

#![forbid(unsafe_code)]

mod check;
mod clock;
mod config;
mod examine;
mod machine;
mod postgres;
mod redis;
mod sales;

pub use check::Version;
pub use config::{BrokerOrWhy, Config, Url};
pub use examine::{Examination, examine};
pub use flash_transport::{Finding, Level};
