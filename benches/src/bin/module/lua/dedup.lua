-- The least that a flash sale needs: one unit for a buyer, never oversold. No pay window, and nobody is told.
--
-- KEYS: units left (a number), buyers (a set). ARGV: buyer.

if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return {'REPLAYED'}
end
if tonumber(redis.call('GET', KEYS[1])) < 1 then
  return {'SOLD_OUT'}
end
redis.call('SADD', KEYS[2], ARGV[1])
return {'RESERVED', redis.call('DECR', KEYS[1])}
