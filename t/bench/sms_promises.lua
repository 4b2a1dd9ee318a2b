-- Signing in by SMS in nginx with Lua, with the promises that the portal makes and the words that it answers with: see
-- sms_sign_in. There is no database, so an account is made of its number.
local cjson = require "cjson.safe"
local ffi = require "ffi"
local random, redis, text = require "nginx.random", require "nginx.redis", require "nginx.string"

ffi.cdef [[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *md, const void *key, int key_len, const unsigned char *data, size_t len,
                    unsigned char *mac, unsigned int *mac_len);
unsigned char *SHA256(const unsigned char *data, size_t len, unsigned char *digest);
]]

local C, to_hex = ffi.C, text.to_hex
local md, bytes, key = C.EVP_sha256(), ffi.new("unsigned char[32]"), string.rep("k", 32)

local IDLE, ABSOLUTE, TRIES = 1800000, 43200000, 5
local PHONE = [[^1(3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])\d{8}$]]
local KNOWN = { method = true, phone = true, code = true, request = true }

local START = [[
local known = redis.call('HGET', KEYS[2], 'mac')
if known ~= ARGV[6] then
  if known and redis.call('HINCRBY', KEYS[2], 'tries', 1) >= tonumber(ARGV[7]) then redis.call('DEL', KEYS[2]) end
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[3], ARGV[8])
if redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 then return 1 end
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'GT')
if redis.call('HLEN', KEYS[1]) > 20 then
  local all, kept = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #all, 2 do
    local since, seen = string.match(all[i + 1], '^%d+ (%d+) (%d+) ')
    if not since or tonumber(since) < tonumber(ARGV[4]) or tonumber(seen) < tonumber(ARGV[5]) then
      redis.call('HDEL', KEYS[1], all[i])
    elseif all[i] ~= ARGV[1] then
      kept[#kept + 1] = { tonumber(since), all[i] }
    end
  end
  table.sort(kept, function(a, b) return a[1] < b[1] end)
  for i = 1, #kept - 19 do redis.call('HDEL', KEYS[1], kept[i][2]) end
end
return 1
]]

