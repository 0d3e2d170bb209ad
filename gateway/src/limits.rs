//! Every bound of the HTTP side, in one place, each with its unit in its name.

use flash_client::REDIS_TIMEOUT_MS_MAX;

/// Threads that serve HTTP. Redis, which has one thread, is the limit long before.
pub const THREADS_MAX: usize = 64;

/// A request's body. `data`, which a buyer sends along, may use nearly all of it.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// The earliest time that a request may name, in Unix milliseconds: in 1973. The same number of seconds is in the
/// year 5138.
pub const TIME_MS_MIN: u64 = 100_000_000_000;
/// Levels of nesting in `data`.
pub const DATA_DEPTH_LEVELS_MAX: usize = 32;
/// A request's line and headers together.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request. A browser sends about thirty, including what proxies add.
pub const HEADERS_MAX: usize = 64;
/// How long a request's headers may take to arrive, from their first byte.
pub const HEADER_TIMEOUT_MS: u64 = 5_000;
/// How long a connection may be idle between two requests. Default of a setting.
pub const KEEP_ALIVE_MS: u64 = 5_000;
/// The smallest value of that setting.
pub const KEEP_ALIVE_MS_MIN: u64 = 1_000;
/// The largest value of that setting: no connection gets older.
pub const KEEP_ALIVE_MS_MAX: u64 = CONNECTION_AGE_MS_MAX;
/// How long a client may read nothing of its answers. Then its connection ends, and the unread rest is discarded.
pub const WRITE_STALL_MS: u64 = 10_000;
/// How long the kernel keeps what a client does not acknowledge, also after the connection is closed.
pub const USER_TIMEOUT_MS: u64 = 20_000;
/// The kernel's send buffer of a connection. The kernel uses twice as much memory for its bookkeeping.
pub const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// The same for a watcher, which gets a few hundred bytes at a time.
pub const WATCHER_SEND_BUFFER_BYTES: usize = 8 * 1024;
/// Origins whose pages may use the API.
pub const CORS_ORIGINS_MAX: usize = 64;
/// How long a browser may keep the answer to what it asks before a page's request. Browsers keep it two hours at most.
pub const PREFLIGHT_AGE_S: u64 = 7_200;
/// How long a request's body may take to arrive after its headers.
pub const BODY_TIMEOUT_MS: u64 = 2_000;
/// How long a request may take from its last byte, in addition to the limit for Redis: its queries to PostgreSQL.
/// All parts of a request share one deadline, including its wait for a place.
pub const REQUEST_REST_MS: u64 = 1_000;
/// The same for operators' changes, such as creating a sale: they are rare, and PostgreSQL has to write.
pub const CHANGE_REST_MS: u64 = 2_000;
/// How long the answer may take after a request has used up its time.
pub const ANSWER_MS: u64 = 100;
/// How long the work that records an outcome may take after the deadline. An outcome that is not recorded stays in
/// doubt.
pub const AFTERWARDS_MS: u64 = 4_000;
/// How long a request may take with the largest limit for Redis.
pub const REQUEST_MS_MAX: u64 = REDIS_TIMEOUT_MS_MAX + CHANGE_REST_MS;
/// How long a request that examines everything may take: audits and examinations, including the wait for others.
pub const LOOK_TIMEOUT_MS: u64 = 10_000;
/// How long an audit or an examination may wait for the one that this gateway is running.
pub const TURN_MS_MAX: u64 = 5_000;
/// How long one audit may run. Then it reports how far it got.
pub const AUDIT_MS_MAX: u64 = 4_000;
/// How long the finding of one sale remains in an audit of all sales, if the next ones do not reach the sale. At
/// 100 sales a second for a quarter of the time, a full round takes two thirds of it.
pub const AUDIT_PART_MS_MAX: u64 = 10 * 60 * 1_000;
/// How long an audit's result is reused at least: every console asks each few seconds.
pub const AUDIT_FRESH_MS: u64 = 2_000;
/// How long a server may be silent before an examination continues without it.
pub const EXAMINED_SILENCE_MS_MAX: u64 = 1_500;
/// How long an examination's result is reused at least.
pub const EXAMINATION_FRESH_MS: u64 = 10_000;
/// How long a client may take for the TLS handshake. Meanwhile it uses a connection's place and nothing else.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 5_000;
/// The interval at which certificate files are checked for changes.
pub const CERTIFICATE_LOOK_MS: u64 = 1_000;
/// Clients that watch sales at this gateway. More are refused.
pub const WATCHERS_MAX: usize = 16_384;
/// Watchers that wait for their thread to take them.
pub const NEWCOMERS_MAX: usize = 1_024;
/// The shortest time between two events of a sale.
pub const FRAME_EVERY_MS: u64 = 100;
/// How often a watcher of a quiet sale gets a sign of life. This also detects watchers that hung up.
pub const PING_EVERY_MS: u64 = 15_000;
/// How long a watcher may read nothing.
pub const WATCHER_STALL_MS: u64 = 30_000;
/// The age at which a stream ends. Its client reconnects, perhaps to another gateway.
pub const WATCHER_AGE_MS_MAX: u64 = 30 * 60 * 1_000;
/// Each stream ends up to this much earlier, so that clients that came together do not return together.
pub const WATCHER_AGE_JITTER_MS: u64 = 10 * 60 * 1_000;
/// Streams of one address at one gateway. Default of a setting.
pub const STREAMS_PER_ADDRESS: u32 = 512;
/// Connections of one address at one gateway. Default of a setting. It does not apply to a trusted proxy.
pub const CONNECTIONS_PER_ADDRESS: u32 = 4_096;
/// Invalid keys that one address may present within [`STRIKE_WINDOW_MS`]. After that, PostgreSQL is not asked about
/// its unknown keys.
pub const STRIKES_MAX: u32 = 20;
/// The window of [`STRIKES_MAX`].
pub const STRIKE_WINDOW_MS: u64 = 60_000;
/// Addresses whose invalid keys are counted.
pub const STRIKE_ADDRESSES_MAX: usize = 65_536;
/// Refused attempts of operators that one gateway writes to the audit log within [`REFUSALS_WINDOW_MS`].
pub const REFUSALS_LOGGED_MAX: u32 = 30;
/// The window of [`REFUSALS_LOGGED_MAX`].
pub const REFUSALS_WINDOW_MS: u64 = 60_000;
/// Encrypted bytes of a watcher that wait for room in its socket.
pub const WATCHER_TLS_BYTES_MAX: usize = 16 * 1024;
/// The shortest wait that a stream asks of a watcher before it reconnects.
pub const RETRY_MS_MIN: u64 = 1_000;
/// The longest such wait. Each stream draws one, so that ten thousand clients do not return at once.
pub const RETRY_MS_MAX: u64 = 5_000;
/// How long a thread may assume that a sale is sold out: the longest time for which it withholds returned stock.
pub const SOLD_OUT_KNOWN_MS_MAX: u64 = 200;
/// How often one request asks Redis anyway.
pub const SOLD_OUT_ASK_EVERY_MS: u64 = 100;
/// Sales that one thread knows to be sold out. Beyond that, the oldest one asks Redis again.
pub const SOLD_OUT_SALES_MAX: usize = 64;
/// Buyers of one sale that one thread remembers, at eight bytes each. A sale with more asks Redis for all.
pub const SOLD_OUT_BUYERS_MAX: u64 = 131_072;
/// How often one thread asks PostgreSQL for them.
pub const SOLD_OUT_BUYERS_EVERY_MS: u64 = 1_000;
/// Threads for work that occupies a processor for long: checks of data against large forms.
pub const POOL_THREADS: usize = 2;
/// Jobs that may wait for one of them. More are refused at once.
pub const POOL_JOBS_MAX: usize = 64;
/// How long such a job may take, including its wait for a thread.
pub const POOL_TIMEOUT_MS: u64 = 500;
/// The longest `Prefer: wait=n` that is granted.
pub const WAIT_S_MAX: u64 = 5;
/// Requests of one thread that wait so. More do not wait: the answer says what is known now.
pub const WAITERS_MAX: usize = 4_096;
/// How long a request whose key Redis may have forgotten waits until PostgreSQL has everything that Redis forgot.
pub const FORGOTTEN_KEY_WAIT_MS_MAX: u64 = 300;
/// How often a sale with waiting requests is checked.
pub const WAIT_LOOK_MS: u64 = 20;
/// Requests of one thread that have waited and ask PostgreSQL at the same time.
pub const ASK_AFTER_WAIT_MAX: usize = 32;
/// The age at which a connection is closed, between two requests. So connections spread over the threads again, and
/// a client that never reads its answers holds its place no longer.
pub const CONNECTION_AGE_MS_MAX: u64 = 300_000;
/// Each connection is closed up to this much earlier, so that those that opened together do not close together.
pub const CONNECTION_AGE_JITTER_MS: u64 = 60_000;
/// How long a closing connection may still take for its current request: body, handler, wait, and the answer.
pub const CONNECTION_GRACE_MS: u64 = BODY_TIMEOUT_MS + WAITING_TIMEOUT_MS + 1_000;
/// How long a request that waits may take until its answer.
const WAITING_TIMEOUT_MS: u64 = REQUEST_MS_MAX + WAIT_S_MAX * 1_000;
/// How long a thread may take to stop: its connections first, then the work of buyers who hung up.
pub const STOP_TIMEOUT_MS: u64 = CONNECTION_GRACE_MS + REQUEST_MS_MAX + AFTERWARDS_MS;
/// Connections of one thread. More wait in the kernel, at most [`BACKLOG_CONNECTIONS_MAX`].
pub const CONNECTIONS_MAX: u32 = 16_384;
/// Files that a gateway has open besides its clients' connections: servers, logs, webhooks.
const OTHER_FILES_MAX: u64 = 256;
/// Connections that the kernel keeps for a thread until it takes them. The kernel's own limit may be lower.
pub const BACKLOG_CONNECTIONS_MAX: i32 = 4_096;
/// Requests that one thread works on at once, and the largest value of the setting: what its connection to Redis
/// takes. More requests queue. The limit is per thread, because requests of a thread share its processor and its
/// connection.
pub const REQUESTS_MAX: u32 = 1_024;
/// Requests that wait for a place, with their bodies, per place. More are refused at once. A disk that is slow for
/// a second fills the places, and no request of that second should be refused.
pub const QUEUED_PER_PLACE: u32 = 4;
/// The pause after the kernel refused to hand out a connection, mostly for lack of file descriptors.
pub const ACCEPT_RETRY_MS: u64 = 50;
/// `Retry-After` when something is away or full.
pub const RETRY_AFTER_S: u64 = 1;
/// The longest `Retry-After`: a client that waits for an opening asks again about once a day.
pub const RETRY_AFTER_S_MAX: u64 = 24 * 60 * 60;
/// Unacknowledged events of a sale's journal if its creator gives no number. At 200 bytes each they take some 200
/// MB of Redis, and last for an hour without PostgreSQL at 277 reservations a second.
pub const JOURNAL_EVENTS_DEFAULT: u64 = 1_000_000;

