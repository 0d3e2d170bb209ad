//! Every bound of webhooks, in one place, each with its unit in its name.

/// Bytes of a webhook's URL.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2_048;
/// Deliveries to one receiver that one gateway has under way at once. Each receiver has as many places of its own, so
/// that one that is slow holds up no other.
pub(crate) const DELIVERIES_PER_RECEIVER: u32 = 16;
/// What one attempt may take, from the look at the receiver's name to the head of its answer.
pub(crate) const DELIVERY_TIMEOUT_MS: u64 = 10_000;
/// The longest wait that a receiver is granted which answers 429 or 503 with `Retry-After`. A shorter one is kept to.
pub(crate) const RETRY_AFTER_HONOURED_S_MAX: u64 = 24 * 60 * 60;
/// How long a gateway that delivers keeps the others from it. One that has died holds a delivery up no longer.
pub(crate) const DELIVERY_HOLD_S: u32 = 30;
/// How often a gateway looks for what is due.
pub(crate) const DELIVERY_LOOK_MS: u64 = 1_000;
/// The wait after the first attempt. Each that follows is four times as long …
pub(crate) const DELIVERY_RETRY_S: u32 = 1;
/// … up to this.
pub(crate) const DELIVERY_RETRY_S_MAX: u32 = 8 * 60 * 60;
/// Attempts before a delivery is given up: spread over more than a day.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 12;
/// How long a delivery is remembered that was taken or given up. Until then its row keeps the same end from being
/// delivered again; later it would be, under the same id.
pub const DELIVERY_KEPT_S: u32 = 90 * 24 * 60 * 60;
/// How often old deliveries are forgotten.
pub(crate) const DELIVERIES_FORGET_EVERY_MS: u64 = 60_000;
/// Old deliveries that one statement forgets. As many more are forgotten at the next look, if there are so many.
pub(crate) const DELIVERIES_FORGOTTEN_AT_ONCE: u32 = 5_000;
/// The head of a receiver's answer.
pub(crate) const RECEIVER_HEAD_BYTES_MAX: usize = 16 * 1024;

const _: () = assert!(DELIVERY_KEPT_S as u64 > DELIVERY_ATTEMPTS_MAX as u64 * 2 * RETRY_AFTER_HONOURED_S_MAX);
const _: () = assert!(DELIVERY_TIMEOUT_MS < DELIVERY_HOLD_S as u64 * 1_000);
