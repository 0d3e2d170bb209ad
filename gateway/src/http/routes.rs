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
    /// Whether it is the developer tools': the program around the gateway answers.
    const fn is_devtools(self) -> bool {
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
    Devtools,
}

impl Surface {
    pub(crate) const fn has(self, (_, _, endpoint, access, _): &Route) -> bool {
        match self {
            Self::Devtools => true,
            Self::Whole => !endpoint.is_devtools(),
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
mod tests;
