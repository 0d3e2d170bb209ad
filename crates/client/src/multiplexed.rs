//! One connection that many callers share: their commands leave together, and replies come in the order of commands.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::error::{CallError, Unanswered, Unavailable};
use crate::limits::CALLS_IN_FLIGHT_MAX;
use crate::replies::Replies;

/// Callers whose commands are gathered while others are written: all that there may be.
const GATHERED_MAX: usize = CALLS_IN_FLIGHT_MAX;

/// Room for replies that is there at each read: those of a full batch fit, and leave the kernel in one call.
const READ_BYTES: usize = 16 * 1024;

/// A connection as its callers have it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Multiplexed {
    jobs: mpsc::Sender<Job>,
}

/// Commands of one caller.
#[derive(Debug)]
struct Job {
    commands: Vec<Cmd>,
    caller: Caller,
}

/// Who wants replies, and until when.
#[derive(Debug)]
struct Caller {
    answer: oneshot::Sender<Result<Vec<Value>, CallError>>,
    until: Instant,
}

/// Replies that are to come.
#[derive(Debug)]
struct Waiting {
    values: Vec<Value>,
    count: usize,
    /// None: the caller got "late".
    caller: Option<Caller>,
}

/// The other end: what moves the connection's bytes.
#[derive(Debug)]
pub(crate) struct Driver<S> {
    jobs: mpsc::Receiver<Job>,
    reads: ReadHalf<S>,
    writes: WriteHalf<S>,
    replies: Replies,
    gathered: Vec<Job>,
    /// Commands that leave together …
    unsent: Vec<u8>,
    /// … how much of them has left …
    sent: usize,
    /// … and whether there is still something to be done for them.
    is_writing: bool,
    /// In the order of their commands.
    waiting: VecDeque<Waiting>,
    /// Rings when somebody has waited too long.
    alarm: Alarm,
}

/// A connection over `stream`; it lives as long as its driver runs.
pub(crate) fn over<S: AsyncRead + AsyncWrite>(stream: S) -> (Multiplexed, Driver<S>) {
    let (sender, jobs) = mpsc::channel(CALLS_IN_FLIGHT_MAX);
    let (reads, writes) = split(stream);
    let driver = Driver {
        jobs,
        reads,
        writes,
        replies: Replies::default(),
        gathered: Vec::new(),
        unsent: Vec::new(),
        sent: 0,
        is_writing: false,
        waiting: VecDeque::new(),
        alarm: Alarm::new(),
    };
    (Multiplexed { jobs: sender }, driver)
}

impl Multiplexed {
    /// Sends a command, and waits so long for its reply. An error reply is a reply.
    pub(crate) async fn send(&self, command: Cmd, limit: Duration) -> Result<Value, CallError> {
        let mut values = self.send_all(vec![command], limit).await?;
        values.pop().ok_or_else(lost)
    }

    /// Sends commands in one go, and waits so long for all of their replies.
    pub(crate) async fn send_all(&self, commands: Vec<Cmd>, limit: Duration) -> Result<Vec<Value>, CallError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        let caller = Caller { answer, until: Instant::now() + limit };
        self.jobs.try_send(Job { commands, caller }).map_err(|error| {
            CallError::Unavailable(match error {
                TrySendError::Full(_) => Unavailable::QueueFull,
                TrySendError::Closed(_) => Unavailable::Closed,
            })
        })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

impl Caller {
    /// The caller learns that it took too long.
    fn give_up(self) {
        self.tell(Err(CallError::Unknown(Unanswered::TimedOut)));
    }

