//! The `Flash-Durability` header: what an answer is to survive, and what it does.

use flash_client::{Call, Durability, DurabilityError, Durable, DurableError};
use flash_wire::{Answer, Outcome};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::App;

const HEADER: HeaderName = HeaderName::from_static("flash-durability");

/// What this request gets: the gateway's durability, and what the request asks for besides.
///
/// # Errors
/// When the header names no durability.
pub(crate) fn of(app: &App, headers: &HeaderMap) -> Result<Durability, Problem> {
    asked(app.durability, headers).map_err(|error| Problem::new(Kind::BadRequest, format!("Flash-Durability: {error}")))
}

fn asked(gateways: Durability, headers: &HeaderMap) -> Result<Durability, DurabilityError> {
    headers.get_all(HEADER).iter().try_fold(gateways, |all, value| {
        let words = value.to_str().map_err(|_| DurabilityError)?;
        Ok(all.and(words.parse()?))
    })
}

/// Looks once there is a Redis, in a task: where every reservation will be refused, the log says so before the buyers
/// do.
pub(crate) fn warn_of_durability(durable: Durable, wanted: Durability) {
    if wanted.is_memory() {
        return;
    }
    tokio::spawn(async move {
        durable.connected().await;
        if let Err(error) = durable.check(wanted).await {
            tracing::error!(durability = %wanted, %error, "reservations are refused until Redis provides this \
                                                           durability");
        }
    });
}

/// Sends a call; its outcome is as durable as asked for, or it is an error.
///
/// # Errors
/// See [`DurableError`].
pub(crate) async fn call<T: Answer>(
    app: &App,
    call: Call<T>,
    durability: Durability,
) -> Result<Outcome<T>, DurableError> {
    if durability.is_memory() {
        return Ok(app.redis.call(call).await?);
    }
    app.durable.call(call, durability).await
}

/// Says what the answer survives.
pub(crate) fn mark(reply: &mut Reply, durability: Durability) {
    let value = match durability {
        Durability::MEMORY => HeaderValue::from_static("memory"),
        // Lower-case letters, digits, `=` and `, `: nothing here can fail.
        durability => durability.to_string().try_into().unwrap_or(HeaderValue::from_static("memory")),
    };
    reply.headers_mut().insert(HEADER, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(gateways: &str, headers: &[&str], want: Result<&str, DurabilityError>) {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        let got = asked(gateways.parse().unwrap(), &map).map(|durability| durability.to_string());
        assert_eq!(got, want.map(str::to_owned), "{gateways} {headers:?}");
    }

    #[test]
    fn a_request_may_ask_for_more_than_the_gateway_gives_and_never_for_less() {
        check("memory", &[], Ok("memory"));
        check("memory", &["fsync"], Ok("fsync"));
        check("memory", &["replicas=2"], Ok("replicas=2"));
        check("memory", &["fsync", "replicas=1"], Ok("fsync, replicas=1"));
        check("fsync", &[], Ok("fsync"));
        check("fsync", &["memory"], Ok("fsync"));
        check("fsync", &["replicas=1"], Ok("fsync, replicas=1"));
        check("replicas=2", &["replicas=1"], Ok("replicas=2"));
        check("fsync", &["often"], Err(DurabilityError));
        check("memory", &["fsync", ""], Err(DurabilityError));
    }
}
