"""How many cores this process may use: those it is bound to, and no more than its container is given time of."""

from __future__ import annotations

import math
import os
from pathlib import Path

_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def usable_cores(own_group: Path = _OWN_GROUP, groups: Path = _GROUPS) -> int:
    """Cores of the affinity, or of the control group's quota (version 2, `cpu.max`) rounded up where that is less."""
    bound = len(os.sched_getaffinity(0))
    return min([bound, *_quotas(own_group, groups)])


def _quotas(own_group: Path, groups: Path) -> list[int]:
    """Of the process's own group and of each above it, where there is one: the least holds."""
    try:
        lines = own_group.read_text().splitlines()
    except OSError:
        return []
    name = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if name is None:
        return []  # version 1 alone
    folder = groups / name.lstrip("/")
    found = [_quota(one / "cpu.max") for one in (folder, *folder.parents) if one.is_relative_to(groups)]
    return [quota for quota in found if quota is not None]


def _quota(file: Path) -> int | None:
    """The cores' worth of time in a `cpu.max` ("150000 100000" is one and a half); None where it sets no limit."""
    try:
        quota, period = file.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return None  # no such file (the root has none), or "max"
