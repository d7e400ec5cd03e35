"""A lesson: what the live model shows about a vignette, and what the reader's own answers can be held beside.

The same functions answer as in a screening (`service.screening.story.compose`), but nothing is recorded. A case is made
of the vignette's file alone: the reader chooses which of its questions to ask and can send no answer of their own, so
that no real case can be screened here past the log.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from model.case import bounds
from model.condition import NOT_APPLICABLE, NOT_KNOWN, Value
from model.dictionary import Feature
from model.pooling import Conflict, Observation, PooledCase, pool
from service.learning.vignette import Ask, Choice, Known, Vignette
from service.model_files import ReleasedModel
from service.screening.answer import AnswerWriter
from service.screening.story import compose

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


class Lessons:
    """The lessons of one released model. What does not hang on the reader is worked out once for each vignette."""

    def __init__(self, released: ReleasedModel, writer: AnswerWriter) -> None:
        self._released = released
        self._writer = writer
        self._dictionary = released.model.dictionary
        self._unasked: dict[str, Lesson] = {}

    def lesson(self, vignette: Vignette, choice: Choice, asks: Collection[str]) -> Lesson:
        """The lesson for a reader who would do `choice` and ask the features named in `asks`."""
        unasked = self._unasked.get(vignette.code)
        if unasked is None or unasked.vignette is not vignette:
            unasked = self._unasked[vignette.code] = self._before_asking(vignette)
        replies = [_reply(ask, ask.found) for ask in vignette.asks if ask.feature in asks]
        asked = tuple(replace(one, chosen=one.ask.feature in asks) for one in unasked.asked)
        return replace(unasked, choice=choice, heard=self._seen(vignette, vignette.own(), *replies)[1], asked=asked)

    def _before_asking(self, vignette: Vignette) -> Lesson:
        _, own = self._seen(vignette, vignette.own())
        pooled, pooled_view = self._seen(vignette, *vignette.known)
        offered = {ask.feature for ask in vignette.asks}
        return Lesson(
            vignette=vignette,
            choice=vignette.choices[0],
            own=own,
            heard=own,
            alone=tuple(self._alone(part) for part in vignette.known),
            pooled=pooled_view,
            conflicts=pooled.conflicts,
            full=self._seen(vignette, *vignette.known, *[_reply(ask, ask.found) for ask in vignette.asks])[1],
            asked=tuple(self._asked(vignette, ask, own) for ask in vignette.asks),
            not_offered=tuple(
                self._dictionary.feature(name).label for name in own.answer["prompt"]["ask"] if name not in offered
            ),
        )

    def _seen(self, vignette: Vignette, *parts: Known) -> tuple[PooledCase, View]:
        pooled = pool(self._released.model, [Observation(part.agency, part.features) for part in parts])
        return pooled, view(pooled.case.values, vignette.agency, self._released, self._writer)

    def _alone(self, part: Known) -> Alone:
        shown = view(part.features, part.agency, self._released, self._writer)
        return Alone(part, self._dictionary.agency_label(part.agency), shown)

    def _asked(self, vignette: Vignette, ask: Ask, own: View) -> Asked:
        def level_after(answer: Value) -> str:
            return self._seen(vignette, vignette.own(), _reply(ask, answer))[1].level

        answers = answers_to(self._dictionary.feature(ask.feature))
        could_change = any(level_after(answer) != own.level for answer in answers)
        first = ask.feature in own.answer["prompt"]["ask"]
        return Asked(ask, False, first, could_change, level_after(ask.found))


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
