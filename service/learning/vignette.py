"""A vignette: one made-up training case, as its file tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.condition import Value


@dataclass(frozen=True, slots=True)
class Known:
    """What one agency has on record: in words, and as answers to questions of the dictionary."""

    agency: str
    words: str
    features: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the reader may say they would do, and what to think about if they do."""

    code: str
    text: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that the reader may ask: of which agency, and what comes back.

    `found` is the answer as a value of the dictionary; asking does not always bring one, so it may be `not_known`.
    """

    feature: str
    agency: str
    text: str
    found: Value
    answer: str


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What was known only later, and what might have been otherwise: a hypothesis, worded as one."""

    story: tuple[str, ...]
    counterfactual: str


@dataclass(frozen=True, slots=True)
class Point:
    """Something to take away, with the promise of Grounds or the published guidance that it goes with."""

    text: str
    promise: str = ""
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class Vignette:
    """One training case. The reader sits in `agency`, in the role that `role` tells.

    `synthetic_case` says from which row of the synthetic cohort the answers come; empty for a case that was written.
    `order` is its place in the list, lowest first.
    """

    code: str
    title: str
    theme: str
    source: str
    synthetic_case: str
    agency: str
    role: str
    story: tuple[str, ...]
    known: tuple[Known, ...]
    choices: tuple[Choice, ...]
    asks: tuple[Ask, ...]
    hindsight: Hindsight
    points: tuple[Point, ...]
    discussion: tuple[str, ...]
    order: int

    def own(self) -> Known:
        """What the reader's own agency has on record."""
        return next(known for known in self.known if known.agency == self.agency)

    def choice(self, code: str) -> Choice | None:
        """The choice of that code, or None."""
        return next((choice for choice in self.choices if choice.code == code), None)
