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

/// The table. `HEAD` goes wherever `GET` goes.
const ROUTES: [(Method, &str, Endpoint); 14] = [
    (Method::POST, "/v1/sales", Endpoint::CreateSale),
    (Method::GET, "/v1/sales/{sale}", Endpoint::ShowSale),
    (Method::GET, "/v1/sales/{sale}/form", Endpoint::ShowForm),
    (Method::POST, "/v1/sales/{sale}/reservations", Endpoint::Reserve),
    (Method::GET, "/v1/sales/{sale}/reservations/{id}", Endpoint::ShowReservation),
    (Method::DELETE, "/v1/sales/{sale}/reservations/{id}", Endpoint::ReleaseReservation),
    (Method::POST, "/v1/sales/{sale}/reservations/{id}/confirm", Endpoint::ConfirmReservation),
    (Method::POST, "/v1/products", Endpoint::CreateProduct),
    (Method::GET, "/v1/products/{id}", Endpoint::ShowProduct),
    (Method::POST, "/v1/buyers", Endpoint::CreateBuyer),
    (Method::GET, "/v1/buyers/{id}", Endpoint::ShowBuyer),
    (Method::GET, "/livez", Endpoint::Live),
    (Method::GET, "/readyz", Endpoint::Ready),
    (Method::GET, "/metrics", Endpoint::Metrics),
];

/// Where a request goes, with what its path says. A part that the route does not have is empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) sale: String,
    pub(crate) id: String,
}

/// The table, made ready for looking paths up.
#[derive(Debug)]
pub(crate) struct Routes {
    paths: Router<Vec<(Method, Endpoint)>>,
}

impl Routes {
    pub(crate) fn new() -> Result<Self, matchit::InsertError> {
        let mut paths = Router::new();
        for (at, (_, path, _)) in ROUTES.iter().enumerate() {
            if ROUTES[..at].iter().any(|(_, earlier, _)| earlier == path) {
                continue;
            }
            let methods = ROUTES.iter().filter(|(_, other, _)| other == path);
            paths.insert(*path, methods.map(|(method, _, endpoint)| (method.clone(), *endpoint)).collect())?;
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
        let Some((_, endpoint)) = found.value.iter().find(|(method, _)| method == wanted) else {
            return Err(Problem::method_not_allowed(allow(found.value)));
        };
        let part = |name| found.params.get(name).unwrap_or_default().to_owned();
        Ok(Target { endpoint: *endpoint, sale: part("sale"), id: part("id") })
    }
}

fn allow(methods: &[(Method, Endpoint)]) -> String {
    let names = methods.iter().map(|(method, _)| match *method {
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
        let want = want.map(|(endpoint, sale, id)| Target { endpoint, sale: sale.to_owned(), id: id.to_owned() });
        assert_eq!(got, want, "{method} {path}");
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
