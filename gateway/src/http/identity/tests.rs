//! Who may call what: every route of the table, from every caller, at every listener. No server is there: a caller that
//! is admitted gets 503, or what is wrong with the request, and never 401 or 403.

use std::collections::BTreeMap;
use std::sync::Arc;

use flash_vault::{ApiKey, key_hash, key_id};
use hyper::Method;

use super::*;
use crate::http::Surface;
use crate::http::route::Route;
use crate::http::routes::routes;
use crate::http::server::tests::Peer;
use crate::identity::{Auth, Jwt, JwtKeys, TokenKeysFile};
use crate::limits::TOKEN_SECRET_BYTES_MIN;
use crate::postgres::Postgres;

const READ: Access = Access::Operator(Role::Read);
const SELL: Access = Access::Operator(Role::Sell);
const PAY: Access = Access::Operator(Role::Pay);
const ADMIN: Access = Access::Operator(Role::Admin);

/// Every route with its access, once more: a new one is not open to anyone by mistake.
const ACCESS: [(&str, Access); 52] = [
    ("POST /v1/sales", ADMIN),
    ("GET /v1/sales", READ),
    ("GET /v1/sales/{sale}", Access::Open),
    ("GET /v1/sales/{sale}/events", Access::Open),
    ("GET /v1/sales/{sale}/form", Access::Open),
    ("POST /v1/sales/{sale}/restock", SELL),
    ("POST /v1/sales/{sale}/open", SELL),
    ("POST /v1/sales/{sale}/close", SELL),
    ("POST /v1/sales/{sale}/reservations", Access::Buyer(Role::Sell)),
    ("GET /v1/sales/{sale}/reservations", READ),
    ("GET /v1/sales/{sale}/reservations/{id}", Access::Buyer(Role::Read)),
    ("DELETE /v1/sales/{sale}/reservations/{id}", Access::Buyer(Role::Sell)),
    ("POST /v1/sales/{sale}/reservations/{id}/confirm", Access::Buyer(Role::Pay)),
    ("POST /v1/products", ADMIN),
    ("GET /v1/products", READ),
    ("GET /v1/products/{id}", Access::Open),
    ("POST /v1/buyers", ADMIN),
    ("GET /v1/buyers", READ),
    ("GET /v1/buyers/{id}", READ),
    ("GET /v1/payments", READ),
    ("GET /v1/sales/{sale}/payments", READ),
    ("POST /v1/payments/{id}/refunded", PAY),
    ("GET /v1/whoami", READ),
    ("POST /v1/keys", ADMIN),
    ("GET /v1/keys", READ),
    ("DELETE /v1/keys/{id}", ADMIN),
    ("GET /v1/audit-log", READ),
    ("POST /v1/webhooks", ADMIN),
    ("GET /v1/webhooks", READ),
    ("DELETE /v1/webhooks/{id}", ADMIN),
    ("GET /v1/relay", READ),
    ("GET /v1/syncers", READ),
    ("GET /v1/quarantine", READ),
    ("GET /v1/quarantine/{id}", READ),
    ("POST /v1/quarantine/{id}/replay", ADMIN),
    ("POST /v1/quarantine/{id}/discard", ADMIN),
    ("GET /v1/audit", READ),
    ("GET /v1/health", READ),
    ("POST /v1/simulations", Access::Developer(Role::Admin)),
    ("GET /v1/simulations/{id}", Access::Developer(Role::Read)),
    ("DELETE /v1/simulations/{id}", Access::Developer(Role::Admin)),
    ("POST /v1/faults/{id}", Access::Developer(Role::Admin)),
    ("GET /", Access::Open),
    ("GET /livez", Access::Open),
    ("GET /readyz", Access::Open),
    ("GET /metrics", READ),
    ("GET /openapi.json", Access::Open),
    ("GET /docs", Access::Open),
    ("GET /problems/{id}", Access::Open),
    ("GET /console", Access::Inside),
    ("GET /console/", Access::Inside),
    ("GET /console/{id}", Access::Inside),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    /// For development: no authentication.
    Open,
    /// The same, where operators have a listener of their own.
    OpenForBuyers,
    Tokens,
    Keys,
    Operators,
}

