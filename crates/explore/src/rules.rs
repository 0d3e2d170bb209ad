//! The mechanisms that the protocol is made of. Each can be taken away: what then goes wrong shows what it is for, and
//! that the simulator would find it.

/// Which mechanisms are there. [`Rules::ALL`] is the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is one mechanism")]
pub struct Rules {
    /// A recovery's commands carry its term, and Redis and PostgreSQL refuse lower ones.
    pub terms: bool,
    /// Redis compares the instance that a command names with the value in the key.
    pub instances: bool,
    /// An epoch that was begun by an earlier attempt is never gone on with.
    pub epochs_once: bool,
    /// UNFENCE says what the sale must have, and is refused where it has something else.
    pub expected: bool,
    /// The life that is warmed has the totals of the seal, rather than a difference that is applied to it later.
    pub absolute: bool,
    /// A fenced sale makes no events, whatever an operator asks.
    pub fenced_is_silent: bool,
    /// An acknowledgement beyond a sale's own seq fences it.
    pub forgetful_fences: bool,
    /// A barrier is for one term and one instance.
    pub barrier_per_incident: bool,
    /// However far an event is ahead, it is stored before its delivery is acknowledged.
    pub early_unbounded: bool,
    /// A replay from the quarantine decides under the lock of the epoch.
    pub replay_locks: bool,
    /// A replay writes nothing that a seal has counted as lost.
    pub replay_sees_gaps: bool,
    /// Only a value that has been open in its epoch is a source for PostgreSQL.
    pub restore_from_whole: bool,
    /// A new term is above the highest that Redis has seen, not only above PostgreSQL's.
    pub terms_above_redis: bool,
    /// No two attempts have the same term, even where PostgreSQL forgot that it gave one.
    pub terms_unique: bool,
    /// No two lives have the same number, even where PostgreSQL forgot that it began one.
    pub epochs_unique: bool,
    /// A term is taken only if no other was, since the doubt was found.
    pub takes_as_seen: bool,
    /// A seal is refused where PostgreSQL went back to before what the decision saw.
    pub seal_sees_head: bool,
    /// Recoveries decide by `flash-plan`, not by the decisions that are kept here for planted bugs.
    pub planned: bool,
    /// Recoveries look for as long as it takes, and count nothing: there are fewer different states.
    pub patient: bool,
    /// An event of a restored reservation that comes late is no rejection.
    pub late_sees_orders: bool,
    /// Two servers that have the same events and not the same content are in doubt.
    pub content_doubts: bool,
}

impl Rules {
    /// The protocol.
    pub const ALL: Self = Self {
        terms: true,
        instances: true,
        epochs_once: true,
        expected: true,
        absolute: true,
        fenced_is_silent: true,
        forgetful_fences: true,
        barrier_per_incident: true,
        early_unbounded: true,
        replay_locks: true,
        replay_sees_gaps: true,
        restore_from_whole: true,
        terms_above_redis: true,
        terms_unique: true,
        epochs_unique: true,
        takes_as_seen: true,
        seal_sees_head: true,
        planned: false,
        patient: false,
        late_sees_orders: true,
        content_doubts: true,
    };

    /// The protocol with the decisions of `flash-plan`.
    pub const PLANNED: Self = Self { planned: true, ..Self::ALL };
}
