//! A policy: how often whom may ask for what. FLASH.THROTTLE in Redis keeps the counts, so that all gateways share
//! them.

mod check;

use std::fmt;

use flash_wire::ThrottleTerms;

use crate::zone::Zone;

/// Policies of one gateway. Each that holds for a request is a call to Redis.
pub const POLICIES_MAX: usize = 32;
/// A policy's name: it is in keys, headers and metrics.
pub const POLICY_NAME_BYTES_MAX: usize = 32;

/// What a policy counts by: requests that differ in it have a rate limit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Who buys. Requests that name no buyer are not counted.
    Buyer,
    /// An IPv4 address, or the /64 of an IPv6 address: a client with one address of such a network has all of it.
    Address,
    /// The sale in the path.
    Sale,
    /// The route.
    Route,
}

impl Part {
    /// All of them, by the names that they have in a configuration.
    pub const NAMES: [(&str, Self); 4] =
        [("buyer", Self::Buyer), ("address", Self::Address), ("sale", Self::Sale), ("route", Self::Route)];
}

/// A policy that has passed its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) limit: Limit,
    /// In the order in which they stand in the key.
    pub(crate) by: Vec<Part>,
    pub(crate) routes: Vec<&'static str>,
}

impl Policy {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How often a policy allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// By terms that stay what they are.
    Fixed(ThrottleTerms),
    /// So many units on each day of a time zone.
    DailyIn(u64, Zone),
}

impl From<ThrottleTerms> for Limit {
    fn from(terms: ThrottleTerms) -> Self {
        Self::Fixed(terms)
    }
}

impl Limit {
    /// The terms that Redis is to decide by around `now_ms`, Unix milliseconds.
    pub(crate) fn terms(&self, now_ms: u64) -> ThrottleTerms {
        match self {
            Self::Fixed(terms) => *terms,
            Self::DailyIn(limit, zone) => ThrottleTerms::Daily(zone.daily(*limit, now_ms)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = match self {
            Self::Fixed(terms) => terms,
            Self::DailyIn(limit, zone) => return write!(f, "daily limit {limit} zone {}", zone.name()),
        };
        match terms {
            ThrottleTerms::Bucket(terms) => {
                write!(f, "bucket rate {} period-ms {} burst {}", terms.rate, terms.period_ms, terms.burst)
            }
            ThrottleTerms::Burst(terms) => {
                write!(f, "burst limit {} window-ms {} ", terms.limit, terms.window_ms)?;
                write!(f, "extra {} period-ms {}", terms.extra, terms.period_ms)
            }
            ThrottleTerms::Strict(terms) => write!(f, "strict limit {} window-ms {}", terms.limit, terms.window_ms),
            ThrottleTerms::Sliding(terms) => write!(f, "sliding limit {} window-ms {}", terms.limit, terms.window_ms),
            ThrottleTerms::Daily(terms) => {
                write!(f, "daily limit {} offset-minutes {}", terms.limit, terms.offset_minutes)
            }
        }
    }
}

impl fmt::Display for Policy {
    /// As its configuration has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Part::NAMES.iter().filter(|(_, part)| self.by.contains(part)).map(|(name, _)| *name);
        let by = if self.by.is_empty() { "nothing".to_owned() } else { names.collect::<Vec<_>>().join(", ") };
        write!(f, "{} by {by} on {}", self.limit, self.routes.join(", "))
    }
}

/// The first of `policies` that is one too many, or has the name of one before it.
pub(crate) fn superfluous(policies: &[Policy]) -> Option<&Policy> {
    let is_second = |at: usize| policies[..at].iter().any(|earlier| earlier.name == policies[at].name);
    (0..policies.len()).find(|at| *at >= POLICIES_MAX || is_second(*at)).map(|at| &policies[at])
}
