//! The gateway: the HTTP API that buyers speak to, and the relay that moves events to RabbitMQ.
//!
//! It holds no sale's state: Redis decides, PostgreSQL has the last word, and any number of gateways may run.

#![forbid(unsafe_code)]

mod audits;
mod catalogue;
mod certificates;
mod clock;
mod config;
mod crowd;
mod data;
mod debits;
mod discard;
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
mod orders;
mod payments;
mod phase;
mod pool;
mod rate_limit;
mod recovery;
mod relay;
mod replay;
mod sold_out;
mod start;
mod sweep;
mod waits;
mod webhooks;
mod worker;
mod workshop;
mod zone;

pub use config::{Config, IdSecrets, Transport};
pub use discard::discard_quarantined;
pub use flash_client::Durability;
pub use flash_tls::PairFiles;
pub use gateway::Gateway;
pub use http::{ForwardedHeader, Host, Network, Proxies};
pub use identity::{Auth, Jwt, JwtKeys, KeysError};
pub use ids::ShortSecret;
pub use rate_limit::{Limit, POLICIES_MAX, POLICY_NAME_BYTES_MAX, Part, Policy};
pub use relay::{BarrierError, RUN_EVENTS_MAX, RelayHandle};
pub use replay::{ReplayError, replay_quarantined};
pub use start::StartError;
pub use workshop::{Busy, Made, Simulated, Unmade, Workshop};
pub use zone::Zone;
