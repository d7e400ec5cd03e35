"""The web service: screens a case, records what it shows, and answers. Never imports `training`."""

VERSION = "0.1.0"
"""The version of Grounds that runs, as in `pyproject.toml` (a test holds them together)."""
