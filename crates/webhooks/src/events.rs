//! What is announced to webhooks, and its headers: for the sender and for the OpenAPI document.

/// An event that is announced to webhooks.
#[derive(Debug)]
pub struct Event {
    /// Its type, as PostgreSQL has it.
    pub kind: &'static str,
    /// What happened, in a line.
    pub summary: &'static str,
    /// What that means.
    pub description: &'static str,
}

/// Each is the end of what can happen to an order.
pub const EVENTS: [Event; 4] = [
    Event {
        kind: "order.confirmed",
        summary: "An order is confirmed",
        description: "Its hold was paid for, or its sale has no pay window.",
    },
    Event {
        kind: "order.released",
        summary: "An order is released",
        description: "Its hold was given back, and its units are available again.",
    },
    Event {
        kind: "order.expired",
        summary: "An order has expired",
        description: "Its hold was not paid for in time, and its units are available again.",
    },
    Event {
        kind: "order.rejected",
        summary: "An order is rejected",
        description: "PostgreSQL refused what Redis had sold: the `reason` says why, and there are no items.",
    },
];

pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

/// Each header of a delivery: its name, what it is, an example.
pub const HEADERS: [(&str, &str, &str); 3] = [
    (ID, "The message's id, the same at each attempt: deduplicate by it.", "msg_7"),
    (TIMESTAMP, "When this attempt was made, in Unix seconds.", "1796000000"),
    (
        SIGNATURE,
        "`v1,` and the base64 of HMAC-SHA256, by the bytes after the secret's `whsec_`, over id, timestamp and body with a \
         dot between.",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
];
