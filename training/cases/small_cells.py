"""Folds answers that fewer cases gave than the disclosure threshold, before anything is fitted.

To blank a small count in `model.json` is not enough: the value fitted to the level rests on those cases, and the mean
of the table with the other counts gives the count back. What was folded beforehand cannot be worked out afterwards.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.case import OTHER
from model.dictionary import Dictionary, Feature
from training.cases.file import CaseFile
from training.policy import POLICY, DataPolicy

Floats = NDArray[np.float64]
NOT_KNOWN_CODE, NOT_APPLICABLE_CODE = np.nan, -np.inf


@dataclass(frozen=True, slots=True)
class Folded:
    """An answer that too few cases gave (but some): the feature, the answer, and what it is counted with."""

    feature: str
    answer: str
    counted_with: str


def fold_small_cells(X: Floats, dictionary: Dictionary, threshold: int) -> tuple[Floats, tuple[Folded, ...]]:
    """A copy of encoded rows, (rows, features), in which each answer that is there was given by `threshold` or more.

    A rare level joins the next lower level of an ordinal (the next higher for the lowest), `other` of a category, or
    else *not known*; a rare *not applicable* joins *not known*; where *not known* itself is rare, so that it could
    describe single cases, it joins the reference or the most common answer. Numbers are binned by the learner, which
    keeps `threshold` rows a bin; here only a number that fewer cases have at all is folded.
    """
    folded: list[Folded] = []
    result = X.copy(order="F")
    for j, feature in enumerate(dictionary.features):
        _fold(result[:, j], feature, threshold, folded)
    return result, tuple(folded)


def released_cases(
    cases: CaseFile, dictionary: Dictionary, policy: DataPolicy = POLICY
) -> tuple[CaseFile, dict[str, Any]]:
    """The cases that a released figure may rest on, and what `model.json` says of how they came to be.

    Names of features, answers and columns, and no count: what was folded, and what was accepted as no leak.
    """
    X, folded = fold_small_cells(cases.X, dictionary, policy.disclosure_threshold)
    lineage: dict[str, Any] = {
        "disclosure_threshold": policy.disclosure_threshold,
        "folded": [asdict(fold) for fold in folded],
        "accepted": [dict(zip(("column", "problem", "reason"), each, strict=True)) for each in cases.accepted],
    }
    return replace(cases, X=X), lineage


def _fold(column: Floats, feature: Feature, threshold: int, folded: list[Folded]) -> None:
    if feature.is_numeric:
        known = np.isfinite(column)
        if 0 < np.count_nonzero(known) < threshold:
            column[known] = NOT_KNOWN_CODE
            folded.append(Folded(feature.name, "any number", "not known"))
    else:
        _fold_levels(column, feature, threshold, folded)
    apart = np.isneginf(column)
    if 0 < np.count_nonzero(apart) < threshold:
        column[apart] = NOT_KNOWN_CODE
        folded.append(Folded(feature.name, "not applicable", "not known"))
    gaps = np.isnan(column)
    if 0 < np.count_nonzero(gaps) < threshold and not gaps.all():
        _fill(column, gaps, feature, threshold)
        folded.append(Folded(feature.name, "not known", "the reference or the most common answer"))


def _fold_levels(column: Floats, feature: Feature, threshold: int, folded: list[Folded]) -> None:
    counts = np.bincount(column[np.isfinite(column)].astype(int), minlength=len(feature.levels))
    rare = (counts > 0) & (counts < threshold)
    # From the top of an ordinal down, and `other` last, so that what has joined a level is counted with it.
    for level in sorted(
        range(len(counts)), key=lambda level: (feature.kind == "category" and feature.levels[level] == OTHER, -level)
    ):
        if not 0 < counts[level] < threshold:
            continue
        home = _home(feature, counts, level, int(counts[rare].sum()), threshold)
        column[column == level] = NOT_KNOWN_CODE if home is None else home
        if home is not None:
            counts[home] += counts[level]
        counts[level] = 0
        joined = "not known" if home is None else feature.levels[home]
        folded.append(Folded(feature.name, feature.levels[level], joined))


def _home(feature: Feature, counts: NDArray[np.intp], level: int, rare: int, threshold: int) -> int | None:
    """The level that a rare one joins, or None for not known; `rare` is the cases in all rare levels together."""
    if feature.kind == "ordinal":
        above = np.flatnonzero(counts[level + 1 :] > 0)
        return level - 1 if level else (int(above[0]) + 1 if len(above) else None)
    if feature.kind == "category" and OTHER in feature.levels:
        other = feature.levels.index(OTHER)
        if other != level and (counts[other] >= threshold or rare >= threshold):
            return other
    return None


def _fill(column: Floats, gaps: NDArray[np.bool_], feature: Feature, threshold: int) -> None:
    reference = feature.reference
    code = (
        None
        if reference is None
        else float(feature.levels.index(reference) if isinstance(reference, str) else reference)
    )
    if code is None or np.count_nonzero(column == code) < threshold:
        values, counts = np.unique(column[~gaps], return_counts=True)
        code = float(values[np.argmax(counts)])
    column[gaps] = code
