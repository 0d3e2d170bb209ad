-- A buyer's reservation: the same script, over a pool of connections that each worker keeps.

local cjson = require "cjson.safe"
local redis = require "nginx.redis"

local function answer(status, body)
  local text = cjson.encode(body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #text
  ngx.print(text)
  return ngx.exit(status)
end

if ngx.req.get_method() ~= "POST" then
  return answer(405, { title = "Method not allowed" })
end
ngx.req.read_body()
local wish = cjson.decode(ngx.req.get_body_data() or "")
if type(wish) ~= "table" or type(wish.buyer) ~= "string" or #wish.buyer < 1 or #wish.buyer > 128 then
  return answer(422, { title = "Validation failed" })
end

local connection = redis:new()
connection:set_timeout(500)
local connected = connection:connect("127.0.0.1", tonumber(ngx.var.redis_port))
if not connected then
  return answer(503, { title = "Redis is away" })
end
local key = "lua:" .. ngx.var.sale
local made = connection:evalsha(
  ngx.var.script, 4, key, key .. ":buyers", key .. ":holds", key .. ":journal", wish.buyer, 1)
if not made then
  return answer(504, { title = "Outcome unknown" })
end
connection:set_keepalive(60000, 256)

if made[1] == "RESERVED" then
  ngx.header["Location"] = "/v1/sales/" .. ngx.var.sale .. "/reservations/" .. made[2]
  return answer(201, { sale = ngx.var.sale, id = made[2], state = "held", expires_at_ms = made[3] })
elseif made[1] == "REPLAYED" then
  return answer(200, { sale = ngx.var.sale, reservation = made[2] })
end
return answer(409, { type = made[1], title = "Not enough units are available" })
