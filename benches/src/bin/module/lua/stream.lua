-- One unit for a buyer, never oversold, and a message for whoever writes the order. No pay window, and no answer to a
-- repeat but that it is one.
--
-- KEYS: units left (a number), buyers (a set), messages (a stream). ARGV: buyer.

if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return {'REPLAYED'}
end
if tonumber(redis.call('GET', KEYS[1])) < 1 then
  return {'SOLD_OUT'}
end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'buyer', ARGV[1])
return {'RESERVED', redis.call('DECR', KEYS[1])}
