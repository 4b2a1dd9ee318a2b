-- An upload as one writes it for nginx with Lua: the first bytes tell the format, the body is hashed with SHA-256 while it
-- is written to a file, which is synced and renamed before the answer. Of a form it is its first part that is taken so.
local ffi, sha256, to_hex = require "ffi", require "nginx.sha256", require("nginx.string").to_hex

ffi.cdef "int fileno(void *file); int fdatasync(int fd);"

local SIZE = 65536

-- What gives the next bytes of a body of known length.
local function of_body(socket)
    local left = tonumber(ngx.var.content_length)

    return function ()
        local bytes = left > 0 and assert(socket:receive(math.min(left, SIZE)))
        left = left - (bytes and #bytes or 0)
        return bytes
    end
end

-- Behind the head of a form's first part, up to the boundary.
local function of_form(socket, boundary)
    repeat
        local line = assert(socket:receive("*l"))
    until line == ""

    local read = socket:receiveuntil("\r\n--" .. boundary)
    return function () return (read(SIZE)) end
end

return function (name)
    local socket, digest = ngx.req.socket(), sha256:new()
    local boundary = ngx.var.content_type:match("^multipart/form%-data; *boundary=(.+)$")
    local file = assert(io.open(name .. ".tmp", "wb"))
    local first = true

    for bytes in boundary and of_form(socket, boundary) or of_body(socket) do
        if first and bytes:sub(1, 2) ~= "\255\216" then return ngx.exit(415) end
        first = false
        digest:update(bytes)
        assert(file:write(bytes))
    end
    if boundary then assert(socket:receive("*a")) end

    file:flush()
    assert(ffi.C.fdatasync(ffi.C.fileno(file)) == 0)
    file:close()
    assert(os.rename(name .. ".tmp", name))
    ngx.status = 201
    ngx.say(to_hex(digest:final()))
end
