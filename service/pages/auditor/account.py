"""What an entry says, for a reader: a screening as the practitioner saw it, any other kind as a readable table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from model.additive import AdditiveModel
from model.dictionary import NOT_KNOWN
from model.wording import value_words
from service.log.stored import StoredEntry
from service.model_files import ReleasedModel
from service.pages.auditor.readable import rows_of
from service.pages.auditor.room import ReadingRoom
from service.pages.result.shown import ShownScreenings

TEMPLATE = "auditor/shown.html"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it was sent: by which agency, to which question."""

    agency: str
    question: str
    answer: str


class Account:
    """Makes the account of entries."""

    def __init__(self, room: ReadingRoom) -> None:
        self._pages = room.pages
        self._live = ShownScreenings(room.pages.templates, room.pages.released, TEMPLATE)

    def of(self, stored: StoredEntry | None) -> dict[str, Any]:
        """What the page of an entry shows of its payload; nothing of one that is erased or damaged."""
        if stored is None or stored.payload is None:
            return {}
        said: dict[str, Any] = orjson.loads(stored.payload)
        if stored.kind != "screening":
            return {"rows": rows_of(said)}
        released = self._pages.models.find(said["model_sha256"])
        at_hand = released or self._pages.released
        shown = self._live if at_hand is self._pages.released else self._shown_by(at_hand)
        return {
            "said": said,
            "body": shown.body(stored, said),
            "answers": _answers(said["asked"], at_hand.model),
            "watched": rows_of(said["asked"].get("monitoring") or {}),
            "archived": released is not None,
        }

    def _shown_by(self, released: ReleasedModel) -> ShownScreenings:
        return ShownScreenings(self._pages.templates, released, TEMPLATE)


def _answers(asked: Mapping[str, Any], model: AdditiveModel) -> list[Answer]:
    """Every answer that was sent, in the dictionary's order; a pooled request's by agency."""
    agencies = {agency.id: agency.label for agency in model.dictionary.agencies}
    order = {feature.name: place for place, feature in enumerate(model.dictionary.features)}
    return [
        Answer(agencies.get(part["agency"], part["agency"]), *_worded(name, part["features"][name], model))
        for part in asked.get("observations", [asked])
        for name in sorted(part["features"], key=lambda name: (order.get(name, len(order)), name))
    ]


def _worded(name: str, value: Any, model: AdditiveModel) -> tuple[str, str]:
    feature = next((feature for feature in model.dictionary.features if feature.name == name), None)
    if feature is None:
        return name.replace("_", " "), str(value).replace("_", " ")
    # A level that the dictionary did not list is logged as "not_known:..." and counts as not known.
    known = NOT_KNOWN if value is None or str(value).startswith(NOT_KNOWN) else value
    return feature.label, value_words(model, feature, known)