local function hmac(label, value)
    local data = label .. "\0" .. value
    C.HMAC(md, key, 32, data, #data, bytes, nil)
    return ffi.string(bytes, 32)
end

local function code_mac(phone, code)
    return to_hex(hmac("sms", "login\n" .. phone .. "\n\n" .. code))
end

local function code_key(name)
    return "caportal:lua-sms:login:" .. name .. ":"
end

return function (settings)
    local script_sha

    local function connected()
        local store = redis:new()
        store:set_timeout(5000)
        if not store:connect(settings.socket) then return nil end
        if store:get_reused_times() == 0 and not store:auth(settings.user, settings.password) then return nil end
        return store
    end

    local function problem(status, code, detail, more)
        ngx.status = status
        ngx.header["Content-Type"] = "application/problem+json; charset=utf-8"
        ngx.header["Cache-Control"] = "no-store"
        ngx.header["X-Request-Id"] = ngx.var.request_id
        local body = '{"type":"about:blank","code":"' .. code .. '","status":' .. status .. ',"detail":"' .. detail
            .. '","request_id":"' .. ngx.var.request_id .. '"' .. (more or "") .. "}"
        ngx.header["Content-Length"] = #body
        ngx.header["X-Content-Type-Options"] = "nosniff"
        ngx.print(body)
    end

    local function run(store, keys, args)
        local result, fault
        if script_sha then
            result, fault = store:evalsha(script_sha, 3, keys[1], keys[2], keys[3], unpack(args))
        end
        if not script_sha or (fault and fault:find("^NOSCRIPT")) then
            script_sha = store:script("load", START)
            result, fault = store:evalsha(script_sha, 3, keys[1], keys[2], keys[3], unpack(args))
        end
        return result
    end

    -- The same by commands, as one writes it who has no script: the one who takes the code away has used it.
    local function run_commands(store, keys, args)
        local known = store:hget(keys[2], "mac")
        if known ~= args[6] then
            if known ~= ngx.null and store:hincrby(keys[2], "tries", 1) >= args[7] then store:del(keys[2]) end
            return 0
        end
        if store:del(keys[2]) ~= 1 then return 0 end

        store:init_pipeline()
        store:hset(keys[1], args[1], args[2])
        store:pexpire(keys[1], args[3], "NX")
        store:pexpire(keys[1], args[3], "GT")
        store:rpush(keys[3], args[8])
        store:hgetall(keys[1])
        local done = store:commit_pipeline()
        if not done then return nil end

        local all, kept = done[5], {}
        for i = 1, #all > 40 and #all or 0, 2 do
            local since, seen = all[i + 1]:match("^%d+ (%d+) (%d+) ")
            if not since or tonumber(since) < tonumber(args[4]) or tonumber(seen) < tonumber(args[5]) then
                store:hdel(keys[1], all[i])
            elseif all[i] ~= args[1] then
                kept[#kept + 1] = { tonumber(since), all[i] }
            end
        end
        table.sort(kept, function (a, b) return a[1] < b[1] end)
        for i = 1, #kept - 19 do store:hdel(keys[1], kept[i][2]) end
        return 1
    end

    local function read()
        ngx.req.read_body()
        if ngx.var.http_origin ~= settings.origin then return nil, problem(403, "bad_origin", "") end
        if not (ngx.var.http_content_type or ""):find("^application/json *;?") then
            return nil, problem(415, "media_type", "")
        end

        local input = cjson.decode(ngx.req.get_body_data() or "")
        if type(input) ~= "table" then return nil, problem(400, "malformed", "") end
        for name, value in pairs(input) do
            if not KNOWN[name] or type(value) ~= "string" then return nil, problem(422, "invalid_fields", "") end
        end
        if input.method ~= "sms" or not input.phone or not ngx.re.find(input.phone, PHONE, "jo") or not input.code
            or #input.code < 1 or #input.code > 16
        then
            return nil, problem(422, "invalid_fields", "")
        end
        return input
    end

    local function tries_left(store, name)
        local found = store:hmget(code_key(name), "mac", "tries")
        if not found or found[1] == ngx.null then return 0 end
        return math.max(0, TRIES - (tonumber(found[2]) or 0))
    end

    local function sign_in(run)
        local input = read()
        if not input then return end

        local index = hmac("account.phone", input.phone)
        local name, id = to_hex(index), to_hex(index:sub(1, 10))
        local secret = ngx.encode_base64(random.bytes(32, true), true):gsub("+", "-"):gsub("/", "_")
        C.SHA256(secret, #secret, bytes)
        local digest, now = ffi.string(bytes, 32), string.format("%d", ngx.now() * 1000)
        local place = ngx.var.remote_addr:match("^%d+%.%d+%.%d+%.") .. "*"
        local account = tonumber(name:sub(1, 8), 16)
        local record = "2 " .. now .. " " .. now .. " " .. account .. " - sms 0 0 unknown " .. place

        local store = connected()
        if not store then return problem(503, "session_store_unavailable", "") end
        local result = run(store, { "caportal:lua-sessions:" .. id, code_key(name), "caportal:lua-returned" },
            { digest, record, IDLE, string.format("%d", now - ABSOLUTE), string.format("%d", now - IDLE),
              code_mac(input.phone, input.code), TRIES, name .. " login" })
        local left = result == 0 and tries_left(store, name)
        store:set_keepalive(10000, 64)

        if result == 0 then return problem(401, "bad_code", "验证码不正确或已失效", ',"tries_left":' .. left) end
        if result ~= 1 then return problem(503, "session_store_unavailable", "") end

        local body = '{"account":{"id":"' .. id .. '","phone":null,"has_password":false,"person":null}}'
        ngx.status = 201
        ngx.header["Content-Type"] = "application/json; charset=utf-8"
        ngx.header["Content-Length"] = #body
        ngx.header["Set-Cookie"] = "__Host-caportal=" .. secret .. id .. "; Path=/; Secure; HttpOnly; SameSite=Lax"
        ngx.header["Cache-Control"] = "no-store"
        ngx.header["X-Content-Type-Options"] = "nosniff"
        ngx.header["X-Request-Id"] = ngx.var.request_id
        ngx.print(body)
    end

    -- The code 123456 for the first numbers, and no sessions.
    local function arm()
        local store, count = connected(), tonumber(ngx.var.arg_count)
        for first = 0, count - 1, 500 do
            store:init_pipeline()
            for i = first, math.min(first + 499, count - 1) do
                local phone = string.format("139%08d", i)
                local at = code_key(to_hex(hmac("account.phone", phone)))
                store:hset(at, "mac", code_mac(phone, "123456"))
                store:expire(at, 300)
            end
            assert(store:commit_pipeline())
        end
        store:set_keepalive(10000, 64)
        ngx.say("done")
    end

    return {
        by_script = function () sign_in(run) end,
        by_commands = function () sign_in(run_commands) end,
        arm = arm,
    }
end
