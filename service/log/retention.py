"""How long each kind of entry keeps its payload, and for which reasons and on whose word one may be erased before.

All of it stands in `retention.toml`; a site's own file may replace the periods, never the closed lists.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from service.log.entry import KINDS, EntryError, read_leaf, time_text
from service.log.erasure import Target
from service.log.schema import LogError
from service.log.store import LogStore

SHIPPED = Path(__file__).with_name("retention.toml")
CASE_KINDS = ("screening", "response")
"""The kinds whose payloads say something of a case. Only these are ever due."""
KEY_ID = re.compile(r"[0-9a-f]{8}")

_DAY = 86_400_000_000_000
_LONGEST_DAYS = 36_525


class PolicyError(LogError):
    """A retention policy that cannot be used; one line that names the file, the field and the fix."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Retention periods in days (None: never) for every kind; `digest` is the SHA-256 of the file they stand in."""

    periods: Mapping[str, int | None]
    digest: str


def closed_lists() -> tuple[dict[str, str], dict[str, str]]:
    """The reasons for an erasure and the roles that may order one, code to meaning."""
    content = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return content["reasons"], content["roles"]


def read_policy(path: Path = SHIPPED) -> Policy:
    """The periods in a policy file. Raises `PolicyError` unless it decides every kind, with a reason."""
    raw = path.read_bytes()
    try:
        periods = tomllib.loads(raw.decode()).get("periods")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise PolicyError(f"{path}: not a TOML file; see service/log/retention.toml for the shape") from None
    if not isinstance(periods, dict):
        raise PolicyError(f"{path}: periods: is missing; give a [periods.KIND] for every kind of entry")
    for kind in sorted(periods.keys() ^ KINDS):
        fix = "is missing; give days and why" if kind in KINDS else "is not a kind of entry; remove it"
        raise PolicyError(f"{path}: periods.{kind}: {fix}")
    return Policy(
        {kind: _days(f"{path}: periods.{kind}", kind, said) for kind, said in periods.items()}, sha256(raw).hexdigest()
    )


def _days(where: str, kind: str, said: Any) -> int | None:
    if not isinstance(said, dict) or said.keys() != {"days", "why"}:
        raise PolicyError(f"{where}: give days and why, and nothing else")
    if not isinstance(said["why"], str) or not said["why"].strip():
        raise PolicyError(f"{where}.why: give the reason for the period")
    days = said["days"]
    if days == "never":
        return None
    if type(days) is not int or not 1 <= days <= _LONGEST_DAYS:
        raise PolicyError(f'{where}.days: give a whole number from 1 to {_LONGEST_DAYS}, or "never"')
    if kind not in CASE_KINDS:
        raise PolicyError(f'{where}.days: holds no case data, so it must be "never"')
    return days


def due(
    store: LogStore, policy: Policy, now: int, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Target]:
    """The entries whose period ended before `now` (nanoseconds since 1970) and that are not erased, in log order.

    The time that counts is that in the leaf, which the checkpoints hold. `progress` gets entries read, and all.
    """
    ends = {kind: time_text(max(0, now - days * _DAY)) for kind, days in policy.periods.items() if days is not None}
    last = max(ends.values(), default="")
    found = []
    size = store.size()
    for row in store.rows(0, size):
        progress(row.idx, size)
        try:
            said = read_leaf(row.leaf)
        except (EntryError, TypeError):
            continue  # damaged: `verify` names it, and evidence is not erased by a rule
        if said.at >= last:
            break  # times in the log never run backwards
        if said.at < ends.get(said.kind, "") and not (row.payload is None and row.salt is None):
            found.append(Target(row.idx, said.entry_id, said.kind))
    return found
