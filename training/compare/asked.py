"""Cases as another dictionary would have asked them: an answer that it does not ask for or know is not known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.dictionary import Dictionary, Feature

Floats = NDArray[np.float64]


def same_outcome(old: Dictionary, new: Dictionary) -> bool:
    """Whether two dictionaries mean the same outcome, so that each model can be judged on the other's cases."""
    return old.outcome.column == new.outcome.column and set(old.outcome.positive) == set(new.outcome.positive)


def same_questions(old: Dictionary, new: Dictionary) -> bool:
    """Whether two dictionaries ask the same of a case, answer by answer."""
    return same_outcome(old, new) and _asked(old) == _asked(new)


def _asked(dictionary: Dictionary) -> list[object]:
    return [(f.name, f.kind, f.levels, f.not_applicable) for f in dictionary.features]


def shared_features(old: Dictionary, new: Dictionary) -> Sequence[str]:
    """Features of the old dictionary that the new one asks as well, in the old one's order."""
    return [f.name for f in old.features if _counterpart(f, new) is not None]


def as_asked_by(old: Dictionary, new: Dictionary, X: Floats) -> Floats:
    """Cases encoded by the new dictionary, (rows, its features), encoded by the old one, (rows, its features)."""
    put = np.full((len(X), len(old.features)), np.nan)
    for j, feature in enumerate(old.features):
        place = _counterpart(feature, new)
        if place is not None:
            put[:, j] = _translated(feature, new.features[place], X[:, place])
    return put


def _counterpart(feature: Feature, dictionary: Dictionary) -> int | None:
    """Where a dictionary asks for the feature: under its name, and as a number where it is one."""
    for place, other in enumerate(dictionary.features):
        if other.name == feature.name and other.is_numeric == feature.is_numeric:
            return place
    return None


def _translated(old: Feature, new: Feature, column: Floats) -> Floats:
    found = column.copy()
    if not old.is_numeric:
        codes = [old.levels.index(level) if level in old.levels else np.nan for level in new.levels]
        known = np.isfinite(column)
        found[known] = np.array(codes)[column[known].astype(np.intp)]
    if not old.not_applicable:
        found[np.isneginf(column)] = np.nan
    return found
