"""The cores that the service may use: bound to it, and within its container's quota."""

import os

import pytest

from service.cores import usable_cores

BOUND = len(os.sched_getaffinity(0))


@pytest.fixture
def group(tmp_path):
    """A control group two below the root; `{path below the root: cpu.max}` sets limits."""

    def made(own="0::/outer/inner\n", **limits):
        (tmp_path / "cgroup").write_text(own)
        for name, limit in limits.items():
            folder = tmp_path / "groups" / {"root": "", "outer": "outer", "inner": "outer/inner"}[name]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cpu.max").write_text(limit)
        return usable_cores(tmp_path / "cgroup", tmp_path / "groups")

    return made


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.usefixtures("many_cores")
@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({}, 64),
        ({"inner": "max 100000\n"}, 64),
        ({"inner": "400000 100000\n"}, 4),
        ({"inner": "150000 100000\n"}, 2),
        ({"inner": "10000 100000\n"}, 1),
        ({"outer": "300000 100000\n", "inner": "800000 100000\n"}, 3),
        ({"root": "200000 100000\n"}, 2),
        ({"inner": "nonsense\n"}, 64),
        ({"inner": "9900000 100000\n"}, 64),
    ],
)
def test_the_least_of_affinity_and_quotas_holds(group, limits, cores):
    assert group(**limits) == cores


@pytest.mark.usefixtures("many_cores")
def test_control_groups_of_version_1_set_no_limit(group):
    assert group(own="4:cpu:/outer/inner\n", inner="100000 100000\n") == 64


def test_without_control_groups_the_affinity_holds(tmp_path):
    assert usable_cores(tmp_path / "none", tmp_path) == BOUND


def test_this_machine_has_some():
    assert 1 <= usable_cores() <= BOUND
