//! The vault: everything that speaks SQL. PostgreSQL holds the orders, and its constraints have the last word.
//!
//! Events are applied exactly once and in the order of their seq, for every sale and epoch, by any path, how
//! often and in which order: see [`Vault::write`].

#![forbid(unsafe_code)]

mod announce;
mod apply;
mod audit_chain;
mod audit_log;
mod catalogue;
mod connect;
mod content;
mod creation;
mod details;
mod discard;
mod doubts;
mod early;
mod epochs;
mod error;
mod export;
mod fold;
mod foreign;
mod grants;
mod head;
mod hold;
mod inspect;
mod keys;
mod late;
mod ledger;
mod migrate;
mod number;
mod others;
mod pages;
mod payment;
mod plan;
mod quarantine;
mod read;
mod reconcile;
mod recover;
mod redis_state;
mod refusal;
mod repair;
mod replay;
mod replay_place;
mod report;
mod request;
mod request_keys;
mod reserved;
mod restore;
mod sale;
mod seal;
mod sealed;
mod settle;
mod snapshot;
mod sql;
mod standing;
mod statements;
mod step;
mod syncers;
mod take_over;
mod unreadable;
mod unsettled;
mod waiting;
mod webhooks;
mod write;
mod writing;

pub use audit_chain::{Chain, verify_log};
pub use audit_log::{LoggedChange, LoggedRow, end_logged, log_change, logged};
pub use catalogue::{Buyer, Price, Product, buyer, buyer_page, create_buyer, create_product, product, product_page};
pub use connect::{
    CONNECT_TIMEOUT_MS, IDLE_IN_TRANSACTION_MS_MAX, STATEMENT_TIMEOUT_MS, connect, connect_to_write, connect_with,
    is_read_only,
};
pub use creation::Creation;
pub use details::{OrderDetails, OrderPayment, order_details};
pub use doubts::{is_recovering, newest_heads};
pub use early::EARLY_EVENTS_MAX;
pub use error::{Error, whole};
pub use export::{EXPORT_MS_MAX, ExportFormat, Exported, OrderExport, export_orders};
/// How far an epoch must be written to be sealed, as the plan says it.
pub use flash_plan::{EPOCH_DRAWN_BITS, Seen, Wanted};
pub use foreign::{MaybeForeign, maybe_foreign};
pub use grants::{grant_gateway, grant_syncer};
pub use head::Head;
pub use hold::Claim;
pub use inspect::{
    Migrations, clock_ms, closed_tables, is_standby, keeps_session, may_rewrite_log, migrations, setting_levels,
    settings,
};
pub use keys::{ApiKey, KeyRow, NewKey, Role, api_key, create_key, key_hash, key_id, keys, revoke_key};
pub use ledger::{
    Due, Followed, PAYMENT_TOTALS_MAX, PaymentFilter, PaymentTotal, Refund, due_payments, follow_orders, payment_page,
    payment_totals, refund_payment,
};
pub use migrate::migrate;
pub use pages::{REJECTED, ReservationFilter, ReservationRow, newest_sales, reservation_page, sale_page};
pub use payment::{Debit, Payment, PaymentState, REFERENCE_BYTES_MAX, debit, limit_statements, payment};
pub use quarantine::{QuarantineEnd, QuarantineFilter, QuarantineRow, quarantined, quarantined_body};
pub use read::{
    Order, Rejection, SkuSold, active_orders, has_barrier, newest_head, order, rejection, sale_buyers, sold_units,
    twice_served_buyers,
};
pub use recover::{
    HeadAndState, OVER_MS_MAX, RECOVERY_LEASE_S, active_page, end_recovery, heads, heads_and_states, living,
    renew_recovery, sales_on_sale, take_recovery,
};
pub use redis_state::RedisState;
pub use repair::{CounterRepair, log_fence, repair_counters};
pub use replay::{LateReservation, Replay, Standing};
pub use report::{AheadPayment, Over, PaymentReport, Reserved, owe_payment, payments_ahead, report_payment};
pub use request::{MadeByRequest, REJECTIONS_LOOKED_AT_MAX, RequestOutcome, request_outcome};
pub use request_keys::{
    KEY_KEPT_S, KeyedRequest, Made, Once, TakenKey, keep_answer, known_key, let_key_go, make_once, take_key,
};
pub use restore::possible_holds;
pub use sale::{Extras, SaleFacts, create_sale, sale_facts, terms};
pub use sealed::{EPOCHS_APART_SEQS, Sealed};
pub use snapshot::{
    Books, EpochRows, Faults, HeldOrder, OrderItems, SkuRows, Snapshot, StrayRows, sales, unexplained_accounts,
    unreadable_messages,
};
pub use standing::{Life, SaleStanding, standing};
pub use syncers::{Report, SYNCER_GONE_S, Syncer, are_syncers_paused, pause_syncers, syncers};
/// What [`connect`] gives, and what a piece of work on it is.
pub use tokio_postgres::{Client, Transaction};
pub use unreadable::{UNSIGNED_KEPT_MAX, Unreadable};
pub use unsettled::{Unsettled, settle_late, settle_rejections, unsettled_sales};
pub use webhooks::{
    DELIVERY_WAIT_S_MAX, Delivery, WEBHOOKS_MAX, Webhook, add_webhook, delivered, disable_webhook, forget_deliveries,
    forget_old_webhook_secret, not_delivered, remove_webhook, renew_webhook_secret, take_due, webhooks,
};
pub use write::{BARRIER_KEPT_S, Incoming, Vault};
