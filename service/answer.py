"""The answer to a screening, as the practitioner's system and the log both get it.

Every word comes from the model's own archived words, so that the answer can be built again, years on, from the
logged input and the archived model.
"""

from __future__ import annotations

from typing import Any

from model.additive import AdditiveModel
from model.case import Case
from model.explanation import Explanation
from model.gaps import Gap, Gaps
from model.grounds import Grounds
from model.prompt import Prompt
from model.wording import contribution_text

UNITS = "log-odds"


def build_answer(
    model: AdditiveModel, case: Case, explanation: Explanation, gaps: Gaps, grounds: Grounds, prompt: Prompt
) -> dict[str, Any]:
    """What is shown: prompt, grounds, gaps, score and contributions, and what the model does not consider."""
    return {
        "prompt": {
            "level": prompt.level,
            "text": prompt.text,
            "reasons": list(prompt.reasons),
            "ask": list(prompt.ask),
        },
        "grounds": [
            {
                "code": ground.code,
                "label": ground.label,
                "text": ground.text,
                "action": ground.action,
                "source": ground.source,
            }
            for ground in grounds.met
        ],
        "not_known": [_gap(gap) for gap in gaps.gaps],
        "score": explanation.score,
        "score_interval": list(explanation.score_interval),
        "score_range": list(gaps.score_range),
        "band": explanation.band,
        "score_meaning": _score_meaning(model),
        "explanation": {
            "units": UNITS,
            "base_value": explanation.base_value,
            "contributions": _contributions(model, case, explanation),
        },
        "not_considered": model.words["not_considered"]["items"],
        "model": {"name": model.name, "version": model.version, "synthetic": model.synthetic},
    }


def _gap(gap: Gap) -> dict[str, Any]:
    feature = gap.term.feature
    return {
        "feature": feature.name,
        "label": feature.label,
        "held_by": list(feature.held_by),
        "score_if_lowest": gap.score_if_lowest,
        "score_if_highest": gap.score_if_highest,
    }


def _score_meaning(model: AdditiveModel) -> str:
    words = model.words["score"]
    meaning: str = words["meaning"].format(outcome=model.dictionary.outcome.meaning)
    return f"{meaning} {words['synthetic']}" if model.synthetic else meaning


def _contributions(model: AdditiveModel, case: Case, explanation: Explanation) -> list[dict[str, Any]]:
    """Largest first, whichever way they point."""
    by_size = sorted(zip(model.terms, explanation.contributions, strict=True), key=lambda pair: -abs(pair[1]))
    rows = []
    for term, contribution in by_size:
        feature = term.feature
        value = case.values[feature.name]
        rows.append(
            {
                "feature": feature.name,
                "label": feature.label,
                "value": value,
                "contribution": contribution,
                "text": contribution_text(model, feature, value, contribution),
            }
        )
    return rows
