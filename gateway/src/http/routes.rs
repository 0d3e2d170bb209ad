//! The one table of routes.

use flash_vault::Role;
use hyper::Method;
use matchit::Router;

use super::problem::{Kind, Problem};

/// What a route leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    CreateSale,
    ListSales,
    ShowSale,
    WatchSale,
    Restock,
    OpenSale,
    CloseSale,
    ShowForm,
    Reserve,
    ListReservations,
    ShowReservation,
    ConfirmReservation,
    ReleaseReservation,
    CreateKey,
    ListKeys,
    RevokeKey,
    ShowAuditLog,
    CreateProduct,
    ShowProduct,
    CreateBuyer,
    ShowBuyer,
    ListPayments,
    Refunded,
    ShowCaller,
    AddWebhook,
    ListWebhooks,
    RemoveWebhook,
    ShowRelay,
    ListSyncers,
    ListQuarantine,
    ShowQuarantined,
    Replay,
    Discard,
    ShowAudit,
    ShowHealth,
    Simulate,
    ShowSimulation,
    StopSimulation,
    MakeFault,
    Live,
    Ready,
    Metrics,
    ShowDocument,
    ShowDocs,
    ShowProblem,
    FindStart,
    FindConsole,
    ShowConsole,
    ShowConsoleFile,
}

impl Endpoint {
    /// Whether it is the workshop's: the program around the gateway answers.
    const fn is_workshops(self) -> bool {
        matches!(self, Self::Simulate | Self::ShowSimulation | Self::StopSimulation | Self::MakeFault)
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Open,
    /// Anyone who reaches the operators' listener: what a browser loads before it has a key to show.
    Inside,
    /// A buyer, about what is theirs; an operator whose key may do what this role may, about any buyer's.
    Buyer(Role),
    /// An operator whose key may do what this role may. A change is in the audit log, its body too: no such route takes a
    /// secret.
    Operator(Role),
}

const READ: Access = Access::Operator(Role::Read);
const SELL: Access = Access::Operator(Role::Sell);
const PAY: Access = Access::Operator(Role::Pay);
const ADMIN: Access = Access::Operator(Role::Admin);

impl Access {
    /// Whether the caller has to show who he is, where anyone has to.
    pub(crate) const fn asks(self) -> bool {
        !matches!(self, Self::Open | Self::Inside)
    }
}

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// What buyers may call.
    Buyers,
    /// All that a gateway can do.
    Whole,
    /// The same, and what the program around it can.
    Workshop,
}

impl Surface {
    pub(crate) const fn has(self, (_, _, endpoint, access, _): &Route) -> bool {
        match self {
            Self::Workshop => true,
            Self::Whole => !endpoint.is_workshops(),
            Self::Buyers => matches!(access, Access::Open | Access::Buyer(_)),
        }
    }

    /// Whether operators call here.
    pub(crate) const fn is_operators(self) -> bool {
        !matches!(self, Self::Buyers)
    }
}

/// A row of the table.
pub(crate) type Route = (Method, &'static str, Endpoint, Access, &'static str);

