//! Redis: the module's shell over the real sale, as thin as the module's own. It can lose everything, go back to an
//! older state, and have its key renamed.

mod key;

use std::hash::{Hash, Hasher};

use flash_sale::{Change, Command as SaleCommand, Details, Event as SaleEvent, Refusal, Reserve, Sale};

pub(crate) use key::{Key, Offer, Saved};
use key::{LaterLife, Opening};

use crate::message::{Answer, Command, Status};
use crate::model::{BAD_DATA, BUYERS, EXPIRED_MAX, Event};
use crate::rules::Rules;

/// Older states that a restore may bring back.
const DUMPS_MAX: usize = 3;

/// One Redis server and the key of the sale.
#[derive(Debug, Clone)]
pub(crate) struct Redis {
    pub(crate) offer: Offer,
    pub(crate) key: Option<Key>,
    /// The key under another name, which a relay does not read.
    pub(crate) away: Option<Key>,
    /// What a restart loads.
    disk: Option<Saved>,
    dumps: Vec<Option<Saved>>,
    /// The number of the newest value: the model of a random number that no two values share.
    instances: u64,
}

/// What a command did, for those who keep watch over promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Did {
    /// Holds whose time was over.
    pub(crate) expired: Option<Event>,
    /// The event that was asked for.
    pub(crate) event: Option<Event>,
    /// The sale was fenced and is open.
    pub(crate) opened: bool,
}

impl Redis {
    pub(crate) fn new(offer: Offer, now_ms: u64) -> Self {
        let key = Key::warmed(offer, 1, now_ms);
        Self { offer, key, away: None, disk: None, dumps: Vec::new(), instances: 1 }
    }

    const fn new_instance(&mut self) -> u64 {
        self.instances += 1;
        self.instances
    }

    /// Carries a command out.
    pub(crate) fn execute(&mut self, command: &Command, now_ms: u64, rules: &Rules, did: &mut Did) -> Answer {
        let answer = match command {
            Command::Fence { term } => self.fence(*term, rules),
            &Command::Warm { term, instance, next, total, is_closed } => {
                self.warm(instance, &LaterLife { term, next, total, is_closed }, now_ms, rules)
            }
            command => match &mut self.key {
                Some(key) => of_key(key, command, now_ms, rules, did),
                None => Err(Refusal::NotWarmed),
            },
        };
        answer.unwrap_or_else(Answer::Refused)
    }

    fn warm(&mut self, instance: u64, life: &LaterLife, now_ms: u64, rules: &Rules) -> Result<Answer, Refusal> {
        if self.key.is_none() && !rules.instances {
            self.key = Some(Key::shell(life.term, 0));
        }
        let key = self.key.as_mut().ok_or(Refusal::NotWarmed)?;
        if !key.is_meant(instance, rules) || rules.terms && key.term() != life.term {
            return Err(Refusal::Fenced);
        }
        if key.epoch() != life.next.epoch {
            *key = key.gives_way(life, self.offer, now_ms, rules).ok_or(Refusal::Conflict)?;
        }
        Ok(Answer::Done)
    }

    fn fence(&mut self, term: Option<u64>, rules: &Rules) -> Result<Answer, Refusal> {
        if self.key.is_none() {
            let term = term.ok_or(Refusal::NotWarmed)?;
            self.key = Some(Key::shell(term, self.instances + 1));
            self.new_instance();
        }
        let key = self.key.as_mut().ok_or(Refusal::NotWarmed)?;
        match term {
            Some(term) => key.fence_for(term, rules)?,
            None => key.fence(),
        }
        Ok(Answer::Fenced { epoch: key.epoch(), seq: key.seq(), instance: key.instance })
    }

    /// Writes the key to the disk.
    pub(crate) fn persist(&mut self) {
        self.disk = self.key.as_ref().map(Key::save);
    }

    /// Keeps a copy that someone may bring back.
    pub(crate) fn dump(&mut self) {
        if self.dumps.len() == DUMPS_MAX {
            self.dumps.remove(0);
        }
        self.dumps.push(self.key.as_ref().map(Key::save));
    }

    /// A restart: the key is what the disk has.
    pub(crate) fn restart(&mut self) {
        let instance = self.new_instance();
        self.key = self.disk.as_ref().and_then(|saved| Key::load(saved, instance));
        self.away = None;
    }

    /// RESTORE of an older dump, or a failover to an old replica.
    pub(crate) fn restore(&mut self, dump: usize) -> bool {
        let Some(saved) = self.dumps.get(dump).cloned() else { return false };
        let instance = self.new_instance();
        self.key = saved.and_then(|saved| Key::load(&saved, instance));
        true
    }

    /// Everything is gone.
    pub(crate) fn lose(&mut self) {
        (self.key, self.away, self.disk) = (None, None, None);
    }

    /// RENAME away, or back where it came from. The module fences what is renamed.
    pub(crate) fn rename(&mut self) {
        let instance = self.new_instance();
        std::mem::swap(&mut self.key, &mut self.away);
        for key in [&mut self.key, &mut self.away].into_iter().flatten() {
            key.fence();
            key.instance = instance;
        }
    }

    /// MULTI; DEL; FLASH.WARM with the same terms; EXEC.
    pub(crate) fn warm_by_hand(&mut self, now_ms: u64) {
        let instance = self.new_instance();
        self.key = Key::warmed(self.offer, instance, now_ms);
    }

    /// Every byte of it.
    pub(crate) fn hash_all(&self, hasher: &mut impl Hasher) {
        for key in [&self.key, &self.away] {
            key.as_ref().map(|key| (key.save(), key.instance)).hash(hasher);
        }
        (&self.disk, &self.dumps, self.instances).hash(hasher);
    }
}

