//! Ways to sell what is limited, side by side: the same buyers come at the same times to each of them, and afterwards
//! PostgreSQL says how many units were sold.
//!
//! The ways are those that people use, from "read, then write" to FLASH.RESERVE ([`Strategy`]). Each is written as it
//! usually is, without the mistakes that are not its own.

#![forbid(unsafe_code)]

mod arrivals;
mod open_loop;
mod run;
mod sale;
mod scripts;
mod seller_factory;
mod servers;
mod sql;
mod strategies;
mod strategy;
mod tally;
mod verdict;

pub use arrivals::{Arrival, Crowd};
pub use open_loop::{Ended, Sell, drive};
pub use run::{Door, in_person, run};
pub use sale::Sale;
pub use seller_factory::SellerFactory;
pub use servers::Servers;
pub use strategies::{Seller, Sold};
pub use strategy::Strategy;
pub use tally::{Answer, Live, Tally};
pub use verdict::{Outcome, Verdict};
