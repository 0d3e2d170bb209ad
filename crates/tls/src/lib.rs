//! Whom a connection of ours trusts, and what we show to those who connect to us.
//!
//! A URL says whether there is TLS, and may name a file of certificate authorities; without one, those that browsers
//! trust are. The peer's name is always verified, and there is no way back to plain text.

#![forbid(unsafe_code)]

mod show;
mod trust;
mod url;

pub use show::{PEM_BYTES_MAX, Pair, PairFiles, ShowError};
pub use trust::{Error, trust};
pub use url::take_parameter;