/// The table; the last column is what a configuration calls the route. `HEAD` goes wherever `GET` goes.
pub(crate) const ROUTES: [Route; 49] = [
    (Method::POST, "/v1/sales", Endpoint::CreateSale, ADMIN, "create-sale"),
    (Method::GET, "/v1/sales", Endpoint::ListSales, READ, "list-sales"),
    (Method::GET, "/v1/sales/{sale}", Endpoint::ShowSale, Access::Open, "show-sale"),
    (Method::GET, "/v1/sales/{sale}/events", Endpoint::WatchSale, Access::Open, "watch-sale"),
    (Method::GET, "/v1/sales/{sale}/form", Endpoint::ShowForm, Access::Open, "show-form"),
    (Method::POST, "/v1/sales/{sale}/restock", Endpoint::Restock, SELL, "restock"),
    (Method::POST, "/v1/sales/{sale}/open", Endpoint::OpenSale, SELL, "open-sale"),
    (Method::POST, "/v1/sales/{sale}/close", Endpoint::CloseSale, SELL, "close-sale"),
    (Method::POST, "/v1/sales/{sale}/reservations", Endpoint::Reserve, Access::Buyer(Role::Sell), "reserve"),
    (Method::GET, "/v1/sales/{sale}/reservations", Endpoint::ListReservations, READ, "list-reservations"),
    (
        Method::GET,
        "/v1/sales/{sale}/reservations/{id}",
        Endpoint::ShowReservation,
        Access::Buyer(Role::Read),
        "show-reservation",
    ),
    (
        Method::DELETE,
        "/v1/sales/{sale}/reservations/{id}",
        Endpoint::ReleaseReservation,
        Access::Buyer(Role::Sell),
        "release",
    ),
    (
        Method::POST,
        "/v1/sales/{sale}/reservations/{id}/confirm",
        Endpoint::ConfirmReservation,
        Access::Buyer(Role::Pay),
        "confirm",
    ),
    (Method::POST, "/v1/products", Endpoint::CreateProduct, ADMIN, "create-product"),
    (Method::GET, "/v1/products/{id}", Endpoint::ShowProduct, Access::Open, "show-product"),
    (Method::POST, "/v1/buyers", Endpoint::CreateBuyer, ADMIN, "create-buyer"),
    (Method::GET, "/v1/buyers/{id}", Endpoint::ShowBuyer, READ, "show-buyer"),
    (Method::GET, "/v1/payments", Endpoint::ListPayments, READ, "list-payments"),
    (Method::POST, "/v1/payments/{id}/refunded", Endpoint::Refunded, PAY, "refunded"),
    (Method::GET, "/v1/whoami", Endpoint::ShowCaller, READ, "whoami"),
    (Method::POST, "/v1/keys", Endpoint::CreateKey, ADMIN, "create-key"),
    (Method::GET, "/v1/keys", Endpoint::ListKeys, READ, "list-keys"),
    (Method::DELETE, "/v1/keys/{id}", Endpoint::RevokeKey, ADMIN, "revoke-key"),
    (Method::GET, "/v1/audit-log", Endpoint::ShowAuditLog, READ, "show-audit-log"),
    (Method::POST, "/v1/webhooks", Endpoint::AddWebhook, ADMIN, "add-webhook"),
    (Method::GET, "/v1/webhooks", Endpoint::ListWebhooks, READ, "list-webhooks"),
    (Method::DELETE, "/v1/webhooks/{id}", Endpoint::RemoveWebhook, ADMIN, "remove-webhook"),
    (Method::GET, "/v1/relay", Endpoint::ShowRelay, READ, "show-relay"),
    (Method::GET, "/v1/syncers", Endpoint::ListSyncers, READ, "list-syncers"),
    (Method::GET, "/v1/quarantine", Endpoint::ListQuarantine, READ, "list-quarantine"),
    (Method::GET, "/v1/quarantine/{id}", Endpoint::ShowQuarantined, READ, "show-quarantined"),
    (Method::POST, "/v1/quarantine/{id}/replay", Endpoint::Replay, ADMIN, "replay"),
    (Method::POST, "/v1/quarantine/{id}/discard", Endpoint::Discard, ADMIN, "discard"),
    (Method::GET, "/v1/audit", Endpoint::ShowAudit, READ, "show-audit"),
    (Method::GET, "/v1/health", Endpoint::ShowHealth, READ, "show-health"),
    (Method::POST, "/v1/simulations", Endpoint::Simulate, ADMIN, "simulate"),
    (Method::GET, "/v1/simulations/{id}", Endpoint::ShowSimulation, READ, "show-simulation"),
    (Method::DELETE, "/v1/simulations/{id}", Endpoint::StopSimulation, ADMIN, "stop-simulation"),
    (Method::POST, "/v1/faults/{id}", Endpoint::MakeFault, ADMIN, "make-fault"),
    (Method::GET, "/", Endpoint::FindStart, Access::Open, "find-start"),
    (Method::GET, "/livez", Endpoint::Live, Access::Open, "livez"),
    (Method::GET, "/readyz", Endpoint::Ready, Access::Open, "readyz"),
    (Method::GET, "/metrics", Endpoint::Metrics, READ, "metrics"),
    (Method::GET, "/openapi.json", Endpoint::ShowDocument, Access::Open, "openapi"),
    (Method::GET, "/docs", Endpoint::ShowDocs, Access::Open, "docs"),
    (Method::GET, "/problems/{id}", Endpoint::ShowProblem, Access::Open, "show-problem"),
    (Method::GET, "/console", Endpoint::FindConsole, Access::Inside, "find-console"),
    (Method::GET, "/console/", Endpoint::ShowConsole, Access::Inside, "console"),
    (Method::GET, "/console/{id}", Endpoint::ShowConsoleFile, Access::Inside, "console-file"),
];

