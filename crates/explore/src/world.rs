//! The whole world, and the steps that it can take.

use crate::actors::{Buying, Operator, Planned, Recovery, Relay, Sweep, Syncer};
use crate::broker::Broker;
use crate::message::{Answer, Command, Request, Sealed, Transaction};
use crate::model::Change;
use crate::postgres::Postgres;
use crate::redis::{Did, Offer, Redis};
use crate::remains::Remains;
use crate::rules::Rules;
use crate::step::Step;
use crate::witness::{Broken, Witness};

/// Requests whose senders have given up on them, at most: the oldest goes first.
pub(crate) const ORPHANS_MAX: usize = 8;

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) gateways: u8,
    pub(crate) syncers: u8,
    pub(crate) buyers: u8,
    pub(crate) offer: Offer,
    pub(crate) operator: bool,
}

/// One process or person.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    Recovery(Recovery),
    Planned(Box<Planned>),
    Relay(Relay),
    Sweep(Sweep),
    Syncer(Syncer),
    Buyer(Buying),
    Operator(Operator),
}

/// A request on its way, or its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) answer: Option<Answer>,
}

/// A request that its sender has given up on. It may still be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Orphan {
    pub(crate) request: Request,
    by_operator: bool,
}

/// Servers, actors and what is between them.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) shape: Shape,
    pub(crate) rules: Rules,
    pub(crate) now_ms: u64,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
    pub(crate) backups: Vec<Postgres>,
    pub(crate) broker: Broker,
    pub(crate) actors: Vec<Actor>,
    pub(crate) calls: Vec<Option<Call>>,
    /// The oldest first.
    pub(crate) orphans: Vec<Orphan>,
    pub(crate) witness: Witness,
    /// The newest number that a gateway or a session has got.
    numbers: u32,
}

/// Recovery, relay and sweep, in this order.
const ACTORS_PER_GATEWAY: usize = 3;
const START_MS: u64 = 1_000_000;

impl World {
    pub(crate) fn new(shape: Shape, rules: Rules) -> Self {
        let mut world = Self {
            shape,
            rules,
            now_ms: START_MS,
            redis: Redis::new(shape.offer, START_MS),
            postgres: Postgres::new(shape.offer.total),
            backups: Vec::new(),
            broker: Broker::default(),
            actors: Vec::new(),
            calls: Vec::new(),
            orphans: Vec::new(),
            witness: Witness::new(shape.offer.total),
            numbers: 0,
        };
        for _ in 0..shape.gateways {
            let number = world.number();
            let recovery = world.recovery(number);
            world.actors.push(recovery);
            world.actors.push(Actor::Relay(Relay::new()));
            world.actors.push(Actor::Sweep(Sweep::new()));
        }
        for _ in 0..shape.syncers {
            let number = world.number();
            world.actors.push(Actor::Syncer(Syncer::new(number)));
        }
        let has_holds = shape.offer.hold_ms.is_some();
        world.actors.extend((0..shape.buyers).map(|buyer| Actor::Buyer(Buying::new(buyer, has_holds))));
        if shape.operator {
            world.actors.push(Actor::Operator(Operator::new()));
        }
        world.calls.resize(world.actors.len(), None);
        world
    }

    fn recovery(&self, gateway: u32) -> Actor {
        if self.rules.planned {
            return Actor::Planned(Box::new(Planned::new(gateway, self.shape.offer.terms(), self.rules.patient)));
        }
        Actor::Recovery(Recovery::new(gateway, self.shape.offer.total))
    }

    const fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Lets a step happen. False: it could not.
    pub(crate) fn step(&mut self, step: Step) -> Result<bool, Broken> {
        match step {
            Step::Ask { actor, choice } => Ok(self.ask(actor.into(), choice)),
            Step::Carry { actor } => self.carry(actor.into()),
            Step::Hear { actor } => Ok(self.hear(actor.into())),
            Step::GiveUp { actor } => Ok(self.give_up(actor.into())),
            Step::Late { orphan } => {
                let Some(place) = self.orphans.len().checked_sub(1 + usize::from(orphan)) else { return Ok(false) };
                let Orphan { request, by_operator } = self.orphans.remove(place);
                self.execute(&request, by_operator).map(|_| true)
            }
            Step::Kill { actor } => Ok(self.kill(actor.into())),
            Step::Tick { ms } => {
                self.now_ms += u64::from(ms);
                Ok(true)
            }
            Step::Fault(fault) => self.fault(fault),
        }
    }

