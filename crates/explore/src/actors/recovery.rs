//! One gateway's recovery: it looks at both servers, and brings the sale back when the two differ. Each request is a
//! step of its own, so it may stop for any time between any two of them.

use flash_sale::Refusal;

use crate::decide::{Decision, Doubt, decide, doubt, is_over};
use crate::message::{
    Answer, Command, Frame, Item, RedisState, Request, Sealed, Seen, Standing, Status, Transaction, Wanted,
};
use crate::model::{Expected, Next};
use crate::rules::Rules;

/// Reservations in one REBUILD: few, so that a rebuilding has several.
const PAGE: usize = 2;
/// Looks for a barrier before the attempt is given up.
const BARRIER_LOOKS_MAX: u8 = 60;
/// Looks at a journal that does not drain before the attempt is given up.
const WAITS_MAX: u8 = 16;

/// What it waits for, or is about to ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Compare(Option<Status>),
    LookAgain(Standing),
    Take,
    Fence,
    PublishBarrier,
    LookForBarrier(u8),
    Observe,
    Stand(Status),
    ReadActive(Status),
    Commit(Transaction),
    Ack(Next, Expected),
    Unfence(Next, Expected),
    Warm(Next, Expected),
    /// The old way of bringing totals back.
    Restock(Next, Expected, i64),
    ReadPage(Next, Expected, u64),
    Rebuild(Next, Expected, u64, Vec<crate::model::Active>),
    Open(Next, Expected),
    Settle(u64),
    End,
}

/// The recovery of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Recovery {
    gateway: u32,
    stage: Stage,
    term: u64,
    instance: u64,
    /// The barrier that it waits for, and the newest number that it gave to one.
    barrier: u64,
    /// For which term and instance a barrier has passed.
    passed: Option<(u64, u64)>,
    seen: Status,
    waits: u8,
    attempts: u8,
    /// PostgreSQL's term when the doubt was found.
    seen_term: u64,
    /// The total that it has read before the sale's new life began.
    read_total: u64,
    /// The total of the sale's terms.
    initial_total: u64,
}

const NOTHING: Status = Status {
    epoch: 0,
    seq: 0,
    acked: 0,
    term: 0,
    instance: 0,
    is_fenced: true,
    was_open: false,
    content: Expected { reservations: 0, digest: 0, total: 0, taken: 0, is_closed: false },
};

impl Recovery {
    pub(crate) const fn new(gateway: u32, initial_total: u64) -> Self {
        Self {
            gateway,
            stage: Stage::Idle,
            term: 0,
            instance: 0,
            barrier: (gateway as u64) << 32,
            passed: None,
            seen: NOTHING,
            waits: 0,
            attempts: 0,
            seen_term: 0,
            read_total: 0,
            initial_total,
        }
    }