    fn tell(self, replies: Result<Vec<Value>, CallError>) {
        // The caller may be gone.
        let _ = self.answer.send(replies);
    }
}

fn lost() -> CallError {
    CallError::Unknown(Unanswered::Lost)
}

impl<S: AsyncRead + AsyncWrite> Driver<S> {
    /// Runs until the connection ends; gives why it did. Callers that still wait get an unknown outcome.
    pub(crate) async fn run(mut self) -> io::Error {
        loop {
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    /// Reads, writes, takes commands or gives up who waited too long, whichever can be done first. Each may be dropped
    /// for another and loses nothing by it.
    async fn step(&mut self) -> io::Result<()> {
        self.replies.bytes.reserve(READ_BYTES);
        tokio::select! {
            // Replies delay no caller: there are only as many as commands.
            biased;
            read = self.reads.read_buf(&mut self.replies.bytes) => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => self.hand_out(),
            },
            count = write(&mut self.writes, &self.unsent[self.sent..]), if self.is_writing => self.wrote(count?),
            count = self.jobs.recv_many(&mut self.gathered, GATHERED_MAX), if self.has_room() => match count {
                0 => Err(io::Error::other("no caller uses it any more")),
                count => {
                    self.gather(count);
                    Ok(())
                }
            },
            () = self.alarm.rings() => {
                self.give_up_late();
                Ok(())
            }
        }
    }

    fn has_room(&self) -> bool {
        self.gathered.len() < GATHERED_MAX
    }

    /// Commands of so many more callers have come.
    fn gather(&mut self, count: usize) {
        let newest = &self.gathered[self.gathered.len() - count..];
        newest.iter().for_each(|job| self.alarm.set(job.caller.until));
        if !self.is_writing {
            self.pack();
        }
    }

    /// What was gathered is to leave.
    fn pack(&mut self) {
        for Job { commands, caller } in self.gathered.drain(..) {
            // A caller that gave up got "unknown": better that nothing comes of it.
            if caller.answer.is_closed() {
                continue;
            }
            commands.iter().for_each(|command| command.write_packed_command(&mut self.unsent));
            self.waiting.push_back(Waiting {
                values: Vec::with_capacity(commands.len()),
                count: commands.len(),
                caller: Some(caller),
            });
        }
        self.is_writing = !self.unsent.is_empty();
    }

    /// Answers callers that have waited too long. Their replies may still come, and are discarded then.
    fn give_up_late(&mut self) {
        let now = Instant::now();
        let is_late = |caller: &mut Caller| caller.until <= now;
        let late = self.waiting.iter_mut().filter_map(|waiting| waiting.caller.take_if(is_late));
        late.for_each(Caller::give_up);
        let late = self.gathered.extract_if(.., |job| is_late(&mut job.caller));
        late.for_each(|job| job.caller.give_up());
        let taken = self.waiting.iter().filter_map(|waiting| waiting.caller.as_ref());
        let callers = taken.chain(self.gathered.iter().map(|job| &job.caller));
        if let Some(next) = callers.map(|caller| caller.until).min() {
            self.alarm.set(next);
        }
    }

    fn wrote(&mut self, count: usize) -> io::Result<()> {
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
            self.pack();
            return Ok(());
        }
        self.sent += count;
        if count > 0 { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn hand_out(&mut self) -> io::Result<()> {
        while let Some(value) = self.replies.next()? {
            let unasked = || io::Error::other("an unexpected reply from Redis");
            let waiting = self.waiting.front_mut().ok_or_else(unasked)?;
            waiting.values.push(value);
            if waiting.values.len() < waiting.count {
                continue;
            }
            let Some(Waiting { values, caller, .. }) = self.waiting.pop_front() else { continue };
            if let Some(caller) = caller {
                caller.tell(Ok(values));
            }
        }
        Ok(())
    }
}

/// Writes some of the bytes; after the last of them, sees to it that none waits on the way (by TLS some may).
async fn write(writes: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<usize> {
    match bytes {
        [] => writes.flush().await.map(|()| 0),
        bytes => writes.write(bytes).await,
    }
}

#[cfg(test)]
mod tests {
    use redis::cmd;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);
    const PING: &str = "*1\r\n$4\r\nPING\r\n";

    /// A connection whose other end is ours.
    fn start() -> (Multiplexed, DuplexStream) {
        let (near, far) = duplex(1 << 16);
        let (connection, driver) = over(near);
        tokio::spawn(driver.run());
        (connection, far)
    }

    async fn expect(far: &mut DuplexStream, want: &str) {
        let mut got = vec![0; want.len()];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), want);
    }