/// A command on a key that is there.
fn of_key(key: &mut Key, command: &Command, now_ms: u64, rules: &Rules, did: &mut Did) -> Result<Answer, Refusal> {
    match command {
        Command::Status => Ok(Answer::Status(status(key, rules))),
        Command::Active => Ok(Answer::Active(key.active().collect())),
        Command::Rebuild { term, instance, epoch, page } => {
            if !key.is_meant(*instance, rules) {
                return Err(Refusal::Fenced);
            }
            key.rebuild(*term, *epoch, page, rules).map(|_| Answer::Done)
        }
        &Command::Unfence { term, instance, epoch, seq, next, expected } => {
            if !key.is_meant(instance, rules) {
                return Err(Refusal::Fenced);
            }
            let was_fenced = key.is_fenced();
            key.unfence(&Opening { term, epoch, seq, next, expected }, rules)?;
            did.opened = was_fenced;
            Ok(Answer::Done)
        }
        Command::Ack { epoch, seq } => ack(key, *epoch, *seq, rules),
        Command::Pull { after, count } => pull(key, *after, *count),
        Command::Reservation { id } => {
            let found = key.sale().reservation(*id).ok_or(Refusal::Unknown)?;
            Err(Refusal::Replayed { id: *id, expires_at_ms: None, state: found.state })
        }
        command => {
            let sale = key.sale_mut();
            if !sale.is_fenced() {
                let own =
                    if let Command::Reserve { buyer, .. } = command { Some(BUYERS[usize::from(*buyer)]) } else { None };
                let expired = sale.expire(now_ms, EXPIRED_MAX, own);
                if let Some(event) = &expired {
                    sale.apply(event);
                    did.expired = Some(Event::of(event));
                }
            }
            sell(sale, command, now_ms, rules, did)
        }
    }
}

fn status(key: &Key, rules: &Rules) -> Status {
    Status {
        epoch: key.epoch(),
        seq: key.seq(),
        acked: key.sale().acked(),
        term: key.term(),
        instance: key.instance,
        is_fenced: key.is_fenced(),
        was_open: key.was_open() || !rules.restore_from_whole,
        content: key.content(),
    }
}

/// An acknowledgement of what this sale never made proves that it has forgotten something.
fn ack(key: &mut Key, epoch: u64, seq: u64, rules: &Rules) -> Result<Answer, Refusal> {
    let (own_epoch, own_seq) = (key.epoch(), key.seq());
    if !rules.forgetful_fences && (epoch, seq) > (own_epoch, own_seq) {
        return Err(Refusal::Fenced);
    }
    key.sale_mut().ack(epoch, seq)?;
    Ok(Answer::Done)
}

fn pull(key: &Key, after: u64, count: usize) -> Result<Answer, Refusal> {
    let sale = key.sale();
    if sale.is_shell() {
        return Err(Refusal::Fenced);
    }
    let decoded = sale.journal_after(after).take(count).filter_map(|bytes| SaleEvent::decode(bytes).ok());
    let events = decoded.map(|event| Event::of(&event)).collect();
    Ok(Answer::Pulled { epoch: sale.epoch(), acked: sale.acked(), events })
}

/// What buyers and operators ask for.
fn sell(sale: &mut Sale, command: &Command, now_ms: u64, rules: &Rules, did: &mut Did) -> Result<Answer, Refusal> {
    let request;
    let wish = match command {
        Command::Reserve { buyer, request: number, is_bad } => {
            request = format!("r{number}");
            let items = sale.items_of_only_sku(1).map_err(|_| Refusal::Unknown)?;
            let data = is_bad.then_some(BAD_DATA);
            let buyer = BUYERS[usize::from(*buyer)];
            let details = Details { request: Some(&request), data };
            SaleCommand::Reserve(Reserve { buyer, items, details, is_new: false })
        }
        Command::Confirm { id } => SaleCommand::Confirm { id: *id },
        Command::Release { id } => SaleCommand::Release { id: *id },
        Command::Restock { delta } => SaleCommand::Restock { sku: 0, delta: *delta },
        Command::Open => SaleCommand::Open,
        Command::Close => SaleCommand::Close,
        _ => return Err(Refusal::Fenced),
    };
    let is_operators = matches!(command, Command::Restock { .. } | Command::Open | Command::Close);
    let decided = sale.decide(&wish, now_ms);
    let event = match decided {
        Err(Refusal::Fenced) if is_operators && !rules.fenced_is_silent => unheeded(sale, command, now_ms)?,
        decided => decided?,
    };
    let made = Event::of(&event);
    sale.apply(&event);
    did.event = Some(made);
    Ok(match made.change {
        crate::model::Change::Reserved { .. } => Answer::Reserved { id: made.seq, epoch: made.epoch },
        _ => {
            Answer::Made { epoch: made.epoch, seq: made.seq, total: sale.units()[0].total, is_closed: sale.is_closed() }
        }
    })
}

/// An operator's change of a fenced sale, as it was before such a sale was silent.
fn unheeded(sale: &Sale, command: &Command, now_ms: u64) -> Result<SaleEvent<'static>, Refusal> {
    let units = *sale.units().first().ok_or(Refusal::Fenced)?;
    let change = match command {
        Command::Restock { delta } => {
            let total = units.total.saturating_add_signed(*delta);
            if total < units.taken() {
                return Err(Refusal::Conflict);
            }
            Change::Restocked { sku: 0, total }
        }
        Command::Close if !sale.is_closed() => Change::Closed,
        Command::Open if sale.is_closed() => Change::Opened,
        _ => return Err(Refusal::Conflict),
    };
    Ok(SaleEvent { epoch: sale.epoch(), seq: sale.seq() + 1, at_ms: now_ms.max(1), change })
}