const LISTENERS: [Listener; 5] =
    [Listener::Open, Listener::OpenForBuyers, Listener::Tokens, Listener::Keys, Listener::Operators];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Nothing,
    Garbage,
    Token,
    Key(Role),
}

const SHOWN: [Shows; 9] = [
    Shows::Nothing,
    Shows::Garbage,
    Shows::Token,
    Shows::Key(Role::Buyer),
    Shows::Key(Role::Read),
    Shows::Key(Role::Sell),
    Shows::Key(Role::Pay),
    Shows::Key(Role::Admin),
    Shows::Key(Role::Operate),
];

/// Which roles may do what takes a role: of operators, said once more and in another way.
const MAY: [(Role, &[Role]); 4] = [
    (Role::Read, &[Role::Read, Role::Sell, Role::Pay, Role::Admin, Role::Operate]),
    (Role::Sell, &[Role::Sell, Role::Admin, Role::Operate]),
    (Role::Pay, &[Role::Pay, Role::Admin, Role::Operate]),
    (Role::Admin, &[Role::Admin, Role::Operate]),
];

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Through,
    NotThere,
    Unauthenticated,
    Forbidden,
}

/// The rules, said once more, and in another way.
fn fate(listener: Listener, access: Access, shows: Shows) -> Fate {
    let is_operators = matches!(access, Access::Inside | Access::Operator(_) | Access::Developer(_));
    let may = |needed: Role| {
        let roles = MAY.iter().find(|(role, _)| *role == needed).map_or(&[][..], |(_, roles)| roles);
        roles.iter().any(|role| Shows::Key(*role) == shows)
    };
    let is_let_through = match (listener, access) {
        (Listener::Open, _) | (_, Access::Open) => return Fate::Through,
        (Listener::OpenForBuyers | Listener::Tokens | Listener::Keys, _) if is_operators => return Fate::NotThere,
        (Listener::OpenForBuyers, _) | (Listener::Operators, Access::Inside) => return Fate::Through,
        (Listener::Tokens, _) => shows == Shows::Token,
        (Listener::Keys, _) => shows == Shows::Key(Role::Buyer),
        (Listener::Operators, Access::Buyer(needed) | Access::Operator(needed) | Access::Developer(needed)) => {
            may(needed)
        }
    };
    let is_good_key = matches!(shows, Shows::Key(_)) && listener != Listener::Tokens;
    match (is_let_through, is_good_key) {
        (true, _) => Fate::Through,
        (false, true) => Fate::Forbidden,
        (false, false) => Fate::Unauthenticated,
    }
}

pub(crate) fn secret() -> String {
    "s".repeat(TOKEN_SECRET_BYTES_MIN)
}

