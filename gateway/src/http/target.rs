//! Where a request goes.

use super::access::Access;
use super::route_counts::RouteCounts;

/// What is particular to a route in how its requests are treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Looks at every sale or every server, so it may take as long as such a look may.
    pub(crate) is_slow: bool,
    /// The body may name the buyer: the handler counts the request in the rate limits, as soon as it has read the body.
    pub(crate) names_buyer: bool,
    /// What the audit log says of the body; none: the body as it is.
    pub(crate) logged: Option<fn(&[u8]) -> String>,
}

impl Manner {
    /// That of most routes.
    pub(crate) const USUAL: Self = Self { is_slow: false, names_buyer: false, logged: None };
}

/// A route as a request has found it, with what the path says. A part that the route does not have is empty.
#[derive(Debug)]
pub(crate) struct Target {
    /// The route's name.
    pub(crate) route: &'static str,
    /// The route's path, with the names of its parts.
    pub(crate) path: &'static str,
    /// What is counted of the route's requests.
    pub(crate) counts: &'static RouteCounts,
    pub(crate) access: Access,
    pub(crate) manner: Manner,
    pub(crate) sale: String,
    pub(crate) id: String,
}
