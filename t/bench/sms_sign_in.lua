-- wrk: POST /api/sessions, behind the path of the URL, with the code that sms_store stored for each of CAPORTAL_BENCH_CODES numbers, once each.
local number, count = 0, tonumber(os.getenv("CAPORTAL_BENCH_CODES"))
local headers = { ["Content-Type"] = "application/json", ["Origin"] = os.getenv("CAPORTAL_BENCH_ORIGIN") }

function request()
    if number == count - 1 then
        wrk.thread:stop()
    else
        number = number + 1
    end

    return wrk.format("POST", wrk.path:gsub("/$", "") .. "/api/sessions", headers,
        string.format('{"method":"sms","phone":"139%08d","code":"123456"}', number))
end
