//! Webhooks: `/v1/webhooks` and `/v1/webhooks/{id}`, for operators.

use flash_vault::{WEBHOOKS_MAX, Webhook};
use hyper::StatusCode;
use hyper::header::{HeaderMap, LOCATION};
use serde::Serialize;

use super::app::App;
use super::body;
use super::fields;
use super::problem::{FieldError, Kind, Problem};
use super::reply::{Reply, json, reply};
use crate::limits::WEBHOOK_URL_BYTES_MAX;
use crate::webhooks::{Target, new_secret};

/// Adds a webhook. Its secret is told this once.
pub(crate) async fn add(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Added<'a> {
        id: u64,
        url: &'a str,
        secret: &'a str,
    }
    body::expect_json(headers)?;
    let [url] = fields::body(body, ["url"])?;
    let url = url.required()?.name(WEBHOOK_URL_BYTES_MAX)?;
    Target::read(&url, app.webhooks_private).map_err(|error| refused(&error.to_string()))?;
    let secret = new_secret();
    let full = || Problem::new(Kind::TooManyWebhooks, format!("there are {WEBHOOKS_MAX}: delete one first"));
    let id = app.orders.add_webhook(&url, &secret).await?.ok_or_else(full)?;
    let mut reply = json(StatusCode::CREATED, &Added { id, url: &url, secret: &secret });
    if let Ok(location) = format!("/v1/webhooks/{id}").try_into() {
        reply.headers_mut().insert(LOCATION, location);
    }
    Ok(reply)
}

fn refused(rule: &str) -> Problem {
    FieldError { pointer: "/url".to_owned(), detail: format!("url {rule}") }.into()
}

/// All webhooks, and how each does.
pub(crate) async fn list(app: &App) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct List<'a> {
        webhooks: Vec<View<'a>>,
    }
    #[derive(Serialize)]
    struct View<'a> {
        id: u64,
        url: &'a str,
        /// Why nothing is delivered to it any more.
        #[serde(skip_serializing_if = "Option::is_none")]
        disabled_because: Option<&'a str>,
        waiting: u64,
        dead: u64,
    }
    fn view(webhook: &Webhook) -> View<'_> {
        let Webhook { id, url, disabled_because, waiting, dead } = webhook;
        View { id: *id, url, disabled_because: disabled_because.as_deref(), waiting: *waiting, dead: *dead }
    }
    let webhooks = app.orders.webhooks().await?;
    Ok(json(StatusCode::OK, &List { webhooks: webhooks.iter().map(view).collect() }))
}

/// Removes a webhook, and what waits for it.
pub(crate) async fn remove(app: &App, id: &str) -> Result<Reply, Problem> {
    let id = id.parse().map_err(|_| Kind::UnknownWebhook)?;
    if app.orders.remove_webhook(id).await? {
        return Ok(reply(StatusCode::NO_CONTENT, bytes::Bytes::new()));
    }
    Err(Kind::UnknownWebhook.into())
}
