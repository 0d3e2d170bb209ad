//! API keys: `POST /v1/keys`, `GET /v1/keys` and `DELETE /v1/keys/{id}`.

use std::borrow::Cow;

use flash_vault::{KeyRow, NewKey, Role};
use flash_wire::limits::BUYER_BYTES_MAX;
use flash_worker::now_ms;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::fields::Given;
use super::idempotency::{Keyed, make, text};
use super::identity::Caller;
use super::problem::{FieldError, Kind, Problem};
use super::reply::{Reply, json, secret};
use super::route::{Answer, DELETE, GET, Link, POST, Route, Schema, Spec, handler};
use super::schema::{BuyerName, RoleName, TimeMs};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, fields, query};
use crate::limits::PAGE_ROWS_MAX;

pub(super) static ROUTES: [Route; 4] = [
    Route {
        method: &GET,
        path: "/v1/whoami",
        name: "whoami",
        access: Access::READ,
        handler: handler!(whoami),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Keys and the audit log",
            summary: "Show the caller and its role",
            answers: &[Answer::json(200, "The key is valid.", Schema::of::<CallerView<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/keys",
        name: "create-key",
        access: Access::ADMIN,
        handler: handler!(create),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Keys and the audit log",
            summary: "Create an API key",
            description: "Only the first answer shows the key. A repeat with the same Idempotency-Key creates no \
                          second key: it shows the id, and a note in place of the key. If the first answer is lost, \
                          revoke the key and create another one.",
            parameters: &["IdempotencyKey"],
            body: Some(Schema::of::<KeyWanted>()),
            answers: &[
                Answer::json(201, "The key.", Schema::of::<KeyMade<'_>>())
                    .links(&[Link("revoke-key", &[("id", "$response.body#/id")])]),
                Answer::json(
                    200,
                    "The key was created before; it is not shown again.",
                    Schema::of::<KeyMadeBefore<'_>>(),
                )
                .headers(&["Idempotency-Replayed"]),
            ],
            problems: &[Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/keys",
        name: "list-keys",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Keys and the audit log",
            summary: "List API keys, by id",
            parameters: &["After", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<KeyList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &DELETE,
        path: "/v1/keys/{id}",
        name: "revoke-key",
        access: Access::ADMIN,
        handler: handler!(revoke),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Keys and the audit log",
            summary: "Revoke an API key",
            description: "A gateway that has cached the key accepts it for a few seconds more.",
            parameters: &["KeyId"],
            answers: &[Answer::json(200, "The key is revoked.", Schema::of::<KeyRevoked<'_>>())],
            problems: &[Kind::UnknownKey],
            ..Spec::NONE
        },
    },
];

/// What a repeat gets instead of the key.
const SHOWN_ONCE: &str = "the key was shown once, in the first answer, and is kept nowhere: if that is lost, revoke \
                          this key (DELETE /v1/keys/{id}) and make another one with another Idempotency-Key";

/// Makes a key. The first answer is the only one that ever shows it.
pub(crate) async fn create(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let (role, holder, expires_at_ms) = read(&asked.body, now_ms())?;
    let new = NewKey { role, holder: &holder, expires_at_ms };
    let made = make(app, keyed.as_ref(), async |transaction: &_| {
        let (id, key) = flash_vault::create_key(transaction, &new).await?;
        let answer = text(&KeyMadeBefore::of(&id, &new));
        Ok(((id, key), Some(answer)))
    });
    match made.await? {
        Ok((id, key)) => Ok(secret(json(StatusCode::CREATED, &KeyMade::of(&id, &new, &key)))),
        Err(before) => Ok(before.reply()),
    }
}

/// A key that was made.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "CreatedKey",
    extend(
        "examples" = [
            {
                "id": "flash_buyer_0a1b2c3d4e5f6071", "key": "flash_buyer_0a1b2c3d4e5f6071_…", "role": "buyer",
                "holder": "ada",
            },
        ],
    ),
)]
struct KeyMade<'a> {
    id: &'a str,
    /// The secret: it is shown this once.
    key: &'a str,
    #[schemars(with = "RoleName")]
    role: &'static str,
    #[schemars(with = "BuyerName")]
    holder: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    expires_at_ms: Option<u64>,
}

impl<'a> KeyMade<'a> {
    fn of(id: &'a str, new: &NewKey<'a>, key: &'a str) -> Self {
        let NewKey { role, holder, expires_at_ms } = *new;
        Self { id, key, role: role.name(), holder, expires_at_ms }
    }
}

/// A key that was made before: a note is in the place of the key itself.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "KeyOfBefore",
    extend(
        "examples" = [
            {
                "id": "flash_buyer_0a1b2c3d4e5f6071", "role": "buyer", "holder": "ada",
                "note": "the key was shown once, in the first answer…",
            },
        ],
    ),
)]
struct KeyMadeBefore<'a> {
    id: &'a str,
    #[schemars(with = "RoleName")]
    role: &'static str,
    holder: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    expires_at_ms: Option<u64>,
    /// What to do if the first answer is lost.
    note: &'static str,
}

impl<'a> KeyMadeBefore<'a> {
    fn of(id: &'a str, new: &NewKey<'a>) -> Self {
        let NewKey { role, holder, expires_at_ms } = *new;
        Self { id, role: role.name(), holder, expires_at_ms, note: SHOWN_ONCE }
    }
}

/// A key that has expired when it is made is a mistake.
fn later(time: Given, now_ms: u64) -> Result<u64, FieldError> {
    let at_ms = time.time()?;
    if at_ms > now_ms { Ok(at_ms) } else { Err(time.refused("must be in the future")) }
}