/// The names of the routes that can be limited: what buyers and operators use, and what is large. What load balancers ask is not
/// among them.
pub(crate) fn route_names() -> impl Iterator<Item = &'static str> {
    let may_be_limited = |path: &str| path.starts_with("/v1/") || ["/openapi.json", "/docs"].contains(&path);
    ROUTES.iter().filter(move |(_, path, ..)| may_be_limited(path)).map(|(.., name)| *name)
}

/// The path of the route of a name; empty, if there is none.
pub(crate) fn route_path(name: &str) -> &'static str {
    ROUTES.iter().find(|(.., named)| *named == name).map_or("", |(_, path, ..)| path)
}

/// Where a request goes, with what its path says. A part that the route does not have is empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) access: Access,
    /// The route's name.
    pub(crate) route: &'static str,
    pub(crate) sale: String,
    pub(crate) id: String,
}

/// The table, as far as a listener serves it, made ready for looking paths up.
#[derive(Debug)]
pub(crate) struct Routes {
    pub(crate) surface: Surface,
    paths: Router<Vec<&'static Route>>,
}

impl Routes {
    pub(crate) fn new(surface: Surface) -> Result<Self, matchit::InsertError> {
        // Of a constant there is a new one wherever it is named.
        static TABLE: [Route; ROUTES.len()] = ROUTES;
        let served: Vec<_> = TABLE.iter().filter(|route| surface.has(route)).collect();
        let mut paths = Router::new();
        for (at, (_, path, ..)) in served.iter().enumerate() {
            if served[..at].iter().any(|(_, earlier, ..)| earlier == path) {
                continue;
            }
            paths.insert(*path, served.iter().copied().filter(|(_, other, ..)| other == path).collect())?;
        }
        Ok(Self { surface, paths })
    }

    /// Looks a request up.
    ///
    /// # Errors
    /// When nothing is at `path`, or it has other methods.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Target, Problem> {
        let found = self.paths.at(path).map_err(|_| Kind::NotFound)?;
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some((_, _, endpoint, access, route)) = found.value.iter().find(|(method, ..)| method == wanted) else {
            return Err(Problem::method_not_allowed(allow(found.value)));
        };
        let part = |name| found.params.get(name).unwrap_or_default().to_owned();
        Ok(Target { endpoint: *endpoint, access: *access, route, sale: part("sale"), id: part("id") })
    }
}

