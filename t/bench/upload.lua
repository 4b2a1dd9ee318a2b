-- wrk: CAPORTAL_BENCH_FILE, of which a comment makes each another file, sent to the targets of CAPORTAL_BENCH_TARGETS in
-- turn ("path" or "path cookie" lines; "N" in a path becomes a number): as it is with PUT, or with POST as the file of a
-- form where CAPORTAL_BENCH_FORM says anything.
local targets, number = {}, 0

for line in io.lines(os.getenv("CAPORTAL_BENCH_TARGETS")) do
    local path, cookie = line:match("^(%S+) ?(%S*)$")
    targets[#targets + 1] = { path = path, cookie = cookie }
end

local file = assert(io.open(os.getenv("CAPORTAL_BENCH_FILE"), "rb"))
local bytes = file:read("*a")
file:close()

local boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
local method, type, head, tail = "PUT", "image/jpeg", "", ""
if os.getenv("CAPORTAL_BENCH_FORM") ~= "" then
    method, type = "POST", "multipart/form-data; boundary=" .. boundary
    head = "--" .. boundary .. "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"scan.jpg\"\r\n"
        .. "Content-Type: image/jpeg\r\n\r\n"
    tail = "\r\n--" .. boundary .. "--\r\n"
end

-- SOI, then a comment of 32 digits.
head = head .. "\255\216\255\254\0\34"
tail = bytes:sub(3) .. tail
local run = os.time()

function request()
    local target = targets[number % #targets + 1]
    number = number + 1

    return wrk.format(method, (target.path:gsub("N", string.format("%d-%d", run, number))), {
        ["Content-Type"] = type,
        ["Cookie"] = "__Host-caportal=" .. target.cookie,
        ["Origin"] = os.getenv("CAPORTAL_BENCH_ORIGIN"),
    }, head .. string.format("%016d%016d", run, number) .. tail)
end
