//! `GET /v1/sales/{sale}/events`: live stock, as server-sent events.
//!
//! The stream itself is not hyper's. The service answers with an error that is none: hyper lets go of the connection
//! without a word, and the socket goes to the watchers' thread.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use flash_wire::key::check_sale;
use flash_worker::Phase;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};

use super::app::App;
use super::missing_sale::missing;
use super::problem::{Kind, Problem};
use super::reply::{Reply, reply};
use super::{path, sale_status};
use crate::events::{NoPlace, Place};
use crate::limits::WATCHERS_MAX;

/// Says in a reply that it is none: its connection leaves hyper, and watches a sale.
#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    pub(crate) sale: String,
    pub(crate) place: Place,
}

impl fmt::Display for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection watches a sale")
    }
}

impl Error for Leaves {}

impl Leaves {
    /// Whether the reply is none.
    pub(crate) fn of_reply(reply: &Reply) -> Option<&Self> {
        reply.extensions().get()
    }

    /// Whether this is why hyper has ended.
    pub(crate) fn of_error(error: &hyper::Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}

/// Lets a client watch a sale. One that is over has no events to come: 204 is how a browser is told not to ask again.
pub(crate) async fn watch(app: &App, method: &Method, sale: &str, from: IpAddr) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let status = match sale_status::of(app, sale).await? {
        Ok(status) => status,
        Err(refusal) => match Problem::from(refusal) {
            problem if problem.kind == Kind::UnknownSale && check_sale(sale).is_ok() => {
                return Err(Box::pin(missing(app, sale)).await);
            }
            problem => return Err(problem),
        },
    };
    if status.phase == "ended" {
        return Ok(reply(StatusCode::NO_CONTENT, bytes::Bytes::new()));
    }
    let mut reply = reply(StatusCode::OK, bytes::Bytes::new());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if method == Method::HEAD {
        return Ok(reply);
    }
    if *app.phase.borrow() >= Phase::Draining {
        return Err(Problem::new(Kind::Overloaded, "this gateway is about to stop"));
    }
    let full = || Problem::new(Kind::Overloaded, format!("{WATCHERS_MAX} clients watch already"));
    let place = app.events.place(from).map_err(|none| match none {
        NoPlace::Full => full(),
        NoPlace::TooMany => Problem::too_many_of("this address watches as many sales at once as one may"),
    })?;
    reply.extensions_mut().insert(Leaves { sale: sale.to_owned(), place });
    Ok(reply)
}
