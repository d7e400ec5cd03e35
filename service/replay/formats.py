"""How an entry's payload is read and its answer worked out again, by the format number in its leaf.

A payload names no version of its own: the leaf's `format` stands for both, so that nobody can change the format of an
entry that is in the tree. Format 1: `{"answer", "asked", "caller", "model_sha256"}`, canonical JSON; what else a
payload holds (`sent_digest`, `cds_service`) takes no part in the answer.

To add format 2 (a payload or an answer of another shape, or other words around the model's own):

1. raise `service.log.entry.FORMAT`, and let `leaf_bytes` and `read_leaf` take both numbers;
2. keep what composes an answer of format 1, as it is then, under its own name (`service/replay/format_1.py`);
3. add a line to `FORMATS`, and golden files `tests/golden/log/format-2.*`. Those of format 1 stay, and must replay.

A change of the model, of its words, its dictionary or its policy needs none of this: they are archived in `model.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from model.explanation import ExplanationError
from service.replay.archive import Ready
from service.screening.story import compose


class Unreadable(Exception):
    """An entry that cannot be replayed as it is; one line, without case data."""


@dataclass(frozen=True, slots=True)
class Screening:
    """A screening entry: what was asked, the digest of the model, and what was answered."""

    asked: Mapping[str, Any]
    model_sha256: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """`read` raises `Unreadable`; `answer` (model, what was asked, entry id) gives the answer's bytes, or raises it."""

    read: Callable[[bytes], Screening]
    answer: Callable[[Ready, Screening, str], bytes]


def format_of(number: int) -> Format:
    """The format of that number. Raises `Unreadable` for one that this version does not know."""
    if number not in FORMATS:
        raise Unreadable(f"has format {number}, which this version does not know; replay it with a newer one")
    return FORMATS[number]


def _read_1(payload: bytes) -> Screening:
    try:
        said = orjson.loads(payload)
        found = Screening(said["asked"], said["model_sha256"], said["answer"])
        shaped = isinstance(found.asked["case_ref"], str) and _is_of_a_form(found.asked)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        shaped = False
    if not shaped or not isinstance(found.answer, dict) or not isinstance(found.model_sha256, str):
        raise Unreadable("its payload is not that of a screening of format 1")
    return found


def _is_of_a_form(asked: Mapping[str, Any]) -> bool:
    if "observations" not in asked:
        return isinstance(asked["features"], dict)
    observations = asked["observations"]
    return isinstance(observations, list) and all(isinstance(one["features"], dict) for one in observations)


def _answer_1(ready: Ready, screening: Screening, entry_id: str) -> bytes:
    try:
        return compose(screening.asked, ready.released, ready.writer, entry_id)
    except ExplanationError:
        raise Unreadable("its model does not explain its logged input") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise Unreadable("its logged input is not one that its model can read") from None


FORMATS: Mapping[int, Format] = {1: Format(_read_1, _answer_1)}
