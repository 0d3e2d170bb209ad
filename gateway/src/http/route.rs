//! A row of the table of routes: all that there is to know of a route, in the file of its handler.

use futures_util::future::BoxFuture;
use hyper::Method;
use schemars::{JsonSchema, SchemaGenerator};

use super::access::Access;
use super::job::Job;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::{App, Asked};
use super::target::Manner;

pub(crate) static GET: Method = Method::GET;
pub(crate) static POST: Method = Method::POST;
pub(crate) static DELETE: Method = Method::DELETE;

/// A route.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// `HEAD` goes wherever `GET` goes.
    pub(crate) method: &'static Method,
    /// Its parts are `{sale}` and `{id}`.
    pub(crate) path: &'static str,
    /// What a configuration, the log and the API's description call it.
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
    pub(crate) manner: Manner,
    pub(crate) spec: Spec,
}

impl Route {
    /// Whether it is a part of the console: that is for browsers, and no part of the API.
    pub(crate) fn is_page(&self) -> bool {
        self.path.starts_with("/console")
    }
}

/// What answers a route's requests.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// From this program's memory, at once.
    Now(fn(&App, &Asked) -> Result<Reply, Problem>),
    /// Without a body, and without a place among the requests that are worked on.
    Look(for<'a> fn(&'a App, &'a Asked) -> BoxFuture<'a, Reply>),
    /// As all other requests, by [`handler!`](super::route::handler): the whole work is one allocation.
    Work(fn(Job) -> BoxFuture<'static, Reply>),
}

/// An async function as a row has it: `handler!(show)` for one of `(&App, &Asked)`, or what is done with the job.
macro_rules! handler {
    ($handler:path) => {
        $crate::http::route::handler!(|job| $handler(&job.app, &job.asked))
    };
    (|$job:ident| $call:expr) => {
        $crate::http::route::Handler::Work(|mut $job: $crate::http::job::Job| {
            Box::pin(async move {
                let deadline = $job.deadline;
                let result = match deadline.over($job.begin()).await {
                    Ok(()) => deadline.over($call).await,
                    Err(problem) => Err(problem),
                };
                $job.end(result).await
            })
        })
    };
}
pub(crate) use handler;

/// What the API's description says of a route. What follows from the row's other columns is not said here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// Under which heading it is.
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Names of parameters; `openapi/parameters.json` has them.
    pub(crate) parameters: &'static [&'static str],
    /// The schema of the body that it takes.
    pub(crate) body: Option<Schema>,
    pub(crate) body_is_optional: bool,
    /// What it answers that is no problem.
    pub(crate) answers: &'static [Answer],
    /// The problems that are its own: those of every route like it are added.
    pub(crate) problems: &'static [Kind],
}

impl Spec {
    /// What a row need not say.
    pub(crate) const NONE: Self = Self {
        tag: "",
        summary: "",
        description: "",
        parameters: &[],
        body: None,
        body_is_optional: false,
        answers: &[],
        problems: &[],
    };
}

/// The schema of a body. Its name is that of a component.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Schema {
    /// That of a type.
    Of(fn(&mut SchemaGenerator) -> schemars::Schema),
    /// One of `openapi/schemas.json`: of what is no type of this package.
    Named(&'static str),
}

impl Schema {
    pub(crate) const fn of<T: JsonSchema>() -> Self {
        Self::Of(SchemaGenerator::subschema_for::<T>)
    }
}

/// An answer that is no problem.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) means: &'static str,
    /// None: there is no body.
    pub(crate) schema: Option<Schema>,
    /// The media type.
    pub(crate) content: &'static str,
    /// Another media type that may be asked for.
    pub(crate) or: Option<&'static str>,
    /// Names of headers; `openapi/headers.json` has them.
    pub(crate) headers: &'static [&'static str],
    /// What may be done with it.
    pub(crate) links: &'static [Link],
}

/// A route that the answer leads to, and where in the answer the parts of its path are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link(pub(crate) &'static str, pub(crate) &'static [(&'static str, &'static str)]);

impl Answer {
    /// Without a body.
    pub(crate) const fn empty(status: u16, means: &'static str) -> Self {
        Self { status, means, schema: None, content: "application/json", or: None, headers: &[], links: &[] }
    }

    /// With a body of JSON.
    pub(crate) const fn json(status: u16, means: &'static str, schema: Schema) -> Self {
        Self { schema: Some(schema), ..Self::empty(status, means) }
    }

    /// The same, of another media type.
    pub(crate) const fn of(self, content: &'static str) -> Self {
        Self { content, ..self }
    }

    /// Or of another one, for a client who asks for that.
    pub(crate) const fn or(self, content: &'static str) -> Self {
        Self { or: Some(content), ..self }
    }

    /// With headers.
    pub(crate) const fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    /// With links.
    pub(crate) const fn links(self, links: &'static [Link]) -> Self {
        Self { links, ..self }
    }
}
