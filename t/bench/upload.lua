-- wrk: PUT of CAPORTAL_BENCH_FILE, of which a comment makes each another file, to the targets of CAPORTAL_BENCH_TARGETS in
-- turn ("path" or "path cookie" lines; "N" in a path becomes a number).
local targets, number = {}, 0

for line in io.lines(os.getenv("CAPORTAL_BENCH_TARGETS")) do
    local path, cookie = line:match("^(%S+) ?(%S*)$")
    targets[#targets + 1] = { path = path, cookie = cookie }
end

local file = assert(io.open(os.getenv("CAPORTAL_BENCH_FILE"), "rb"))
local bytes = file:read("*a")
file:close()

-- SOI, then a comment of 32 digits.
local rest = bytes:sub(3)
local mark = "\255\216\255\254\0\34"
local run = os.time()

function request()
    local target = targets[number % #targets + 1]
    number = number + 1

    return wrk.format("PUT", (target.path:gsub("N", string.format("%d-%d", run, number))), {
        ["Content-Type"] = "image/jpeg",
        ["Cookie"] = "__Host-caportal=" .. target.cookie,
        ["Origin"] = os.getenv("CAPORTAL_BENCH_ORIGIN"),
    }, mark .. string.format("%016d%016d", run, number) .. rest)
end
