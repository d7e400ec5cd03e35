"""The dictionary's features as the learners are told of them."""

from __future__ import annotations

from model.dictionary import Dictionary, Feature
from training.fit.terms import TermSpec


def term_specs(dictionary: Dictionary) -> tuple[TermSpec, ...]:
    """One `TermSpec` a feature, in dictionary order."""
    return tuple(_spec(feature) for feature in dictionary.features)


def _spec(feature: Feature) -> TermSpec:
    reference = feature.reference
    if isinstance(reference, str):
        reference = feature.levels.index(reference)
    return TermSpec(
        name=feature.name,
        kind=feature.kind,
        direction=feature.direction,
        reference=None if reference is None else float(reference),
        levels=len(feature.levels),
        not_applicable=feature.not_applicable,
    )