    #[tokio::test]
    async fn replies_reach_their_callers() {
        let (connection, mut far) = start();
        let answer = async {
            expect(&mut far, &PING.repeat(4)).await;
            far.write_all(b"+1\r\n*2\r\n+2\r\n:3\r\n-ERR 4\r\n+5\r\n").await.unwrap();
        };
        let three = connection.send_all(vec![cmd("PING"), cmd("PING"), cmd("PING")], LIMIT);
        let (three, one, ()) = tokio::join!(three, connection.send(cmd("PING"), LIMIT), answer);
        let status = |text: &str| Value::SimpleString(text.to_owned());
        let [first, second, Value::ServerError(_)] = &three.unwrap()[..] else { panic!("three replies") };
        assert_eq!((first, second), (&status("1"), &Value::Array(vec![status("2"), Value::Int(3)])));
        assert_eq!(one, Ok(status("5")));
        assert_eq!(connection.send_all(vec![], LIMIT).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn a_call_that_gave_up_before_it_was_sent_leaves_nothing() {
        let (connection, mut far) = start();
        // The connection's task does not run in between.
        let mut given_up = Box::pin(connection.send(cmd("FLUSHALL"), LIMIT));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        drop(given_up);
        let answer = async {
            expect(&mut far, PING).await;
            far.write_all(b"+OK\r\n").await.unwrap();
        };
        let (reply, ()) = tokio::join!(connection.send(cmd("PING"), LIMIT), answer);
        assert_eq!(reply, Ok(Value::Okay));
    }

    /// What waiting callers learn when this comes, and what later ones do.
    async fn check_end(bytes: &[u8]) {
        let (connection, mut far) = start();
        let end = async {
            expect(&mut far, PING).await;
            far.write_all(bytes).await.unwrap();
            drop(far);
        };
        let (reply, ()) = tokio::join!(connection.send(cmd("PING"), LIMIT), end);
        let waiting_is_unknown = matches!(reply, Err(CallError::Unknown(_)));
        let late = connection.send(cmd("PING"), LIMIT).await;
        assert!(waiting_is_unknown && matches!(late, Err(CallError::Unavailable(_))), "{bytes:?}: {reply:?}, {late:?}");
    }

    #[tokio::test]
    async fn a_connection_that_ends_or_answers_nonsense_leaves_outcomes_unknown_and_takes_nothing_more() {
        for bytes in [&b""[..], b"+OK", b"nonsense\r\n"] {
            check_end(bytes).await;
        }
    }

    #[tokio::test]
    async fn an_unexpected_reply_ends_the_connection() {
        let (near, mut far) = duplex(64);
        let (_connection, driver) = over(near);
        far.write_all(b"+OK\r\n").await.unwrap();
        assert!(driver.run().await.to_string().contains("unexpected reply"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_reply_is_unknown_and_reaches_no_other_caller() {
        let (connection, mut far) = start();
        let reply = connection.send(cmd("PING"), Duration::from_millis(1)).await;
        assert!(matches!(reply, Err(CallError::Unknown(_))), "{reply:?}");
        far.write_all(b"+late\r\n").await.unwrap();
        let answer = async {
            expect(&mut far, &PING.repeat(2)).await;
            far.write_all(b"+OK\r\n").await.unwrap();
        };
        let (reply, ()) = tokio::join!(connection.send(cmd("PING"), LIMIT), answer);
        assert_eq!(reply, Ok(Value::Okay));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_after_a_stuck_write_times_out_and_leaves_nothing() {
        let (near, mut far) = duplex(PING.len() / 2);
        let (connection, driver) = over(near);
        tokio::spawn(driver.run());
        let started = Instant::now();
        let ms = Duration::from_millis;
        let (stuck, next, patient) = (cmd("PING"), cmd("FLUSHALL"), cmd("PING"));
        let calls = async {
            let next = async {
                // The connection's task takes the first meanwhile.
                tokio::task::yield_now().await;
                (connection.send(next, ms(20)).await, started.elapsed())
            };
            let stuck = async { (connection.send(stuck, ms(30)).await, started.elapsed()) };
            tokio::join!(stuck, next)
        };
        let ((stuck, stuck_for), (next, next_for)) = calls.await;
        assert!(
            matches!((&stuck, &next), (Err(CallError::Unknown(_)), Err(CallError::Unknown(_)))),
            "{stuck:?} {next:?}"
        );
        assert_eq!((stuck_for, next_for), (ms(30), ms(20)));
        let answer = async {
            expect(&mut far, &PING.repeat(2)).await;
            far.write_all(b"+late\r\n+OK\r\n").await.unwrap();
        };
        let (reply, ()) = tokio::join!(connection.send(patient, LIMIT), answer);
        assert_eq!(reply, Ok(Value::Okay));
    }
}
