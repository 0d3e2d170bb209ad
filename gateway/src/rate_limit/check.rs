//! The rules of a policy: which names and terms it may have, and which routes there are.

use flash_wire::Invalid;

use super::{Limit, POLICY_NAME_BYTES_MAX, Part, Policy};
use crate::http::{route_names, route_path};

impl Policy {
    /// A policy of a valid `limit`. Without parts there is one count for everyone; without routes it holds for all that
    /// can be limited.
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
                return Err(Invalid::new("routes", format!("must be among {}, not {route}", known.join(", "))));
            }
            if !has_part(route) {
                return Err(Invalid::new("by", format!("must not include sale for {route}, whose path has no sale")));
            }
        }
        let is_meant = |route: &&'static str| if routes.is_empty() { has_part(route) } else { routes.contains(route) };
        let routes = route_names().filter(is_meant).collect();
        Ok(Self { name: name.to_owned(), limit, by, routes })
    }
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
    use flash_wire::{ThrottleTerms, WindowTerms};

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
            Err("by must not include sale for create-sale, whose path has no sale"),
        );
        let names: Vec<&str> = route_names().collect();
        let unknown = format!("routes must be among {}, not livez", names.join(", "));
        check("health", 5, &[], &["livez"], Err(&unknown));
    }
}
