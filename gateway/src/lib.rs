//! The gateway: the HTTP API that buyers and operators speak to, and the start and stop of all that runs beside it: the
//! relay, the recovery, payments and webhooks, each in a package of its own.
//!
//! It holds no sale's state: Redis decides, PostgreSQL has the last word, and any number of gateways may run.

#![forbid(unsafe_code)]

mod audits;
mod catalogue;
mod certificates;
mod config;
mod crowd;
mod data;
mod devtools;
mod events;
mod examinations;
mod form;
mod fresh;
mod gateway;
mod http;
mod identity;
mod ids;
pub mod limits;
mod openapi;
mod persistence;
mod pool;
mod postgres;
mod rate_limit;
mod sold_out;
mod start;
mod zone;

pub use config::Config;
pub use devtools::{Busy, Devtools, Made, Simulated, Unmade};
pub use flash_webhooks::new_secret as new_webhook_secret;
pub use gateway::Gateway;
pub use http::{ForwardedHeader, Host, Network, Origin, Proxies};
pub use identity::{Auth, Jwt, JwtKeys, KeysError};
pub use ids::{IdSecrets, ShortSecret};
pub use rate_limit::{Limit, POLICIES_MAX, POLICY_NAME_BYTES_MAX, Part, Policy};
pub use start::StartError;
pub use zone::Zone;
