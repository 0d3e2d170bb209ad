//! The one table of routes.

use hyper::Method;
use matchit::Router;

use super::problem::{Kind, Problem};

/// What a route leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    CreateSale,
    ShowSale,
    ShowForm,
    Reserve,
    ShowReservation,
    ConfirmReservation,
    ReleaseReservation,
    CreateProduct,
    ShowProduct,
    CreateBuyer,
    ShowBuyer,
    Live,
    Ready,
    Metrics,
}

/// The table; the last column is what a configuration calls the route. `HEAD` goes wherever `GET` goes.
const ROUTES: [(Method, &str, Endpoint, &str); 14] = [
    (Method::POST, "/v1/sales", Endpoint::CreateSale, "create-sale"),
    (Method::GET, "/v1/sales/{sale}", Endpoint::ShowSale, "show-sale"),
    (Method::GET, "/v1/sales/{sale}/form", Endpoint::ShowForm, "show-form"),
    (Method::POST, "/v1/sales/{sale}/reservations", Endpoint::Reserve, "reserve"),
    (Method::GET, "/v1/sales/{sale}/reservations/{id}", Endpoint::ShowReservation, "show-reservation"),
    (Method::DELETE, "/v1/sales/{sale}/reservations/{id}", Endpoint::ReleaseReservation, "release"),
    (Method::POST, "/v1/sales/{sale}/reservations/{id}/confirm", Endpoint::ConfirmReservation, "confirm"),
    (Method::POST, "/v1/products", Endpoint::CreateProduct, "create-product"),
    (Method::GET, "/v1/products/{id}", Endpoint::ShowProduct, "show-product"),
    (Method::POST, "/v1/buyers", Endpoint::CreateBuyer, "create-buyer"),
    (Method::GET, "/v1/buyers/{id}", Endpoint::ShowBuyer, "show-buyer"),
    (Method::GET, "/livez", Endpoint::Live, "livez"),
    (Method::GET, "/readyz", Endpoint::Ready, "readyz"),
    (Method::GET, "/metrics", Endpoint::Metrics, "metrics"),
];

/// The names of the routes that buyers and operators use. What load balancers ask is for nobody to limit.
pub(crate) fn route_names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().filter(|(_, path, ..)| path.starts_with("/v1/")).map(|(.., name)| *name)
}

/// The path of the route of a name; empty, if there is none.
pub(crate) fn route_path(name: &str) -> &'static str {
    ROUTES.iter().find(|(.., named)| *named == name).map_or("", |(_, path, ..)| path)
}

/// Where a request goes, with what its path says. A part that the route does not have is empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    /// The route's name.
    pub(crate) route: &'static str,
    pub(crate) sale: String,
    pub(crate) id: String,
}

/// The table, made ready for looking paths up.
#[derive(Debug)]
pub(crate) struct Routes {
    paths: Router<Vec<(Method, Endpoint, &'static str)>>,
}

impl Routes {
    pub(crate) fn new() -> Result<Self, matchit::InsertError> {
        let mut paths = Router::new();
        for (at, (_, path, ..)) in ROUTES.iter().enumerate() {
            if ROUTES[..at].iter().any(|(_, earlier, ..)| earlier == path) {
                continue;
            }
            let methods = ROUTES.iter().filter(|(_, other, ..)| other == path);
            paths.insert(
                *path,
                methods.map(|(method, _, endpoint, name)| (method.clone(), *endpoint, *name)).collect(),
            )?;
        }
        Ok(Self { paths })
    }

    /// Looks a request up.
    ///
    /// # Errors
    /// When nothing is at `path`, or it has other methods.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Target, Problem> {
        let found = self.paths.at(path).map_err(|_| Kind::NotFound)?;
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some((_, endpoint, route)) = found.value.iter().find(|(method, ..)| method == wanted) else {
            return Err(Problem::method_not_allowed(allow(found.value)));
        };
        let part = |name| found.params.get(name).unwrap_or_default().to_owned();
        Ok(Target { endpoint: *endpoint, route, sale: part("sale"), id: part("id") })
    }
}

fn allow(methods: &[(Method, Endpoint, &str)]) -> String {
    let names = methods.iter().map(|(method, ..)| match *method {
        Method::GET => "GET, HEAD",
        _ => method.as_str(),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, path: &str, want: Result<(Endpoint, &str, &str), Problem>) {
        let got = Routes::new().unwrap().find(&method, path);
        let got = got.map(|target| (target.endpoint, target.sale, target.id));
        assert_eq!(got, want.map(|(endpoint, sale, id)| (endpoint, sale.to_owned(), id.to_owned())), "{method} {path}");
    }

    #[test]
    fn every_route_is_found_with_its_parts() {
        check(Method::POST, "/v1/sales", Ok((Endpoint::CreateSale, "", "")));
        check(Method::GET, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
        check(Method::HEAD, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
        check(Method::POST, "/v1/sales/drop/reservations", Ok((Endpoint::Reserve, "drop", "")));
        check(Method::GET, "/v1/sales/drop/reservations/7", Ok((Endpoint::ShowReservation, "drop", "7")));
        check(Method::DELETE, "/v1/sales/drop/reservations/7", Ok((Endpoint::ReleaseReservation, "drop", "7")));
        check(Method::POST, "/v1/sales/drop/reservations/7/confirm", Ok((Endpoint::ConfirmReservation, "drop", "7")));
        check(Method::GET, "/v1/sales/drop/form", Ok((Endpoint::ShowForm, "drop", "")));
        check(Method::POST, "/v1/products", Ok((Endpoint::CreateProduct, "", "")));
        check(Method::GET, "/v1/products/shirt", Ok((Endpoint::ShowProduct, "", "shirt")));
        check(Method::POST, "/v1/buyers", Ok((Endpoint::CreateBuyer, "", "")));
        check(Method::GET, "/v1/buyers/ada", Ok((Endpoint::ShowBuyer, "", "ada")));
        check(Method::GET, "/livez", Ok((Endpoint::Live, "", "")));
        check(Method::GET, "/readyz", Ok((Endpoint::Ready, "", "")));
        check(Method::GET, "/metrics", Ok((Endpoint::Metrics, "", "")));
    }

    #[test]
    fn each_route_has_a_name_of_its_own_and_those_under_v1_may_be_limited() {
        let names: std::collections::BTreeSet<&str> = ROUTES.iter().map(|(.., name)| *name).collect();
        assert_eq!(names.len(), ROUTES.len());
        assert!(route_names().all(|name| route_path(name).starts_with("/v1/")) && route_names().count() > 5);
        assert_eq!((route_path("reserve"), route_path("nothing")), ("/v1/sales/{sale}/reservations", ""));
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        for path in
            ["/", "", "*", "/v1/sales/", "/v1/sales//reservations", "/v1/sales/a/b", "/livez/", "/V1/sales", "\u{eb}"]
        {
            check(Method::GET, path, Err(Kind::NotFound.into()));
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let allow = |methods: &str| Err(Problem::method_not_allowed(methods.to_owned()));
        check(Method::GET, "/v1/sales", allow("POST"));
        check(Method::DELETE, "/v1/sales/drop", allow("GET, HEAD"));
        check(Method::TRACE, "/v1/sales/drop/reservations", allow("POST"));
        check(Method::PUT, "/v1/sales/drop/reservations/7", allow("GET, HEAD, DELETE"));
        check(Method::HEAD, "/v1/sales/drop/reservations", allow("POST"));
    }
}
