//! Every Lua script of the simulator.

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

/// Checks, deduplicates and decrements in one step: one unit for each buyer.
const RESERVE: &str = "
    if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'again' end
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= 0 then return 'sold out' end
    redis.call('DECR', KEYS[1])
    redis.call('SADD', KEYS[2], ARGV[1])
    return 'sold'";
/// Ends a lock that is still the caller's.
const UNLOCK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// What requests run, loaded before the first of them comes: the hashes by which Redis knows them.
#[derive(Debug, Clone)]
pub(crate) struct Scripts {
    pub(crate) reserve: String,
    pub(crate) unlock: String,
}

impl Scripts {
    pub(crate) async fn load(redis: &mut MultiplexedConnection) -> RedisResult<Self> {
        Ok(Self { reserve: load(redis, RESERVE).await?, unlock: load(redis, UNLOCK).await? })
    }
}

async fn load(redis: &mut MultiplexedConnection, script: &str) -> RedisResult<String> {
    redis::cmd("SCRIPT").arg("LOAD").arg(script).query_async(redis).await
}