    /// Whether it is in the middle of an attempt.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle | Stage::Compare(_))
    }

    /// What it asks now.
    pub(crate) fn ask(&self) -> Request {
        use Request::{Broker, Postgres, Redis};
        let &Self { gateway, term, instance, .. } = self;
        match &self.stage {
            Stage::Idle | Stage::LookAgain(_) | Stage::Observe => Redis(Command::Status),
            Stage::Compare(status) => {
                Postgres(Transaction::Standing { epoch: status.as_ref().map_or(0, |status| status.epoch) })
            }
            Stage::Take => Postgres(Transaction::Take {
                gateway,
                seen: self.seen_term,
                at_least: self.seen.term,
                draw: self.draw(),
            }),
            Stage::Fence => Redis(Command::Fence { term: Some(term) }),
            Stage::PublishBarrier => Broker(Frame::Publish(Item::Barrier(self.barrier))),
            Stage::LookForBarrier(_) => Postgres(Transaction::HasBarrier { id: self.barrier }),
            Stage::Stand(status) => Postgres(Transaction::Standing { epoch: status.epoch }),
            Stage::ReadActive(_) => Redis(Command::Active),
            Stage::Commit(transaction) => Postgres(transaction.clone()),
            Stage::Ack(..) => Redis(Command::Ack { epoch: self.seen.epoch, seq: self.seen.seq }),
            &Stage::Unfence(next, expected) => {
                let (epoch, seq) = (self.seen.epoch, self.seen.seq);
                Redis(Command::Unfence { term, instance, epoch, seq, next: Some(next), expected })
            }
            &Stage::Warm(next, Expected { total, is_closed, .. }) => {
                Redis(Command::Warm { term, instance, next, total, is_closed })
            }
            Stage::Restock(_, _, delta) => Redis(Command::Restock { delta: *delta }),
            Stage::ReadPage(_, _, after) => Postgres(Transaction::ActivePage { after: *after, count: PAGE }),
            Stage::Rebuild(next, _, _, page) => {
                Redis(Command::Rebuild { term, instance, epoch: next.epoch, page: page.clone() })
            }
            &Stage::Open(next, expected) => {
                let (epoch, seq) = (next.epoch, next.after + 1);
                Redis(Command::Unfence { term, instance, epoch, seq, next: None, expected })
            }
            Stage::Settle(epoch) => Postgres(Transaction::Settle { epoch: *epoch }),
            Stage::End => Postgres(Transaction::End { gateway, term }),
        }
    }

    /// Bits that stand for random ones.
    fn draw(&self) -> u16 {
        u16::try_from((u64::from(self.gateway) << 8 | u64::from(self.attempts)) & 0xffff).unwrap_or(0)
    }

    /// What it does with an answer; none: there was none in time, so nothing is known.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>, rules: &Rules) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        let Some(answer) = answer else { return };
        self.stage = self.next(stage, answer, rules).unwrap_or(Stage::Idle);
    }

    /// The next stage; none: this attempt is over.
    fn next(&mut self, stage: Stage, answer: &Answer, rules: &Rules) -> Option<Stage> {
        match (stage, answer) {
            (Stage::Idle, Answer::Status(status)) => Some(Stage::Compare(Some(*status))),
            (Stage::Idle, Answer::Refused(Refusal::NotWarmed)) => Some(Stage::Compare(None)),
            (Stage::Compare(status), Answer::Standing(standing)) => {
                self.seen = status.unwrap_or(NOTHING);
                self.seen_term = standing.term;
                match doubt(status.as_ref(), standing, rules) {
                    Doubt::No => None,
                    _ if rules.takes_as_seen && standing.leased => None,
                    Doubt::Perhaps if rules.takes_as_seen => Some(Stage::LookAgain(*standing)),
                    Doubt::Perhaps | Doubt::Yes => Some(self.take()),
                }
            }
            (Stage::LookAgain(standing), answer) => {
                let status = if let Answer::Status(status) = answer { Some(status) } else { None };
                self.seen = status.copied().unwrap_or(NOTHING);
                (!is_over(status, &standing, rules)).then(|| self.take())
            }
            (Stage::Take, Answer::Taken(Some(term))) => {
                self.term = *term;
                Some(Stage::Fence)
            }
            (Stage::Fence, Answer::Fenced { instance, .. }) => {
                self.instance = *instance;
                let incident = (self.term, *instance);
                let is_same =
                    if rules.barrier_per_incident { self.passed == Some(incident) } else { self.passed.is_some() };
                if is_same {
                    return Some(Stage::Observe);
                }
                self.barrier += 1;
                Some(Stage::PublishBarrier)
            }
            (Stage::PublishBarrier, Answer::Done) => Some(Stage::LookForBarrier(0)),
            (Stage::LookForBarrier(_), Answer::Is(true)) => {
                self.passed = Some((self.term, self.instance));
                Some(Stage::Observe)
            }
            (Stage::LookForBarrier(looks), Answer::Is(false)) if looks < BARRIER_LOOKS_MAX => {
                Some(Stage::LookForBarrier(looks + u8::from(!rules.patient)))
            }
            (stage, answer) => self.during(stage, answer, rules),
        }
    }

    /// The next stage of an attempt whose barrier has passed.
    fn during(&mut self, stage: Stage, answer: &Answer, rules: &Rules) -> Option<Stage> {
        match (stage, answer) {
            (Stage::Observe, Answer::Status(status)) => self.observed(*status, rules),
            (Stage::Stand(status), Answer::Standing(standing)) => self.decided(status, standing, rules),
            (Stage::ReadActive(status), Answer::Active(active)) => {
                let content = status.content;
                let (epoch, seq) = (status.epoch, status.seq);
                let from = RedisState {
                    epoch,
                    seq,
                    acked: status.acked,
                    total: content.total,
                    is_closed: content.is_closed,
                    active: active.clone(),
                };
                Some(Stage::Commit(Transaction::Restore { term: self.term, barrier: self.barrier, from }))
            }
            (Stage::Commit(transaction), Answer::Sealed(Sealed::Next { next, expected })) => {
                // A value that has what PostgreSQL has now goes on. It may be the only copy of it.
                let restores = matches!(transaction, Transaction::Restore { .. });
                let is_as_it_is = matches!(transaction, Transaction::Seal { wanted: Wanted::Exactly(_), .. })
                    || restores && self.seen.content == *expected;
                Some(if is_as_it_is { Stage::Ack(*next, *expected) } else { Stage::Warm(*next, *expected) })
            }
            (Stage::Commit(_), Answer::Sealed(Sealed::BarrierGone)) => {
                self.passed = None;
                self.barrier += 1;
                Some(Stage::PublishBarrier)
            }
            (Stage::Ack(next, expected), Answer::Done) => Some(Stage::Unfence(next, expected)),
            (Stage::Warm(next, expected), Answer::Done) => {
                let delta = self.read_total.cast_signed() - self.initial_total.cast_signed();
                Some(if rules.absolute || delta == 0 {
                    Stage::ReadPage(next, expected, 0)
                } else {
                    Stage::Restock(next, expected, delta)
                })
            }
            (Stage::Restock(next, expected, _), Answer::Made { .. }) => Some(Stage::ReadPage(next, expected, 0)),
            (Stage::ReadPage(next, expected, after), Answer::Active(page)) => Some(match page.last() {
                None => Stage::Open(next, expected),
                Some(last) => Stage::Rebuild(next, expected, after.max(last.id), page.clone()),
            }),
            (Stage::Rebuild(next, expected, last, _), Answer::Done) => Some(Stage::ReadPage(next, expected, last)),
            (Stage::Open(next, _), Answer::Done) => Some(Stage::Settle(next.epoch)),
            (Stage::Unfence(..), Answer::Done) | (Stage::Settle(_), _) => Some(Stage::End),
            _ => None,
        }
    }

    const fn take(&mut self) -> Stage {
        self.attempts = self.attempts.wrapping_add(1);
        Stage::Take
    }

    /// The value that it fenced, or another?
    fn observed(&mut self, status: Status, rules: &Rules) -> Option<Stage> {
        if !status.is_fenced || rules.terms && status.term != self.term {
            return None;
        }
        if rules.instances && status.instance != self.instance {
            return Some(Stage::Fence);
        }
        Some(Stage::Stand(status))
    }

    fn decided(&mut self, status: Status, standing: &Standing, rules: &Rules) -> Option<Stage> {
        if rules.terms && standing.term != self.term {
            return None;
        }
        self.seen = status;
        self.read_total = standing.content.total;
        let (term, barrier) = (self.term, self.barrier);
        let (epoch, head) = (standing.epoch, standing.head);
        let seal = |wanted| Some(Stage::Commit(Transaction::Seal { term, barrier, epoch, wanted }));
        match decide(&status, standing, rules) {
            Decision::Wait => {
                self.waits += u8::from(!rules.patient);
                (rules.patient || !self.waits.is_multiple_of(WAITS_MAX)).then_some(Stage::Observe)
            }
            Decision::Seal => seal(Wanted::Exactly(status.seq)),
            Decision::GoOn(next) => Some(Stage::Ack(next, standing.content)),
            Decision::Restore => Some(Stage::ReadActive(status)),
            Decision::Rebuild => seal(Wanted::Anywhere(Seen { epoch: status.epoch, seq: status.seq, head })),
        }
    }
}
