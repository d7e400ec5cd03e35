"""Fixtures that more than one folder of tests needs."""

from tests.service.conftest import service, settings

__all__ = ["service", "settings"]
