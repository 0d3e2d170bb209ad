//! One gateway's recovery with the decisions of `flash-plan`, which the gateway carries out as well. Here each of its
//! actions becomes the requests that the gateway would send, one at a time.

use flash_plan::{
    Action, Answer as Learnt, Content, ExpectedSku, InPostgres, InRedis, Known, NextEpoch, Setback, WAIT_STEP_MS,
    Wanted,
};
use flash_sale::{DEFAULT_SKU, Refusal, State, Terms};
use flash_wire::message::{MessageItem, MessageReserved};
use flash_wire::{Attempt, RebuiltReservation};

use crate::message::{
    self, Answer, Command, Frame, Item, RedisState, Request, Sealed, Seen, Standing, Status, Transaction,
};
use crate::model::{Active, BUYERS, Expected, Next, buyer_of};

/// Reservations in one page: few, so that a rebuilding has several.
const PAGE: usize = 2;
/// Looks for a barrier before it counts as lost.
const BARRIER_LOOKS_MAX: u8 = 60;
/// A sale that is older than the request which creates it.
const AGE_S: u64 = 1_000;

/// What of an action was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    First,
    /// Redis has said this; PostgreSQL comes next.
    Redis(Option<Status>),
    /// The barrier was published; so many looks found nothing.
    Barrier(u8),
}

/// The action that was asked for last, of those whose answers differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    Look,
    Renew,
    Barrier,
    Rehearse,
    Collect,
    Other,
}

impl Asked {
    const fn of(action: &Action<'_>) -> Self {
        match action {
            Action::Look => Self::Look,
            Action::Renew { .. } => Self::Renew,
            Action::Barrier(_) => Self::Barrier,
            Action::Rehearse { .. } => Self::Rehearse,
            Action::Collect(_) => Self::Collect,
            _ => Self::Other,
        }
    }
}

/// The recovery of one gateway.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Planned {
    gateway: u32,
    plan: flash_plan::Recovery,
    asked: Asked,
    part: Part,
    barrier: u64,
    attempts: u8,
    terms: Terms,
    is_taken: bool,
    /// It looks for as long as it takes, and counts nothing.
    is_patient: bool,
}

impl Planned {
    pub(crate) fn new(gateway: u32, terms: Terms, is_patient: bool) -> Self {
        let (plan, part, barrier) = (flash_plan::Recovery::new(), Part::First, u64::from(gateway) << 32);
        Self { gateway, plan, asked: Asked::Other, part, barrier, attempts: 0, terms, is_taken: false, is_patient }
    }

    /// Whether it is in the middle of an attempt.
    pub(crate) const fn is_busy(&self) -> bool {
        self.is_taken
    }

