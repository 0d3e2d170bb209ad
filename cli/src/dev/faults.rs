//! Faults made on purpose: whatever happens, what was sold is sold once, and the audit finds everything whole.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use flash_gateway::Unmade;

use crate::args;
use crate::load::Trouble;
use crate::stack::Orders;
use crate::transport::Kind;

/// How long RabbitMQ is stopped.
const PAUSE_MS: u64 = 5_000;
/// Requests that lose their answer, each time that it is asked for.
const UNHEARD_REQUESTS: u64 = 100;
/// Requests that are sent twice, each time that it is asked for.
const DOUBLED_REQUESTS: u64 = 100;

/// A fault that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// SIGKILL to the gateway of the simulated buyers. They ask the next one again.
    KillGateway,
    /// SIGSTOP to RabbitMQ, and SIGCONT after a while. The journals keep what it does not take.
    PauseRabbitMq,
    /// SIGKILL to Redis. Its append-only file has all that it answered.
    RestartRedis,
    /// Simulated buyers do not hear the answers to their next requests, and ask again.
    DropAnswers,
    /// Simulated buyers send each of their next requests twice, side by side.
    SendDuplicates,
}

impl Fault {
    const ALL: [Self; 5] =
        [Self::KillGateway, Self::PauseRabbitMq, Self::RestartRedis, Self::DropAnswers, Self::SendDuplicates];

    const fn name(self) -> &'static str {
        match self {
            Self::KillGateway => "kill-gateway",
            Self::PauseRabbitMq => "pause-rabbitmq",
            Self::RestartRedis => "restart-redis",
            Self::DropAnswers => "drop-answers",
            Self::SendDuplicates => "send-duplicates",
        }
    }

    /// Whether it is the buyers of a simulation, or their gateway, that it hits.
    const fn hits_buyers(self) -> bool {
        matches!(self, Self::KillGateway | Self::DropAnswers | Self::SendDuplicates)
    }

    /// Whether this stack has what it hits: a server that somebody else runs is left alone.
    fn is_possible(self, stack: &args::Stack) -> bool {
        match self {
            Self::PauseRabbitMq => stack.transport == Kind::Amqp && stack.amqp.is_none(),
            Self::RestartRedis => stack.redis.is_none(),
            _ => true,
        }
    }
}

/// The faults of this stack.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    possible: Vec<Fault>,
    orders: Orders,
    buyers: Arc<Trouble>,
}

impl Faults {
    pub(super) fn new(stack: &args::Stack, orders: Orders, buyers: Arc<Trouble>) -> Self {
        let possible = Fault::ALL.into_iter().filter(|fault| fault.is_possible(stack)).collect();
        Self { possible, orders, buyers }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.possible.iter().map(|fault| fault.name()).collect()
    }

    /// Makes the fault of this name, while a simulation runs or none does. What goes on for a while has begun then.
    ///
    /// # Errors
    /// When it cannot be made now, or its outcome is unknown: the reason says which.
    pub(super) async fn make(self, name: &str, is_running: bool) -> Result<(), Unmade> {
        let fault = self.possible.iter().find(|fault| fault.name() == name);
        let fault = *fault.ok_or_else(|| Unmade::Failed(format!("the fault {name} is not available here")))?;
        if fault.hits_buyers() && !is_running {
            return Err(Unmade::Idle("no simulation is running, so there are no buyers: start one first".to_owned()));
        }
        self.strike(fault).await.map_err(|error| Unmade::Failed(format!("{error:#}")))
    }

    async fn strike(&self, fault: Fault) -> Result<()> {
        tracing::warn!(fault = fault.name(), "fault injected on purpose");
        match fault {
            Fault::KillGateway => self.orders.work(|stack| stack.kill_gateway()).await,
            Fault::PauseRabbitMq => {
                self.orders.work(|stack| stack.pause_rabbitmq(Duration::from_millis(PAUSE_MS))).await
            }
            Fault::RestartRedis => self.orders.work(|stack| stack.kill_redis()).await,
            Fault::DropAnswers => {
                self.buyers.lose_answers(UNHEARD_REQUESTS);
                Ok(())
            }
            Fault::SendDuplicates => {
                self.buyers.send_twice(DOUBLED_REQUESTS);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        stack: args::Stack,
    }

    fn check(words: &[&str], missing: &[&str]) {
        let stack = Words::parse_from([&["flash"], words].concat()).stack;
        let got: Vec<&str> =
            Fault::ALL.into_iter().filter(|fault| !fault.is_possible(&stack)).map(Fault::name).collect();
        assert_eq!(got, missing, "{words:?}");
    }

    #[test]
    fn servers_that_are_not_ours_are_left_alone() {
        check(&[], &[]);
        check(&["--transport", "direct"], &["pause-rabbitmq"]);
        check(&["--amqp", "amqp://shop"], &["pause-rabbitmq"]);
        check(&["--redis", "redis://shop"], &["restart-redis"]);
        check(&["--postgres", "postgres://shop"], &[]);
    }
}
