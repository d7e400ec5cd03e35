"""The sandbox: canned cases, and a log of its own for whatever a sandbox key screens."""