    /// Whether someone is in the middle of something.
    pub(crate) fn is_busy(&self) -> bool {
        (0..self.actors.len()).any(|actor| self.is_at_work(actor))
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_recovering(&self) -> bool {
        (0..self.actors.len()).step_by(ACTORS_PER_GATEWAY).any(|actor| self.is_attempting(actor))
    }

    /// Whether an actor is in the middle of something.
    pub(crate) fn is_at_work(&self, actor: usize) -> bool {
        match &self.actors[actor] {
            Actor::Recovery(recovery) => recovery.is_busy(),
            Actor::Planned(recovery) => recovery.is_busy(),
            Actor::Relay(relay) => relay.is_busy(),
            Actor::Sweep(sweep) => sweep.is_busy(),
            Actor::Syncer(syncer) => syncer.is_busy(),
            Actor::Buyer(_) | Actor::Operator(_) => false,
        }
    }

    /// Whether an actor is a recovery in the middle of an attempt.
    pub(crate) fn is_attempting(&self, actor: usize) -> bool {
        match &self.actors[actor] {
            Actor::Recovery(recovery) => recovery.is_busy(),
            Actor::Planned(recovery) => recovery.is_busy(),
            _ => false,
        }
    }

    /// Whether an actor asks for a new term.
    pub(crate) fn is_about_to_take(&self, actor: usize) -> bool {
        let call = self.calls[actor].as_ref();
        call.is_some_and(|call| matches!(call.request, Request::Postgres(Transaction::Take { .. })))
    }

    /// How far a call of the actor is: not there, on its way, or answered.
    pub(crate) fn progress(&self, actor: usize) -> Option<bool> {
        self.calls[actor].as_ref().map(|call| call.answer.is_some())
    }

    fn ask(&mut self, actor: usize, choice: u8) -> bool {
        if actor >= self.actors.len() || self.calls[actor].is_some() {
            return false;
        }
        let request = match &mut self.actors[actor] {
            Actor::Recovery(recovery) => recovery.ask(),
            Actor::Planned(recovery) => match recovery.ask(self.now_ms) {
                Some(request) => request,
                None => return false,
            },
            Actor::Relay(relay) => relay.ask(),
            Actor::Sweep(sweep) => sweep.ask(),
            Actor::Syncer(syncer) => syncer.ask(),
            Actor::Buyer(buyer) => buyer.ask(choice),
            Actor::Operator(operator) => operator.ask(choice),
        };
        self.calls[actor] = Some(Call { request, answer: None });
        true
    }

    fn carry(&mut self, actor: usize) -> Result<bool, Broken> {
        let Some(Some(call)) = self.calls.get_mut(actor) else { return Ok(false) };
        if call.answer.is_some() {
            return Ok(false);
        }
        let request = call.request.clone();
        let answer = self.execute(&request, matches!(self.actors[actor], Actor::Operator(_)))?;
        if let Some(call) = &mut self.calls[actor] {
            call.answer = Some(answer);
        }
        Ok(true)
    }

    fn hear(&mut self, actor: usize) -> bool {
        let Some(place) = self.calls.get_mut(actor) else { return false };
        let Some(Call { answer: Some(answer), .. }) = place.take_if(|call| call.answer.is_some()) else { return false };
        self.tell(actor, Some(&answer));
        true
    }

    fn give_up(&mut self, actor: usize) -> bool {
        let Some(call) = self.calls.get_mut(actor).and_then(Option::take) else { return false };
        self.orphan(call, actor);
        self.tell(actor, None);
        true
    }

    fn orphan(&mut self, call: Call, actor: usize) {
        if call.answer.is_some() {
            return;
        }
        if self.orphans.len() == ORPHANS_MAX {
            self.orphans.remove(0);
        }
        let by_operator = matches!(self.actors[actor], Actor::Operator(_));
        self.orphans.push(Orphan { request: call.request, by_operator });
    }

    fn tell(&mut self, actor: usize, answer: Option<&Answer>) {
        use crate::actors::Told;
        let rules = self.rules;
        match &mut self.actors[actor] {
            Actor::Recovery(recovery) => recovery.hear(answer, &rules),
            Actor::Planned(recovery) => recovery.hear(answer, self.now_ms),
            Actor::Relay(relay) => relay.hear(answer),
            Actor::Sweep(sweep) => sweep.hear(answer),
            Actor::Syncer(syncer) => {
                self.numbers += 1;
                syncer.hear(answer, self.numbers);
            }
            Actor::Buyer(buyer) => match buyer.hear(answer) {
                Some(Told::Reserved { id, buyer, state }) => self.witness.told_reserved(id, buyer, state),
                Some(Told::Ended { id, state }) => self.witness.told_ended(id, state),
                None => {}
            },
            Actor::Operator(operator) => {
                operator.hear(answer);
            }
        }
    }

    /// A server carries a request out.
    fn execute(&mut self, request: &Request, by_operator: bool) -> Result<Answer, Broken> {
        match request {
            Request::Redis(command) => {
                let mut did = Did::default();
                let answer = self.redis.execute(command, self.now_ms, &self.rules, &mut did);
                if let Some(event) = &did.expired {
                    self.witness.made(event)?;
                }
                if let Some(event) = &did.event {
                    self.witness.made(event)?;
                    let is_change = matches!(event.change, Change::Restocked { .. } | Change::Opened | Change::Closed);
                    if by_operator && is_change {
                        self.witness.changed(event, &self.redis);
                    }
                }
                self.witness.is_by_hand &= !did.opened;
                if let (Command::Warm { next, .. }, Answer::Done) = (command, &answer) {
                    let remains = remains(&self.redis, &self.postgres, &self.broker, &self.witness);
                    self.witness.warmed(next.epoch, &remains);
                }
                self.witness.check_redis(&self.redis, &self.postgres, did.opened, self.rules.terms)?;
                Ok(answer)
            }
            Request::Postgres(transaction) => {
                let seen_now = self.seen_under_lock(transaction);
                let transaction = seen_now.as_ref().unwrap_or(transaction);
                let answer = self.postgres.execute(transaction, self.now_ms, &self.rules);
                let is_write = !matches!(
                    transaction,
                    Transaction::Standing { .. } | Transaction::HasBarrier { .. } | Transaction::ActivePage { .. }
                );
                if let (
                    Transaction::Seal { term, .. } | Transaction::Restore { term, .. },
                    Answer::Sealed(Sealed::Next { next, expected }),
                ) = (transaction, &answer)
                {
                    self.witness.sealed(*term, next.epoch, *expected);
                }
                if is_write {
                    self.witness.check_postgres(&self.postgres, self.shape.offer.limit)?;
                }
                if let Transaction::Write { items } = transaction {
                    self.check_stored(items)?;
                }
                Ok(answer)
            }
            Request::Broker(frame) => Ok(self.broker.execute(frame)),
        }
    }

    /// A replay asks Redis for the reservation while it holds its locks.
    fn seen_under_lock(&self, transaction: &Transaction) -> Option<Transaction> {
        let &Transaction::Replay { place, .. } = transaction else { return None };
        let events = self.postgres.quarantine.get(place).map(|row| &row.events[..]);
        let Some([event]) = events.filter(|_| self.rules.replay_locks) else { return None };
        let Change::Reserved { buyer, .. } = event.change else { return None };
        // A fenced sale may be an older state.
        let key = self.redis.key.as_ref().filter(|key| !key.is_fenced());
        let known = key.and_then(|key| key.reservation(event.seq, buyer));
        Some(Transaction::Replay { place, known })
    }

    /// What the answer to a write says: everything is stored.
    fn check_stored(&self, items: &[crate::message::Item]) -> Result<(), Broken> {
        let has = |event: &crate::model::Event| {
            let is_order = || self.postgres.order(event.seq).is_some();
            self.postgres.has(event) || self.postgres.is_restored(event) || is_order()
        };
        let all = items.iter().flat_map(crate::message::Item::events).all(has);
        if all { Ok(()) } else { Err(Broken::AcknowledgedWithoutCommit) }
    }

    /// A process dies: what it has asked may be carried out, and no one hears the answer.
    fn kill(&mut self, actor: usize) -> bool {
        if actor >= self.actors.len() {
            return false;
        }
        let number = self.number();
        let first = actor - actor % ACTORS_PER_GATEWAY;
        match &self.actors[actor] {
            Actor::Recovery(_) | Actor::Planned(_) | Actor::Relay(_) | Actor::Sweep(_) => {
                for one in first..first + ACTORS_PER_GATEWAY {
                    self.silence(one);
                }
                self.actors[first] = self.recovery(number);
                self.actors[first + 1] = Actor::Relay(Relay::new());
                self.actors[first + 2] = Actor::Sweep(Sweep::new());
            }
            Actor::Syncer(syncer) => {
                let syncer = syncer.session();
                self.silence(actor);
                let request = Request::Broker(crate::message::Frame::Disconnect { syncer });
                self.orphan(Call { request, answer: None }, actor);
                self.actors[actor] = Actor::Syncer(Syncer::new(number));
            }
            Actor::Buyer(_) | Actor::Operator(_) => return false,
        }
        true
    }

    fn silence(&mut self, actor: usize) {
        if let Some(call) = self.calls[actor].take() {
            self.orphan(call, actor);
        }
    }
}

pub(crate) const fn remains<'a>(
    redis: &'a Redis,
    postgres: &'a Postgres,
    broker: &'a Broker,
    witness: &Witness,
) -> Remains<'a> {
    Remains {
        redis,
        postgres,
        broker,
        is_by_hand: witness.is_by_hand,
        is_failover: witness.went_back,
        is_brokers: false,
    }
}
