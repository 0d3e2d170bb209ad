//! Refusals: answers that change nothing. One table has all of them; everything else about them is made of it.

use crate::event::State;

macro_rules! refusals {
    ($($code:literal, $commands:literal: $(#[doc = $meaning:literal])+ $name:ident $({
        $($(#[$about:meta])+ $field:ident: $type:ty),+ $(,)?
    })?;)+) => {
        /// Why a command changed nothing. A refusal is an answer with a stable code, not an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[doc = $meaning])+ $name $({ $($(#[$about])+ $field: $type),+ })?,)+
        }

        #[derive(Clone, Copy)]
        enum Place {
            $($name),+
        }

        impl Refusal {
            /// Every refusal's row.
            pub const TABLE: &'static [Row] = &[$(
                Row { code: $code, commands: $commands, meaning: concat!($($meaning),+) }
            ),+];

            /// The place of this refusal in [`Refusal::TABLE`], for those who count them.
            #[must_use]
            pub const fn place(self) -> usize {
                match self {
                    $(Self::$name { .. } => Place::$name as usize,)+
                }
            }

            /// What follows the code in a reply, in this order. Nothing is written for what is missing at the end.
            #[must_use]
            pub fn facts(self) -> [Fact; FACTS_MAX] {
                match self {
                    $(Self::$name $({ $($field),+ })? => filled(&[$($($field.fact()),+)?]),)+
                }
            }

            /// Reads a refusal from its code and the facts after it; none: there is no such code.
            ///
            /// # Errors
            /// Names the field that is missing or something else.
            pub fn read(code: &str, facts: impl IntoIterator<Item = Fact>) -> Result<Option<Self>, &'static str> {
                let mut facts = facts.into_iter();
                let mut next = || facts.next().unwrap_or(Fact::Nothing);
                Ok(Some(match code {
                    $($code => Self::$name $({
                        $($field: <$type>::of_fact(next()).ok_or(stringify!($field))?),+
                    })?,)+
                    _ => return Ok(None),
                }))
            }
        }
    };
}

refusals! {
    "REPLAYED", "RESERVE CONFIRM RELEASE":
    /// The same request again: the answer is the first reservation.
    Replayed {
        /// The reservation.
        id: u64,
        /// When its hold ends or ended, if it ever was one.
        expires_at_ms: Option<u64>,
        /// Its state now.
        state: State,
    };
    "SOLD_OUT", "RESERVE":
    /// Not enough units available.
    SoldOut;
    "LIMIT_EXCEEDED", "RESERVE":
    /// The buyer would have more units than the limit allows, or too many reservations at once.
    LimitExceeded {
        /// The reservation that takes the limit, where it is one alone.
        existing: Option<u64>,
    };
    "NOT_STARTED", "RESERVE":
    /// The sale opens later.
    NotStarted {
        /// Unix milliseconds.
        opens_at_ms: u64,
    };
    "ENDED", "RESERVE":
    /// The sale's window is over.
    Ended;
    "CLOSED", "RESERVE":
    /// An operator closed the sale.
    Closed;
    "FENCED", "all but STATUS, READY and THROTTLE":
    /// The sale's state is not known to be whole, or the caller speaks of another epoch.
    Fenced;
    "CONFLICT", "RESERVE CONFIRM RELEASE RESTOCK OPEN CLOSE WARM UNFENCE REBUILD":
    /// The same request id with other items; an end that the reservation's state excludes; a restock that takes units
    /// that somebody has.
    Conflict;
    "NOT_WARMED", "all but READY and THROTTLE":
    /// There is no such sale in Redis.
    NotWarmed;
    "UNKNOWN", "CONFIRM RELEASE STATUS":
    /// There is no such reservation, or it ended so long ago that it is forgotten.
    Unknown;
    "EXPIRED", "CONFIRM RELEASE":
    /// The hold's pay window has run out.
    Expired;
    "JOURNAL_FULL", "RESERVE RESTOCK OPEN":
    /// The journal holds as many unacknowledged events as it may.
    JournalFull;
    "LEASED", "PULL":
    /// Another relay has the sale's lease.
    Leased {
        /// Unix milliseconds.
        until_ms: u64,
    };
    "KEY_FORGOTTEN", "RESERVE":
    /// No reservation has the request id, but the sale has forgotten ended ones: whether it is new, only PostgreSQL
    /// knows.
    KeyForgotten {
        /// The event that made it forget the newest of these.
        seq: u64,
    };
}

/// What there is to know of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The stable code in replies.
    pub code: &'static str,
    /// The commands that may answer it, without `FLASH.`.
    pub commands: &'static str,
    /// What it means, as documentation says it: sentences with a blank before each line.
    pub meaning: &'static str,
}

/// Facts after a code.
pub const FACTS_MAX: usize = 3;

/// One thing that a refusal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// It is missing.
    Nothing,
    /// A count, an id or a time.
    Number(u64),
    /// The state of a reservation.
    State(State),
    /// Something that no refusal says.
    Garbage,
}

/// A field of a refusal.
trait Field: Sized {
    fn fact(self) -> Fact;
    fn of_fact(fact: Fact) -> Option<Self>;
}

impl Field for u64 {
    fn fact(self) -> Fact {
        Fact::Number(self)
    }

    fn of_fact(fact: Fact) -> Option<Self> {
        if let Fact::Number(number) = fact { Some(number) } else { None }
    }
}

impl Field for Option<u64> {
    fn fact(self) -> Fact {
        self.map_or(Fact::Nothing, Fact::Number)
    }

    fn of_fact(fact: Fact) -> Option<Self> {
        match fact {
            Fact::Nothing => Some(None),
            fact => u64::of_fact(fact).map(Some),
        }
    }
}

impl Field for State {
    fn fact(self) -> Fact {
        Fact::State(self)
    }

    fn of_fact(fact: Fact) -> Option<Self> {
        if let Fact::State(state) = fact { Some(state) } else { None }
    }
}

fn filled(facts: &[Fact]) -> [Fact; FACTS_MAX] {
    let mut filled = [Fact::Nothing; FACTS_MAX];
    filled[..facts.len()].copy_from_slice(facts);
    filled
}

impl Refusal {
    /// The stable code in replies.
    #[must_use]
    pub const fn code(self) -> &'static str {
        Self::TABLE[self.place()].code
    }
}
