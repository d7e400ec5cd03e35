"""Whom to ask about what is not known: one phrase a feature, out of the model's own archived words."""

from __future__ import annotations

from collections.abc import Mapping

from model.dictionary import Dictionary


def ask_words(dictionary: Dictionary, words: Mapping[str, str]) -> dict[str, str]:
    """By feature's name its label and the agencies that may hold the answer; `words` are those of the prompt."""
    asks = {}
    for feature in dictionary.features:
        holders = words["holders_join"].join(dictionary.agency_label(agency) for agency in feature.held_by)
        asks[feature.name] = words["ask"].format(label=feature.label, holders=holders or words["holder_unknown"])
    return asks
