//! The calls: a FLASH.* command with the type of its answer.

use std::fmt;
use std::io::Write;
use std::marker::PhantomData;
use std::time::Duration;

use flash_wire::key::{KEY_PREFIX, THROTTLE_KEY_PREFIX};
use flash_wire::{
    Ack, AckAnswer, Active, ActiveAnswer, ArgSink, BuyerStatus, EndHold, EndHoldAnswer, Fence, FenceAnswer, Pull,
    PullAnswer, Ready, ReadyAnswer, Reap, ReapAnswer, Rebuild, RebuildAnswer, ReservationStatus, Reserve,
    ReserveAnswer, Restock, RestockAnswer, SaleStatus, Status, SwitchAnswer, Throttle, ThrottleAnswer, Unfence,
    UnfenceAnswer, Warm, WarmAnswer,
};
use redis::{Cmd, RedisWrite};

/// How long a reservation, its end or a look may take, unless a client is given another limit. A disk that takes two
/// seconds for an `fsync` is slow and no outage: under `appendfsync always` Redis answers nothing meanwhile.
pub const REDIS_TIMEOUT_MS: u64 = 3_000;
/// The shortest limit that a client may be given.
pub const REDIS_TIMEOUT_MS_MIN: u64 = 100;
/// The longest limit that a client may be given: callers wait for it in transactions of PostgreSQL.
pub const REDIS_TIMEOUT_MS_MAX: u64 = 5_000;
/// How long background calls may take: they carry up to a thousand events, or make a large sale's tables.
pub const RELAY_TIMEOUT_MS: u64 = 5_000;

/// Arguments of a usual call, and their bytes: enough that building one allocates once.
const USUAL_ARGS: usize = 8;
const USUAL_BYTES: usize = 192;

/// A command that waits to be sent, with the type of its answer.
pub struct Call<T> {
    pub(crate) command: Cmd,
    /// Its own limit; none: its client's.
    pub(crate) timeout: Option<Duration>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    fn new(name: &'static str) -> Self {
        let mut command = Cmd::with_capacity(USUAL_ARGS, USUAL_BYTES);
        command.write_arg(name.as_bytes());
        Self { command, timeout: None, answer: PhantomData }
    }

    /// A command whose key is the sale's.
    fn on(name: &'static str, sale: &str) -> Self {
        Self::on_key(name, KEY_PREFIX, sale)
    }

    /// It is background work.
    fn background(mut self) -> Self {
        self.timeout = Some(Duration::from_millis(RELAY_TIMEOUT_MS));
        self
    }

    fn on_key(name: &'static str, prefix: &str, id: &str) -> Self {
        let mut call = Self::new(name);
        let mut key = call.command.writer_for_next_arg();
        // Into memory: it cannot fail.
        let _ = write!(key, "{prefix}{id}");
        drop(key);
        call
    }

    fn with(mut self, write: impl FnOnce(&mut Sink)) -> Self {
        write(&mut Sink(&mut self.command));
        self
    }
}

impl Call<WarmAnswer> {
    /// Creates a sale.
    #[must_use]
    pub fn warm(sale: &str, warm: &Warm) -> Self {
        Self::on(Warm::NAME, sale).background().with(|sink| warm.args(sink))
    }
}

impl Call<ReserveAnswer> {
    /// Asks for a reservation.
    #[must_use]
    pub fn reserve(sale: &str, reserve: &Reserve) -> Self {
        Self::on(Reserve::NAME, sale).with(|sink| reserve.args(sink))
    }
}

impl Call<EndHoldAnswer> {
    /// Ends a hold because it was paid for.
    #[must_use]
    pub fn confirm(sale: &str, id: u64) -> Self {
        Self::on(EndHold::CONFIRM, sale).with(|sink| EndHold { id }.args(sink))
    }

    /// Gives a hold back.
    #[must_use]
    pub fn release(sale: &str, id: u64) -> Self {
        Self::on(EndHold::RELEASE, sale).with(|sink| EndHold { id }.args(sink))
    }
}

impl Call<SaleStatus<'static>> {
    /// The sale's state.
    #[must_use]
    pub fn sale_status(sale: &str) -> Self {
        Self::on(Status::NAME, sale).with(|sink| Status::Sale.args(sink))
    }
}

