//! Tells those who want to hear of it what became of orders, from PostgreSQL's tables: by one gateway at a time, again
//! and again until it is taken or given up. A repeated delivery has the same id.
//!
//! A receiver gets its next deliveries when it is done with those in hand, and waits for no other receiver.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flash_vault::{Client, Delivery};
use flash_worker::{Phase, reached};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::sleep;
use tokio_rustls::rustls::ClientConfig;

use crate::limits::{
    DELIVERIES_FORGET_EVERY_MS, DELIVERIES_FORGOTTEN_AT_ONCE, DELIVERIES_PER_RECEIVER, DELIVERY_ATTEMPTS_MAX,
    DELIVERY_HOLD_S, DELIVERY_KEPT_S, DELIVERY_LOOK_MS, DELIVERY_RETRY_S, DELIVERY_RETRY_S_MAX,
    RETRY_AFTER_HONOURED_S_MAX,
};
use crate::send::{Answered, Sender};

/// How a receiver says that it is there no more.
const GONE: u16 = 410;
/// How a receiver says that it cannot take it now; its `Retry-After` says when it can.
const NOT_NOW: [u16; 2] = [429, 503];

/// One gateway's deliveries.
pub struct Webhooks {
    postgres: String,
    client: Option<Arc<Client>>,
    sender: Arc<Sender>,
    /// A task for each receiver that has something in hand.
    under_way: JoinSet<Result<(), flash_vault::Error>>,
    /// Whose task is whose.
    busy: HashMap<task::Id, u64>,
    /// When old deliveries are forgotten next.
    forgets_at: Instant,
    /// Whether something is wrong, as far as was logged.
    said: bool,
}

impl Webhooks {
    /// Deliveries from `postgres`, a URL. `private`: to addresses that only this network reaches, too. `trusts`: the
    /// authorities by which receivers are trusted.
    #[must_use]
    pub fn new(postgres: String, private: bool, trusts: Arc<ClientConfig>) -> Self {
        Self {
            postgres,
            client: None,
            sender: Arc::new(Sender::new(private, trusts)),
            under_way: JoinSet::new(),
            busy: HashMap::new(),
            forgets_at: Instant::now(),
            said: false,
        }
    }

    /// Delivers until the gateway stops. What is under way then is delivered again by another.
    pub async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            () = self.deliver_always() => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }

    /// Does not end.
    async fn deliver_always(&mut self) {
        loop {
            let went_well = self.begin().await;
            self.learn(went_well);
            if let Some(went_well) = self.rest().await {
                self.learn(went_well);
            }
        }
    }

    /// Begins to deliver what is due, to all who have nothing in hand.
    async fn begin(&mut self) -> Result<(), flash_vault::Error> {
        let client = self.client().await?;
        let busy: Vec<u64> = self.busy.values().copied().collect();
        let due = flash_vault::take_due(&client, DELIVERIES_PER_RECEIVER, DELIVERY_HOLD_S, &busy).await?;
        let mut by_receiver: BTreeMap<u64, Vec<Delivery>> = BTreeMap::new();
        due.into_iter().for_each(|delivery| by_receiver.entry(delivery.webhook).or_default().push(delivery));
        for (webhook, due) in by_receiver {
            let task = self.under_way.spawn(deliver_all(client.clone(), self.sender.clone(), due));
            self.busy.insert(task.id(), webhook);
        }
        self.forget(&client).await
    }

    /// Forgets old deliveries now and then; while there are many, at each look.
    async fn forget(&mut self, client: &Client) -> Result<(), flash_vault::Error> {
        if Instant::now() < self.forgets_at {
            return Ok(());
        }
        let forgotten = flash_vault::forget_deliveries(client, DELIVERIES_FORGOTTEN_AT_ONCE, DELIVERY_KEPT_S).await?;
        if forgotten < u64::from(DELIVERIES_FORGOTTEN_AT_ONCE) {
            self.forgets_at = Instant::now() + Duration::from_millis(DELIVERIES_FORGET_EVERY_MS);
        }
        Ok(())
    }

    /// Rests until a receiver is done with what it had in hand, or it is time to look again.
    async fn rest(&mut self) -> Option<Result<(), flash_vault::Error>> {
        let done = tokio::select! {
            Some(done) = self.under_way.join_next_with_id() => done,
            () = sleep(Duration::from_millis(DELIVERY_LOOK_MS)) => return None,
        };
        // What a bug left undone is tried again like any other.
        let (id, went_well) = done.unwrap_or_else(|bug| (bug.id(), Ok(())));
        self.busy.remove(&id);
        Some(went_well)
    }

    /// Trouble is logged once, until there is none.
    fn learn(&mut self, went_well: Result<(), flash_vault::Error>) {
        let Err(error) = went_well else {
            self.said = false;
            return;
        };
        self.client = None;
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(%error, "webhooks wait for PostgreSQL");
        }
    }

    async fn client(&mut self) -> Result<Arc<Client>, flash_vault::Error> {
        if let Some(open) = self.client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(open.clone());
        }
        let client = Arc::new(flash_vault::connect_to_write(&self.postgres).await?);
        self.client = Some(client.clone());
        Ok(client)
    }
}

