"""What of an entry can be searched for: codes and names alone, taken from its payload whatever its kind.

No feature's value, no score and no case reference is among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from model.dictionary import NOT_KNOWN
from service.log.stored import StoredEntry

POOLED = "pooled"
"""What a request of several agencies is found by, in the place of an agency's id."""
_NAMELESS = (NOT_KNOWN, None)


@dataclass(frozen=True, slots=True)
class Facts:
    """The searchable facts of one entry. `at` is UTC; what an entry of its kind does not say is None or empty.

    `features` are the names of those that were known, `grounds` the codes of those met, `band` is 1 to 20.
    `damaged` says that the payload does not fit its leaf, so that none of it was read.
    """

    index: int
    kind: str
    at: str
    entry_id: str | None = None
    level: str | None = None
    band: int | None = None
    model: str | None = None
    agency: str | None = None
    key_id: str | None = None
    response: str | None = None
    grounds: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    damaged: bool = False


def facts_of(entry: StoredEntry) -> Facts:
    """The facts of an entry; of an erased one index, kind and time alone."""
    if entry.payload is None:
        return Facts(entry.index, entry.kind, entry.at)
    said = _mapping(orjson.loads(entry.payload))
    answer, asked, caller = (_mapping(said.get(part)) for part in ("answer", "asked", "caller"))
    return Facts(
        entry.index,
        entry.kind,
        entry.at,
        entry.entry_id,
        level=_text(_mapping(answer.get("prompt")).get("level")) or _text(said.get("level")),
        band=_band(answer.get("band")),
        model=_model(answer) or _model(said),
        agency=_text(asked.get("agency")) or _text(said.get("agency")) or (POOLED if _observations(asked) else None),
        # Of an entry about a key it is that key: who made it is the operator, at the command line.
        key_id=_text(caller.get("key_id")) or _text(said.get("key_id")),
        response=_text(said.get("action")) if entry.kind == "response" else None,
        grounds=tuple(sorted(_codes(answer.get("grounds")))),
        features=_known_features(asked),
    )


def _known_features(asked: Mapping[str, Any]) -> tuple[str, ...]:
    parts = [asked, *_observations(asked)]
    given = [one for part in parts for one in _mapping(part.get("features")).items()]
    return tuple(sorted({name for name, value in given if _is_known(value)}))


def _observations(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = asked.get("observations")
    return [_mapping(one) for one in listed] if isinstance(listed, list) else []


def _is_known(value: object) -> bool:
    # A level that the dictionary did not list is kept as "not_known:...", and counted as not known.
    return value not in _NAMELESS and not str(value).startswith(f"{NOT_KNOWN}:")


def _model(said: Mapping[str, Any]) -> str | None:
    model = said.get("model")
    return _text(model) or _text(_mapping(model).get("version"))


def _codes(grounds: object) -> set[str]:
    listed = grounds if isinstance(grounds, list) else []
    return {code for ground in listed if (code := _text(_mapping(ground).get("code"))) is not None}


def _band(value: object) -> int | None:
    return value if type(value) is int else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
