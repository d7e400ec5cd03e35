"""The judgement of a model as data, for `model.json`: what is measured on held-out families.

Every figure is of cases whose families the judged table never saw. A figure is `{"value", "low", "high"}`, the interval
by resampling families; None stands for a figure that is not defined or is withheld (`training.judge.disclosure`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.additive import AdditiveModel
from training.judge.disclosure import DISCLOSURE_THRESHOLD, Disclosure, Facts
from training.judge.fairness import fairness
from training.judge.held import Held
from training.judge.prompt_levels import among, prompt_facts, put_to_the_rules
from training.judge.resample import INTERVAL, RESAMPLES
from training.judge.robustness import robustness, shift
from training.judge.usefulness import at_threshold, calibration, decision_curve, workload


class Judgement(NamedTuple):
    """The facts `evaluation` and `fairness`, and what stands beside the threshold."""

    evaluation: Facts
    fairness: Facts
    threshold: Facts


def judge_quality(model: AdditiveModel, held: Held) -> Judgement:
    """The judged model on the held-out cases, without the figures that would give small counts back."""
    prompted = put_to_the_rules(model, held)
    outcome = held.y == 1
    put = among(prompted.rows, np.ones(len(prompted.rows), dtype=bool), len(outcome))
    disclosure = Disclosure(np.ones(len(outcome), dtype=bool), put)
    threshold = at_threshold(held, disclosure)
    evaluation: Facts = {
        "method": {
            "resamples": RESAMPLES,
            "resampled_by": "family" if held.dictionary.group else "case",
            "interval_percentiles": list(INTERVAL),
            "disclosure_threshold": DISCLOSURE_THRESHOLD,
        },
        "events": int(outcome.sum()),
        "prompts": prompt_facts(held, prompted, disclosure),
        "calibration": calibration(held, disclosure),
        "decision_curve": decision_curve(held, disclosure),
        "workload": workload(held, disclosure),
        "robustness": robustness(held, disclosure),
        "shift": shift(held, disclosure),
    }
    disclosure.offer((evaluation, "events"), outcome, ~outcome)
    disclosure.settle()
    return Judgement(evaluation, fairness(held, prompted, disclosure), threshold)
