//! What a page of another site can do where nothing is asked of a caller: nothing, on any route.

use super::*;
use crate::http::routes;

async fn status(gate: Gate, method: &Method, path: &str, headers: &str) -> String {
    let mut peer = Peer::with(Surface::Devtools, gate);
    let request = format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: 0\r\n\r\n");
    peer.send(&request).await;
    let answer = peer.rest().await;
    answer["HTTP/1.1 ".len()..].split(' ').next().unwrap().to_owned()
}

/// The table's paths, each with something in its braces.
fn table() -> impl Iterator<Item = (Method, String)> {
    routes().map(|route| (route.method.clone(), route.path.replace("{sale}", "drop").replace("{id}", "7")))
}

#[tokio::test(start_paused = true)]
async fn no_route_that_changes_anything_takes_a_foreign_page_or_a_form() {
    const JSON: &str = "Content-Type: application/json\r\n";
    for (method, path) in table().filter(|(method, _)| !method.is_safe()) {
        let check = async |headers: &str, want: &str| {
            let got = status(Gate::Open, &method, &path, &format!("Host: localhost:8080\r\n{headers}")).await;
            assert_eq!(got, want, "{method} {path}\n{headers}");
        };
        for origin in ["null", "http://evil.example", "http://localhost:3000", "https://localhost:8080.evil.example"] {
            check(&format!("{JSON}Origin: {origin}\r\n"), "403").await;
        }
        for site in ["cross-site", "same-site"] {
            check(&format!("{JSON}Sec-Fetch-Site: {site}\r\n"), "403").await;
        }
        check(&format!("{JSON}Authorization: Bearer x\r\nOrigin: http://evil.example\r\n"), "403").await;
        if method == Method::POST {
            for of in ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"] {
                check(of, "415").await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_route_is_served_to_a_name_that_leads_here_and_is_not_known() {
    for (method, path) in table() {
        for host in ["rebind.evil.example", "rebind.evil.example:8080", ""] {
            let headers = format!("Host: {host}\r\nContent-Type: application/json\r\n");
            assert_eq!(status(Gate::Open, &method, &path, &headers).await, "421", "{method} {path} {host}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_keys_are_shown_the_host_may_be_any_and_the_key_is_the_proof() {
    let keys = || {
        let postgres = Postgres::new("postgres://127.0.0.1:1/db".to_owned());
        Gate::Operators(crate::identity::ApiKeys::new(postgres, Arc::new(crate::identity::Strikes::new())))
    };
    for (method, path) in table().filter(|(method, _)| !method.is_safe()) {
        let foreign = "Host: shop.example\r\nOrigin: https://page.example\r\nSec-Fetch-Site: cross-site\r\n";
        assert_eq!(status(keys(), &method, &path, foreign).await, "401", "{method} {path}");
        let shown = format!("{foreign}Authorization: Bearer flash_operate_0123456789abcdef_0\r\n");
        let got = status(keys(), &method, &path, &shown).await;
        assert!(["401", "503", "504"].contains(&got.as_str()), "{method} {path}: {got}, after a look at the key");
    }
}
