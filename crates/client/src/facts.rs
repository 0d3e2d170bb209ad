//! What a sale has besides its terms, as one gateway tells it to the others: so they can sell what they have not met
//! yet while PostgreSQL is away. It is a copy, of which nothing depends but that.

use std::time::Duration;

use flash_wire::key::FACTS_KEY_PREFIX;
use redis::Cmd;

use crate::client::Client;
use crate::error::CallError;
use crate::plain::{millis, text};

impl Client {
    /// What gateways shared about a sale, if it is still there.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn facts(&self, sale: &str) -> Result<Option<String>, CallError> {
        let mut get = Cmd::new();
        get.arg("GET").arg(key(sale));
        let [told] = self.send([get]).await?;
        Ok(text(told)?)
    }

    /// Tells it, for so long.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn tell_facts(&self, sale: &str, facts: &str, life: Duration) -> Result<(), CallError> {
        let mut set = Cmd::new();
        set.arg("SET").arg(key(sale)).arg(facts).arg("PX").arg(millis(life));
        self.send([set]).await.map(|[_]| ())
    }
}

fn key(sale: &str) -> String {
    format!("{FACTS_KEY_PREFIX}{sale}")
}
