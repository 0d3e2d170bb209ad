//! The one table of routes. Each file of handlers has its rows; all else that needs routes reads them here.

use hyper::Method;
use matchit::Router;

use super::access::Surface;
use super::problem::{Kind, Problem};
use super::route::{Handler, Route};
use super::route_counts::{self, RouteCounts};
use super::target::Target;
use super::{
    audit, audit_log, buyers, console, create_sale, devtools, docs, doctor, events, health, keys, metrics, operate,
    payments, products, quarantine, relay_status, reservation, reservation_list, reservations, sales, start, syncers,
    webhooks,
};

/// The table, in the order in which the API is described.
static TABLE: [&[Route]; 24] = [
    &create_sale::ROUTES,
    &sales::ROUTES,
    &events::ROUTES,
    &operate::ROUTES,
    &reservations::ROUTES,
    &reservation_list::ROUTES,
    &reservation::ROUTES,
    &products::ROUTES,
    &buyers::ROUTES,
    &payments::ROUTES,
    &keys::ROUTES,
    &audit_log::ROUTES,
    &webhooks::ROUTES,
    &relay_status::ROUTES,
    &syncers::ROUTES,
    &quarantine::ROUTES,
    &audit::ROUTES,
    &doctor::ROUTES,
    &devtools::ROUTES,
    &start::ROUTES,
    &health::ROUTES,
    &metrics::ROUTES,
    &docs::ROUTES,
    &console::ROUTES,
];

/// All routes.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> + Clone {
    TABLE.iter().copied().flatten()
}

/// The names of the routes that can be limited: what buyers and operators use, and what is large. What load balancers
/// ask is not among them.
pub(crate) fn route_names() -> impl Iterator<Item = &'static str> {
    let may_be_limited = |path: &str| path.starts_with("/v1/") || ["/openapi.json", "/docs"].contains(&path);
    routes().filter(move |route| may_be_limited(route.path)).map(|route| route.name)
}

/// The path of the route of a name; empty, if there is none.
pub(crate) fn route_path(name: &str) -> &'static str {
    routes().find(|route| route.name == name).map_or("", |route| route.path)
}

/// The table, as far as a listener serves it, made ready for looking paths up.
pub(crate) struct Routes(Router<Vec<Served>>);

/// A route, and what is counted of its requests.
#[derive(Clone, Copy)]
struct Served {
    route: &'static Route,
    counts: &'static RouteCounts,
}

impl Routes {
    pub(crate) fn new(surface: Surface) -> Result<Self, matchit::InsertError> {
        let served: Vec<_> = routes().filter(|route| surface.has(route.access)).collect();
        let mut paths = Router::new();
        for (at, route) in served.iter().enumerate() {
            if served[..at].iter().any(|earlier| earlier.path == route.path) {
                continue;
            }
            let here = served.iter().filter(|other| other.path == route.path);
            paths.insert(
                route.path,
                here.map(|route| Served { route, counts: route_counts::of(route.name) }).collect(),
            )?;
        }
        Ok(Self(paths))
    }

    /// Looks a request up.
    ///
    /// # Errors
    /// When nothing is at `path`, or it has other methods.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<(Handler, Target), Problem> {
        let found = self.0.at(path).map_err(|_| Kind::NotFound)?;
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some(Served { route, counts }) = found.value.iter().find(|served| served.route.method == wanted) else {
            return Err(Problem::method_not_allowed(allow(found.value)));
        };
        let part = |name| found.params.get(name).unwrap_or_default().to_owned();
        let Route { name, path, access, manner, .. } = **route;
        Ok((route.handler, Target { route: name, path, counts, access, manner, sale: part("sale"), id: part("id") }))
    }
}

fn allow(served: &[Served]) -> String {
    let names = served.iter().map(|served| match *served.route.method {
        Method::GET => "GET, HEAD",
        _ => served.route.method.as_str(),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