/// A product's name.
pub const PRODUCT_NAME_BYTES_MAX: usize = 256;
/// The price of a product's unit, in the currency's smallest unit. Multiplied by the units of a reservation it
/// still fits PostgreSQL's type.
pub const PRICE_UNITS_MAX: u64 = 1_000_000_000;
/// The opening balance of an account, in the currency's smallest unit. Refunds never exceed it.
pub const BALANCE_UNITS_MAX: u64 = 1_000_000_000_000_000;
/// The reported amount of a payment, in the currency's smallest unit: the price of as many units as a sale may
/// have.
pub const AMOUNT_UNITS_MAX: u64 = PRICE_UNITS_MAX * flash_wire::limits::TOTAL_UNITS_MAX;
/// Currencies that have lines of their own in the metrics of refunds due.
pub const DUE_CURRENCIES_MAX: u64 = 50;
/// A payment service's name for a payment or a refund.
pub use flash_vault::REFERENCE_BYTES_MAX;

/// Ways to sell that one simulation compares.
pub const STRATEGIES_MAX: usize = 16;
/// The name of a way to sell.
pub const STRATEGY_BYTES_MAX: usize = 32;
/// Buyers of a simulation. What `flash` sells in it stays in PostgreSQL, and everything runs on the console's
/// machine.
pub const SIMULATION_BUYERS_MAX: u64 = 50_000;
/// Units that a simulation puts on sale.
pub const SIMULATION_UNITS_MAX: u64 = 50_000;
/// Concurrent requests of a simulation. Each has a connection to PostgreSQL, which takes 100.
pub const SIMULATION_CONCURRENCY_MAX: u64 = 64;
/// Requests per second of a simulation: more than two cores can send and answer.
pub const SIMULATION_RATE_MAX: u64 = 20_000;
/// How long the buyers of a simulation may take to arrive, for each way to sell.
pub const SIMULATION_S_MAX: u64 = 300;
/// The largest seed: JSON readers that use doubles cannot represent every larger number.
pub const SIMULATION_SEED_MAX: u64 = (1 << 53) - 1;

