//! One examination: all areas, the servers at once, the checks of a server one after the other.

use std::pin::Pin;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Config;
use crate::finding::Finding;
use crate::{machine, postgres, rabbitmq, redis, sales};

/// One check of an area.
pub(crate) type Check<S> = (&'static str, for<'a> fn(&'a S) -> Checking<'a>);
/// It finds something, or could not ask.
type Checking<'a> = Pin<Box<dyn Future<Output = Result<Finding>> + Send + 'a>>;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examination {
    /// What is there, as far as it says so. (RabbitMQ's client does not tell.)
    pub versions: Vec<Version>,
    /// What every check found.
    pub findings: Vec<Finding>,
}

/// What a part of the whole says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Which part.
    pub name: &'static str,
    /// Its version, in its own words.
    pub version: String,
}

/// Examines everything. (In a box: what RabbitMQ's client consists of is too deep for the compiler to look at again within
/// each caller.)
pub fn examine(config: &Config) -> Pin<Box<dyn Future<Output = Examination> + Send + '_>> {
    Box::pin(examine_all(config))
}

async fn examine_all(config: &Config) -> Examination {
    let silence = Silence(config.silence_ms);
    let (redis, rabbitmq, postgres) = tokio::join!(
        silence.server("redis", redis::reach(config), &redis::CHECKS),
        async {
            let url = config.amqp.as_ref()?;
            Some(silence.server("rabbitmq", rabbitmq::reach(url), &rabbitmq::CHECKS).await)
        },
        silence.server("postgres", postgres::reach(config), &postgres::CHECKS),
    );
    let mut findings = vec![machine::open_files(config.files_max).of("machine", "open-files")];
    findings.extend(redis.findings);
    findings.extend(rabbitmq.into_iter().flat_map(|rabbitmq| rabbitmq.findings));
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
        findings.extend(silence.area("sales", &sales::CHECKS, &both).await);
    }
    Examination { versions, findings }
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
        let away = match self.bear(reaching).await {
            Some(Ok(server)) => {
                let findings = self.area(name, checks, &server).await;
                return Examined { server: Some(server), findings };
            }
            Some(Err(error)) => {
                Finding::fail(format!("{error:#}"), "start it, or set or correct its URL; nothing else was looked at")
            }
            None => Finding::fail(
                format!("no answer within {} ms", self.0),
                "see whether it runs, and whether this machine may reach it; nothing else was looked at",
            ),
        };
        Examined { server: None, findings: vec![away.of(name, "reachable")] }
    }

    /// Makes the checks of an area, one after the other. One that gets no answer is the last one.
    async fn area<S>(self, name: &'static str, checks: &[Check<S>], server: &S) -> Vec<Finding> {
        let mut findings = Vec::with_capacity(checks.len());
        for (check, look) in checks {
            let Some(looked) = self.bear(look(server)).await else {
                let silent = format!("no answer within {} ms", self.0);
                let advice = "see what the server is busy with; nothing else of it was looked at";
                findings.push(Finding::fail(silent, advice).of(name, check));
                break;
            };
            let finding = looked.unwrap_or_else(|error| {
                Finding::warn(
                    format!("cannot tell: {error:#}"),
                    "look again; where rights are missing, grant them, or give the doctor another user's URL",
                )
            });
            findings.push(finding.of(name, check));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

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

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_or_falls_silent_is_asked_no_more() {
        let fine = [("it.fine", Level::Ok), ("it.broken", Level::Warn), ("it.silent", Level::Fail)];
        check(async { Ok(Server) }, &fine).await;
        check(async { Err(anyhow::anyhow!("refused")) }, &[("it.reachable", Level::Fail)]).await;
        check(std::future::pending(), &[("it.reachable", Level::Fail)]).await;
    }
}
