"""How the service runs: server and workers, start, stop and reload, health, readiness, metrics and ordinary logs."""