/// Delivers all that one receiver has in hand, at once.
async fn deliver_all(client: Arc<Client>, sender: Arc<Sender>, due: Vec<Delivery>) -> Result<(), flash_vault::Error> {
    let mut under_way = JoinSet::new();
    for delivery in due {
        under_way.spawn(deliver(client.clone(), sender.clone(), delivery));
    }
    let mut went_well = Ok(());
    while let Some(done) = under_way.join_next().await {
        // A bug in one delivery is its own: it is tried again like any other.
        went_well = went_well.and(done.unwrap_or(Ok(())));
    }
    went_well
}

/// Delivers one, and writes down what came of it.
async fn deliver(client: Arc<Client>, sender: Arc<Sender>, delivery: Delivery) -> Result<(), flash_vault::Error> {
    let (error, asked_s) = match sender.send(&delivery).await {
        Ok(Answered { status: 200..300, .. }) => return flash_vault::delivered(&client, delivery.id).await,
        Ok(Answered { status: GONE, .. }) => {
            tracing::warn!(webhook = delivery.webhook, "a webhook is gone, and was switched off");
            return flash_vault::disable_webhook(&client, delivery.webhook, "it answered 410").await;
        }
        Ok(Answered { status, retry_after_s }) => {
            (format!("it answered {status}"), retry_after_s.filter(|_| NOT_NOW.contains(&status)))
        }
        Err(error) => (flash_vault::whole(&error), None),
    };
    let again_s = again_s(delivery.attempt, asked_s, rand::random());
    if again_s.is_none() {
        tracing::error!(webhook = delivery.webhook, delivery = delivery.id, error, "a delivery was given up");
    }
    flash_vault::not_delivered(&client, delivery.id, again_s, &error).await
}

/// How long to wait after attempt `attempt`: each time four times as long up to a bound, and up to a fifth more or
/// less, so that what failed together is not tried together. Not before the receiver asked for it, up to
/// [`RETRY_AFTER_HONOURED_S_MAX`]. None: that was the last. `luck` is 0 to 1.
fn again_s(attempt: u32, asked_s: Option<u64>, luck: f64) -> Option<f64> {
    if attempt >= DELIVERY_ATTEMPTS_MAX {
        return None;
    }
    let wait_s = DELIVERY_RETRY_S.saturating_mul(4u32.saturating_pow(attempt.saturating_sub(1)));
    let own_s = f64::from(wait_s.min(DELIVERY_RETRY_S_MAX)) * (0.8 + 0.4 * luck);
    let asked_s = asked_s.unwrap_or(0).min(RETRY_AFTER_HONOURED_S_MAX) as f64 * (1.0 + 0.2 * luck);
    Some(own_s.max(asked_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_more_than_a_day_and_then_given_up() {
        let waits: Vec<f64> = (1..).map_while(|attempt| again_s(attempt, None, 0.5)).collect();
        assert_eq!(waits[..4], [1.0, 4.0, 16.0, 64.0]);
        assert_eq!(u32::try_from(waits.len()), Ok(DELIVERY_ATTEMPTS_MAX - 1));
        assert!(waits.iter().sum::<f64>() > 24.0 * 60.0 * 60.0, "{waits:?}");
        for luck in [0.0, 0.5, 1.0] {
            assert!(again_s(1, None, luck).is_some_and(|wait_s| (0.79..=1.21).contains(&wait_s)), "{luck}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_and_not_for_less_or_for_ever() {
        let check = |asked_s, luck, want: f64| {
            assert!(again_s(2, Some(asked_s), luck).is_some_and(|wait_s| (wait_s - want).abs() < 0.01), "{asked_s}");
        };
        check(0, 0.5, 4.0);
        check(1, 0.0, 3.2);
        check(60, 0.0, 60.0);
        check(60, 1.0, 72.0);
        check(u64::MAX, 0.0, 86_400.0);
        assert_eq!(again_s(DELIVERY_ATTEMPTS_MAX, Some(1), 0.0), None);
    }
}
