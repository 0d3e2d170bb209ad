//! Every Lua script of the simulator.

use redis::aio::ConnectionManager;
use redis::{RedisResult, Script};

/// Checks, deduplicates and decrements in one step: one unit for each buyer.
const RESERVE: &str = "
    if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'again' end
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= 0 then return 'sold out' end
    redis.call('DECR', KEYS[1])
    redis.call('SADD', KEYS[2], ARGV[1])
    return 'sold'";
/// Ends a lock that is still the caller's.
const UNLOCK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// What requests run, loaded before the first of them comes. A Redis that was restarted has forgotten them, and gets
/// them again.
#[derive(Debug, Clone)]
pub(crate) struct Scripts {
    pub(crate) reserve: Script,
    pub(crate) unlock: Script,
}

impl Scripts {
    pub(crate) async fn load(redis: &mut ConnectionManager) -> RedisResult<Self> {
        let scripts = Self { reserve: Script::new(RESERVE), unlock: Script::new(UNLOCK) };
        scripts.reserve.load_async(redis).await?;
        scripts.unlock.load_async(redis).await?;
        Ok(scripts)
    }
}
