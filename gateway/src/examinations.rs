//! Examinations for `GET /v1/health`: the doctor looks at what this gateway uses.

use std::fmt;
use std::sync::Arc;

use flash_doctor::{Examination, examine};
use flash_transport::Broker;
use flash_worker::now_ms;

use crate::config::Config;
use crate::fresh::Fresh;
use crate::limits::{EXAMINATION_FRESH_MS, EXAMINED_SILENCE_MS_MAX, files_max};

/// What the doctor found.
#[derive(Debug)]
pub(crate) struct Examined {
    /// When it began, Unix milliseconds.
    pub(crate) at_ms: u64,
    pub(crate) examination: Examination,
}

/// A gateway's examinations. (The URLs hold passwords: they are never shown.)
pub(crate) struct Examinations {
    config: flash_doctor::Config,
    last: Fresh<(), Arc<Examined>>,
}

impl fmt::Debug for Examinations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Examinations").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Examinations {
    /// `broker`: the transport's, if it has one.
    pub(crate) fn new(config: &Config, broker: Option<Arc<dyn Broker>>) -> Self {
        Self::of(flash_doctor::Config {
            redis: Ok(config.redis.clone()),
            broker: broker.map(|broker| (broker.name(), Ok(broker))),
            postgres: Ok(config.postgres.clone()),
            durability: config.durability,
            files_max: files_max(config.threads),
            silence_ms: EXAMINED_SILENCE_MS_MAX,
        })
    }

    pub(crate) fn of(config: flash_doctor::Config) -> Self {
        Self { config, last: Fresh::new(EXAMINATION_FRESH_MS) }
    }

    /// An examination that is fresh. None: the one that is under way takes too long.
    pub(crate) async fn get(&self) -> Option<Arc<Examined>> {
        let examining = async {
            let at_ms = now_ms();
            Arc::new(Examined { at_ms, examination: examine(&self.config).await })
        };
        self.last.get((), examining).await
    }
}
