-- wrk: POST /api/orders as the accounts of CAPORTAL_BENCH_ACCOUNTS in turn ("cookie TAB body" lines), each request with
-- an Idempotency-Key of its own below CAPORTAL_BENCH_RUN.
local accounts, number = {}, 0
local run = os.getenv("CAPORTAL_BENCH_RUN")

for line in io.lines(os.getenv("CAPORTAL_BENCH_ACCOUNTS")) do
    local cookie, body = line:match("^(%S+)\t(.+)$")
    accounts[#accounts + 1] = { cookie = cookie, body = body }
end

function request()
    local account = accounts[number % #accounts + 1]
    number = number + 1

    return wrk.format("POST", "/api/orders", {
        ["Content-Type"] = "application/json",
        ["Cookie"] = "__Host-caportal=" .. account.cookie,
        ["Idempotency-Key"] = string.format("%s-%09d", run, number),
        ["Origin"] = os.getenv("CAPORTAL_BENCH_ORIGIN"),
    }, account.body)
end
