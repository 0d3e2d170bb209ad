//! Every bound of the HTTP side, in one place, each with its unit in its name.

use flash_client::REDIS_TIMEOUT_MS_MAX;

/// Threads that serve HTTP. Beyond it Redis, which has one, is the bound long since.
pub const THREADS_MAX: usize = 64;

/// A request's body. It is also what a buyer may send along as `data`, and that is the larger part.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// The earliest time that a request may name, in Unix milliseconds: in 1973. As seconds it is in the year 5138.
pub const TIME_MS_MIN: u64 = 100_000_000_000;
/// How deep `data` may be nested.
pub const DATA_DEPTH_LEVELS_MAX: usize = 32;
/// A request's line and headers together.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Headers in a request. Browsers behind proxies send about thirty.
pub const HEADERS_MAX: usize = 64;
/// How long a request's headers may take to arrive, from their first byte.
pub const HEADER_TIMEOUT_MS: u64 = 5_000;
/// How long a connection may rest between two requests, unless another time is set …
pub const KEEP_ALIVE_MS: u64 = 5_000;
/// … between this …
pub const KEEP_ALIVE_MS_MIN: u64 = 1_000;
/// … and this: a connection gets no older.
pub const KEEP_ALIVE_MS_MAX: u64 = CONNECTION_AGE_MS_MAX;
/// How long a client may take nothing of what it is sent. Then its connection ends, and what it did not read is gone.
pub const WRITE_STALL_MS: u64 = 10_000;
/// How long the kernel keeps what a client does not acknowledge or take, of a connection that is closed already as well.
pub const USER_TIMEOUT_MS: u64 = 20_000;
/// What the kernel keeps of what one connection is sent; it takes twice as much memory for its own notes.
pub const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// The same of a watcher, who is sent a few hundred bytes at a time.
pub const WATCHER_SEND_BUFFER_BYTES: usize = 8 * 1024;
/// How long a request's body may take to arrive behind its headers.
pub const BODY_TIMEOUT_MS: u64 = 2_000;
/// How long a request may take from its last byte to its deadline, besides the limit for Redis: its questions to PostgreSQL.
/// All parts of a request share its deadline, its wait for a place included.
pub const REQUEST_REST_MS: u64 = 1_000;
/// The same for what operators change, as creating a sale: that is rare, and PostgreSQL has to write.
pub const CHANGE_REST_MS: u64 = 2_000;
/// What a request that has used up its time may take until its answer.
pub const ANSWER_MS: u64 = 100;
/// How long work may take after its request's deadline that says what became of it: where it is not said, the work is in doubt
/// for ever.
pub const AFTERWARDS_MS: u64 = 4_000;
/// How long a request may take, however long the limit for Redis.
pub const REQUEST_MS_MAX: u64 = REDIS_TIMEOUT_MS_MAX + CHANGE_REST_MS;
/// How long what looks at everything: audits and examinations, behind those of others.
pub const LOOK_TIMEOUT_MS: u64 = 10_000;
/// How long an audit or an examination may wait for the one that is under way in this gateway.
pub const TURN_MS_MAX: u64 = 5_000;
/// What one audit may take. Behind it, it says how far it came.
pub const AUDIT_MS_MAX: u64 = 4_000;
/// How long is told what an audit of all sales has found of one, where the next ones do not come to it again. At 100 sales a
/// second for a quarter of the time, as many as an audit knows need two thirds of it.
pub const AUDIT_PART_MS_MAX: u64 = 10 * 60 * 1_000;
/// How long an audit is told again, at least, instead of being made anew: consoles ask every few seconds, each for itself.
pub const AUDIT_FRESH_MS: u64 = 2_000;
/// How long a server may be silent before an examination goes on without it.
pub const EXAMINED_SILENCE_MS_MAX: u64 = 1_500;
/// How long an examination is told again, at least.
pub const EXAMINATION_FRESH_MS: u64 = 10_000;
/// How long a client may take to shake hands where TLS is spoken. Meanwhile it holds a connection's place and nothing else.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 5_000;
/// Between two looks at the files of certificates.
pub const CERTIFICATE_LOOK_MS: u64 = 1_000;
/// Clients that watch sales at this gateway. Beyond it they are refused.
pub const WATCHERS_MAX: usize = 16_384;
/// Watchers that wait to be taken by their thread.
pub const NEWCOMERS_MAX: usize = 1_024;
/// What lies between two events of a sale, at least.
pub const FRAME_EVERY_MS: u64 = 100;
/// How often a watcher of a sale in which nothing happens hears that the connection lives. It is also how a watcher that
/// has hung up is noticed there.
pub const PING_EVERY_MS: u64 = 15_000;
/// How long a watcher may take nothing of what it is sent.
pub const WATCHER_STALL_MS: u64 = 30_000;
/// How old a stream gets. Then it ends, and its client comes again, perhaps to another gateway …
pub const WATCHER_AGE_MS_MAX: u64 = 30 * 60 * 1_000;
/// … each up to so much earlier, so that those that came together do not come back together.
pub const WATCHER_AGE_JITTER_MS: u64 = 10 * 60 * 1_000;
/// Streams that one address may have at one gateway, unless another number is set.
pub const STREAMS_PER_ADDRESS: u32 = 512;
/// Connections that one address may have at one gateway, unless another number is set. A proxy that is trusted may have any.
pub const CONNECTIONS_PER_ADDRESS: u32 = 4_096;
/// Keys that are not good which one address may show …
pub const STRIKES_MAX: u32 = 20;
/// … within this time. Beyond it, what is not known here is not looked up for it.
pub const STRIKE_WINDOW_MS: u64 = 60_000;
/// Addresses whose bad keys are counted.
pub const STRIKE_ADDRESSES_MAX: usize = 65_536;
/// Refused attempts of operators that the audit log gets from one gateway …
pub const REFUSALS_LOGGED_MAX: u32 = 30;
/// … within this time.
pub const REFUSALS_WINDOW_MS: u64 = 60_000;
/// What is encrypted for a watcher, and waits for room in its socket.
pub const WATCHER_TLS_BYTES_MAX: usize = 16 * 1024;
/// What a watcher whose connection ends is told to wait before it comes again: between this …
pub const RETRY_MS_MIN: u64 = 1_000;
/// … and this, so that ten thousand do not come at once.
pub const RETRY_MS_MAX: u64 = 5_000;
/// How long a thread may believe that everything of a sale is sold: no longer is stock that comes back kept from anybody.
pub const SOLD_OUT_KNOWN_MS_MAX: u64 = 200;
/// How often one request asks Redis in spite of it.
pub const SOLD_OUT_ASK_EVERY_MS: u64 = 100;
/// Sales that one thread knows to be sold out; beyond it the one that came first is asked for in Redis.
pub const SOLD_OUT_SALES_MAX: usize = 64;
/// Buyers of one sale whom one thread remembers, at eight bytes each; where there are more, Redis is asked for all.
pub const SOLD_OUT_BUYERS_MAX: u64 = 131_072;
/// How often one thread asks PostgreSQL for them.
pub const SOLD_OUT_BUYERS_EVERY_MS: u64 = 1_000;
/// Threads for work that takes a processor for long: data that a form has much to say of.
pub const POOL_THREADS: usize = 2;
/// What may wait for one of them. Beyond it a request is refused at once.
pub const POOL_JOBS_MAX: usize = 64;
/// How long such work may take, its wait for a thread included.
pub const POOL_TIMEOUT_MS: u64 = 500;
/// The longest wait that a client is granted until its reservation is in PostgreSQL (`Prefer: wait=n`).
pub const WAIT_S_MAX: u64 = 5;
/// Clients of one thread that wait so. Beyond it nobody waits: the answer says what is known now.
pub const WAITERS_MAX: usize = 4_096;
/// How long a request whose key Redis may have forgotten waits until PostgreSQL has all that it was forgotten with.
pub const FORGOTTEN_KEY_WAIT_MS_MAX: u64 = 300;
/// How often a sale that somebody waits for is looked at.
pub const WAIT_LOOK_MS: u64 = 20;
/// Those who have waited on one thread, and ask PostgreSQL at once.
pub const ASK_AFTER_WAIT_MAX: usize = 32;
/// How old a connection gets. Old ones are closed between two requests, so that connections spread over the threads
/// again, and a client that never reads its answers holds its place no longer than this.
pub const CONNECTION_AGE_MS_MAX: u64 = 300_000;
/// Connections that were opened together are not closed together: each gets up to this much less.
pub const CONNECTION_AGE_JITTER_MS: u64 = 60_000;
/// What a connection that is to close may still take for the request that it is in: body, handler and wait, and some for
/// the answer to leave.
pub const CONNECTION_GRACE_MS: u64 = BODY_TIMEOUT_MS + WAITING_TIMEOUT_MS + 1_000;
/// What a request may take that waits, until its answer.
const WAITING_TIMEOUT_MS: u64 = REQUEST_MS_MAX + WAIT_S_MAX * 1_000;
/// What a thread may take to end: all of its connections first, then the work of buyers who hung up, and some.
pub const STOP_TIMEOUT_MS: u64 = CONNECTION_GRACE_MS + REQUEST_MS_MAX + AFTERWARDS_MS;
/// Connections of one thread. Beyond it new ones wait in the kernel, at most [`BACKLOG_CONNECTIONS_MAX`] of them.
pub const CONNECTIONS_MAX: u32 = 16_384;
/// Files that a gateway has open besides its clients' connections: to its servers, for logs, for webhooks.
const OTHER_FILES_MAX: u64 = 256;
/// Connections that the kernel keeps for a thread until it takes them. (The kernel's own bound may be lower.)
pub const BACKLOG_CONNECTIONS_MAX: i32 = 4_096;
/// Requests that one thread works on at once, and the most that may be set: what its connection to Redis takes. Beyond it
/// requests queue. It is a thread's and not the gateway's: what a thread
/// has in hand waits for this thread's processor and connection, whatever the others have.
pub const REQUESTS_MAX: u32 = 1_024;
/// Requests for each place that wait for one, with their bodies. Beyond them a request is refused at once. A disk that is
/// slow for a second fills the places; of the requests of that second none is to be refused.
pub const QUEUED_PER_PLACE: u32 = 4;
/// The pause after the kernel would not hand out a connection, for want of file descriptors mostly.
pub const ACCEPT_RETRY_MS: u64 = 50;
/// What a client is told to wait before it tries again, when something is away or full.
pub const RETRY_AFTER_S: u64 = 1;
/// The longest wait that a client is told: who waits for an opening is to ask again about once a day.
pub const RETRY_AFTER_S_MAX: u64 = 24 * 60 * 60;
/// Unacknowledged events that a sale's journal takes where its creator says nothing: at 200 bytes each some 200 MB of
/// Redis, and an hour of PostgreSQL's absence at 277 reservations a second.
pub const JOURNAL_EVENTS_DEFAULT: u64 = 1_000_000;

