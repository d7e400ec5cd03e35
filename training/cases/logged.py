"""Reads screenings out of an export of the explanation log (JSON Lines, format 1), line by line.

Written anew from the format's description, without the service's code: a second pair of eyes must not share the first
one's mistakes.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_KNOWN
from model.pooling import Observation, pool

FORMAT = 1
UNSEEN_LEVEL = "not_known:unseen_level"
"""What the log holds for a category's value that the dictionary did not list: it counted as not known."""


class ExportError(ValueError):
    """A file that is no export, or one that was cut short. One line."""


@dataclass(frozen=True, slots=True)
class LoggedScreening:
    """What the log says of one screening: the input, the model's digest, and the numbers shown (log-odds, score)."""

    index: int
    entry_id: str
    model_sha256: str
    asked: Mapping[str, Any]
    score: float
    base_value: float
    contributions: Mapping[str, float]

    def case(self, model: AdditiveModel) -> Case:
        """The case that was scored, pooled where several agencies asked. Raises ValueError for a number not finite."""
        if "observations" not in self.asked:
            return Case.of(model.dictionary, _given(self.asked["features"]))
        return pool(
            model, [Observation(one["agency"], _given(one["features"])) for one in self.asked["observations"]]
        ).case


def _given(features: Mapping[str, Any]) -> dict[str, Any]:
    if any(isinstance(value, float) and not math.isfinite(value) for value in features.values()):
        raise ValueError("a number of the logged input is not finite")
    return {name: NOT_KNOWN if value == UNSEEN_LEVEL else value for name, value in features.items()}


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """A screening that cannot be judged, with the reason; none where its payload was erased."""

    index: int
    entry_id: str
    reason: str = ""


def read_screenings(export: Path, only: frozenset[int] | None = None) -> Iterator[LoggedScreening | NotReplayed]:
    """The screenings of an export, or those at the indexes `only`. Raises `ExportError` by line."""
    for index, line in _entries(export):
        if only is None or index in only:
            entry_id, kind, form = _leaf(line)
            if kind == "screening" or not kind:
                yield _screening(index, entry_id, form, line)


def sample(export: Path, count: int, seed: int) -> frozenset[int]:
    """Indexes of `count` screenings, those whose SHA-256 of seed and id is lowest: as `service log replay` draws."""
    drawn: list[tuple[int, int]] = []
    for index, line in _entries(export):
        entry_id, kind, _ = _leaf(line)
        if kind == "screening" or not kind:
            heapq.heappush(drawn, (_negated(sha256(f"{seed} {entry_id}".encode()).digest()), -index))
            if len(drawn) > count:
                heapq.heappop(drawn)
    return frozenset(-index for _, index in drawn)


def _negated(lot: bytes) -> int:
    return -int.from_bytes(lot)


def _entries(export: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with export.open("rb") as lines:
        header = _parsed(export, 1, lines.readline())
        if header.get("format") != FORMAT or type(header.get("size")) is not int:
            raise ExportError(f"{export}: not an export of format {FORMAT}; write one with the command log export")
        for number, line in enumerate(lines, 2):
            content = _parsed(export, number, line)
            if "checkpoint" in content:
                return
            yield number - 2, content
    raise ExportError(f"{export}: ends without a checkpoint: it was cut short; export it again")


def _parsed(export: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ExportError(f"{export}: line {number} is not a JSON object; export the log again")
    return content


def _leaf(line: Mapping[str, Any]) -> tuple[str, str, int]:
    """Id, kind and format of an entry; empty and 0 where its leaf cannot be read."""
    try:
        leaf = json.loads(line["leaf"])
        return str(leaf["entry"]), str(leaf["kind"]), int(leaf["format"])
    except (ValueError, KeyError, TypeError):
        return "", "", 0


def _screening(index: int, entry_id: str, form: int, line: Mapping[str, Any]) -> LoggedScreening | NotReplayed:
    if form != FORMAT:
        return NotReplayed(index, entry_id, "its leaf cannot be read, or has a format that this version does not know")
    if line.get("payload") is None:
        return NotReplayed(index, entry_id, "" if line.get("salt") is None else "its payload could not be read")
    try:
        payload = json.loads(line["payload"])
        answer, rows = payload["answer"], payload["answer"]["explanation"]["contributions"]
        return LoggedScreening(
            index,
            entry_id,
            str(payload["model_sha256"]),
            dict(payload["asked"]),
            float(answer["score"]),
            float(answer["explanation"]["base_value"]),
            {str(row["feature"]): float(row["contribution"]) for row in rows},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return NotReplayed(index, entry_id, "its payload is not that of a screening of format 1")
