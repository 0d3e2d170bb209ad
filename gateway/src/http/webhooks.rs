//! Webhooks: `/v1/webhooks` and `/v1/webhooks/{id}`, for operators.

use flash_vault::{WEBHOOKS_MAX, Webhook};
use flash_webhooks::{Target, WEBHOOK_URL_BYTES_MAX, new_secret};
use hyper::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::body;
use super::fields;
use super::idempotency::{Keyed, make, text};
use super::problem::{FieldError, Kind, Problem};
use super::reply::{self, Reply, created, json, reply};
use super::route::{Answer, DELETE, GET, Link, POST, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &POST,
        path: "/v1/webhooks",
        name: "add-webhook",
        access: Access::ADMIN,
        handler: handler!(add),
        manner: Manner { logged: Some(logged), ..Manner::USUAL },
        spec: Spec {
            tag: "Webhooks",
            summary: "Add a webhook",
            description: "The webhook is notified of orders that are confirmed, released, expired or rejected. \
                          Deliveries are signed as Standard Webhooks specifies. Only the first answer shows the \
                          secret. A repeat with the same Idempotency-Key adds no second webhook: it shows the id, and \
                          a note in place of the secret. If the first answer is lost, remove the webhook and add it \
                          again.",
            parameters: &["IdempotencyKey"],
            body: Some(Schema::of::<NewWebhook>()),
            answers: &[
                Answer::json(201, "The webhook was added.", Schema::of::<WebhookAdded<'_>>())
                    .headers(&["Location"])
                    .links(&[Link("remove-webhook", &[("id", "$response.body#/id")])]),
                Answer::json(
                    200,
                    "The webhook was added before; its secret is not shown again.",
                    Schema::of::<WebhookAddedBefore<'_>>(),
                )
                .headers(&["Idempotency-Replayed"]),
            ],
            problems: &[Kind::TooManyWebhooks, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/webhooks",
        name: "list-webhooks",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Webhooks",
            summary: "List webhooks with the state of their deliveries",
            answers: &[Answer::json(200, "The whole list.", Schema::of::<WebhookList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &DELETE,
        path: "/v1/webhooks/{id}",
        name: "remove-webhook",
        access: Access::ADMIN,
        handler: handler!(remove),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Webhooks",
            summary: "Remove a webhook",
            description: "Its pending deliveries are removed, too.",
            parameters: &["WebhookId"],
            answers: &[Answer::empty(204, "The webhook is removed.")],
            problems: &[Kind::UnknownWebhook],
            ..Spec::NONE
        },
    },
];

/// What a repeat gets instead of the secret.
const SHOWN_ONCE: &str = "the secret was shown once, in the first answer: if that is lost, remove this webhook \
                          (DELETE /v1/webhooks/{id}) and add it again with another Idempotency-Key";

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "AddedWebhook",
    extend("examples" = [{ "id": 1, "url": "https://shop.example/flash", "secret": "whsec_…" }]),
)]
struct WebhookAdded<'a> {
    #[schemars(range(min = 1))]
    id: u64,
    url: &'a str,
    /// What deliveries are signed with: it is shown this once.
    secret: &'a str,
}

/// One that was added before: a note is in the place of the secret.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "WebhookOfBefore",
    extend(
        "examples" = [
            {
                "id": 1, "url": "https://shop.example/hooks",
                "note": "the secret was shown once, in the first answer…",
            },
        ],
    ),
)]
struct WebhookAddedBefore<'a> {
    #[schemars(range(min = 1))]
    id: u64,
    url: &'a str,
    /// What to do if the first answer is lost.
    note: &'static str,
}

/// Adds a webhook. The first answer is the only one that ever shows its secret.
pub(crate) async fn add(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let [url] = fields::body(&asked.body, ["url"])?;
    let url = url.required()?.name(WEBHOOK_URL_BYTES_MAX)?;
    Target::read(&url, app.webhooks_private).map_err(|error| refused(&error.to_string()))?;
    let secret = new_secret();
    let added = make(app, keyed.as_ref(), async |transaction: &_| {
        let id = flash_vault::add_webhook(transaction, &url, &secret).await?;
        let answer = id.map(|id| text(&WebhookAddedBefore { id, url: &url, note: SHOWN_ONCE }));
        Ok((id, answer))
    });
    match added.await? {
        Ok(Some(id)) => {
            let view = WebhookAdded { id, url: &url, secret: &secret };
            Ok(reply::secret(created(format!("/v1/webhooks/{id}"), &view)))
        }
        Ok(None) => Err(Problem::new(
            Kind::TooManyWebhooks,
            format!(
                "{WEBHOOKS_MAX} webhooks exist, which is the \
                                                                     limit: remove one first"
            ),
        )),
        Err(before) => Ok(before.reply()),
    }
}

