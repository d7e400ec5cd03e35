"""The words about a contribution, out of the model's own archived words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.additive import AdditiveModel
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Feature, Value

ALMOST_NOTHING = 0.005
"""Log-odds below which a contribution is worded as making almost no difference (odds ratio within 0.5 %)."""


class WordsError(ValueError):
    """Words that cannot be used: a missing topic or sentence."""


_NEEDED = {
    "prompt": (
        "consider_referral", "consider_referral_call", "seek_information", "no_prompt", "ground_met",
        "score_over_threshold", "ground_undecided", "answers_would_change", "essential_not_known", "too_little_known",
        "no_reason", "ask", "holders_join", "holder_unknown",
    ),
    "contribution": ("raises", "lowers", "level", "not_known"),
    "value": ("not_known", "not_applicable"),
    "score": ("meaning", "interval", "range", "synthetic"),
    "not_considered": ("items",),
    "pooled": (
        "fact", "fact_made_the_difference", "facts_made_the_difference", "pair_made_the_difference",
        "all_made_the_difference", "same", "given", "conflict_riskier", "conflict_not_known", "not_counted",
    ),
}  # fmt: skip
_LATER = frozenset({"pooled"})
"""Topics that models released before them do not have: such a model answers everything but what needs them."""


def check_words(words: Any, where: str, pairs: bool = False) -> None:
    """Raises `WordsError`, one line, unless every sentence that the service needs is there; `pairs` needs one more."""
    for topic, names in _NEEDED.items():
        if topic in _LATER and isinstance(words, dict) and topic not in words:
            continue
        for name in names:
            if not isinstance(words, dict) or name not in words.get(topic, {}):
                raise WordsError(f"{where}: [{topic}] {name} is missing; add the sentence")
    if pairs and str(words["contribution"].get("together")).count("{others}") != 1:
        raise WordsError(f"{where}: [contribution] together: must hold {{others}} exactly once, as the model has pairs")
    for name in ("raises", "lowers", "level"):
        if str(words["contribution"][name]).count("{value}") != 1:
            raise WordsError(f"{where}: [contribution] {name}: must hold {{value}} exactly once")


def value_words(model: AdditiveModel, feature: Feature, value: Value) -> str:
    """A value as a person reads it: `not known`, `31 weeks`, `yes`."""
    if value in (NOT_KNOWN, NOT_APPLICABLE):
        words: str = model.words["value"][value]
        return words
    unit = f" {feature.unit}" if feature.unit and feature.kind == "number" else ""
    return f"{value}{unit}".replace("_", " ")


def contribution_text(
    model: AdditiveModel, feature: Feature, value: Value, contribution: float, together: Sequence[str] = ()
) -> str:
    """One plain sentence about a contribution: associated with a higher or lower score, never a cause.

    A second one names the features, by label, with which this answer is read `together`.
    """
    words = model.words["contribution"]
    side = "level" if abs(contribution) < ALMOST_NOTHING else ("raises" if contribution > 0 else "lowers")
    text: str = words[side].format(label=feature.label, value=value_words(model, feature, value))
    if together:
        text = f"{text} {words['together'].format(others='; '.join(together))}"
    return f"{text} {words['not_known']}" if value == NOT_KNOWN else text


def together_with(model: AdditiveModel, place: int, slots: Sequence[int]) -> list[str]:
    """Labels of the features with which the one at `place` counts together in a case, given its slots."""
    return [
        model.terms[pair.other(place)].feature.label
        for pair in model.pairs
        if place in (pair.first, pair.second) and abs(pair.halves[pair.cell(slots)]) >= ALMOST_NOTHING
    ]