fn read(json: &[u8], now_ms: u64) -> Result<(Role, Cow<'_, str>, Option<u64>), Problem> {
    let [role, holder, expires] = fields::body(json, ["role", "holder", "expires_at_ms"])?;
    let expires = expires.optional(|time| later(time, now_ms))?;
    Ok((role.required()?.one_of(Role::NAMES)?, holder.required()?.name(BUYER_BYTES_MAX)?, expires))
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "KeyList",
    extend(
        "examples" = [
            {
                "keys": [
                    {
                        "id": "flash_buyer_0a1b2c3d4e5f6071", "role": "buyer", "holder": "ada",
                        "created_at": "2026-11-21 16:00:00.123456+00",
                    },
                ],
            },
        ],
    ),
)]
struct KeyList<'a> {
    keys: Vec<KeyView<'a>>,
}

/// A page of the keys, by id: `?after=ID` and `?limit=N`.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let after = after.unwrap_or_default();
    let rows = app.postgres.look(async |client: &_| flash_vault::keys(client, &after, limit).await).await?;
    Ok(json(StatusCode::OK, &KeyList { keys: rows.iter().map(KeyView::of).collect() }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct KeyView<'a> {
    id: &'a str,
    #[schemars(with = "RoleName")]
    role: &'a str,
    holder: &'a str,
    created_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    expires_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<&'a str>,
}

impl<'a> KeyView<'a> {
    fn of(row: &'a KeyRow) -> Self {
        let KeyRow { id, role, holder, created_at, expires_at_ms, revoked_at } = row;
        Self { id, role, holder, created_at, expires_at_ms: *expires_at_ms, revoked_at: revoked_at.as_deref() }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RevokedKey", extend("examples" = [{ "id": "flash_buyer_0a1b2c3d4e5f6071", "revoked": true }]))]
struct KeyRevoked<'a> {
    id: &'a str,
    revoked: bool,
}

/// Ends a key: a gateway that knew it before believes it for a few seconds more.
pub(crate) async fn revoke(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.target.id.as_str();
    match app.postgres.change(async |client: &_| flash_vault::revoke_key(client, id).await).await? {
        true => Ok(json(StatusCode::OK, &KeyRevoked { id, revoked: true })),
        false => Err(Kind::UnknownKey.into()),
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Caller", extend("examples" = [{ "key": "flash_pay_0a1b2c3d4e5f6071", "holder": "psp", "role": "pay" }]),
)]
struct CallerView<'a> {
    /// The readable part of the key; not told where none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'a str>,
    #[schemars(with = "RoleName")]
    role: &'static str,
}

/// The caller and its role. Without authentication, anyone may do everything.
pub(crate) async fn whoami(_: &App, asked: &Asked) -> Result<Reply, Problem> {
    let view = match &asked.caller {
        Caller::Operator(of) => CallerView { key: Some(&of.key), holder: Some(&of.name), role: of.role.name() },
        Caller::Buyer(buyer) => CallerView { key: None, holder: Some(buyer), role: Role::Buyer.name() },
        Caller::Anyone => CallerView { key: None, holder: None, role: Role::Admin.name() },
    };
    Ok(json(StatusCode::OK, &view))
}

/// A key to be made.
#[derive(JsonSchema)]
#[schemars(
    rename = "NewKey", deny_unknown_fields,
    extend(
        "examples" = [
            { "role": "buyer", "holder": "ada" },
            { "role": "read", "holder": "rita", "expires_at_ms": 1796000000000_u64 },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
struct KeyWanted {
    role: RoleName,
    /// The buyer, or the operator's name in the audit log.
    holder: BuyerName,
    expires_at_ms: Option<TimeMs>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_796_000_000_000;

    fn check_bad(json: &str, pointer: &str, detail: &str) {
        let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
        assert_eq!(read(json.as_bytes(), NOW_MS), Err(error.into()), "{json}");
    }

    #[test]
    fn a_key_has_a_role_a_holder_and_perhaps_an_end() {
        let key = |json: &'static str| read(json.as_bytes(), NOW_MS);
        assert_eq!(key(r#"{"role":"buyer","holder":"ada"}"#), Ok((Role::Buyer, "ada".into(), None)));
        for (name, role) in Role::NAMES {
            let json = format!(r#"{{"role":"{name}","holder":"a"}}"#);
            assert_eq!(read(json.as_bytes(), NOW_MS), Ok((role, "a".into(), None)), "{name}");
        }
        let shop = Ok((Role::Operate, "shop".into(), Some(NOW_MS + 1)));
        assert_eq!(key(r#"{"role":"operate","holder":"shop","expires_at_ms":1796000000001}"#), shop);
        check_bad(r#"{"role":"owner","holder":"a"}"#, "/role", "role must be buyer, read, sell, pay, admin or operate");
        check_bad(r#"{"role":7,"holder":"a"}"#, "/role", "role must be buyer, read, sell, pay, admin or operate");
        check_bad(r#"{"holder":"a"}"#, "/role", "role must be given");
        let end = |at: &str| format!(r#"{{"role":"read","holder":"a","expires_at_ms":{at}}}"#);
        check_bad(&end("1796000000000"), "/expires_at_ms", "expires_at_ms must be in the future");
        let seconds = "expires_at_ms must be Unix milliseconds, 100000000000 to 253402300799999, not seconds";
        check_bad(&end("1796000001"), "/expires_at_ms", seconds);
        check_bad(r#"{"role":"read"}"#, "/holder", "holder must be given");
        check_bad(r#"{"role":"read","holder":"a\u0000"}"#, "/holder", "holder must not contain control characters");
    }
}
