//! What a shop is asked and what it answers: byte for byte as long as what a gateway takes and gives, so that no way to
//! sell has less to carry.

use std::borrow::Cow;

use anyhow::{Result, bail};
use bytes::Bytes;
use flash_sim::{Answer, Sold};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::{Deserialize, Serialize};

/// A gateway shows an id with 32 digits after its number, which prove its owner. Here no proof is required.
const PROOF: &str = "00000000000000000000000000000000";

/// Whom a request is for.
///
/// # Errors
/// When it is not what buyers send.
pub(super) fn buyer(body: &[u8]) -> Result<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish<'a> {
        #[serde(borrow)]
        buyer: Cow<'a, str>,
    }
    match serde_json::from_slice(body) {
        Ok(Wish { buyer }) => Ok(buyer),
        Err(_) => bail!("the body must have the field buyer only"),
    }
}

/// The answer to a request: `number` is its own, and takes the place of the reservation's.
pub(super) fn of(sale: &str, number: u64, (answer, retries): Sold) -> Response<Full<Bytes>> {
    let reservation = |available| Reservation { sale, id: format!("{number}-{PROOF}"), state: "confirmed", available };
    match answer {
        Answer::Sold => {
            let made = reservation(Some(number));
            let at = format!("/v1/sales/{sale}/reservations/{}", made.id);
            let mut reply = json(StatusCode::CREATED, "application/json", &made);
            if let Ok(at) = at.try_into() {
                reply.headers_mut().insert(LOCATION, at);
            }
            reply
        }
        Answer::Again => json(StatusCode::OK, "application/json", &reservation(None)),
        Answer::SoldOut => problem(StatusCode::CONFLICT, "sold-out", "Not enough units are available", None),
        Answer::GaveUp | Answer::Contradicted => {
            failed(StatusCode::SERVICE_UNAVAILABLE, &format!("gave up after {retries} retries"))
        }
    }
}

/// The answer to what went wrong.
pub(super) fn failed(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    problem(status, "internal", "The shop failed", Some(why))
}

#[derive(Serialize)]
struct Reservation<'a> {
    sale: &'a str,
    id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
}

fn problem(status: StatusCode, slug: &str, title: &str, detail: Option<&str>) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Problem<'a> {
        r#type: String,
        title: &'a str,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    }
    let body = Problem { r#type: format!("/problems/{slug}"), title, status: status.as_u16(), detail };
    json(status, "application/problem+json", &body)
}

fn json(status: StatusCode, media: &'static str, body: &impl Serialize) -> Response<Full<Bytes>> {
    // Strings and numbers into memory: nothing here can fail.
    let mut reply = Response::new(Full::new(serde_json::to_vec(body).unwrap_or_default().into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_a_buyer_and_nothing_else() {
        let read = |body: &[u8]| buyer(body).ok().map(Cow::into_owned);
        assert_eq!(read(b"{\"buyer\":\"ada\"}").as_deref(), Some("ada"));
        assert_eq!(read(b"{\"buyer\":\"a\\u0064a\"}").as_deref(), Some("ada"));
        for body in ["", "{}", "[]", "{\"buyer\":7}", "{\"buyer\":\"a\",\"quantity\":2}"] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[tokio::test]
    async fn answers_are_those_of_a_gateway() {
        use http_body_util::BodyExt;
        let check = async |answer, status: u16, want: &str| {
            let reply = of("drop", 7, (answer, 3));
            assert_eq!(reply.status().as_u16(), status);
            assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), want.as_bytes());
        };
        let id = format!("\"sale\":\"drop\",\"id\":\"7-{PROOF}\",\"state\":\"confirmed\"");
        check(Answer::Sold, 201, &format!("{{{id},\"available\":7}}")).await;
        check(Answer::Again, 200, &format!("{{{id}}}")).await;
        let sold_out = "{\"type\":\"/problems/sold-out\",\"title\":\"Not enough units are available\",\"status\":409}";
        check(Answer::SoldOut, 409, sold_out).await;
    }
}
