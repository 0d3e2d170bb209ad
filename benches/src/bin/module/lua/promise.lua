-- The promise of FLASH.RESERVE as a script: one reservation for a buyer, never oversold, held for a pay window, in a
-- journal that somebody else empties. It is written to be quick: one small hash for the sale, one field for a buyer, no
-- look-up twice, and due holds are searched only by those who need their units.
--
-- KEYS: the sale (hash: available, seq, acked, hold_ms, journal_max), its buyers (hash: buyer -> expiry and id), its
-- holds (sorted set: buyer by expiry), its journal (stream). ARGV: buyer, quantity.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

-- Every expiry has 13 digits, until the year 2286.
local reservation = redis.call('HGET', KEYS[2], ARGV[1])
local is_over = reservation and tonumber(string.sub(reservation, 1, 13)) <= now_ms
if reservation and not is_over then
  return {'REPLAYED', reservation}
end

local sale = redis.call('HMGET', KEYS[1], 'available', 'seq', 'acked', 'hold_ms', 'journal_max')
local available, seq = tonumber(sale[1]), tonumber(sale[2])
local quantity = tonumber(ARGV[2])

-- Holds whose pay window is over give their units back.
if is_over or available < quantity then
  local due = redis.call('ZRANGE', KEYS[3], '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, 64)
  for _, buyer in ipairs(due) do
    seq = seq + 1
    available = available + 1
    redis.call('HDEL', KEYS[2], buyer)
    redis.call('ZREM', KEYS[3], buyer)
    redis.call('XADD', KEYS[4], seq .. '-0', 'expired', buyer)
  end
  if #due > 0 then
    redis.call('HSET', KEYS[1], 'available', available, 'seq', seq)
  end
end

if available < quantity then
  return {'SOLD_OUT'}
end
if seq - sale[3] >= tonumber(sale[5]) then
  return {'JOURNAL_FULL'}
end

seq = seq + 1
available = available - quantity
local expires_at_ms = now_ms + sale[4]
redis.call('HSET', KEYS[1], 'available', available, 'seq', seq)
redis.call('HSET', KEYS[2], ARGV[1], expires_at_ms .. ' ' .. seq)
redis.call('ZADD', KEYS[3], expires_at_ms, ARGV[1])
redis.call('XADD', KEYS[4], seq .. '-0', 'reserved', ARGV[1], 'quantity', ARGV[2], 'expires_at_ms', expires_at_ms)
return {'RESERVED', seq, expires_at_ms, available}
