"""A lesson: what the live model shows about a vignette, and what the reader's own answers can be held beside.

The same functions answer as in a screening (`service.screening.compose`), but nothing is recorded. A case is made of
the vignette's file alone: the reader chooses which of its questions to ask and can send no answer of their own, so that
no real case can be screened here past the log.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from model.case import bounds
from model.condition import NOT_APPLICABLE, NOT_KNOWN, Value
from model.dictionary import Feature
from service.answer import AnswerWriter
from service.learning.together import Conflict, Together, together
from service.learning.vignette import Ask, Choice, Known, Vignette
from service.model_files import ReleasedModel
from service.screening import compose

TRAINING = "training"
"""Stands where an answer has its case reference and the id of its record: a lesson has neither."""


@dataclass(frozen=True, slots=True)
class View:
    """What would be shown to whoever knows `features`: the answer as the API has it, without a record."""

    features: dict[str, Value]
    answer: dict[str, Any]

    @property
    def level(self) -> str:
        """The level of the prompt."""
        level: str = self.answer["prompt"]["level"]
        return level


@dataclass(frozen=True, slots=True)
class Alone:
    """What one agency knows, and what it alone would be shown."""

    known: Known
    label: str
    view: View


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that could be asked, held beside what was not known.

    `first`: the service would ask it first. `could_change`: some answer to it alone would give the reader's agency
    another level, through the score or a ground. `level` is the one after the answer that came back.
    """

    ask: Ask
    chosen: bool
    first: bool
    could_change: bool
    level: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything that a lesson shows, before it is put into words.

    `own` is the view of the reader's agency, `heard` the same with the answers to what the reader asked, `pooled` what
    all agencies know together, `full` that with every answer that asking brings.
    """

    vignette: Vignette
    choice: Choice
    own: View
    heard: View
    alone: tuple[Alone, ...]
    pooled: View
    conflicts: tuple[Conflict, ...]
    full: View
    asked: tuple[Asked, ...]
    not_offered: tuple[str, ...]


def make_lesson(
    vignette: Vignette, choice: Choice, asks: Collection[str], released: ReleasedModel, writer: AnswerWriter
) -> Lesson:
    """The lesson of a vignette for a reader who would do `choice` and ask the features named in `asks`."""
    dictionary = released.model.dictionary

    def seen(*parts: Known) -> tuple[Together, View]:
        pooled = together(parts, dictionary)
        return pooled, view(pooled.features, vignette.agency, released, writer)

    def level_after(ask: Ask, answer: Value) -> str:
        return seen(vignette.own(), _reply(ask, answer))[1].level

    def could_change(ask: Ask) -> bool:
        return any(level_after(ask, answer) != own.level for answer in answers_to(dictionary.feature(ask.feature)))

    _, own = seen(vignette.own())
    pooled, pooled_view = seen(*vignette.known)
    first = own.answer["prompt"]["ask"]
    offered = {ask.feature for ask in vignette.asks}
    return Lesson(
        vignette=vignette,
        choice=choice,
        own=own,
        heard=seen(vignette.own(), *[_reply(ask, ask.found) for ask in vignette.asks if ask.feature in asks])[1],
        alone=tuple(
            Alone(part, dictionary.agency_label(part.agency), view(part.features, part.agency, released, writer))
            for part in vignette.known
        ),
        pooled=pooled_view,
        conflicts=pooled.conflicts,
        full=seen(*vignette.known, *[_reply(ask, ask.found) for ask in vignette.asks])[1],
        asked=tuple(
            Asked(ask, ask.feature in asks, ask.feature in first, could_change(ask), level_after(ask, ask.found))
            for ask in vignette.asks
        ),
        not_offered=tuple(dictionary.feature(name).label for name in first if name not in offered),
    )


def view(features: Mapping[str, Value], agency: str, released: ReleasedModel, writer: AnswerWriter) -> View:
    """What the service shows about these answers. Nothing is recorded."""
    known = {name: value for name, value in features.items() if value != NOT_KNOWN}
    request = {"case_ref": TRAINING, "agency": agency, "features": known}
    return View(known, json.loads(compose(request, released, writer, TRAINING)))


def answers_to(feature: Feature) -> tuple[Value, ...]:
    """The known answers between which the score of a feature lies: every level, or a number's lowest and highest."""
    apart: tuple[Value, ...] = (NOT_APPLICABLE,) if feature.not_applicable else ()
    if not feature.is_numeric:
        return feature.levels + apart
    return tuple(bound for bound in bounds(feature) if bound is not None) + apart


def _reply(ask: Ask, answer: Value) -> Known:
    return Known(ask.agency, ask.answer, {ask.feature: answer})
