//! A policy: how often whom may ask for what. FLASH.THROTTLE in Redis keeps the counts, so that all gateways share them.

use std::fmt;

use flash_wire::{Invalid, ThrottleTerms};

use crate::http::{route_names, route_path};
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
    /// Whence: an IPv4 address, or the /64 of an IPv6 address, for one who has such a network has all of it.
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
    /// A policy of a valid `limit`. Without parts there is one count for everyone; without routes it holds for all that can
    /// be limited.
    ///
    /// # Errors
    /// Names the field (`name`, `by`, `routes`, or one of the terms') and its rule.
    pub fn new(name: &str, limit: impl Into<Limit>, by: &[Part], routes: &[&str]) -> Result<Self, Invalid> {
        check_name(name)?;
        let limit = limit.into();
        limit.terms(0).check()?;
        let mut by = by.to_vec();
        by.sort_unstable();
        by.dedup();
        let has_part = |route: &str| !by.contains(&Part::Sale) || route_path(route).contains("{sale}");
        for route in routes {
            if route_names().all(|known| known != *route) {
                let known: Vec<&str> = route_names().collect();
                return Err(Invalid::new("routes", format!("must be of {}, not {route}", known.join(", "))));
            }
            if !has_part(route) {
                return Err(Invalid::new("by", format!("must not have sale in it for {route}, whose path has none")));
            }
        }
        let is_meant = |route: &&'static str| if routes.is_empty() { has_part(route) } else { routes.contains(route) };
        let routes = route_names().filter(is_meant).collect();
        Ok(Self { name: name.to_owned(), limit, by, routes })
    }

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

fn check_name(name: &str) -> Result<(), Invalid> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=POLICY_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Invalid::new("name", format!("must be 1 to {POLICY_NAME_BYTES_MAX} small letters, digits or '-'")))
}

#[cfg(test)]
mod tests {
    use flash_wire::WindowTerms;

    use super::*;

    fn check(name: &str, limit: u64, by: &[Part], routes: &[&str], want: Result<usize, &str>) {
        let terms = ThrottleTerms::Strict(WindowTerms { limit, window_ms: 1_000 });
        let got = Policy::new(name, terms, by, routes);
        let got = got.map(|policy| policy.routes.len()).map_err(|invalid| invalid.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{name} {limit} {by:?} {routes:?}");
    }

    #[test]
    fn a_policy_that_breaks_a_rule_is_refused_by_its_field() {
        check("buyers", 5, &[Part::Buyer], &["reserve"], Ok(1));
        check("all-2", 5, &[], &[], Ok(route_names().count()));
        let of_sales = route_names().filter(|name| route_path(name).contains("{sale}"));
        check("sales", 5, &[Part::Sale], &[], Ok(of_sales.count()));
        let name = "name must be 1 to 32 small letters, digits or '-'";
        for bad in ["", "Buyers", "a b", "a:b", "a\"b", &"a".repeat(33)] {
            check(bad, 5, &[], &[], Err(name));
        }
        check("none", 0, &[], &[], Err("limit must be 1 to 1000000000"));
        check(
            "sales",
            5,
            &[Part::Sale],
            &["create-sale"],
            Err("by must not have sale in it for create-sale, whose path has none"),
        );
        let names: Vec<&str> = route_names().collect();
        let unknown = format!("routes must be of {}, not livez", names.join(", "));
        check("health", 5, &[], &["livez"], Err(&unknown));
    }
}
