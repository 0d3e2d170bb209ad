//! What a process counts, and the text in which Prometheus reads it.
//!
//! All of it is known when the program is built, so it is one table of statics ([`process`]): code that counts adds
//! to one, and no registry is passed around. Only what is asked for at a scrape (the journals of sales) is written
//! into the [`Page`] by the code that serves it.

#![forbid(unsafe_code)]

mod count;
mod host;
mod page;
pub mod process;

pub use count::{Counter, Gauge, Histogram, LATENCY_SECONDS, SIZES, Stopwatch};
pub use page::{CONTENT_TYPE, OTHER_SALES, Page, SALES_MAX};
