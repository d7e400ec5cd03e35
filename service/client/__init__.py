"""A client in Python, generated from the contract (`/openapi.json`): standard library alone, one file."""
