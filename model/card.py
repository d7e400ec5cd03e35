"""The model card as data: what the model is, how it was made, what it must not be used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from model.additive import AdditiveModel, Term, probability
from model.overrides import Override
from model.pairs.table import PairTerm

INTENDED_USE = (
    "A prompt to a practitioner to consider a referral and to ask for what is not known, beside professional judgement "
    "and local procedures."
)
FORBIDDEN_USE = (
    "Deciding or refusing a referral",
    "Ranking families for action without the prompt's words",
    "Saying that a child is safe",
    "Use about a real child while the model is synthetic or has not been validated on local data",
)
LIMITS = (
    "The score is about an agency's decision in past cases. Where practice was unequal, so is what was learned.",
    "What no agency wrote down is not in it. Not known is never scored below the feature's reference answer.",
    "Features add up, but for pairs that the model names: what other concerns mean together is seen by grounds and by "
    "practitioners, not by the score.",
    "It was judged on held-out families of the same extract. In another area or year it has to be judged again.",
    "Rare answers are learned from few cases; the range from refits shows it, and is narrower than the truth.",
    "A low score, or no prompt, is no finding about a child.",
)


def model_card(model: AdditiveModel, sha256: str, overrides: Sequence[Override] = ()) -> dict[str, Any]:
    """The card of a model; `sha256` is the digest of its file, `overrides` the gates that its release lifted.

    Scores are probabilities, tables are log-odds.
    """
    outcome = model.dictionary.outcome
    return {
        "name": model.name,
        "version": model.version,
        "synthetic": model.synthetic,
        "sha256": sha256,
        "dictionary": {"name": model.dictionary.name, "version": model.dictionary.version},
        "outcome": {"column": outcome.column, "meaning": outcome.meaning},
        "intended_use": INTENDED_USE,
        "forbidden_use": list(FORBIDDEN_USE),
        "limits": list(LIMITS),
        "gates_overridden": [asdict(override) for override in overrides],
        "score_words": dict(model.words["score"]),
        "threshold_score": probability(model.threshold),
        "intercept": model.intercept,
        "base_value": model.base_value,
        "tables": [_table(term) for term in model.terms],
        "pairs": [_pair(model, pair) for pair in model.pairs],
        **model.facts,
    }


def _table(term: Term) -> dict[str, Any]:
    return {
        "feature": term.feature.name,
        "label": term.feature.label,
        "direction": term.feature.direction,
        **({"edges": list(term.edges)} if term.feature.is_numeric else {"levels": list(term.feature.levels)}),
        "values": list(term.values),
        "not_known": term.not_known,
        "not_applicable": term.not_applicable,
        "mean": term.mean,
        "counts": list(term.counts),
    }


def _pair(model: AdditiveModel, pair: PairTerm) -> dict[str, Any]:
    return {
        "features": [model.terms[place].feature.name for place in (pair.first, pair.second)],
        "groups": [list(groups) for groups in pair.groups],
        "values": [list(row) for row in pair.values],
        "mean": pair.mean,
        "counts": [list(row) for row in pair.counts],
    }
