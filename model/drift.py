"""How far the cases of today differ from those a model was trained on, feature by feature.

The population stability index is sum((p - q) * ln(p / q)) over the bins' shares now (p) and in training (q) (Siddiqi
2006, Credit Risk Scorecards, which also gives the usual bands: under 0.1 little, from 0.25 much). The bands are a
convention and no test: without any drift the index of B bins is about (B - 1) * (1/n + 1/m) on average (n and m cases),
so that is stated beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from model.additive import AdditiveModel, Term
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Value

MOST_BINS = 10
"""Neighbouring bins of a number are taken together to about this many: with more, the index is mostly noise."""
LITTLE, MUCH = 0.1, 0.25


@dataclass(slots=True)
class Seen:
    """What was seen of one feature: counts of each bin of the model's table, of *not known* and of *not applicable*."""

    bins: list[int]
    not_known: int = 0
    not_applicable: int = 0
    unlisted: int = 0
    """Answers that the model's table has no place for: given while another dictionary was in use."""

    @property
    def cases(self) -> int:
        """All cases that were looked at."""
        return sum(self.bins) + self.not_known + self.not_applicable + self.unlisted

    def add(self, term: Term, value: Value) -> None:
        """Counts one case's value."""
        if value == NOT_KNOWN:
            self.not_known += 1
        elif value == NOT_APPLICABLE:
            self.not_applicable += 1
        elif isinstance(value, str) is term.feature.is_numeric or (isinstance(value, str) and value not in term.slots):
            self.unlisted += 1
        else:
            self.bins[term.slot(value)] += 1


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature now against training. `index` and `noise` are None where there are too few cases or counts.

    `not_answered_then` is the share of training cases without a known level (not known, or not applicable), and
    `not_answered_now` the same share today.
    """

    feature: str
    label: str
    cases: int
    index: float | None
    noise: float | None
    not_answered_then: float | None
    not_answered_now: float
    unlisted: int = 0
    """Answers that the model's dictionary does not list; they are in no other figure but `cases`."""


@dataclass(slots=True)
class Watch:
    """Counts today's cases against one model."""

    model: AdditiveModel
    seen: list[Seen] = field(init=False)
    cases: int = 0

    def __post_init__(self) -> None:
        self.seen = [Seen([0] * len(term.values)) for term in self.model.terms]

    def add(self, values: dict[str, Value]) -> None:
        """Counts a case; a feature that is absent is not known."""
        self.cases += 1
        for seen, term in zip(self.seen, self.model.terms, strict=True):
            seen.add(term, values.get(term.feature.name, NOT_KNOWN))

    def drift(self) -> list[FeatureDrift]:
        """Every feature, in the model's order. Nothing where no case was counted."""
        if not self.cases:
            return []
        rows = self.model.facts.get("training", {}).get("rows")
        return [_drift(term, seen, rows) for term, seen in zip(self.model.terms, self.seen, strict=True)]


def _drift(term: Term, seen: Seen, rows: object) -> FeatureDrift:
    then = [count or 0 for count in term.counts]
    index = noise = None
    answered = sum(seen.bins)
    if len(then) == len(seen.bins) and sum(then) > 0 and answered > 0:
        expected, actual = _grouped(then, seen.bins)
        index = stability_index(expected, actual)
        noise = (len(expected) - 1) * (1 / sum(actual) + 1 / sum(expected))
    share_then = 1 - sum(then) / rows if isinstance(rows, int) and rows and sum(then) > 0 else None
    return FeatureDrift(
        feature=term.feature.name,
        label=term.feature.label,
        cases=seen.cases,
        index=index,
        noise=noise,
        not_answered_then=share_then,
        not_answered_now=(seen.not_known + seen.not_applicable) / seen.cases,
        unlisted=seen.unlisted,
    )


def stability_index(expected: Sequence[int], actual: Sequence[int]) -> float:
    """The population stability index of two lists of counts over the same bins; half a case is added to each count,
    so that an empty bin does not make it infinite. At least 0, and 0 where the shares are alike."""
    total_expected = sum(expected) + len(expected) / 2
    total_actual = sum(actual) + len(actual) / 2
    index = 0.0
    for then, now in zip(expected, actual, strict=True):
        q, p = (then + 0.5) / total_expected, (now + 0.5) / total_actual
        index += (p - q) * math.log(p / q)
    return index


def _grouped(then: Sequence[int], now: Sequence[int]) -> tuple[list[int], list[int]]:
    """Neighbouring bins taken together until each holds about a tenth of training, where there are more than ten."""
    if len(then) <= MOST_BINS:
        return list(then), list(now)
    wanted = sum(then) / MOST_BINS
    expected: list[int] = []
    actual: list[int] = []
    e = a = 0
    for before, today in zip(then, now, strict=True):
        e, a = e + before, a + today
        if e >= wanted:
            expected.append(e)
            actual.append(a)
            e = a = 0
    if e or a:
        expected.append(e)
        actual.append(a)
    return expected, actual