fn refused(rule: &str) -> Problem {
    FieldError { pointer: "/url".to_owned(), detail: format!("url {rule}") }.into()
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "WebhookList",
    extend(
        "examples" = [
            {
                "webhooks": [
                    {
                        "id": 1, "url": "https://shop.example/…", "waiting": 1, "dead": 0,
                        "last_error": "it answered 500",
                    },
                ],
            },
        ],
    ),
)]
struct WebhookList<'a> {
    webhooks: Vec<WebhookView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct WebhookView<'a> {
    #[schemars(range(min = 1))]
    id: u64,
    /// Without its path and query: who has these may post there.
    url: String,
    /// Why nothing is delivered to it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_because: Option<&'a str>,
    /// Deliveries to come.
    waiting: u64,
    /// Deliveries that were given up.
    dead: u64,
    /// Why the last attempt failed, of those that were not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
}

/// All webhooks, and how each does.
pub(crate) async fn list(app: &App, _: &Asked) -> Result<Reply, Problem> {
    fn view(webhook: &Webhook) -> WebhookView<'_> {
        WebhookView {
            id: webhook.id,
            url: masked(&webhook.url),
            disabled_because: webhook.disabled_because.as_deref(),
            waiting: webhook.waiting,
            dead: webhook.dead,
            last_error: webhook.last_error.as_deref(),
        }
    }
    let webhooks = app.postgres.look(async |client: &_| flash_vault::webhooks(client).await).await?;
    // A URL may have a token in it.
    Ok(reply::secret(json(StatusCode::OK, &WebhookList { webhooks: webhooks.iter().map(view).collect() })))
}

/// A URL as it is shown: who has the rest of it may post there, so path and query are left out.
fn masked(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return "\u{2026}".to_owned() };
    let (scheme, authority) = (uri.scheme_str().unwrap_or("?"), uri.authority().map_or("", |of| of.as_str()));
    let rest = if uri.path_and_query().is_none_or(|rest| rest.as_str() == "/") { "/" } else { "/\u{2026}" };
    format!("{scheme}://{authority}{rest}")
}

/// What the audit log says of a webhook that is to be added.
fn logged(body: &[u8]) -> String {
    let url = fields::body(body, ["url"]).ok().and_then(|[url]| url.required().ok()?.name(WEBHOOK_URL_BYTES_MAX).ok());
    url.map_or_else(String::new, |url| masked(&url))
}

/// Removes a webhook, and what waits for it.
pub(crate) async fn remove(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.target.id.parse().map_err(|_| Kind::UnknownWebhook)?;
    if app.postgres.look(async |client: &_| flash_vault::remove_webhook(client, id).await).await? {
        return Ok(reply(StatusCode::NO_CONTENT, bytes::Bytes::new()));
    }
    Err(Kind::UnknownWebhook.into())
}

/// A webhook to be added.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{ "url": "https://shop.example/flash" }]))]
#[expect(dead_code, reason = "only its schema is used")]
struct NewWebhook {
    /// Where it is delivered, by http or https. It must not lead into the gateway's own network.
    #[schemars(length(min = 1, max = WEBHOOK_URL_BYTES_MAX))]
    url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_one_post_to_a_receiver_is_not_shown() {
        for (url, want) in [
            ("https://hooks.example/services/T0/B0/token", "https://hooks.example/\u{2026}"),
            ("https://hooks.example:8443/?token=hush", "https://hooks.example:8443/\u{2026}"),
            ("https://hooks.example?token=hush", "https://hooks.example/\u{2026}"),
            ("http://127.0.0.1:99", "http://127.0.0.1:99/"),
        ] {
            assert_eq!(masked(url), want);
            assert_eq!(logged(serde_json::json!({"url": url}).to_string().as_bytes()), want);
        }
        for body in ["", "{}", "{\"url\":7}", "https://hooks.example/hush"] {
            assert_eq!(logged(body.as_bytes()), "", "{body}");
        }
    }
}
