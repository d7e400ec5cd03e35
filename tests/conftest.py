"""Fixtures that more than one folder of tests needs, and the order in which the processes take the files."""

import pytest

from tests.service.conftest import service, settings

__all__ = ["service", "settings"]

LONGEST = ("image", "training")
"""Folders whose files are handed out first, so that no process is left with a long one at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind the shuffling, which stays within each of these groups."""
    place = {folder: number for number, folder in enumerate(LONGEST)}
    folders = [item.path.relative_to(item.config.rootpath / "tests").parts[0] for item in items]
    order = sorted(range(len(items)), key=lambda at: place.get(folders[at], len(place)))
    items[:] = [items[at] for at in order]
