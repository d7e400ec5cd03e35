-- Asks for one page over and over with a session's cookie, and prints figures that a program can read.
-- As every browser asks.
wrk.headers["Accept-Encoding"] = "gzip"
wrk.headers["Cookie"] = os.getenv("GROUNDS_BENCH_COOKIE")

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("figures %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
