"""What scores are good for: calibration by bin, net benefit, and what each capacity of work would find."""

from __future__ import annotations

import numpy as np

from training.judge.coarse import in_steps, step_of
from training.judge.disclosure import Disclosure, Facts, enough
from training.judge.evaluate import ranked_parts, threshold_for
from training.judge.held import Held
from training.judge.resample import Floats, figure, ratio, rounded

BINS = 10
CAPACITIES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20)
THRESHOLDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)
OPERATING, BIN, CAPACITY = 0, 2, 3
"""How much a figure matters where not all can be shown (`Disclosure`): lower first."""
FINEST = 0.1
"""Largest step of net benefit, as a share of the outcomes a case: what the best of all models would gain."""


def at_threshold(held: Held, disclosure: Disclosure) -> Facts:
    """What the score's own threshold does: shares of 0 to 1, five digits."""
    outcome = held.y == 1
    prompted, cases, events, found = (
        float(part.sum()) for part in (held.over, np.ones(len(outcome)), outcome, held.over & outcome)
    )
    row: Facts = {
        "share_prompted": rounded(prompted / cases),
        "sensitivity": rounded(found / events),
        "precision": rounded(found / prompted) if prompted else None,
    }
    everyone = np.ones(len(outcome), dtype=bool)
    disclosure.offer_rate((row, "share_prompted"), held.over, everyone, rank=OPERATING)
    disclosure.offer_rate((row, "sensitivity"), held.over, outcome, rank=OPERATING + 1)
    disclosure.offer_rate((row, "precision"), outcome, held.over, rank=OPERATING + 1)
    return row


def calibration(held: Held, disclosure: Disclosure) -> Facts:
    """Ten bins with as equal numbers of cases as ties allow, and the mean distance of score and outcome over them.

    `ece` is never negative, so chance alone raises it: read it beside the slope and intercept.
    """
    bins = ranked_parts(held.margin, BINS)
    outcome = held.y == 1
    rows: list[Facts] = []
    masks, distance = [bins == number for number in np.unique(bins)], np.zeros(len(held.draws.counts))
    for inside in masks:
        columns = np.column_stack([np.ones(inside.sum()), held.score[inside], held.y[inside]])
        cases, scores, events = held.draws.only(inside).sums(columns).T
        distance += np.abs(events - scores)
        row: Facts = {
            "cases": int(inside.sum()),
            "mean_score": rounded(float(scores[0] / cases[0])),
            "outcome_share": figure(ratio(events, cases)),
        }
        disclosure.offer((row, "cases"), inside, rank=BIN)
        disclosure.offer((row, "mean_score"), inside, rank=BIN)
        disclosure.offer_rate((row, "outcome_share"), outcome, inside, rank=BIN + 1)
        rows.append(row)
    disclosure.add_up(masks)
    disclosure.add_up([inside & outcome for inside in masks])
    return {"bins": rows, "ece": figure(ratio(distance, held.draws.sums(np.ones((len(held.y), 1)))[:, 0]))}


def decision_curve(held: Held, disclosure: Disclosure) -> list[Facts]:
    """Net benefit (Vickers and Elkin 2006) of prompting at each score, beside prompting all; prompting none has 0.

    In true prompts a case, after taking off the false ones at the odds of the score: at .02 one event found is taken
    to be worth 49 prompts without one. In steps, as beside the counts of a near capacity it would give back the few
    who score between them; and only where steps are fine beside the most that can be gained.
    """
    curve, outcome = [], held.y == 1
    step = step_of(len(outcome))
    fine = step <= FINEST * outcome.mean()
    for chance in THRESHOLDS:
        prompted = held.score >= chance
        cases, events, selected, found = _sums(held, prompted)
        odds = chance / (1 - chance)
        model = (found - (selected - found) * odds) / cases
        everyone = (events - (cases - events) * odds) / cases
        told = fine and enough((prompted & outcome).sum()) and enough((prompted & ~outcome).sum())
        row: Facts = {
            "threshold": chance,
            "net_benefit": in_steps(figure(model), step) if told else None,
            "treat_all": figure(everyone),
            "treat_none": 0.0,
            "gain_over_best_of_both": in_steps(figure(model - np.maximum(everyone, 0.0)), step) if told else None,
        }
        disclosure.offer((row, "treat_all"), outcome, ~outcome, rank=OPERATING)
        curve.append(row)
    return curve


def workload(held: Held, disclosure: Disclosure) -> list[Facts]:
    """What the score alone would do at each capacity: work asked for, outcomes found, and how many prompts for one.

    The threshold of a capacity is a quantile of scores: outcomes play no part in choosing it.
    """
    rows, outcome = [], held.y == 1
    for capacity in CAPACITIES:
        threshold = threshold_for(held.margin, capacity)
        prompted = held.margin >= threshold
        cases, events, selected, found = _sums(held, prompted)
        row: Facts = {
            "capacity": capacity,
            "threshold_score": rounded(float(1 / (1 + np.exp(-threshold)))),
            "share_prompted": figure(ratio(selected, cases)),
            "precision": figure(ratio(found, selected)),
            "sensitivity": figure(ratio(found, events)),
            "prompts_for_each_outcome_found": figure(ratio(selected, found)),
        }
        everyone = np.ones(len(outcome), dtype=bool)
        disclosure.offer((row, "threshold_score"), prompted, rank=CAPACITY)
        disclosure.offer_rate((row, "share_prompted"), prompted, everyone, rank=CAPACITY)
        disclosure.offer_rate((row, "sensitivity"), prompted, outcome, rank=CAPACITY + 1)
        for name in ("precision", "prompts_for_each_outcome_found"):
            disclosure.offer_rate((row, name), outcome, prompted, rank=CAPACITY + 1)
        rows.append(row)
    return rows


def _sums(held: Held, prompted: np.ndarray) -> tuple[Floats, Floats, Floats, Floats]:
    """Cases, outcomes, prompted and found on each draw."""
    columns = np.column_stack([np.ones(len(held.y)), held.y, prompted, prompted & (held.y == 1)]).astype(float)
    cases, events, selected, found = held.draws.sums(columns).T
    return cases, events, selected, found
