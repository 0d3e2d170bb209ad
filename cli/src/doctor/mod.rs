//! `flash doctor`: looks at everything that a gateway would use, and changes nothing.
//!
//! One file an area, in each a table of checks, one function each. An area whose server is away has one finding: that.

mod finding;
mod machine;
mod postgres;
mod rabbitmq;
mod redis;
mod sales;
mod show;

use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use tokio::time::timeout;

use self::finding::{Finding, Level};
use crate::args::{Doctor, Output, Transport};
use crate::run::block_on;

/// How long a server may be silent: to be there, and for each check. (To reach RabbitMQ and PostgreSQL may take longer by
/// their own limits: no longer than this here.)
const SILENCE_MS_MAX: u64 = 5_000;
/// How far a server's clock may be from this machine's.
const CLOCK_SKEW_MS_MAX: u64 = 1_000;

/// One check of an area.
type Check<S> = (&'static str, for<'a> fn(&'a S) -> Checking<'a>);
/// It finds something, or could not ask.
type Checking<'a> = Pin<Box<dyn Future<Output = Result<Finding>> + 'a>>;

/// Examines everything, and prints what it finds. The exit code is 1 where something fails.
pub(crate) fn run(args: &Doctor, output: Output) -> Result<ExitCode> {
    let findings = block_on(async { Ok(examine(args).await) })?;
    show::print(&findings, output);
    let fails = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(args: &Doctor) -> Vec<Finding> {
    let gateway = &args.gateway;
    let mut findings = area("machine", &machine::CHECKS, Ok(gateway)).await;
    let redis = reach(redis::reach(gateway)).await;
    findings.extend(area("redis", &redis::CHECKS, redis.as_ref()).await);
    if gateway.transport == Transport::Amqp {
        let rabbitmq = reach(rabbitmq::reach(gateway)).await;
        findings.extend(area("rabbitmq", &rabbitmq::CHECKS, rabbitmq.as_ref()).await);
    }
    let postgres = reach(postgres::reach(gateway)).await;
    findings.extend(area("postgres", &postgres::CHECKS, postgres.as_ref()).await);
    if let (Ok(redis), Ok(postgres)) = (redis, postgres) {
        let both = sales::Both { redis: redis.client, vault: postgres };
        findings.extend(area("sales", &sales::CHECKS, Ok(&both)).await);
    }
    findings
}

/// A server, or the finding that it is not there.
async fn reach<S>(reaching: impl Future<Output = Result<S>>) -> Result<S, Finding> {
    match timeout(Duration::from_millis(SILENCE_MS_MAX), reaching).await {
        Ok(Ok(server)) => Ok(server),
        Ok(Err(error)) => {
            Err(Finding::fail(format!("{error:#}"), "start it, or set or correct its URL; nothing else was looked at"))
        }
        Err(_) => Err(Finding::fail(
            format!("no answer within {SILENCE_MS_MAX} ms"),
            "see whether it runs, and whether this machine may reach it; nothing else was looked at",
        )),
    }
}

/// Makes the checks of an area, one after the other.
async fn area<S>(name: &'static str, checks: &[Check<S>], server: Result<&S, &Finding>) -> Vec<Finding> {
    let server = match server {
        Ok(server) => server,
        Err(away) => return vec![away.clone().of(name, "reachable")],
    };
    let mut findings = Vec::with_capacity(checks.len());
    for (check, look) in checks {
        let finding = match timeout(Duration::from_millis(SILENCE_MS_MAX), look(server)).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(error)) => Finding::warn(
                format!("cannot tell: {error:#}"),
                "look again; where rights are missing, grant them, or give the doctor another user's URL",
            ),
            Err(_) => {
                Finding::fail(format!("no answer within {SILENCE_MS_MAX} ms"), "see what the server is busy with")
            }
        };
        findings.push(finding.of(name, check));
    }
    findings
}

/// What two clocks that were read within `round_trip_ms` differ by, at least.
fn clock_finding(before_ms: u64, server_ms: u64, after_ms: u64) -> Finding {
    let skew_ms = before_ms.saturating_sub(server_ms).max(server_ms.saturating_sub(after_ms));
    if skew_ms <= CLOCK_SKEW_MS_MAX {
        return Finding::ok(format!("its clock is within {CLOCK_SKEW_MS_MAX} ms of this machine's"));
    }
    Finding::warn(
        format!("its clock is {skew_ms} ms away from this machine's: what is due, and how old it is, is told wrong"),
        "let both machines keep time (chrony, systemd-timesyncd)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_only_by_what_the_round_trip_does_not_explain() {
        let check = |before, server, after, want| assert_eq!(clock_finding(before, server, after).level, want);
        check(10_000, 10_005, 10_010, Level::Ok);
        check(10_000, 19_000, 20_000, Level::Ok);
        check(10_000, 8_999, 10_000, Level::Warn);
        check(10_000, 21_001, 20_000, Level::Warn);
        check(10_000, 9_000, 10_000, Level::Ok);
    }
}
