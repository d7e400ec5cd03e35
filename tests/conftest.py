"""Fixtures that more than one folder of tests needs, and the order in which the processes take the files."""

import gc

import hypothesis
import pytest

from tests.service.conftest import service, settings

__all__ = ["service", "settings"]

# Time on a shared, busy machine says nothing about the code.
hypothesis.settings.register_profile(
    "busy_machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy_machine")

LONGEST = ("image", "training", "service/test_soak.py", "benchmarks", "pages", "service/log")
"""Files and folders handed out first, so that no process is left with a long one at the end (`make test` tells
pytest-xdist to keep this order)."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind the shuffling, which stays within each of these groups."""

    def turn(item: pytest.Item) -> int:
        path = item.path.relative_to(item.config.rootpath / "tests").as_posix()
        return next((number for number, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: looking through them for garbage again and again was a twelfth of the time."""
    gc.collect()
    gc.freeze()
