"""Gates on whether the figures can be believed, and on the one that sums them up: families, events, a plain rival."""

from __future__ import annotations

from model.additive import AdditiveModel
from model.overrides import OVERRIDABLE
from training.release.gate import Gate

ENOUGH_EVENTS = 100
"""At least this many outcomes among all training rows: our own floor for a fit. It is not about the figures, which rest
on the held-out rows alone."""
ENOUGH_HELD_OUT = 100
"""At least this many outcomes among the held-out rows, which every figure rests on: what Collins, Ogundimu and Altman
(2016) found to be needed to judge a model on cases that it never saw. They would rather have 200, and so would Van
Calster and others (2016) for the calibration of single scores, which no gate looks at."""
MARGIN = 0.02
"""AUC by which the model may be worse than logistic regression: our own choice. In two cases of a hundred, of one with
the outcome and one without, the plain model would put them in the right order and ours would not."""


def figure_gates(model: AdditiveModel) -> list[Gate]:
    """These gates, from the model's facts. Raises KeyError or TypeError where they say too little."""
    events, held_out = model.facts["training"]["events"], model.facts["evaluation"]["events"]
    return [
        _families(model),
        _at_least("enough_events", events, ENOUGH_EVENTS),
        _at_least("enough_held_out_events", held_out, ENOUGH_HELD_OUT),
        _no_worse_than_plain(model),
    ]


def _families(model: AdditiveModel) -> Gate:
    """Where siblings may lie on both sides of the split, every figure flatters and every interval is too narrow."""
    named = model.dictionary.group
    said = f"column {named}" if named else "none: every case was taken for a family of its own"
    return Gate(OVERRIDABLE["families_named"], said, "the dictionary has [group]", bool(named))


def _at_least(code: str, figure: int | None, limit: int) -> Gate:
    if figure is None:  # so few that the count is withheld
        return Gate(OVERRIDABLE[code], "withheld, as it is small", f">= {limit}", False)
    return Gate(OVERRIDABLE[code], str(figure), f">= {limit}", figure >= limit)


def _no_worse_than_plain(model: AdditiveModel) -> Gate:
    """Passes where the data show that the model is not worse by more than the margin, not where they show nothing."""
    facts = model.facts["evaluation"]
    name, limit = OVERRIDABLE["no_worse_than_logistic_regression"], f"lower end >= -{MARGIN}"
    found = facts["difference"]["logistic regression"]["auc"]
    if found["low"] is None:
        return Gate(name, "not measured", limit, False)
    said = f"AUC {facts['grounds']['auc']['value']:.4f}, {found['value']:+.4f} ({found['low']:+.4f} to "
    return Gate(name, f"{said}{found['high']:+.4f})", limit, found["low"] >= -MARGIN)
