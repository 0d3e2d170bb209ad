//! Whether this server is a replica. Those never decide, not even where `replica-read-only no` lets clients write: what
//! a replica decided, its primary would not know, and the primary's next event would no longer fit.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use redis_module::raw::{self, RedisModuleCtx, RedisModuleEvent};
use redis_module::{Context, ContextFlags};

use crate::api::Ctx;
use crate::guard::guard;
use crate::life;

/// Kept here, for to ask the server takes as long as a decision does.
static IS_REPLICA: AtomicBool = AtomicBool::new(false);

/// Looks, and asks the server to say when it changes.
pub(crate) fn watch(ctx: Ctx) {
    look(&Context::new(ctx.raw()));
    let changed = RedisModuleEvent { id: raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, dataver: 1 };
    raw::subscribe_to_server_event(ctx.raw(), changed, Some(on_change));
}

/// Whether this server follows another.
pub(crate) fn is_replica() -> bool {
    IS_REPLICA.load(Ordering::Relaxed)
}

fn look(context: &Context) {
    IS_REPLICA.store(context.get_flags().contains(ContextFlags::SLAVE), Ordering::Relaxed);
}

extern "C" fn on_change(ctx: *mut RedisModuleCtx, _event: RedisModuleEvent, _sub: u64, _data: *mut c_void) {
    guard(|| {
        look(&Context::new(ctx));
        life::role_changed();
    });
}
