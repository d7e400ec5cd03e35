"""The explanation log: append-only, tamper-evident, durable before the answer."""
