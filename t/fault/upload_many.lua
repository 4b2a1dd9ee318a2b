-- wrk: PUT of a small picture that no other is, to the orders of CAPORTAL_ORDERS in turn ("cookie path" lines); the
-- argument tells this run's pictures from those of another. Prints how often each status came.
local orders, threads, counts, run, number = {}, {}, {}, 0, 0
said = ""

for line in io.lines(os.getenv("CAPORTAL_ORDERS")) do
    local cookie, path = line:match("^(%S+) (%S+)$")
    orders[#orders + 1] = { cookie = cookie, path = path }
end

-- Four by four pixels of 24 bits.
local head = "BM\102\0\0\0\0\0\0\0\54\0\0\0\40\0\0\0\4\0\0\0\4\0\0\0\1\0\24\0" .. string.rep("\0", 24)

function setup(thread)
    threads[#threads + 1] = thread
end

function init(arguments)
    run = tonumber(arguments[1])
end

function request()
    local order = orders[number % #orders + 1]
    number = number + 1

    return wrk.format("PUT", order.path, {
        ["Content-Type"] = "image/bmp",
        ["Cookie"] = "__Host-caportal=" .. order.cookie,
        ["Origin"] = os.getenv("CAPORTAL_ORIGIN"),
    }, head .. string.format("%016d%032d", run, number))
end

function response(status)
    counts[status] = (counts[status] or 0) + 1
    said = ""
    for code, count in pairs(counts) do
        said = said .. string.format("%d: %d\n", code, count)
    end
end

function done()
    for _, thread in ipairs(threads) do
        io.write(thread:get("said"))
    end
end
