"""What the score and the prompts do to each group of people who are watched for, and what is not known about them.

Nothing watched is ever a feature: the dictionary refuses it (`model.dictionary_rules`), and so does the file of cases.
Every level that the dictionary names has a row, small ones with their figures left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import Monitored
from model.prompt import LEVELS
from model.tokens import MISSING
from training.judge.disclosure import Facts, enough, shown, shown_counts, suppressed
from training.judge.held import Held
from training.judge.prompt_levels import Prompted
from training.judge.resample import Floats, figure, ratio

BANDS = 20
NOT_RECORDED = "(not recorded)"
NOT_IN_DICTIONARY = "(not in the dictionary)"
RATES = ("selection_rate", "sensitivity", "false_positive_rate", "precision", "observed_to_expected")

Mask = NDArray[np.bool_]


def fairness(held: Held, prompted: Prompted) -> Facts:
    """Figures by level of each monitored characteristic in the data, at the referral threshold on held-out cases.

    `gap` is a level's rate less that of the reference: the level with most cases. Where nothing monitored is in the
    data, `judged` is false: that says nothing about fairness.
    """
    present = [monitored for monitored in held.dictionary.monitored if monitored.name in held.monitored]
    absent = [m.name for m in held.dictionary.monitored if m.name not in held.monitored]
    return {
        "judged": bool(present),
        **({} if present else {"why": "the data hold no monitored characteristic; nothing is known of fairness"}),
        "not_in_the_data": absent,
        "threshold_score": figure(1 / (1 + np.exp(-np.array([held.threshold]))))["value"],
        "characteristics": [_characteristic(held, prompted, monitored) for monitored in present],
    }


def _characteristic(held: Held, prompted: Prompted, monitored: Monitored) -> Facts:
    groups = levels_of(held.monitored[monitored.name], monitored)
    counts = [int(inside.sum()) for inside in groups.values()]
    reference = max(groups, key=lambda level: int(groups[level].sum()))
    against = _rates(held, groups[reference])
    rows = []
    for (level, inside), count in zip(groups.items(), shown_counts(counts), strict=True):
        row = _level(held, prompted, inside, count)
        row["gap"] = _gap(held, inside, against) if level != reference else None
        rows.append({"level": level, **row})
    _hide_events(rows, [int(held.y[inside].sum()) for inside in groups.values()])
    return {"name": monitored.name, "label": monitored.label, "reference": reference, "levels": rows}


def levels_of(values: pd.Series, monitored: Monitored) -> dict[str, Mask]:
    """Rows of each level, every level of the dictionary among them; what else is found stands under two names."""
    text = values.astype("str").str.strip().to_numpy(dtype=np.str_)
    groups = {level: np.asarray(text == level) for level in monitored.levels}
    named = np.isin(text, list(monitored.levels))
    empty = ~named & np.isin(text, list(MISSING))
    rest = {NOT_RECORDED: empty, NOT_IN_DICTIONARY: ~named & ~empty}
    return groups | {name: inside for name, inside in rest.items() if inside.any()}


def _level(held: Held, prompted: Prompted, inside: Mask, count: int | None) -> Facts:
    cases, events = int(inside.sum()), int(held.y[inside].sum())
    row: Facts = {"suppressed": suppressed(cases, events), "cases": count, "events": events}
    row |= _shown_rates(held, inside, _rates(held, inside))
    if not enough(cases):
        return row | {"not_known": None, "bands": None, "prompts": None}
    return row | {
        "not_known": _not_known(held, inside),
        "bands": _bands(held, inside),
        "prompts": _prompts(held, prompted, inside),
    }


def _shown_rates(held: Held, inside: Mask, rates: dict[str, Floats]) -> Facts:
    """Each rate, or None where the cases that it rests on are too few."""
    cases, events, selected = (int(part[inside].sum()) for part in (np.ones(len(held.y)), held.y, held.over))
    of_outcomes = min(cases, events)
    rests_on = (cases, of_outcomes, min(of_outcomes, cases - events), min(of_outcomes, selected), of_outcomes)
    return {name: shown(rates[name], count) for name, count in zip(RATES, rests_on, strict=True)}


def _rates(held: Held, inside: Mask) -> dict[str, Floats]:
    """Each of `RATES` on the level's cases, (1 + resamples,); shares of 0 to 1, and outcomes over those expected."""
    y, over = held.y[inside] == 1, held.over[inside]
    columns = np.column_stack([np.ones(len(y)), y, over, over & y, held.score[inside]]).astype(np.float64)
    cases, events, selected, found, expected = held.draws.only(inside).sums(columns).T
    parts = ((selected, cases), (found, events), (selected - found, cases - events), (found, selected))
    return dict(zip(RATES, [ratio(*pair) for pair in (*parts, (events, expected))], strict=True))


def _gap(held: Held, inside: Mask, against: dict[str, Floats]) -> Facts:
    rates = _rates(held, inside)
    return _shown_rates(held, inside, {name: rates[name] - against[name] for name in RATES})


def _not_known(held: Held, inside: Mask) -> Facts:
    """The share of answers that are not known, over all features and over those that each agency may hold."""
    unknown = np.isnan(held.X[inside])
    features = held.dictionary.features
    held_by = [[j for j, f in enumerate(features) if agency.id in f.held_by] for agency in held.dictionary.agencies]
    named = {agency.id: columns for agency, columns in zip(held.dictionary.agencies, held_by, strict=True) if columns}
    shares = [unknown.mean(axis=1), *(unknown[:, columns].mean(axis=1) for columns in named.values())]
    *sums, cases = held.draws.only(inside).sums(np.column_stack([*shares, np.ones(len(unknown))])).T
    figures = [figure(ratio(part, cases)) for part in sums]
    return {"all": figures[0], "by_agency": dict(zip(named, figures[1:], strict=True))}


def _bands(held: Held, inside: Mask) -> list[float | None]:
    """Share of the level's cases in each twentieth of all held-out scores, lowest first; None below the threshold."""
    cuts = np.quantile(held.margin, np.arange(1, BANDS) / BANDS)
    counts = np.bincount(np.searchsorted(cuts, held.margin[inside], side="right"), minlength=BANDS)
    return [round(float(count / counts.sum()), 4) if enough(count) else None for count in counts]


def _prompts(held: Held, prompted: Prompted, inside: Mask) -> Facts | None:
    """The share at each prompt level, of the cases that were put to the rules."""
    chosen = inside[prompted.rows]
    if not enough(int(chosen.sum())):
        return None
    at = np.column_stack([prompted.level[chosen] == number for number in range(len(LEVELS))]).astype(np.float64)
    parts = held.draws.only(prompted.rows[chosen]).sums(at)
    return {level: figure(ratio(parts[:, number], parts.sum(axis=1))) for number, level in enumerate(LEVELS)}


def _hide_events(rows: list[Facts], events: list[int]) -> None:
    for row, count in zip(rows, shown_counts(events), strict=True):
        row["events"] = count if enough(row["cases"] or 0) else None
