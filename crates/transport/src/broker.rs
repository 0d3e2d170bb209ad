//! The server that a transport goes through, for people and programs that ask how it is. They do not know which it is.

use futures_util::future::BoxFuture;

use crate::error::Error;
use crate::finding::Finding;

/// Checks to make one after the other, each by its name. A check asks when it is awaited, and changes nothing.
pub type Checks = Vec<(&'static str, BoxFuture<'static, Result<Finding, Error>>)>;

/// The server that a transport goes through.
pub trait Broker: Send + Sync + 'static {
    /// What `/readyz` and the doctor call it: one word in lower case.
    fn name(&self) -> &'static str;

    /// Connects, and gives the checks that can be made over this connection. `client` is for people who look at the
    /// broker.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn examine<'a>(&'a self, client: &'a str) -> BoxFuture<'a, Result<Checks, Error>>;

    /// What waits in its queue. `client` is for people who look at the broker.
    ///
    /// # Errors
    /// When it cannot be reached, or does not say it.
    fn queue<'a>(&'a self, client: &'a str) -> BoxFuture<'a, Result<Queue, Error>>;
}

/// The queue that the syncers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// What the broker calls it.
    pub name: &'static str,
    /// What is in it. None: it is not there yet.
    pub depth: Option<Depth>,
}

/// What a broker says of a queue. (It need not say how many messages are delivered and not committed yet.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait for a syncer.
    pub ready: u64,
    /// Syncers that are connected.
    pub consumers: u64,
}