/// What people call a product.
pub const PRODUCT_NAME_BYTES_MAX: usize = 256;
/// What one unit of a product may cost, in the currency's smallest unit. Times the units that a reservation may have, it is
/// a number that PostgreSQL can hold.
pub const PRICE_UNITS_MAX: u64 = 1_000_000_000;
/// What a buyer's account may be opened with, in the currency's smallest unit. What is given back never makes it more.
pub const BALANCE_UNITS_MAX: u64 = 1_000_000_000_000_000;
/// What a payment may be said to be, in the currency's smallest unit: the price of as many units as a sale may have.
pub const AMOUNT_UNITS_MAX: u64 = PRICE_UNITS_MAX * flash_wire::limits::TOTAL_UNITS_MAX;
/// Currencies that have a line of their own in the metrics of what is to be paid back.
pub const DUE_CURRENCIES_MAX: u64 = 50;
/// What a payment service calls a payment, or a refund.
pub use flash_vault::REFERENCE_BYTES_MAX;

/// Ways to sell that one simulation compares.
pub const STRATEGIES_MAX: usize = 16;
/// The name of one.
pub const STRATEGY_BYTES_MAX: usize = 32;
/// Buyers of a simulation. What it sells by `flash` stays in PostgreSQL, and all of it runs beside the console on one machine.
pub const SIMULATION_BUYERS_MAX: u64 = 50_000;
/// Units that a simulation puts on sale.
pub const SIMULATION_UNITS_MAX: u64 = 50_000;
/// Requests that a simulation has under way at once, each with connections of its own, to PostgreSQL too: that takes 100.
pub const SIMULATION_CONCURRENCY_MAX: u64 = 64;
/// Requests a second of a simulation: more than two cores can send and answer.
pub const SIMULATION_RATE_MAX: u64 = 20_000;
/// How long the buyers of a simulation may take to come, to each way to sell.
pub const SIMULATION_S_MAX: u64 = 300;
/// The largest seed: what is larger, not every reader of JSON tells from its neighbours.
pub const SIMULATION_SEED_MAX: u64 = (1 << 53) - 1;