    /// What it asks now; none: it rests.
    pub(crate) fn ask(&mut self, now_ms: u64) -> Option<Request> {
        use Request::{Broker, Postgres, Redis};
        if self.plan.is_over() {
            self.plan = flash_plan::Recovery::new();
        }
        if self.is_patient
            && let Action::Rest { until_ms } = self.plan.next(now_ms)
        {
            self.plan.next(until_ms);
        }
        let (gateway, part, barrier) = (self.gateway, self.part, self.barrier);
        let draw = u16::try_from((u64::from(gateway) << 8 | u64::from(self.attempts)) & 0xffff).unwrap_or(0);
        let action = self.plan.next(now_ms);
        self.asked = Asked::of(&action);
        Some(match action {
            Action::Look => match part {
                Part::Redis(status) => {
                    Postgres(Transaction::Standing { epoch: status.map_or(0, |status| status.epoch) })
                }
                Part::First | Part::Barrier(_) => Redis(Command::Status),
            },
            Action::Take { seen_term, at_least } => {
                Postgres(Transaction::Take { gateway, seen: seen_term, at_least, draw })
            }
            Action::Renew { term } => Postgres(Transaction::Renew { gateway, term }),
            Action::Fence { term } => Redis(Command::Fence { term: Some(term) }),
            Action::Barrier(_) => match part {
                Part::Barrier(_) => Postgres(Transaction::HasBarrier { id: barrier }),
                Part::First | Part::Redis(_) => Broker(Frame::Publish(Item::Barrier(barrier))),
            },
            Action::Rest { .. } | Action::Over => return None,
            Action::Rehearse { attempt, next, expected } => {
                Redis(warm(Attempt { instance: u64::MAX, ..attempt }, next, expected))
            }
            Action::Seal { term, barrier, epoch, wanted } => {
                let wanted = match wanted {
                    Wanted::Exactly(seq) => message::Wanted::Exactly(seq),
                    Wanted::Anywhere(flash_plan::Seen { epoch, seq, head }) => {
                        message::Wanted::Anywhere(Seen { epoch, seq, head })
                    }
                };
                Postgres(Transaction::Seal { term, barrier, epoch, wanted })
            }
            Action::Collect(_) => Redis(Command::Active),
            Action::Restore { term, barrier, redis, reservations } => {
                let content = known_state(&redis.state);
                let active = reservations.iter().map(active).collect();
                let &InRedis { epoch, seq, acked, .. } = redis;
                let from = RedisState { epoch, seq, acked, total: content.total, is_closed: content.is_closed, active };
                Postgres(Transaction::Restore { term, barrier, from })
            }
            Action::Ack { epoch, seq } => Redis(Command::Ack { epoch, seq }),
            Action::Warm { attempt, next, expected } => Redis(warm(attempt, next, expected)),
            Action::ReadPage { after } => Postgres(Transaction::ActivePage { after, count: PAGE }),
            Action::Rebuild { attempt: Attempt { term, instance }, epoch, page } => {
                let page = page.iter().map(active).collect();
                Redis(Command::Rebuild { term, instance, epoch, page })
            }
            Action::Unfence(unfence) => {
                let Attempt { term, instance } = unfence.attempt.unwrap_or(Attempt { term: 0, instance: 0 });
                let (epoch, seq) = (unfence.epoch, unfence.seq);
                let next = unfence.next.map(|next| Next { epoch: next.epoch, after: next.after });
                let expected = unfence.expected.as_ref().map(known_state).unwrap_or_default();
                Redis(Command::Unfence { term, instance, epoch, seq, next, expected })
            }
            Action::Settle { epoch } => Postgres(Transaction::Settle { epoch }),
            Action::End { term } => Postgres(Transaction::End { gateway, term }),
        })
    }

