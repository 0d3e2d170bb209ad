//! A transport whose queue is frozen.

use std::sync::{Arc, Mutex};

use flash_syncer::{Config, run};
use flash_transport::{Cause, Direct, DirectPublisher, DirectSource, Error, Transport};
use flash_vault::RECOVERY_LEASE_S;
use tokio::sync::watch;

use crate::fixture::Servers;
use crate::redis_stand_in::RedisStandIn;

/// Frozen until it may be deleted.
#[derive(Clone, Default)]
struct Frozen {
    answers: Arc<Mutex<Vec<Result<(), String>>>>,
    healed: Arc<watch::Sender<bool>>,
}

impl Transport for Frozen {
    type Publisher = DirectPublisher;
    type Source = DirectSource;

    async fn publisher(&self, name: &str) -> Result<DirectPublisher, Error> {
        Direct::default().publisher(name).await
    }

    async fn source(&self, name: &str) -> Result<DirectSource, Error> {
        if *self.healed.borrow() {
            return Direct::default().source(name).await;
        }
        Err(Error::Frozen("it is frozen".into()))
    }

    async fn heal(&self, _name: &str, may_delete: impl Future<Output = Result<(), Cause>> + Send) -> Result<(), Error> {
        let answer = may_delete.await.map_err(|reason| reason.to_string());
        self.answers.lock().unwrap().push(answer.clone());
        answer.map_err(|reason| Error::Away(reason.into()))?;
        self.healed.send_replace(true);
        Ok(())
    }
}

/// Syncs until the transport was asked to heal once more; gives what the syncer answered.
async fn answer(config: &Config, transport: &Frozen) -> Result<(), String> {
    let before = transport.answers.lock().unwrap().len();
    let asked = async {
        while transport.answers.lock().unwrap().len() == before {
            tokio::task::yield_now().await;
        }
    };
    run(config, transport, asked).await.unwrap();
    transport.answers.lock().unwrap().last().cloned().expect("an answer")
}

#[tokio::test]
async fn a_frozen_queue_is_deleted_only_while_no_sale_is_in_doubt() {
    let (redis, frozen) = (RedisStandIn::default(), Frozen::default());
    let url = redis.listen("127.0.0.1:0").await;
    let config = Servers::shared().config(&url).await.config;
    let vault = flash_vault::connect(&config.postgres).await.unwrap();
    let check = async |config: &Config, want: &str| {
        let reason = answer(config, &frozen).await.expect_err(want);
        assert!(reason.contains(want), "{reason} lacks {want}");
    };
    check(&Config { redis: "redis://127.0.0.1:1".to_owned(), ..config.clone() }, "Redis cannot be asked").await;
    redis.fence(true);
    check(&config, "the sale drop is in doubt: it is fenced").await;
    redis.fence(false);
    let lease = format!(
        "INSERT INTO recoveries (sale, gateway, until) VALUES ('drop', 'a gateway', now() + interval '{RECOVERY_LEASE_S} s') \
         ON CONFLICT (sale) DO UPDATE SET until = excluded.until"
    );
    // A lease that ends later than any gateway's would is a clock's step, and none: so it is renewed, as a gateway does
    // it.
    let renewed = async {
        loop {
            vault.batch_execute(&lease).await.unwrap();
        }
    };
    vault.batch_execute(&lease).await.unwrap();
    tokio::select! {
        () = check(&config, "a gateway recovers a sale") => {}
        () = renewed => {}
    }
    vault.batch_execute("UPDATE recoveries SET until = now() - interval '1 second'").await.unwrap();
    assert_eq!(answer(&config, &frozen).await, Ok(()));
}