fn allow(routes: &[&Route]) -> String {
    let names = routes.iter().map(|(method, ..)| match *method {
        Method::GET => "GET, HEAD",
        _ => method.as_str(),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, path: &str, want: Result<(Endpoint, &str, &str), Problem>) {
        check_of(Surface::Workshop, method, path, want);
    }

    fn check_of(surface: Surface, method: Method, path: &str, want: Result<(Endpoint, &str, &str), Problem>) {
        let got = Routes::new(surface).unwrap().find(&method, path);
        let got = got.as_ref().map(|target| (target.endpoint, target.sale.as_str(), target.id.as_str()));
        assert_eq!(got, want.as_ref().map(|want| *want), "{surface:?} {method} {path}");
    }

    #[test]
    fn every_route_is_found_with_its_parts() {
        check(Method::POST, "/v1/sales", Ok((Endpoint::CreateSale, "", "")));
        check(Method::GET, "/v1/sales", Ok((Endpoint::ListSales, "", "")));
        check(Method::GET, "/v1/syncers", Ok((Endpoint::ListSyncers, "", "")));
        check(Method::GET, "/v1/relay", Ok((Endpoint::ShowRelay, "", "")));
        check(Method::GET, "/v1/quarantine", Ok((Endpoint::ListQuarantine, "", "")));
        check(Method::GET, "/v1/quarantine/7", Ok((Endpoint::ShowQuarantined, "", "7")));
        check(Method::POST, "/v1/quarantine/7/replay", Ok((Endpoint::Replay, "", "7")));
        check(Method::POST, "/v1/quarantine/7/discard", Ok((Endpoint::Discard, "", "7")));
        check(Method::GET, "/v1/audit", Ok((Endpoint::ShowAudit, "", "")));
        check(Method::GET, "/v1/health", Ok((Endpoint::ShowHealth, "", "")));
        check(Method::POST, "/v1/simulations", Ok((Endpoint::Simulate, "", "")));
        check(Method::GET, "/v1/simulations/7", Ok((Endpoint::ShowSimulation, "", "7")));
        check(Method::DELETE, "/v1/simulations/7", Ok((Endpoint::StopSimulation, "", "7")));
        check(Method::POST, "/v1/faults/rain", Ok((Endpoint::MakeFault, "", "rain")));
        check(Method::GET, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
        check(Method::HEAD, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
        check(Method::GET, "/v1/sales/drop/events", Ok((Endpoint::WatchSale, "drop", "")));
        check(Method::POST, "/v1/sales/drop/restock", Ok((Endpoint::Restock, "drop", "")));
        check(Method::POST, "/v1/sales/drop/open", Ok((Endpoint::OpenSale, "drop", "")));
        check(Method::POST, "/v1/sales/drop/close", Ok((Endpoint::CloseSale, "drop", "")));
        check(Method::POST, "/v1/sales/drop/reservations", Ok((Endpoint::Reserve, "drop", "")));
        check(Method::GET, "/v1/sales/drop/reservations", Ok((Endpoint::ListReservations, "drop", "")));
        check(Method::GET, "/v1/sales/drop/reservations/7", Ok((Endpoint::ShowReservation, "drop", "7")));
        check(Method::DELETE, "/v1/sales/drop/reservations/7", Ok((Endpoint::ReleaseReservation, "drop", "7")));
        check(Method::POST, "/v1/sales/drop/reservations/7/confirm", Ok((Endpoint::ConfirmReservation, "drop", "7")));
        check(Method::POST, "/v1/webhooks", Ok((Endpoint::AddWebhook, "", "")));
        check(Method::GET, "/v1/webhooks", Ok((Endpoint::ListWebhooks, "", "")));
        check(Method::DELETE, "/v1/webhooks/7", Ok((Endpoint::RemoveWebhook, "", "7")));
        check(Method::POST, "/v1/keys", Ok((Endpoint::CreateKey, "", "")));
        check(Method::GET, "/v1/keys", Ok((Endpoint::ListKeys, "", "")));
        check(Method::DELETE, "/v1/keys/flash_read_7", Ok((Endpoint::RevokeKey, "", "flash_read_7")));
        check(Method::GET, "/v1/audit-log", Ok((Endpoint::ShowAuditLog, "", "")));
        check(Method::GET, "/v1/sales/drop/form", Ok((Endpoint::ShowForm, "drop", "")));
        check(Method::POST, "/v1/products", Ok((Endpoint::CreateProduct, "", "")));
        check(Method::GET, "/v1/products/shirt", Ok((Endpoint::ShowProduct, "", "shirt")));
        check(Method::POST, "/v1/buyers", Ok((Endpoint::CreateBuyer, "", "")));
        check(Method::GET, "/v1/buyers/ada", Ok((Endpoint::ShowBuyer, "", "ada")));
        check(Method::GET, "/v1/payments", Ok((Endpoint::ListPayments, "", "")));
        check(Method::POST, "/v1/payments/7/refunded", Ok((Endpoint::Refunded, "", "7")));
        check(Method::GET, "/v1/whoami", Ok((Endpoint::ShowCaller, "", "")));
        check(Method::GET, "/livez", Ok((Endpoint::Live, "", "")));
        check(Method::GET, "/readyz", Ok((Endpoint::Ready, "", "")));
        check(Method::GET, "/metrics", Ok((Endpoint::Metrics, "", "")));
        check(Method::GET, "/openapi.json", Ok((Endpoint::ShowDocument, "", "")));
        check(Method::GET, "/docs", Ok((Endpoint::ShowDocs, "", "")));
        check(Method::GET, "/problems/sold-out", Ok((Endpoint::ShowProblem, "", "sold-out")));
        check(Method::GET, "/console", Ok((Endpoint::FindConsole, "", "")));
        check(Method::GET, "/console/", Ok((Endpoint::ShowConsole, "", "")));
        check(Method::GET, "/console/icon.svg", Ok((Endpoint::ShowConsoleFile, "", "icon.svg")));
    }

    #[test]
    fn each_route_has_a_name_of_its_own_and_those_that_cost_something_may_be_limited() {
        let names: std::collections::BTreeSet<&str> = ROUTES.iter().map(|(.., name)| *name).collect();
        assert_eq!(names.len(), ROUTES.len());
        let others: Vec<&str> =
            ROUTES.iter().map(|(.., name)| *name).filter(|name| route_names().all(|of| of != *name)).collect();
        assert_eq!(others, ["livez", "readyz", "metrics", "show-problem", "find-console", "console", "console-file"]);
        assert_eq!((route_path("reserve"), route_path("nothing")), ("/v1/sales/{sale}/reservations", ""));
    }

    #[test]
    fn what_is_the_operators_is_not_there_for_buyers() {
        let check = |method, path, want| check_of(Surface::Buyers, method, path, want);
        check(Method::GET, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
        check(Method::POST, "/v1/sales/drop/reservations", Ok((Endpoint::Reserve, "drop", "")));
        let others = Problem::method_not_allowed("POST".to_owned());
        check(Method::GET, "/v1/sales/drop/reservations", Err(others));
        for path in [
            "/v1/sales",
            "/v1/relay",
            "/v1/syncers",
            "/v1/audit",
            "/v1/health",
            "/v1/quarantine",
            "/v1/quarantine/7",
            "/v1/quarantine/7/replay",
            "/v1/quarantine/7/discard",
            "/v1/sales/drop/restock",
            "/v1/keys",
            "/v1/keys/x",
            "/v1/audit-log",
            "/v1/whoami",
            "/v1/payments",
            "/v1/payments/7/refunded",
            "/v1/webhooks",
            "/metrics",
            "/console",
            "/console/",
            "/console/icon.svg",
        ] {
            for method in [Method::GET, Method::POST, Method::DELETE, Method::PUT] {
                check(method, path, Err(Kind::NotFound.into()));
            }
        }
    }

    #[test]
    fn what_is_the_workshops_is_there_with_a_workshop_alone() {
        for surface in [Surface::Buyers, Surface::Whole] {
            for path in ["/v1/simulations", "/v1/simulations/7", "/v1/faults/rain"] {
                for method in [Method::GET, Method::POST, Method::DELETE] {
                    check_of(surface, method, path, Err(Kind::NotFound.into()));
                }
            }
        }
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        for path in
            ["//", "", "*", "/v1/sales/", "/v1/sales//reservations", "/v1/sales/a/b", "/livez/", "/V1/sales", "\u{eb}"]
        {
            check(Method::GET, path, Err(Kind::NotFound.into()));
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let allow = |methods: &str| Err(Problem::method_not_allowed(methods.to_owned()));
        check(Method::PUT, "/v1/sales", allow("POST, GET, HEAD"));
        check(Method::DELETE, "/v1/sales/drop", allow("GET, HEAD"));
        check(Method::TRACE, "/v1/sales/drop/reservations", allow("POST, GET, HEAD"));
        check(Method::PUT, "/v1/sales/drop/reservations/7", allow("GET, HEAD, DELETE"));
        check(Method::HEAD, "/v1/sales/drop/restock", allow("POST"));
    }
}
