//! What can happen in a world.

/// Something that happens. What cannot happen in a world, where an index has nothing, is no step: nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// An actor asks something.
    Ask {
        /// Which.
        actor: u8,
        /// What the actor wants, for those who have a choice.
        choice: u8,
    },
    /// The server carries out what an actor has asked.
    Carry {
        /// Whose request.
        actor: u8,
    },
    /// The answer reaches the actor.
    Hear {
        /// Which.
        actor: u8,
    },
    /// The actor hears nothing, and does not know. The request may yet be carried out.
    GiveUp {
        /// Which.
        actor: u8,
    },
    /// A server carries out a request that was given up on.
    Late {
        /// Which, the newest first.
        orphan: u8,
    },
    /// A process dies, and another takes its place.
    Kill {
        /// One of its actors.
        actor: u8,
    },
    /// Time passes.
    Tick {
        /// Milliseconds.
        ms: u32,
    },
    /// A server fails.
    Fault(Fault),
}

/// What servers do wrong, and what people do to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Redis writes its state down; a restart brings that back.
    Persist,
    /// Someone keeps a dump of the key.
    Dump,
    /// Redis restarts.
    Restart,
    /// Redis has nothing any more.
    LoseRedis,
    /// An older dump takes the place of the key.
    Restore(u8),
    /// RENAME away, or back.
    Rename,
    /// Someone deletes the key and warms it with the same terms.
    WarmByHand,
    /// PostgreSQL's standby is as it is now.
    Backup,
    /// PostgreSQL fails over to a standby.
    Failover(u8),
    /// The queue is lost.
    LoseQueue,
    /// A message comes twice.
    Repeat(u8),
    /// A message comes later than those after it.
    Delay(u8),
    /// What was delayed comes.
    CatchUp,
    /// A message becomes unreadable.
    Spoil(u8),
    /// The broker drops its consumer.
    Disconnect,
}