    /// What it makes of an answer; none: nothing came in time.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>, now_ms: u64) {
        if self.asked == Asked::Renew {
            let renewed = match answer {
                Some(Answer::Is(true)) => Ok(Learnt::Done),
                Some(_) => Err(Setback::Superseded),
                None => Err(Setback::Unknown),
            };
            self.learn(renewed, now_ms);
            return;
        }
        let part = std::mem::replace(&mut self.part, Part::First);
        let learnt = match (part, answer) {
            (_, None) => Err(Setback::Unknown),
            (Part::First, Some(Answer::Status(status))) => {
                self.part = Part::Redis(Some(*status));
                return;
            }
            (Part::First, Some(Answer::Refused(Refusal::NotWarmed))) if self.asked == Asked::Look => {
                self.part = Part::Redis(None);
                return;
            }
            (Part::Redis(status), Some(Answer::Standing(standing))) => {
                Ok(Learnt::Known(Box::new(self.known(status, standing))))
            }
            (Part::First, Some(Answer::Done)) if self.asked == Asked::Barrier => {
                self.part = Part::Barrier(0);
                return;
            }
            (Part::Barrier(_), Some(Answer::Is(true))) => Ok(Learnt::Passed { barrier: self.barrier }),
            (Part::Barrier(looks), Some(Answer::Is(false))) if looks < BARRIER_LOOKS_MAX => {
                self.part = Part::Barrier(looks + u8::from(!self.is_patient));
                return;
            }
            (Part::Barrier(_), _) => Err(Setback::Unknown),
            (_, Some(answer)) => self.learnt(answer),
        };
        self.learn(learnt, now_ms);
    }

    fn learn(&mut self, learnt: Result<Learnt, Setback>, now_ms: u64) {
        // Each fence has barriers of its own.
        self.barrier += u64::from(matches!(learnt, Ok(Learnt::Fenced { .. } | Learnt::BarrierGone)));
        self.plan.learn(now_ms, learnt);
        self.is_taken &= match self.plan.next(now_ms) {
            Action::End { .. } | Action::Over => false,
            Action::Rest { until_ms } => until_ms <= now_ms + WAIT_STEP_MS,
            _ => true,
        };
    }

    fn learnt(&mut self, answer: &Answer) -> Result<Learnt, Setback> {
        Ok(match answer {
            Answer::Refused(Refusal::Fenced) if self.asked == Asked::Rehearse => Learnt::Done,
            Answer::Refused(refusal) => return Err(Setback::Refused(*refusal)),
            Answer::Done | Answer::Is(_) => Learnt::Done,
            Answer::Taken(Some(term)) => {
                self.attempts = self.attempts.wrapping_add(1);
                self.is_taken = true;
                Learnt::Taken { term: *term }
            }
            Answer::Taken(None) => return Err(Setback::Another),
            Answer::Fenced { instance, .. } => Learnt::Fenced { instance: *instance },
            Answer::Sealed(Sealed::Next { next, expected }) => {
                let next = NextEpoch { epoch: next.epoch, after: next.after };
                Learnt::Sealed { next, expected: state(expected) }
            }
            Answer::Sealed(Sealed::NotYet) => Learnt::NotYet,
            Answer::Sealed(Sealed::BarrierGone) => Learnt::BarrierGone,
            Answer::Sealed(Sealed::Superseded) => return Err(Setback::Superseded),
            Answer::Active(active) => {
                let all = active.iter().map(rebuilt).collect();
                if self.asked == Asked::Collect { Learnt::Collected(all) } else { Learnt::Page(all) }
            }
            _ => return Err(Setback::Unknown),
        })
    }

    fn known(&self, status: Option<Status>, standing: &Standing) -> Known {
        let redis = status.map(|status| InRedis {
            epoch: status.epoch,
            seq: status.seq,
            acked: status.acked,
            attempt: Attempt { term: status.term, instance: status.instance },
            is_fenced: status.is_fenced,
            was_open: status.was_open,
            is_away: false,
            terms: self.terms.clone(),
            state: state(&status.content),
        });
        let postgres = InPostgres {
            epoch: standing.epoch,
            head: Some(standing.head),
            term: standing.term,
            has_rejections: standing.unsettled,
            has_unsettled: standing.unsettled || standing.has_old,
            has_quarantined: standing.quarantined,
            age_s: AGE_S,
            state: state(&standing.content),
        };
        Known { redis, postgres: Some(postgres) }
    }
}

fn warm(Attempt { term, instance }: Attempt, next: NextEpoch, expected: &flash_plan::Expected) -> Command {
    let Expected { total, is_closed, .. } = known_state(expected);
    Command::Warm { term, instance, next: Next { epoch: next.epoch, after: next.after }, total, is_closed }
}

fn state(content: &Expected) -> flash_plan::Expected {
    let &Expected { reservations, digest, total, taken, is_closed } = content;
    let skus = vec![ExpectedSku { name: DEFAULT_SKU.to_owned(), total, taken }];
    flash_plan::Expected { content: Content { reservations, digest }, is_closed, skus }
}

fn known_state(state: &flash_plan::Expected) -> Expected {
    let Content { reservations, digest } = state.content;
    let (total, taken) = state.skus.first().map_or((0, 0), |sku| (sku.total, sku.taken));
    Expected { reservations, digest, total, taken, is_closed: state.is_closed }
}

fn rebuilt(active: &Active) -> RebuiltReservation<'static> {
    RebuiltReservation {
        id: active.id,
        state: active.state().name().into(),
        made: MessageReserved {
            buyer: BUYERS[usize::from(active.buyer)].into(),
            slot: active.slot,
            items: vec![MessageItem { sku: DEFAULT_SKU.into(), quantity: 1 }],
            expires_at_ms: active.expires_at_ms,
            ..MessageReserved::default()
        },
        fingerprint: None,
    }
}

fn active(rebuilt: &RebuiltReservation<'_>) -> Active {
    Active {
        id: rebuilt.id,
        buyer: buyer_of(&rebuilt.made.buyer),
        slot: rebuilt.made.slot,
        is_confirmed: rebuilt.state == State::Confirmed.name(),
        expires_at_ms: rebuilt.made.expires_at_ms,
    }
}
