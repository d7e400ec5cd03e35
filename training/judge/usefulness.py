"""What scores are good for: calibration by bin, net benefit, and what each capacity of work would find."""

from __future__ import annotations

import numpy as np

from training.judge.disclosure import Facts, enough, shown
from training.judge.evaluate import operating_point
from training.judge.held import Held
from training.judge.resample import Floats, figure, ratio, rounded

BINS = 10
CAPACITIES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20)
THRESHOLDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)


def calibration(held: Held) -> Facts:
    """Ten bins with as equal numbers of cases as ties allow, and the mean distance of score and outcome over them.

    `ece` is never negative, so chance alone raises it: read it beside the slope and intercept.
    """
    cuts = np.unique(np.quantile(held.margin, np.arange(1, BINS) / BINS))
    bins = np.searchsorted(cuts, held.margin, side="right")
    rows, distance = [], np.zeros(len(held.draws.counts))
    for number in np.unique(bins):
        inside = bins == number
        columns = np.column_stack([np.ones(inside.sum()), held.score[inside], held.y[inside]])
        cases, scores, events = held.draws.only(inside).sums(columns).T
        distance += np.abs(events - scores)
        count = int(inside.sum())
        rows.append(
            {
                "cases": count if enough(count) else None,
                "mean_score": rounded(float(scores[0] / cases[0])) if enough(count) else None,
                "outcome_share": shown(ratio(events, cases), count),
            }
        )
    return {"bins": rows, "ece": figure(ratio(distance, held.draws.sums(np.ones((len(held.y), 1)))[:, 0]))}


def decision_curve(held: Held) -> list[Facts]:
    """Net benefit (Vickers and Elkin 2006) of prompting at each score, beside prompting all; prompting none has 0.

    In true prompts a case, after taking off the false ones at the odds of the score: at .02 one event found is taken
    to be worth 49 prompts without one.
    """
    curve = []
    for chance in THRESHOLDS:
        prompted = held.score >= chance
        columns = np.column_stack([np.ones(len(held.y)), held.y, prompted, prompted & (held.y == 1)]).astype(float)
        cases, events, selected, found = held.draws.sums(columns).T
        odds = chance / (1 - chance)
        model = (found - (selected - found) * odds) / cases
        everyone = (events - (cases - events) * odds) / cases
        curve.append(
            {
                "threshold": chance,
                "net_benefit": shown_unless_small(model, int(prompted.sum())),
                "treat_all": figure(everyone),
                "treat_none": 0.0,
                "gain_over_best_of_both": shown_unless_small(model - np.maximum(everyone, 0.0), int(prompted.sum())),
            }
        )
    return curve


def shown_unless_small(samples: Floats, count: int) -> dict[str, float | None] | None:
    """The figure unless it rests on some cases but too few: a threshold that prompts nobody tells nothing of anyone."""
    return figure(samples) if count == 0 else shown(samples, count)


def workload(held: Held) -> list[Facts]:
    """What the score alone would do at each capacity: work asked for, outcomes found, and how many prompts for one.

    The threshold of a capacity is a quantile of scores: outcomes play no part in choosing it.
    """
    rows = []
    for capacity in CAPACITIES:
        point = operating_point(held.y, held.margin, capacity)
        prompted = held.margin >= point.threshold
        columns = np.column_stack([np.ones(len(held.y)), held.y, prompted, prompted & (held.y == 1)]).astype(float)
        cases, events, selected, found = held.draws.sums(columns).T
        count = int(prompted.sum())
        rows.append(
            {
                "capacity": capacity,
                "threshold_score": rounded(float(1 / (1 + np.exp(-point.threshold)))) if enough(count) else None,
                "share_prompted": shown(ratio(selected, cases), count),
                "precision": shown(ratio(found, selected), count),
                "sensitivity": shown(ratio(found, events), min(count, int(events[0]))),
                "prompts_for_each_outcome_found": shown(ratio(selected, found), count),
            }
        )
    return rows
