//! What Flash's processes say to each other: FLASH.* commands and replies as types in both directions, and the JSON
//! that travels through the broker. No sockets, no clients.

#![forbid(unsafe_code)]

mod args;
mod end_hold;
mod envelope;
pub mod key;
mod map;
pub mod message;
mod name;
mod operate;
mod rebuild;
mod recover;
mod relay;
pub mod reply;
mod reserve;
mod reserved;
mod status;
mod throttle;
mod traceparent;
mod value;
mod warm;

pub use args::{ArgError, ArgSink, Args, INVALID};
pub use end_hold::{EndHold, EndHoldAnswer};
pub use envelope::{BARRIER_BYTES_MAX, Barrier, Envelope};
/// The core's types that commands, replies and messages are made of.
pub use flash_sale::{Change, Event, Invalid, Malformed, Refusal, State, Terms, invalid, limits};
pub use flash_sale::{Content, Details, Expected, ExpectedSku, Life, digest};
pub use flash_sale::{DEFAULT_LIMIT, DEFAULT_SKU, Item, Items, NextEpoch, Reserved, SkuTerms};
pub use flash_throttle::{
    BucketTerms, BurstTerms, DailyTerms, OffsetChange, Standing, Terms as ThrottleTerms, WindowTerms,
};
pub use map::Map;
pub use message::Message;
pub use name::Name;
pub use operate::{Restock, RestockAnswer, SwitchAnswer};
pub use rebuild::{
    ACTIVE_RESERVATIONS_MAX, Active, ActiveAnswer, REBUILD_RESERVATIONS_MAX, Rebuild, RebuildAnswer, RebuiltReservation,
};
pub use recover::{Attempt, Fence, FenceAnswer, INSTANCE_MAX, Unfence, UnfenceAnswer};
pub use relay::{
    Ack, AckAnswer, COUNT_MAX, LEASE_MS_MAX, PULL_EVENTS_DEFAULT, Pull, PullAnswer, READY_SALES_DEFAULT,
    REAP_HOLDS_DEFAULT, RELAY_BYTES_MAX, Ready, ReadyAnswer, ReadySale, Reap, ReapAnswer,
};
pub use reply::{Answer, Outcome};
pub use reserve::{Reserve, ReserveAnswer, Wanted};
pub use status::{BuyerStatus, ReservationStatus, SaleStatus, SkuStatus, Status};
pub use throttle::{COST_DEFAULT, Throttle, ThrottleAnswer};
pub use traceparent::TraceParent;
pub use value::{Fields, Sink, Tree, Unreadable, Value};
pub use warm::{FIRST_EPOCH, Warm, WarmAnswer};

#[cfg(test)]
mod tests;
