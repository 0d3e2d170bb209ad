//! What happens when the server loads the module, and when its settings change.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use flash_sale::HashKey;
use flash_throttle::Throttle;
use redis_module::raw::{self, ModuleOptions, RedisModuleCtx, RedisModuleEvent};
use redis_module::{Context, ContextFlags};

use crate::api::{self, Ctx, guard};
use crate::info::on_info;
use crate::stored::{self, Stored};
use crate::value::Value;
use crate::{commands, config, instance, life, role};

/// Tells the server of everything there is. An error refuses the load, and the server's log has its text.
pub(crate) fn load(ctx: Ctx) -> Result<(), String> {
    let missing = api::missing_api();
    if !missing.is_empty() {
        return Err(format!("this server lacks {}; Redis 7.0 or Valkey 7.2 and newer have it", missing.join(", ")));
    }
    let context = Context::new(ctx.raw());
    context.set_module_options(
        ModuleOptions::HANDLE_IO_ERRORS
            | ModuleOptions::NO_IMPLICIT_SIGNAL_MODIFIED
            | ModuleOptions::HANDLE_REPL_ASYNC_LOAD,
    );
    stored::set_hash_key(HashKey(ctx.random()));
    let [generation, instance] = ctx.random();
    life::begin(generation);
    instance::begin(instance);
    Stored::native().create(ctx)?;
    Throttle::native().create(ctx)?;
    commands::register(ctx)?;
    config::register(ctx)?;
    api::subscribe(ctx);
    role::watch(ctx);
    raw::register_info_function(ctx.raw(), Some(on_info));
    let config_changed = RedisModuleEvent { id: raw::REDISMODULE_EVENT_CONFIG, dataver: 1 };
    raw::subscribe_to_server_event(ctx.raw(), config_changed, Some(on_config));
    warn_of_eviction(&context);
    ctx.log(c"notice", concat!("flash ", env!("CARGO_PKG_VERSION"), " is loaded"));
    Ok(())
}

extern "C" fn on_config(ctx: *mut RedisModuleCtx, _event: RedisModuleEvent, _sub: u64, _data: *mut c_void) {
    guard(|| warn_of_eviction(&Context::new(ctx)));
}

/// Says so in the log when the server begins to evict keys: a sale that is evicted can be sold a second time.
fn warn_of_eviction(context: &Context) {
    static WAS_EVICTING: AtomicBool = AtomicBool::new(false);
    let is_evicting = is_evicting();
    if is_evicting && !WAS_EVICTING.swap(is_evicting, Ordering::Relaxed) {
        context.log_warning(
            "the maxmemory-policy may evict sales, and who has bought from them would be forgotten: use noeviction",
        );
    }
    WAS_EVICTING.store(is_evicting, Ordering::Relaxed);
}

/// Whether the server may delete keys to make room.
pub(crate) fn is_evicting() -> bool {
    Context::dummy().get_flags().contains(ContextFlags::EVICTED)
}