impl Call<BuyerStatus<'static>> {
    /// What a buyer has.
    #[must_use]
    pub fn buyer_status(sale: &str, buyer: &str) -> Self {
        Self::on(Status::NAME, sale).with(|sink| Status::Buyer(buyer).args(sink))
    }
}

impl Call<ReservationStatus<'static>> {
    /// One reservation.
    #[must_use]
    pub fn reservation_status(sale: &str, id: u64) -> Self {
        Self::on(Status::NAME, sale).with(|sink| Status::Id(id).args(sink))
    }
}

impl Call<ReadyAnswer> {
    /// The sales on this node that need a relay, at most `count`.
    #[must_use]
    pub fn ready(count: u64) -> Self {
        Self::new(Ready::NAME).background().with(|sink| Ready { count }.args(sink))
    }
}

impl Call<ReapAnswer> {
    /// Expires due holds, at most `count`.
    #[must_use]
    pub fn reap(sale: &str, count: u64) -> Self {
        Self::on(Reap::NAME, sale).background().with(|sink| Reap { count }.args(sink))
    }
}

impl Call<PullAnswer> {
    /// Reads the journal.
    #[must_use]
    pub fn pull(sale: &str, pull: &Pull) -> Self {
        Self::on(Pull::NAME, sale).background().with(|sink| pull.args(sink))
    }
}

impl Call<AckAnswer> {
    /// Says what PostgreSQL has.
    #[must_use]
    pub fn ack(sale: &str, ack: Ack) -> Self {
        Self::on(Ack::NAME, sale).background().with(|sink| ack.args(sink))
    }
}

impl Call<RestockAnswer> {
    /// Puts units on sale, or takes them off it.
    #[must_use]
    pub fn restock(sale: &str, restock: Restock) -> Self {
        Self::on(Restock::NAME, sale).with(|sink| restock.args(sink))
    }
}

impl Call<SwitchAnswer> {
    /// Lets a closed sale go on.
    #[must_use]
    pub fn open(sale: &str) -> Self {
        Self::on(SwitchAnswer::OPEN, sale)
    }

    /// Stops a sale.
    #[must_use]
    pub fn close(sale: &str) -> Self {
        Self::on(SwitchAnswer::CLOSE, sale)
    }
}

impl Call<FenceAnswer> {
    /// Stops a sale until its state is known to be whole.
    #[must_use]
    pub fn fence(sale: &str) -> Self {
        Self::on(Fence::NAME, sale).background()
    }

    /// Stops a sale for the recovery attempt `term`, whether or not Redis has that sale.
    #[must_use]
    pub fn fence_for(sale: &str, term: u64) -> Self {
        Self::on(Fence::NAME, sale).background().with(|sink| Fence { term: Some(term) }.args(sink))
    }
}

impl Call<UnfenceAnswer> {
    /// Lets a fenced sale go on.
    #[must_use]
    pub fn unfence(sale: &str, unfence: &Unfence) -> Self {
        Self::on(Unfence::NAME, sale).background().with(|sink| unfence.args(sink))
    }
}

impl Call<RebuildAnswer> {
    /// Gives reservations of earlier lives back to a fenced sale.
    #[must_use]
    pub fn rebuild(sale: &str, rebuild: &Rebuild) -> Self {
        Self::on(Rebuild::NAME, sale).background().with(|sink| rebuild.args(sink))
    }
}

impl Call<ActiveAnswer<'static>> {
    /// Active reservations whose id is higher than `after`, at most `count` of them, by ascending ids.
    #[must_use]
    pub fn active(sale: &str, after: u64, count: u64) -> Self {
        Self::on(Active::NAME, sale).background().with(|sink| Active { after, count }.args(sink))
    }
}

impl Call<ThrottleAnswer> {
    /// Asks the rate limit `name` for units. Answered, it is never a refusal: see [`ThrottleAnswer::is_allowed`].
    #[must_use]
    pub fn throttle(name: &str, throttle: &Throttle) -> Self {
        Self::on_key(Throttle::NAME, THROTTLE_KEY_PREFIX, name).with(|sink| throttle.args(sink))
    }
}

