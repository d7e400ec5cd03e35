"""The judgement of a model as data, for `model.json`: `evaluation` and `fairness`.

Every figure is of cases whose families the judged table never saw. A figure is `{"value", "low", "high"}`, the interval
by resampling families; None stands for a figure that is not defined or rests on too few cases.
"""

from __future__ import annotations

from model.additive import AdditiveModel
from training.artefact import DISCLOSURE_THRESHOLD
from training.judge.disclosure import Facts
from training.judge.fairness import fairness
from training.judge.held import Held
from training.judge.prompt_levels import prompt_facts, put_to_the_rules
from training.judge.resample import INTERVAL, RESAMPLES
from training.judge.robustness import robustness, shift
from training.judge.usefulness import calibration, decision_curve, workload


def judge_quality(model: AdditiveModel, held: Held) -> tuple[Facts, Facts]:
    """(evaluation, fairness) of the judged model on the held-out cases."""
    prompted = put_to_the_rules(model, held)
    evaluation = {
        "method": {
            "resamples": RESAMPLES,
            "resampled_by": "family" if held.dictionary.group else "case",
            "interval_percentiles": list(INTERVAL),
            "disclosure_threshold": DISCLOSURE_THRESHOLD,
        },
        "events": int(held.y.sum()),
        "prompts": prompt_facts(held, prompted),
        "calibration": calibration(held),
        "decision_curve": decision_curve(held),
        "workload": workload(held),
        "robustness": robustness(held),
        "shift": shift(held),
    }
    return evaluation, fairness(held, prompted)
