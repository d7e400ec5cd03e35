"""The drift of one agency's screenings, over the questions whose answers it may hold.

A figure of few cases says more about those cases than about drift. So an agency of few is named without figures
(`service.log.disclosure`), a share is shown only where neither side of it is a small count, and an index only from
`ENOUGH_ANSWERS` on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.dictionary import Dictionary
from model.drift import FeatureDrift, Watch
from service.log.disclosure import hidden, is_small

ENOUGH_ANSWERS = 50
"""Answers to a question from which on its index is shown: of ten bins, fewer than 36 reach 0.25 by chance alone."""


@dataclass(frozen=True, slots=True)
class AgencyFeatureDrift:
    """One question of an agency. None: too few to be shown."""

    feature: str
    label: str
    index: float | None
    noise: float | None
    not_answered_then: float | None
    not_answered_now: float | None


@dataclass(frozen=True, slots=True)
class AgencyDrift:
    """One agency's screenings: how many, and the share of its own questions without an answer, then and now.

    `index` is the mean over those of its `features` that have one. None: too few to be shown.
    """

    agency: str
    label: str
    cases: int | None
    index: float | None
    not_answered_then: float | None
    not_answered_now: float | None
    features: tuple[AgencyFeatureDrift, ...] = ()


def agency_drift(watches: Mapping[str, Watch], dictionary: Dictionary) -> tuple[AgencyDrift, ...]:
    """Every agency, by its id. Where one is too small to be shown, another is not shown either if it gave it away."""
    labels = {one.id: one.label for one in dictionary.agencies}  # an earlier dictionary may have had others
    unshown = hidden({agency: [watch.cases] for agency, watch in watches.items()})
    return tuple(
        AgencyDrift(agency, labels.get(agency, agency), None, None, None, None)
        if agency in unshown
        else _shown(agency, labels.get(agency, agency), watch, dictionary)
        for agency, watch in sorted(watches.items())
    )


def _shown(agency: str, label: str, watch: Watch, dictionary: Dictionary) -> AgencyDrift:
    held = {feature.name for feature in dictionary.features if agency in feature.held_by}
    own = [one for one in watch.drift() if one.feature in held]
    features = tuple(map(_feature, own))
    return AgencyDrift(
        agency,
        label,
        watch.cases,
        _mean([one.index for one in features]),
        _mean([one.not_answered_then for one in own]),
        _mean([one.not_answered_now for one in own]),
        features,
    )


def _feature(drift: FeatureDrift) -> AgencyFeatureDrift:
    unknown = round(drift.not_answered_now * drift.cases)
    enough = drift.cases - unknown - drift.unlisted >= ENOUGH_ANSWERS
    small = is_small(unknown) or is_small(drift.cases - unknown)
    return AgencyFeatureDrift(
        drift.feature,
        drift.label,
        drift.index if enough else None,
        drift.noise if enough else None,
        drift.not_answered_then,
        None if small else drift.not_answered_now,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