const _: () = assert!(POOL_TIMEOUT_MS < REQUEST_REST_MS);
const _: () = assert!(flash_payments::DEBIT_TIMEOUT_MS < REQUEST_REST_MS);
// A replay waits for Redis within its transaction.
const _: () = assert!(REQUEST_MS_MAX < flash_vault::IDLE_IN_TRANSACTION_MS_MAX);
// The creator of a sale has given up before a recovery may treat the sale as forgotten.
const _: () = assert!(REQUEST_MS_MAX < flash_recovery::CREATION_GRACE_S * 1_000);
const _: () = assert!(TURN_MS_MAX + AUDIT_MS_MAX < LOOK_TIMEOUT_MS && LOOK_TIMEOUT_MS <= WAITING_TIMEOUT_MS);
const _: () = assert!(SOLD_OUT_ASK_EVERY_MS < SOLD_OUT_KNOWN_MS_MAX);
/// The secret for reservation ids.
pub const ID_SECRET_BYTES_MIN: usize = 32;
/// A token or an API key.
pub const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// The secret that tokens are signed with.
pub const TOKEN_SECRET_BYTES_MIN: usize = 32;
/// The accepted difference between this clock and that of the issuer of tokens.
pub const TOKEN_LEEWAY_S: u64 = 30;
/// How long a verified token is trusted without another check, if it does not expire earlier.
pub const TOKEN_KNOWN_S_MAX: u64 = 60;
/// A file of keys that tokens are signed with.
pub const JWKS_BYTES_MAX: u64 = 64 * 1024;
/// Keys in that file.
pub const JWKS_KEYS_MAX: usize = 32;
/// The interval at which the file is checked for changes.
pub const JWKS_LOOK_MS: u64 = 1_000;
/// How long PostgreSQL's answer about an API key is trusted: a revoked key works no longer.
pub const KEY_KNOWN_MS_MAX: u64 = 10_000;
/// The same while PostgreSQL is away: the gateway sells without it, to callers that it knew before.
pub const KEY_KNOWN_AWAY_MS_MAX: u64 = 300_000;
/// Tokens or API keys that one thread remembers. The least recently used ones are forgotten first.
pub const CALLERS_KNOWN_MAX: usize = 65_536;
/// Concurrent queries of one thread for API keys: as many as its requests.
pub const KEY_QUERIES_MAX: usize = REQUESTS_MAX as usize;
/// The part of an operator's request that the audit log keeps.
pub const LOGGED_BYTES_MAX: usize = 4 * 1024;
/// The part of a quarantined row that HTTP shows. (`flash quarantine show` shows all of it.)
pub const QUARANTINED_BYTES_MAX: u32 = 64 * 1024;
/// Rows of one page of a list.
pub const PAGE_ROWS_MAX: u64 = 100;

const _: () = assert!(KEY_KNOWN_MS_MAX < KEY_KNOWN_AWAY_MS_MAX);
const _: () = assert!(CONNECTION_AGE_JITTER_MS < CONNECTION_AGE_MS_MAX);
const _: () = assert!(WRITE_STALL_MS < USER_TIMEOUT_MS);

/// Files that a gateway with `threads` has open at its limits.
#[must_use]
pub const fn files_max(threads: usize) -> u64 {
    (threads as u64).saturating_mul(CONNECTIONS_MAX as u64).saturating_add(OTHER_FILES_MAX)
}
