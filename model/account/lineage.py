"""What was done to the cases before anything was fitted: columns accepted in spite of a warning, answers folded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.account.figures import disclosure_threshold
from model.account.page import Block, Table
from model.additive import AdditiveModel


def accepted(training: Mapping[str, Any]) -> tuple[Block, ...]:
    """Columns that looked like the outcome or a proxy, and that somebody accepted all the same."""
    if "accepted" not in training:
        return ("Whether columns were accepted that look like the outcome or like an excluded proxy is not stated.",)
    if not training["accepted"]:
        return ("No column was accepted that looks like the outcome or like an excluded proxy.",)
    rows = tuple((one["column"], one["problem"], one["reason"]) for one in training["accepted"])
    return (
        "These columns were found to look like the outcome or like an excluded proxy, and somebody accepted them. "
        "Figures may be better than what the model will do.",
        Table("Accepted leaks and proxies", ("Column", "What was found", "Reason given"), rows),
    )


def folded(model: AdditiveModel, training: Mapping[str, Any]) -> tuple[Block, ...]:
    """Answers that too few gave to stand alone."""
    if not training.get("folded"):
        return ()
    labels = {feature.name: feature.label for feature in model.dictionary.features}
    rows = tuple(
        (
            labels.get(one["feature"], one["feature"]),
            *(one[key].replace("_", " ") for key in ("answer", "counted_with")),
        )
        for one in training["folded"]
    )
    return (
        f"Answers given in fewer than {disclosure_threshold(model.facts)} cases were counted with another before "
        "anything was fitted. The score says nothing of its own about them; grounds still hold.",
        Table("Rare answers", ("Feature", "Answer", "Counted with"), rows),
    )
