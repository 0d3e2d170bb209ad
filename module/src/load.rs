//! What happens when the server loads the module, and when its settings change.

use std::ffi::c_void;

use flash_sale::HashKey;
use flash_throttle::Throttle;
use redis_module::Context;
use redis_module::raw::{self, ModuleOptions, RedisModuleCtx, RedisModuleEvent};

use crate::Flash;
use crate::api::{self, Ctx, Module, Native};
use crate::eviction::warn_of_eviction;
use crate::guard::guard;
use crate::info::on_info;
use crate::moved::Moved;
use crate::stored::{self, Stored};
use crate::{commands, config, instance, life, role};

impl Module for Flash {
    fn load(ctx: Ctx) -> Result<(), String> {
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
        api::subscribe::<Moved>(ctx);
        role::watch(ctx);
        raw::register_info_function(ctx.raw(), Some(on_info));
        let config_changed = RedisModuleEvent { id: raw::REDISMODULE_EVENT_CONFIG, dataver: 1 };
        raw::subscribe_to_server_event(ctx.raw(), config_changed, Some(on_config));
        warn_of_eviction(&context);
        ctx.log(c"notice", concat!("flash ", env!("CARGO_PKG_VERSION"), " is loaded"));
        Ok(())
    }
}

extern "C" fn on_config(ctx: *mut RedisModuleCtx, _event: RedisModuleEvent, _sub: u64, _data: *mut c_void) {
    guard(|| warn_of_eviction(&Context::new(ctx)));
}
