//! What an audit can find: what it is called, how bad it is, and what to do.

use serde::Serialize;

/// The state of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is as it must be.
    Whole,
    /// It could not be compared now.
    Unknown,
    /// Something is not as it must be.
    Drift,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In Redis, total is not available + held + confirmed.
    Conservation,
    /// More units are sold in PostgreSQL than there are.
    Oversold,
    /// A counter in PostgreSQL is not the sum of its orders.
    Miscounted,
    /// A buyer has two active orders in one slot.
    SecondOrder,
    /// A buyer has more units than the limit.
    OverLimit,
    /// Orders are for a SKU that the sale does not have.
    UnknownSku,
    /// Orders lie beyond what was ever written.
    UnexplainedOrder,
    /// A life of the sale is over and not sealed where it ends, or sealed and not over.
    Unsealed,
    /// The journal let go of events that PostgreSQL does not have.
    Lost,
    /// Redis has forgotten events that PostgreSQL has.
    Behind,
    /// Redis lives in an earlier life of the sale than PostgreSQL.
    OlderLife,
    /// Redis has no such sale.
    NotInRedis,
    /// Redis has not seen the newest recovery attempt, and no gateway is at work on it.
    OlderTerm,
    /// Redis and PostgreSQL do not agree about units.
    Differs,
    /// They agree about units, and not about whose they are.
    OtherOrders,
    /// Events wait in a life that is over: no order and no rejection comes of them.
    EarlySealed,
    /// Two buyers were given one id.
    SharedId,
    /// A payment is joined to another buyer's order.
    ForeignPayment,
    /// What was paid for the orders is not what they cost.
    Books,
    /// A payment is settled without a confirmed order of its buyer.
    OrderlessPayment,
    /// A payment is there twice.
    PaymentTwice,
    /// Events or messages wait in the quarantine.
    Quarantined,
    /// The sale is fenced: a recovery is at work, or is waited for.
    Fenced,
    /// PostgreSQL is too far behind to compare.
    TooFarBehind,
    /// The sale moved on at each attempt to look at it.
    Moving,
    /// Reservations were refused by PostgreSQL, and recorded.
    Rejected,
    /// Events were lost with Redis and the broker together, and recorded.
    Gaps,
    /// Orders that PostgreSQL had lost were written again from Redis.
    Restored,
    /// Events wait in PostgreSQL for those before them.
    Early,
    /// The sale keeps no journal: nothing of it goes to PostgreSQL.
    NoJournal,
    /// The sale was created, and never warmed.
    NeverWarmed,
    /// Redis or PostgreSQL does not say what is asked.
    Unanswered,
    /// Time was up before everything was looked at.
    Unfinished,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where, and how much of it.
    pub detail: String,
    /// What to do.
    pub advice: &'static str,
}

impl Finding {
    /// What was found, and where.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), advice: kind.advice() }
    }
}

impl Kind {
    /// What a sale with such a finding is.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Rejected | Self::Gaps | Self::Restored | Self::Early | Self::NoJournal | Self::NeverWarmed => {
                Verdict::Whole
            }
            Self::Fenced | Self::TooFarBehind | Self::Moving | Self::Unanswered | Self::Unfinished => Verdict::Unknown,
            _ => Verdict::Drift,
        }
    }

    /// As it is called in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conservation => "conservation",
            Self::Oversold => "oversold",
            Self::Miscounted => "miscounted",
            Self::SecondOrder => "second_order",
            Self::OverLimit => "over_limit",
            Self::UnknownSku => "unknown_sku",
            Self::UnexplainedOrder => "unexplained_order",
            Self::Unsealed => "unsealed",
            Self::Lost => "lost",
            Self::Behind => "behind",
            Self::OlderLife => "older_life",
            Self::NotInRedis => "not_in_redis",
            Self::OlderTerm => "older_term",
            Self::Differs => "differs",
            Self::OtherOrders => "other_orders",
            Self::EarlySealed => "early_sealed",
            Self::SharedId => "shared_id",
            Self::ForeignPayment => "foreign_payment",
            Self::Books => "books",
            Self::OrderlessPayment => "orderless_payment",
            Self::PaymentTwice => "payment_twice",
            Self::Quarantined => "quarantined",
            Self::Fenced => "fenced",
            Self::TooFarBehind => "too_far_behind",
            Self::Moving => "moving",
            Self::Rejected => "rejected",
            Self::Gaps => "gaps",
            Self::Restored => "restored",
            Self::Early => "early",
            Self::NoJournal => "no_journal",
            Self::NeverWarmed => "never_warmed",
            Self::Unanswered => "unanswered",
            Self::Unfinished => "unfinished",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Conservation => "stop the sale and keep its dump: this is a bug of the module",
            Self::Oversold => "cancel orders by hand: more were promised than there are",
            Self::Miscounted => "run `flash repair`: it counts the orders again",
            Self::SecondOrder | Self::OverLimit => "decide which order is to stand, and cancel the others by hand",
            Self::UnknownSku | Self::UnexplainedOrder => "find out who wrote these rows: Flash did not",
            Self::Unsealed => "find out who began another life of the sale: a recovery seals the one before",
            Self::Lost => "stop the sale, and find out who acknowledged them: their buyers have a yes",
            Self::Behind | Self::OlderLife | Self::OlderTerm | Self::Differs | Self::OtherOrders => {
                "run `flash repair`: it fences the sale, and a gateway rebuilds it from PostgreSQL"
            }
            Self::EarlySealed => "keep the rows of the table early: decide by hand whether each becomes an order",
            Self::SharedId => "tell the buyer who was refused: their status says `rejected`",
            Self::ForeignPayment => "pay it back, and find out who was given the order's id",
            Self::Books => "find out who confirmed without a payment, or changed one: see `flash payments list`",
            Self::OrderlessPayment => "find out what became of the order, and pay it back: see `flash payments list`",
            Self::PaymentTwice => "find out who dropped the constraints, and pay one of them back",
            Self::Restored => "nothing: what came with these orders is lost, the buyers have them",
            Self::NotInRedis => "start a gateway: it rebuilds the sale from PostgreSQL",
            Self::Quarantined => "see `flash quarantine list`, then replay or discard",
            Self::Fenced => "wait: a gateway recovers it; without one, start one",
            Self::TooFarBehind => "wait until the syncer has caught up",
            Self::Moving => "ask again",
            Self::Rejected => "tell the buyers: their status says `rejected`",
            Self::Gaps => "nothing can be done: no server has them any more",
            Self::Early => "nothing: the events before them are on their way, and come again if they were lost",
            Self::NoJournal => "nothing, if it is meant to be in Redis alone",
            Self::NeverWarmed => "nothing: a gateway warms it, or a repeated creation with the same terms does",
            Self::Unanswered => "see `flash doctor`: whether both run, and are what they should be",
            Self::Unfinished => {
                "ask again, and it goes on; or for one sale alone; or run `flash audit`, which takes its time"
            }
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