const _: () = assert!(POOL_TIMEOUT_MS < REQUEST_REST_MS);
const _: () = assert!(flash_payments::DEBIT_TIMEOUT_MS < REQUEST_REST_MS);
// A replay waits for Redis within its transaction.
const _: () = assert!(REQUEST_MS_MAX < flash_vault::IDLE_IN_TRANSACTION_MS_MAX);
// Who creates a sale has given up by the time a recovery may take it for forgotten.
const _: () = assert!(REQUEST_MS_MAX < flash_recovery::CREATION_GRACE_S * 1_000);
const _: () = assert!(TURN_MS_MAX + AUDIT_MS_MAX < LOOK_TIMEOUT_MS && LOOK_TIMEOUT_MS <= WAITING_TIMEOUT_MS);
const _: () = assert!(SOLD_OUT_ASK_EVERY_MS < SOLD_OUT_KNOWN_MS_MAX);
/// A secret that ids of reservations are made with has at least so many bytes.
pub const ID_SECRET_BYTES_MIN: usize = 32;
/// What a caller may show to prove who it is.
pub const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// A secret that tokens are signed with has at least so many bytes.
pub const TOKEN_SECRET_BYTES_MIN: usize = 32;
/// How far the clocks of whoever makes tokens and of this gateway may be apart.
pub const TOKEN_LEEWAY_S: u64 = 30;
/// How long a token that was verified is believed without another look, if it does not expire before.
pub const TOKEN_KNOWN_S_MAX: u64 = 60;
/// A file of keys that tokens are signed with.
pub const JWKS_BYTES_MAX: u64 = 64 * 1024;
/// Keys in it.
pub const JWKS_KEYS_MAX: usize = 32;
/// Between two looks at it.
pub const JWKS_LOOK_MS: u64 = 1_000;
/// How long what PostgreSQL said about an API key is believed: a revoked key works no longer than this.
pub const KEY_KNOWN_MS_MAX: u64 = 10_000;
/// The same while PostgreSQL is away: it sells without PostgreSQL, to whoever was known before.
pub const KEY_KNOWN_AWAY_MS_MAX: u64 = 300_000;
/// Tokens, or API keys, that one thread remembers; beyond it those that were not used for longest are asked for again.
pub const CALLERS_KNOWN_MAX: usize = 65_536;
/// API keys that one thread asks PostgreSQL for at once: as many as requests that it works on.
pub const KEY_QUERIES_MAX: usize = REQUESTS_MAX as usize;
/// How much of an operator's request stands in the audit log.
pub const LOGGED_BYTES_MAX: usize = 4 * 1024;
/// How much of what a row of the quarantine holds is shown. (`flash quarantine show` shows all of it.)
pub const QUARANTINED_BYTES_MAX: u32 = 64 * 1024;
/// Rows that one page of a list has.
pub const PAGE_ROWS_MAX: u64 = 100;

const _: () = assert!(KEY_KNOWN_MS_MAX < KEY_KNOWN_AWAY_MS_MAX);
const _: () = assert!(CONNECTION_AGE_JITTER_MS < CONNECTION_AGE_MS_MAX);
const _: () = assert!(WRITE_STALL_MS < USER_TIMEOUT_MS);

/// Files that a gateway of so many threads has open when it is full.
#[must_use]
pub const fn files_max(threads: usize) -> u64 {
    (threads as u64).saturating_mul(CONNECTIONS_MAX as u64).saturating_add(OTHER_FILES_MAX)
}
