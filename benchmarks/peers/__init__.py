"""`python -m benchmarks peers`: the same kind of model served the ways a user would otherwise pick, beside ours."""
