//! Calls whose answers promise more than Redis's memory.
//!
//! A wait for replicas costs a round trip and blocks its connection. So these calls have a connection of
//! their own: those that come while a batch is under way are the next batch, one pipeline with one wait at its end.

use std::time::{Duration, Instant};

use flash_wire::{Answer, Outcome, Refusal};
use redis::{Cmd, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::ability::{self, Ability};
use crate::call::{Call, REDIS_TIMEOUT_MS};
use crate::client::{no_time, outcome};
use crate::connection::{self, State};
use crate::deadline::Deadline;
use crate::durability::Durability;
use crate::error::{CallError, DurableError, Unanswered, Unavailable, UrlError};
use crate::limits::CALLS_IN_FLIGHT_MAX;
use crate::multiplexed::Multiplexed;
use crate::target::Target;

/// Calls in one batch.
pub const BATCH_CALLS_MAX: usize = 512;
/// How old what is known of the server may be: CONFIG SET changes it, and replicas come and go.
pub const LOOK_EVERY_MS: u64 = 1_000;

/// How much of its limit a batch may wait for the replicas. The primary's own `fsync` counts: only after it the
/// replicas get what is new.
const WAIT_PART: f64 = 0.75;

/// A connection for calls that wait. Cheap to clone; a clone shares the connection.
#[derive(Debug, Clone)]
pub struct Durable {
    queue: mpsc::Sender<Job>,
    state: watch::Receiver<State>,
    timeout: Duration,
}

#[derive(Debug)]
struct Job {
    command: Cmd,
    wanted: Durability,
    answer: oneshot::Sender<Result<Done, DurableError>>,
}

/// A call that was answered.
#[derive(Debug)]
struct Done {
    value: Value,
    /// The server gave what was wanted.
    is_kept: bool,
}

impl Durable {
    /// Connects in the background, and again whenever the connection is lost. It must be made within the tokio runtime
    /// that will drive the connection; the connection ends with the last clone.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn connect(url: &str) -> Result<Self, UrlError> {
        Self::connect_within(url, Duration::from_millis(REDIS_TIMEOUT_MS))
    }

    /// The same, and a call may take so long, with its wait for the batch under way and for what is wanted.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn connect_within(url: &str, timeout: Duration) -> Result<Self, UrlError> {
        let target = Target::read(url)?;
        let (sender, state) = watch::channel(Err(Unavailable::NotConnectedYet));
        let (queue, jobs) = mpsc::channel(CALLS_IN_FLIGHT_MAX);
        tokio::spawn(connection::keep(target, timeout, sender));
        tokio::spawn(Batches { state: state.clone(), known: None, timeout }.run(jobs));
        Ok(Self { queue, state, timeout })
    }

    /// Waits until there is a connection. It may wait for ever: set a deadline.
    pub async fn connected(&self) {
        // It ends early only if the keeper of the connection is gone with its runtime.
        let _ = self.state.clone().wait_for(Result::is_ok).await;
    }

    /// Sends one call, and waits for its outcome and for what is wanted. A refusal promises nothing and waits for
    /// nothing; that the same call was answered before is a promise.
    ///
    /// # Errors
    /// See [`DurableError`].
    pub async fn call<T: Answer>(&self, call: Call<T>, wanted: Durability) -> Result<Outcome<T>, DurableError> {
        let done = self.send(call.command, wanted).await?;
        match outcome(done.value)? {
            Err(refusal) if !matches!(refusal, Refusal::Replayed { .. }) => Ok(Err(refusal)),
            _ if !done.is_kept => Err(DurableError::Short),
            outcome => Ok(outcome),
        }
    }

    /// Whether the server can give what is wanted. Nothing is changed by it.
    ///
    /// # Errors
    /// See [`DurableError`].
    pub async fn check(&self, wanted: Durability) -> Result<(), DurableError> {
        let done = self.send(redis::cmd("PING"), wanted).await?;
        if done.is_kept { Ok(()) } else { Err(DurableError::Short) }
    }

    async fn send(&self, command: Cmd, wanted: Durability) -> Result<Done, DurableError> {
        let limit = Deadline::within(self.timeout).ok_or_else(no_time)?;
        let (answer, answered) = oneshot::channel();
        let full = |_| CallError::Unavailable(Unavailable::Full);
        self.queue.try_send(Job { command, wanted, answer }).map_err(full)?;
        let unknown = |why| Err(CallError::Unknown(why).into());
        match timeout(limit, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| unknown(Unanswered::Gone)),
            Err(_) => unknown(Unanswered::TimedOut),
        }
    }
}

