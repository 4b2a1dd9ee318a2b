-- The file of a form, its first part, as one takes it with nginx and Lua: the first bytes tell the format, it is hashed
-- with SHA-256 while it is written to a file, which is synced and renamed before the answer.
local ffi, sha256, to_hex = require "ffi", require "nginx.sha256", require("nginx.string").to_hex

ffi.cdef "int fileno(void *file); int fdatasync(int fd);"

local SIZE = 65536

-- What gives the next bytes behind the head of the first part, up to the boundary.
local function first_part(socket, boundary)
    repeat
        local line = assert(socket:receive("*l"))
    until line == ""

    local read = socket:receiveuntil("\r\n--" .. boundary)
    return function () return (read(SIZE)) end
end

return function (name)
    local socket, digest = ngx.req.socket(), sha256:new()
    local boundary = assert(ngx.var.content_type:match("^multipart/form%-data; *boundary=(.+)$"))
    local file = assert(io.open(name .. ".tmp", "wb"))
    local first = true

    for bytes in first_part(socket, boundary) do
        if first and bytes:sub(1, 2) ~= "\255\216" then return ngx.exit(415) end
        first = false
        digest:update(bytes)
        assert(file:write(bytes))
    end
    assert(socket:receive("*a"))

    file:flush()
    assert(ffi.C.fdatasync(ffi.C.fileno(file)) == 0)
    file:close()
    assert(os.rename(name .. ".tmp", name))
    ngx.status = 201
    ngx.say(to_hex(digest:final()))
end
