//! What happens when the server loads the module.

use flash_sale::HashKey;
use flash_throttle::Throttle;
use redis_module::raw;

use crate::api::{self, Ctx};
use crate::commands;
use crate::stored::{self, Stored};
use crate::value::Value;

/// Tells the server of everything there is. An error refuses the load, and the server's log has its text.
pub(crate) fn load(ctx: Ctx) -> Result<(), String> {
    let missing = api::missing_api();
    if !missing.is_empty() {
        return Err(format!("this server lacks {}; Redis 7.0 or Valkey 7.2 and newer have it", missing.join(", ")));
    }
    ctx.set_options(
        raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS
            | raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED
            | raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD,
    );
    stored::set_hash_key(HashKey(ctx.random()));
    Stored::native().create(ctx)?;
    Throttle::native().create(ctx)?;
    commands::register(ctx)?;
    api::subscribe(ctx);
    ctx.log(c"notice", concat!("flash ", env!("CARGO_PKG_VERSION"), " is loaded"));
    Ok(())
}