/// Buyers, requests and data stay out of logs.
impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

struct Sink<'a>(&'a mut Cmd);

impl ArgSink for Sink<'_> {
    fn arg(&mut self, bytes: &[u8]) {
        self.0.write_arg(bytes);
    }

    fn int(&mut self, value: u64) {
        self.0.write_arg_fmt(value);
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::message::{MessageItem, MessageReserved};
    use flash_wire::{
        Attempt, Content, Expected, ExpectedSku, NextEpoch, RebuiltReservation, ThrottleTerms, WindowTerms,
    };

    use super::*;

    /// `want` is the command's arguments with one blank between.
    fn check<T>(call: &Call<T>, want: &str) {
        let words: Vec<_> = want.split(' ').collect();
        let packed: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let got = call.command.get_packed_command();
        assert_eq!(String::from_utf8_lossy(&got), format!("*{}\r\n{packed}", words.len()));
    }

    #[test]
    fn a_call_is_its_name_its_key_and_its_arguments() {
        check(&Call::confirm("drop", 7), "FLASH.CONFIRM flash:drop 7");
        let terms = ThrottleTerms::Strict(WindowTerms { limit: 10, window_ms: 1_000 });
        let throttle = Throttle { terms, cost: 1 };
        check(&Call::throttle("ip:::1", &throttle), "FLASH.THROTTLE flash:throttle:ip:::1 STRICT 10 1000");
        check(&Call::ready(5), "FLASH.READY COUNT 5");
    }

    #[test]
    fn an_operators_calls_are_what_the_module_takes() {
        check(&Call::restock("drop", Restock { sku: None, delta: -3 }), "FLASH.RESTOCK flash:drop -3");
        check(&Call::restock("drop", Restock { sku: Some("s"), delta: 5 }), "FLASH.RESTOCK flash:drop SKU s 5");
        check(&Call::open("drop"), "FLASH.OPEN flash:drop");
        check(&Call::close("drop"), "FLASH.CLOSE flash:drop");
    }

    #[test]
    fn a_recoverys_calls_are_what_the_module_takes() {
        check(&Call::fence("drop"), "FLASH.FENCE flash:drop");
        check(&Call::fence_for("drop", 7), "FLASH.FENCE flash:drop TERM 7");
        check(&Call::active("drop", 5, 10), "FLASH.ACTIVE flash:drop AFTER 5 COUNT 10");
        let unfence = Unfence { epoch: 2, seq: 9, next: None, attempt: None, expected: None };
        check(&Call::unfence("drop", &unfence), "FLASH.UNFENCE flash:drop 2 9");
        let attempt = Some(Attempt { term: 7, instance: 6 });
        let content = Content { reservations: 4, digest: 11 };
        let skus = vec![ExpectedSku { name: "s".to_owned(), total: 5, taken: 4 }];
        let unfence = Unfence {
            next: Some(NextEpoch { epoch: 3, after: 20 }),
            attempt,
            expected: Some(Expected { content, is_closed: true, skus }),
            ..unfence
        };
        check(
            &Call::unfence("drop", &unfence),
            "FLASH.UNFENCE flash:drop 2 9 EPOCH 3 AFTER 20 TERM 7 INSTANCE 6 RESERVATIONS 4 DIGEST 11 CLOSED 1 SKU s 5 4",
        );
        let reservation = RebuiltReservation {
            id: 7,
            state: "held".into(),
            made: MessageReserved {
                buyer: "ada".into(),
                items: vec![MessageItem { sku: "s".into(), quantity: 1 }],
                expires_at_ms: Some(5),
                ..MessageReserved::default()
            },
            fingerprint: None,
        };
        let json =
            r#"{"id":7,"state":"held","buyer":"ada","slot":0,"items":[{"sku":"s","quantity":1}],"expires_at_ms":5}"#;
        let rebuild = Rebuild { epoch: 2, attempt, reservations: vec![reservation] };
        check(&Call::rebuild("drop", &rebuild), &format!("FLASH.REBUILD flash:drop 2 TERM 7 INSTANCE 6 {json}"));
    }
}
