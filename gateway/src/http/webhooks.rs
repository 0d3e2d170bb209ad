//! Webhooks: `/v1/webhooks` and `/v1/webhooks/{id}`, for operators.

use flash_vault::{WEBHOOKS_MAX, Webhook};
use hyper::StatusCode;
use serde::Serialize;

use super::app::{App, Asked};
use super::body;
use super::fields;
use super::once::{Keyed, make, text};
use super::problem::{FieldError, Kind, Problem};
use super::reply::{self, Reply, created, json, reply};
use crate::limits::WEBHOOK_URL_BYTES_MAX;
use crate::webhooks::{Target, new_secret};

/// What a repeat is told in place of the secret.
const SHOWN_ONCE: &str = "the secret was shown once, in the first answer: if that is lost, remove this webhook \
                          (DELETE /v1/webhooks/{id}) and add it again with another Idempotency-Key";

/// Adds a webhook. The first answer is the only one that ever shows its secret.
pub(crate) async fn add(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Added<'a> {
        id: u64,
        url: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        secret: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    }
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let [url] = fields::body(&asked.body, ["url"])?;
    let url = url.required()?.name(WEBHOOK_URL_BYTES_MAX)?;
    Target::read(&url, app.webhooks_private).map_err(|error| refused(&error.to_string()))?;
    let secret = new_secret();
    let added = make(app, keyed.as_ref(), async |transaction: &_| {
        let id = flash_vault::add_webhook(transaction, &url, &secret).await?;
        let answer = id.map(|id| text(&Added { id, url: &url, secret: None, note: Some(SHOWN_ONCE) }));
        Ok((id, answer))
    });
    match added.await? {
        Ok(Some(id)) => {
            let view = Added { id, url: &url, secret: Some(&secret), note: None };
            Ok(reply::secret(created(format!("/v1/webhooks/{id}"), &view)))
        }
        Ok(None) => Err(Problem::new(Kind::TooManyWebhooks, format!("there are {WEBHOOKS_MAX}: delete one first"))),
        Err(before) => Ok(before.reply()),
    }
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
    // A URL may have a token in it.
    Ok(reply::secret(json(StatusCode::OK, &List { webhooks: webhooks.iter().map(view).collect() })))
}

/// Removes a webhook, and what waits for it.
pub(crate) async fn remove(app: &App, id: &str) -> Result<Reply, Problem> {
    let id = id.parse().map_err(|_| Kind::UnknownWebhook)?;
    if app.orders.remove_webhook(id).await? {
        return Ok(reply(StatusCode::NO_CONTENT, bytes::Bytes::new()));
    }
    Err(Kind::UnknownWebhook.into())
}
