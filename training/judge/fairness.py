"""What the score and the prompts do to each group of people who are watched for, and what is not known about them.

Nothing watched is ever a feature: the dictionary refuses it (`model.dictionary_rules`), and so does the file of cases.
Every level that the dictionary names has a row, small ones with their figures left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from model.dictionary import Monitored
from model.prompt import LEVELS
from model.tokens import MISSING
from training.judge.disclosure import Disclosure, Facts, Mask
from training.judge.evaluate import ranked_parts
from training.judge.held import Held
from training.judge.prompt_levels import Prompted, among
from training.judge.resample import Floats, figure, ratio
from training.judge.unknown import not_known

BANDS = 20
NOT_RECORDED = "(not recorded)"
NOT_IN_DICTIONARY = "(not in the dictionary)"
RATES = ("selection_rate", "sensitivity", "false_positive_rate", "precision", "observed_to_expected")
CASES, EVENTS, SELECTION, RATE, GAP, PROMPT, BAND = range(7)
"""How much a figure matters where not all can be shown (`Disclosure`): lower first."""


def fairness(held: Held, prompted: Prompted, disclosure: Disclosure) -> Facts:
    """Figures by level of each monitored characteristic in the data, at the referral threshold on held-out cases.

    `gap` is a level's rate less that of the reference: the level with most cases. Where nothing monitored is in the
    data, `judged` is false: that says nothing about fairness. What is shown has to fit what `disclosure` shows of all
    cases; two characteristics are not set against each other.
    """
    present = [monitored for monitored in held.dictionary.monitored if monitored.name in held.monitored]
    absent = [m.name for m in held.dictionary.monitored if m.name not in held.monitored]
    return {
        "judged": bool(present),
        **({} if present else {"why": "the data hold no monitored characteristic; nothing is known of fairness"}),
        "not_in_the_data": absent,
        "threshold_score": figure(1 / (1 + np.exp(-np.array([held.threshold]))))["value"],
        "characteristics": [_characteristic(held, prompted, monitored, disclosure.after()) for monitored in present],
    }


def _characteristic(held: Held, prompted: Prompted, monitored: Monitored, disclosure: Disclosure) -> Facts:
    groups = levels_of(held.monitored[monitored.name], monitored)
    reference = max(groups, key=lambda level: int(groups[level].sum()))
    rates = {level: _rates(held, inside) for level, inside in groups.items()}
    of_level = [prompted.level == number for number in range(len(LEVELS))]
    levels = [among(prompted.rows, chosen, len(held.y)) for chosen in of_level]
    bands = _bands(held)
    rows: list[Facts] = []
    for level, inside in groups.items():
        row: Facts = {"level": level, "suppressed": None, "cases": int(inside.sum())}
        row["events"] = int(held.y[inside].sum())
        row |= {name: figure(samples) for name, samples in rates[level].items()}
        row["not_known"] = not_known(held, inside)
        row["bands"] = [round(float(part[inside].mean()), 4) if inside.any() else None for part in bands]
        row["prompts"] = _prompts(held, levels, inside)
        against = None if level == reference else rates[reference]
        row["gap"] = against and {name: figure(rates[level][name] - against[name]) for name in RATES}
        _offer(disclosure, held, row, inside, groups[reference])
        for number, name in enumerate(LEVELS):
            disclosure.offer_rate((row["prompts"], name), levels[number], inside & _any(levels), inside, rank=PROMPT)
        for number, part in enumerate(bands):
            disclosure.offer_rate((row["bands"], number), part, inside, rank=BAND)
        rows.append(row)
    _add_up(disclosure, list(groups.values()), [np.ones(len(held.y), dtype=bool), held.y == 1, held.over])
    for parts in (levels, bands):
        _add_up(disclosure, list(groups.values()), parts)
        _add_up(disclosure, parts, list(groups.values()))
    disclosure.settle()
    return {
        "name": monitored.name,
        "label": monitored.label,
        "reference": reference,
        "levels": [_whole(row) for row in rows],
    }


def levels_of(values: pd.Series, monitored: Monitored) -> dict[str, Mask]:
    """Rows of each level, every level of the dictionary among them; what else is found stands under two names."""
    text = values.astype("str").str.strip().to_numpy(dtype=np.str_)
    groups = {level: np.asarray(text == level) for level in monitored.levels}
    named = np.isin(text, list(monitored.levels))
    empty = ~named & np.isin(text, list(MISSING))
    rest = {NOT_RECORDED: empty, NOT_IN_DICTIONARY: ~named & ~empty}
    return groups | {name: inside for name, inside in rest.items() if inside.any()}


def _offer(disclosure: Disclosure, held: Held, row: Facts, inside: Mask, reference: Mask) -> None:
    """Offers a level's counts and rates, and its gaps, each of which gives the reference's rate too."""
    outcome = held.y == 1
    disclosure.offer((row, "cases"), inside, rank=CASES)
    disclosure.offer((row, "events"), inside & outcome, inside & ~outcome, inside, rank=EVENTS)
    ours, theirs = (_gives(held, group) for group in (inside, reference))
    for name in RATES:
        rank = SELECTION if name == "selection_rate" else RATE
        disclosure.offer((row, name), *ours[name], rank=rank)
        if row["gap"] is not None:
            disclosure.offer((row["gap"], name), *ours[name], *theirs[name], rank=GAP)


def _gives(held: Held, inside: Mask) -> Mapping[str, tuple[Mask, ...]]:
    """The sets whose counts each rate gives back: its part, what is left of the whole, the whole, and the level."""
    outcome, over = held.y == 1, held.over
    of = {
        "selection_rate": (over, inside),
        "sensitivity": (over, inside & outcome),
        "false_positive_rate": (over, inside & ~outcome),
        "precision": (outcome, inside & over),
        "observed_to_expected": (outcome, inside),
    }
    return {name: (part & whole, whole & ~part, whole, inside) for name, (part, whole) in of.items()}


def _add_up(disclosure: Disclosure, parts: Sequence[Mask], wholes: Sequence[Mask]) -> None:
    for whole in wholes:
        disclosure.add_up([part & whole for part in parts])


def _rates(held: Held, inside: Mask) -> dict[str, Floats]:
    """Each of `RATES` on the level's cases, (1 + resamples,); shares of 0 to 1, and outcomes over those expected."""
    y, over = held.y[inside] == 1, held.over[inside]
    columns = np.column_stack([np.ones(len(y)), y, over, over & y, held.score[inside]]).astype(np.float64)
    cases, events, selected, found, expected = held.draws.only(inside).sums(columns).T
    parts = ((selected, cases), (found, events), (selected - found, cases - events), (found, selected))
    return dict(zip(RATES, [ratio(*pair) for pair in (*parts, (events, expected))], strict=True))


def _bands(held: Held) -> list[Mask]:
    """The cases in each twentieth of all held-out scores, lowest first."""
    part = ranked_parts(held.margin, BANDS)
    return [part == number for number in range(BANDS)]


def _prompts(held: Held, levels: Sequence[Mask], inside: Mask) -> Facts:
    """The share at each prompt level, of the cases that were put to the rules."""
    chosen = inside & _any(levels)
    parts = held.draws.only(chosen).sums(np.column_stack([level[chosen] for level in levels]).astype(np.float64))
    return {name: figure(ratio(parts[:, number], parts.sum(axis=1))) for number, name in enumerate(LEVELS)}


def _any(masks: Sequence[Mask]) -> Mask:
    return np.asarray(np.any(np.array(masks), axis=0))


def _whole(row: Facts) -> Facts:
    """The row as it stands in the facts: what nothing is left of is None, and `suppressed` is which count is."""
    if row["cases"] is None:
        return row | {"suppressed": "cases", "not_known": None, "bands": None, "prompts": None}
    return row | {"suppressed": "events" if row["events"] is None else None}