/// The task that gathers calls and sends them.
struct Batches {
    state: watch::Receiver<State>,
    /// What the server could give, and when that was seen.
    known: Option<(Ability, Instant)>,
    /// Of a batch.
    timeout: Duration,
}

impl Batches {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, BATCH_CALLS_MAX).await > 0 {
            // A caller that gave up got "unknown": better that nothing comes of it.
            jobs.retain(|job| !job.answer.is_closed());
            match self.ability().await {
                Err(error) => jobs.drain(..).for_each(|job| job.refuse(error.clone().into())),
                Ok((connection, ability)) => {
                    let able = jobs.drain(..).filter_map(|job| job.or_refuse(ability)).collect();
                    self.batch(connection, able).await;
                }
            }
        }
    }

    /// The connection, and what its server can give. Another connection may be to another server.
    async fn ability(&mut self) -> Result<(Multiplexed, Ability), CallError> {
        if self.state.has_changed().unwrap_or(true) {
            self.known = None;
        }
        let connection = self.state.borrow_and_update().clone().map_err(CallError::Unavailable)?;
        let fresh = |(_, seen): &(Ability, Instant)| seen.elapsed() < Duration::from_millis(LOOK_EVERY_MS);
        if let Some((ability, _)) = self.known.filter(fresh) {
            return Ok((connection, ability));
        }
        // Nothing was sent yet, so nothing is unknown.
        let unavailable = |error: CallError| CallError::Unavailable(Unavailable::Ability(error.into()));
        let ability = Ability::look(&connection, self.timeout).await.map_err(unavailable)?;
        self.known = Some((ability, Instant::now()));
        Ok((connection, ability))
    }

    async fn batch(&mut self, connection: Multiplexed, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let tail = Tail::of(&jobs);
        let (waiting, mut commands): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|Job { command, wanted, answer }| ((wanted, answer), command)).unzip();
        commands.extend(tail.commands(self.timeout.mul_f64(WAIT_PART)));
        match connection.send_all(commands, self.timeout).await {
            Ok(mut values) => {
                let given = tail.given(&values.split_off(waiting.len().min(values.len())));
                self.remember(tail, given);
                for ((wanted, answer), value) in waiting.into_iter().zip(values) {
                    let is_kept = given.and(wanted) == given;
                    let _ = answer.send(Ok(Done { value, is_kept }));
                }
            }
            Err(error) => {
                waiting.into_iter().for_each(|(_, answer)| drop(answer.send(Err(error.clone().into()))));
            }
        }
    }

    /// Where the server gave less than it seemed able to, the next batch looks again before it sends anything.
    fn remember(&mut self, tail: Tail, given: Durability) {
        if given.and(tail.wanted) != given {
            self.known = None;
        }
    }
}

impl Job {
    fn refuse(self, error: DurableError) {
        // The caller may be gone.
        let _ = self.answer.send(Err(error));
    }

    fn or_refuse(self, ability: Ability) -> Option<Self> {
        let Some(lack) = ability.lacks(self.wanted) else { return Some(self) };
        self.refuse(lack.into());
        None
    }
}

/// What ends a batch: the commands that make its answers a promise.
#[derive(Debug, Clone, Copy)]
struct Tail {
    /// The most that any of the batch wants.
    wanted: Durability,
}

impl Tail {
    fn of(jobs: &[Job]) -> Self {
        Self { wanted: jobs.iter().fold(Durability::MEMORY, |all, job| all.and(job.wanted)) }
    }

    /// A server that syncs before each reply needs no wait for its disk. The settings and the file are asked for after
    /// the calls as well: what was seen before them may have ended since.
    fn commands(self, wait: Duration) -> impl Iterator<Item = Cmd> {
        let disk = self.wanted.fsync.then(|| [ability::settings(), ability::persistence()]);
        let replicas = (self.wanted.replicas > 0).then(|| [ability::mark(), ability::wait(self.wanted.replicas, wait)]);
        disk.into_iter().chain(replicas).flatten()
    }

    /// What the answers to [`Self::commands`] say.
    fn given(self, answers: &[Value]) -> Durability {
        let (disk, replicas) = answers.split_at(if self.wanted.fsync { answers.len().min(2) } else { 0 });
        let fsync = matches!(disk, [settings, persistence] if ability::syncs(settings, persistence));
        let replicas = match replicas {
            [mark, wait] if ability::is_marked(mark) => ability::replicas(wait),
            _ => 0,
        };
        Durability { fsync, replicas }
    }
}
