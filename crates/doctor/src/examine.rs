//! One examination: all areas, the servers at once, the checks of a server one after the other.

use std::time::Duration;

use anyhow::{Result, anyhow};
use flash_transport::Finding;
use serde::Serialize;
use tokio::time::timeout;

use crate::check::{Check, Checking, Version};
use crate::config::{BrokerOrWhy, Config};
use crate::{machine, postgres, redis, sales};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examination {
    /// What is there, as far as it says so. (No broker's client tells.)
    pub versions: Vec<Version>,
    /// What every check found.
    pub findings: Vec<Finding>,
}

/// Examines everything.
pub async fn examine(config: &Config) -> Examination {
    let silence = Silence(config.silence_ms);
    let (redis, broker, postgres) = tokio::join!(
        silence.server("redis", redis::reach(config), &redis::CHECKS),
        async {
            let (name, broker) = config.broker.as_ref()?;
            Some(silence.broker(name, broker).await)
        },
        silence.server("postgres", postgres::reach(config), &postgres::CHECKS),
    );
    let mut findings = vec![machine::open_files(config.files_max).of("machine", "open-files")];
    findings.extend(redis.findings);
    findings.extend(broker.into_iter().flatten());
    findings.extend(postgres.findings);
    let mut versions = Vec::new();
    if let Some(redis) = &redis.server {
        versions.extend(silence.bear(redis::versions(redis)).await.unwrap_or_default());
    }
    if let Some(postgres) = &postgres.server {
        versions.extend(silence.bear(postgres::versions(postgres)).await.unwrap_or_default());
    }
    if let (Some(redis), Some(vault)) = (redis.server, postgres.server) {
        let both = sales::Both { redis: redis.client, vault };
        findings.extend(silence.area("sales", of(&sales::CHECKS, &both)).await);
    }
    Examination { versions, findings }
}

/// The checks of a table, of this server. None is made before it is awaited.
fn of<'a, S>(checks: &[Check<S>], server: &'a S) -> Vec<(&'static str, Checking<'a>)> {
    checks.iter().map(|(name, look)| (*name, look(server))).collect()
}

/// A server, if it is there, and what was found of it.
struct Examined<S> {
    server: Option<S>,
    findings: Vec<Finding>,
}

/// How long, in milliseconds, a server may be silent.
#[derive(Clone, Copy)]
struct Silence(u64);

impl Silence {
    async fn bear<T>(self, asking: impl Future<Output = T>) -> Option<T> {
        timeout(Duration::from_millis(self.0), asking).await.ok()
    }

    async fn server<S>(
        self,
        name: &'static str,
        reaching: impl Future<Output = Result<S>>,
        checks: &[Check<S>],
    ) -> Examined<S> {
        match self.reach(name, reaching).await {
            Ok(server) => {
                let findings = self.area(name, of(checks, &server)).await;
                Examined { server: Some(server), findings }
            }
            Err(away) => Examined { server: None, findings: vec![away] },
        }
    }

    async fn broker(self, name: &'static str, broker: &BrokerOrWhy) -> Vec<Finding> {
        let reaching = async {
            let broker = broker.as_ref().map_err(|why| anyhow!("{why}"))?;
            Ok(broker.examine("flash doctor").await?)
        };
        match self.reach(name, reaching).await {
            Ok(checks) => self.area(name, checks).await,
            Err(away) => vec![away],
        }
    }

    async fn reach<S>(self, name: &'static str, reaching: impl Future<Output = Result<S>>) -> Result<S, Finding> {
        let away = match self.bear(reaching).await {
            Some(Ok(server)) => return Ok(server),
            Some(Err(error)) => {
                Finding::fail(format!("{error:#}"), "start it, or correct its URL; no other check was made")
            }
            None => Finding::fail(
                format!("no answer within {} ms", self.0),
                "check that it runs and that this machine can reach it; no other check was made",
            ),
        };
        Err(away.of(name, "reachable"))
    }

    /// Makes the checks of an area, one after the other. One that gets no answer is the last one.
    async fn area<L, E>(self, name: &'static str, checks: Vec<(&'static str, L)>) -> Vec<Finding>
    where
        L: Future<Output = Result<Finding, E>>,
        E: Into<anyhow::Error>,
    {
        let mut findings = Vec::with_capacity(checks.len());
        for (check, looking) in checks {
            let Some(looked) = self.bear(looking).await else {
                let silent = format!("no answer within {} ms", self.0);
                let advice = "find out what the server is busy with; no other check of it was made";
                findings.push(Finding::fail(silent, advice).of(name, check));
                break;
            };
            let finding = looked.unwrap_or_else(|error| {
                Finding::warn(
                    format!("cannot tell: {:#}", error.into()),
                    "run the doctor again; grant missing rights, or give the doctor another user's URL",
                )
            });
            findings.push(finding.of(name, check));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flash_transport::{Broker, Checks, Error, Fault, Level, Queue};
    use futures_util::future::BoxFuture;

    use super::*;

    struct Server;
    const CHECKS: [Check<Server>; 4] = [
        ("fine", |_| Box::pin(async { Ok(Finding::ok("yes")) })),
        ("broken", |_| Box::pin(async { Err(anyhow::anyhow!("no rights")) })),
        ("silent", |_| Box::pin(std::future::pending())),
        ("never", |_| Box::pin(async { Ok(Finding::ok("yes")) })),
    ];

    async fn check(reaching: impl Future<Output = Result<Server>>, want: &[(&str, Level)]) {
        let examined = Silence(10).server("it", reaching, &CHECKS).await;
        let got: Vec<_> = examined.findings.iter().map(|finding| (finding.check.as_str(), finding.level)).collect();
        assert_eq!(got, want);
    }

    /// A broker that this package has never heard of.
    struct Pigeons;

    impl Broker for Pigeons {
        fn name(&self) -> &'static str {
            "pigeons"
        }

        fn examine<'a>(&'a self, _client: &'a str) -> BoxFuture<'a, std::result::Result<Checks, Error>> {
            Box::pin(async {
                let fed: Checks = vec![
                    ("fed", Box::pin(async { Ok(Finding::ok("yes")) })),
                    ("flying", Box::pin(async { Err(Fault::Closed.into()) })),
                ];
                Ok(fed)
            })
        }

        fn queue<'a>(&'a self, _client: &'a str) -> BoxFuture<'a, std::result::Result<Queue, Error>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_says_itself_what_is_to_be_looked_at() {
        let check = async |broker: BrokerOrWhy, want: &[(&str, Level)]| {
            let findings = Silence(10).broker("pigeons", &broker).await;
            let got: Vec<_> = findings.iter().map(|finding| (finding.check.as_str(), finding.level)).collect();
            assert_eq!(got, want);
        };
        check(Ok(Arc::new(Pigeons)), &[("pigeons.fed", Level::Ok), ("pigeons.flying", Level::Warn)]).await;
        check(Err("no URL is set".to_owned()), &[("pigeons.reachable", Level::Fail)]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_or_falls_silent_is_asked_no_more() {
        let fine = [("it.fine", Level::Ok), ("it.broken", Level::Warn), ("it.silent", Level::Fail)];
        check(async { Ok(Server) }, &fine).await;
        check(async { Err(anyhow::anyhow!("refused")) }, &[("it.reachable", Level::Fail)]).await;
        check(std::future::pending(), &[("it.reachable", Level::Fail)]).await;
    }
}
