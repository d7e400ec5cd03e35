-- Posts one body over and over, and prints figures that a program can read. The key comes in by the environment,
-- so that it does not stand in the list of processes.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("GROUNDS_BENCH_KEY")

local file = io.open(os.getenv("GROUNDS_BENCH_BODY"), "rb")
wrk.body = file:read("*a")
file:close()

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("figures %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
