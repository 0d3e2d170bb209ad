//! `GET /v1/sales/{sale}/events`: live stock, as server-sent events.
//!
//! The stream itself is not hyper's. The service answers with an error that is none: hyper lets go of the connection
//! without a word, and the socket goes to the watchers' thread.

use std::error::Error;
use std::fmt;

use flash_worker::Phase;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};

use super::access::Access;
use super::job::look;
use super::problem::{Kind, Problem};
use super::reply::{Reply, reply};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::state::{App, Asked};
use super::target::Manner;
use super::{path, sale_status};
use crate::events::{NoPlace, Place};
use crate::limits::WATCHERS_MAX;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/sales/{sale}/events",
    name: "watch-sale",
    access: Access::Open,
    handler: Handler::Look(|app, asked| Box::pin(look(app, asked, watch(app, asked)))),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "Sales",
        summary: "Watch a sale's stock",
        description: "Server-sent events with the current stock, at most ten per second; intermediate states may be \
                      skipped. The connection may end. A client that reconnects gets the current stock at once.",
        parameters: &["Sale"],
        answers: &[
            Answer::json(200, "A stream of events; each `data` is the sale's stock.", Schema::Named("StockEvents"))
                .of("text/event-stream"),
            Answer::empty(204, "The sale has ended, so no event will follow."),
        ],
        ..Spec::NONE
    },
}];

/// Says in a reply that it is none: its connection leaves hyper, and watches a sale.
#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    pub(crate) sale: String,
    pub(crate) place: Place,
    /// The origin of the page that watches, if it is another one and may.
    pub(crate) origin: Option<HeaderValue>,
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

/// Lets a client watch a sale. One that is over has no events to come: 204 makes a browser stop asking.
async fn watch(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let status = sale_status::of(app, sale).await??;
    if status.phase == "ended" {
        return Ok(reply(StatusCode::NO_CONTENT, bytes::Bytes::new()));
    }
    let mut reply = reply(StatusCode::OK, bytes::Bytes::new());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if asked.head.method == Method::HEAD {
        return Ok(reply);
    }
    if *app.phase.borrow() >= Phase::Draining {
        return Err(Problem::new(Kind::Overloaded, "this gateway is shutting down"));
    }
    let full = || {
        Problem::new(
            Kind::Overloaded,
            format!(
                "this gateway has {WATCHERS_MAX} watchers, the most that it \
                                                          serves"
            ),
        )
    };
    let place = app.events.place(asked.from).map_err(|none| match none {
        NoPlace::Full => full(),
        NoPlace::TooMany => Problem::too_many_of("this address watches as many sales at once as one may"),
    })?;
    reply.extensions_mut().insert(Leaves {
        sale: sale.to_owned(),
        place,
        origin: app.origins.allowed(&asked.head.headers).cloned(),
    });
    Ok(reply)
}