/// Ada's, signed with [`secret`] for `flash` by `shop`, until 2100.
pub(crate) fn token() -> String {
    use base64::Engine;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let claims = br#"{"sub":"ada","iss":"shop","aud":"flash","nbf":0,"exp":4102444800}"#;
    let message = format!("{}.{}", base64(br#"{"alg":"HS256"}"#), base64(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret().as_bytes());
    format!("{message}.{}", base64(ring::hmac::sign(&key, message.as_bytes()).as_ref()))
}

fn key(role: Role) -> String {
    format!("flash_{}_0123456789abcdef_{}", role.name(), "0".repeat(64))
}

fn api_keys() -> ApiKeys {
    let keys = ApiKeys::new(
        Postgres::with("postgres://127.0.0.1:1/db".to_owned(), 1),
        Arc::new(crate::identity::Strikes::new()),
    );
    for (name, role) in Role::NAMES {
        let (key, holder) = (key(role), format!("who has {name}"));
        let id = key_id(&key).unwrap().to_owned();
        keys.learn(
            &id.clone(),
            Some(Arc::new(ApiKey { id, hash: key_hash(&key), role, holder, expires_at_ms: None, is_revoked: false })),
        );
    }
    keys
}

impl Listener {
    fn peer(self) -> Peer {
        let jwt =
            Jwt { issuer: "shop".to_owned(), audience: "flash".to_owned(), keys: JwtKeys::Secrets(vec![secret()]) };
        let tokens = || Tokens::new(TokenKeysFile::open(&Auth::Jwt(jwt)).unwrap().0);
        let (surface, gate) = match self {
            Self::Open => (Surface::Devtools, Gate::Open),
            Self::OpenForBuyers => (Surface::Buyers, Gate::Open),
            Self::Tokens => (Surface::Buyers, Gate::Tokens(tokens())),
            Self::Keys => (Surface::Buyers, Gate::Keys(api_keys())),
            Self::Operators => (Surface::Devtools, Gate::Operators(api_keys())),
        };
        Peer::with(surface, gate)
    }
}

impl Shows {
    fn header(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Garbage => "Authorization: Bearer garbage\r\n".to_owned(),
            Self::Token => format!("Authorization: Bearer {}\r\n", token()),
            Self::Key(role) => format!("Authorization: Bearer {}\r\n", key(role)),
        }
    }
}

async fn ask(listener: Listener, method: &Method, path: &str, header: &str) -> String {
    let mut peer = listener.peer();
    peer.send(&format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{header}\r\n")).await;
    peer.rest().await
}

#[test]
fn every_route_has_the_access_that_was_meant() {
    let table: BTreeMap<_, _> =
        routes().map(|route| (format!("{} {}", route.method, route.path), route.access)).collect();
    let meant = ACCESS.map(|(route, access)| (route.to_owned(), access));
    assert_eq!(table, meant.into());
}

#[tokio::test(start_paused = true)]
async fn every_route_admits_exactly_its_callers() {
    for Route { method, path, access, .. } in routes() {
        let id = if path.starts_with("/console/") { "icon.svg" } else { "2" };
        let path = path.replace("{sale}", "drop").replace("{id}", id);
        for (listener, shows) in LISTENERS.into_iter().flat_map(|listener| SHOWN.map(|shows| (listener, shows))) {
            let answer = ask(listener, method, &path, &shows.header()).await;
            let got = match answer.split(' ').nth(1).unwrap_or_default() {
                "401" if answer.contains("www-authenticate: Bearer\r\n") && answer.contains("/unauthenticated") => {
                    Fate::Unauthenticated
                }
                "403" if answer.contains("/problems/forbidden") => Fate::Forbidden,
                "404" if answer.contains("/problems/not-found") => Fate::NotThere,
                "405" if answer.contains("/problems/method-not-allowed") => Fate::NotThere,
                "401" | "403" | "" => panic!("{answer}"),
                _ => Fate::Through,
            };
            let want = fate(listener, *access, shows);
            assert_eq!(got, want, "{method} {path} at {listener:?} with {shows:?}: {answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn authorization_is_one_bearer() {
    let key = key(Role::Buyer);
    let reserve = "/v1/sales/drop/reservations/2";
    let rows = [
        (format!("Authorization: bearer {key}\r\n"), "404"),
        (format!("Authorization: BEARER   {key} \r\n"), "404"),
        (format!("Authorization: Basic {key}\r\n"), "401"),
        (format!("Authorization: {key}\r\n"), "401"),
        ("Authorization: Bearer\r\n".to_owned(), "401"),
        ("Authorization: \r\n".to_owned(), "401"),
        ("Authorization: Bearer \u{eb}\r\n".to_owned(), "401"),
        (format!("Authorization: Bearer {key}\r\nAuthorization: Bearer {key}\r\n"), "401"),
    ];
    for (header, want) in rows {
        let answer = ask(Listener::Keys, &Method::GET, reserve, &header).await;
        assert_eq!(answer.split(' ').nth(1), Some(want), "{header}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_too_long_is_not_even_looked_at() {
    let header = format!("Authorization: Bearer {}\r\n", "a".repeat(crate::limits::TOKEN_BYTES_MAX + 1));
    let answer = ask(Listener::Tokens, &Method::GET, "/v1/sales/drop/reservations/2", &header).await;
    assert!(answer.contains("the token is too long"), "{answer}");
}
