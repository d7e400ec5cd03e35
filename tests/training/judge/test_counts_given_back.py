"""Whoever adds, subtracts and multiplies all that a model shows finds no count of 1 to 9.

The attack is made without the rule that guards against it: from the shown facts alone come the counts that they give,
as rates times cases, then every difference and sum of them that is a count of people, and what is left of wholes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.prompt import LEVELS
from training.judge.disclosure import DISCLOSURE_THRESHOLD, Facts
from training.judge.evaluate import threshold_for
from training.judge.fairness import NOT_RECORDED, levels_of
from training.judge.held import Held
from training.judge.prompt_levels import REFERRAL_RULES, SEEK_RULES, Prompted, put_to_the_rules
from training.judge.quality import Judgement, judge_quality

Mask = NDArray[np.bool_]
SEEDS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Shown:
    """A figure that is shown, and the people of whom it is a share: part of whole."""

    name: str
    value: float
    part: Mask
    whole: Mask


def value_of(figure: Any) -> float | None:
    return figure["value"] if isinstance(figure, dict) else figure


def rows_of(held: Held, prompted: Prompted, judgement: Judgement) -> Iterator[tuple[str, Any, Mask, Mask]]:
    """Every share in the facts: its name, the figure, and its part and whole."""
    outcome, over = held.y == 1, held.over
    everyone = np.ones(len(outcome), dtype=bool)
    facts = judgement.evaluation
    point = judgement.threshold
    yield "prompted", point["share_prompted"], over, everyone
    yield "found", point["sensitivity"], over & outcome, outcome
    yield "right", point["precision"], over & outcome, over
    yield "events", facts["events"] and facts["events"] / len(outcome), outcome, everyone
    ground, score = prompted.rules[:, 0], prompted.rules[:, 1]
    seek = prompted.rules[:, len(REFERRAL_RULES) :] & (prompted.level == 1)[:, None]
    chosen = {name: prompted.level == number for number, name in enumerate(LEVELS)}
    chosen |= {"ground_only": ground & ~score, "score_only": score & ~ground, "ground_and_score": ground & score}
    chosen |= {name: seek[:, number] for number, name in enumerate(SEEK_RULES)}
    chosen |= {one.code: prompted.grounds[:, number] for number, one in enumerate(held.dictionary.grounds)}
    prompts = facts["prompts"]
    for row in (*prompts["levels"], *prompts["consider_referral"], *prompts["seek_information"], *prompts["grounds"]):
        name = row.get("level") or row.get("rule") or row["ground"]
        part = chosen[name]
        yield f"{name} share", row["share"], part, everyone
        yield f"{name} outcomes", row["outcome_share"], part & outcome, part
        yield f"{name} of outcomes", row["share_of_outcomes"], part & outcome, outcome
        if "share_alone" in row:
            alone = part & (seek.sum(axis=1) == 1)
            yield f"{name} alone", row["share_alone"], alone, everyone
    for number, (row, inside) in enumerate(zip(facts["calibration"]["bins"], parts_of(held, 10), strict=True)):
        yield f"bin {number}", row["cases"] and row["cases"] / len(outcome), inside, everyone
        yield f"bin {number} outcomes", row["outcome_share"], inside & outcome, inside
    for row in facts["workload"]:
        inside = held.margin >= threshold_for(held.margin, row["capacity"])
        yield f"at {row['capacity']}", row["share_prompted"], inside, everyone
        yield f"at {row['capacity']} right", row["precision"], inside & outcome, inside
        yield f"at {row['capacity']} found", row["sensitivity"], inside & outcome, outcome
    for monitored, one in zip(held.dictionary.monitored, judgement.fairness["characteristics"], strict=False):
        groups = levels_of(held.monitored[monitored.name], monitored)
        for row in one["levels"]:
            yield from rows_of_level(row, groups[row["level"]], held, prompted)


def rows_of_level(row: Facts, inside: Mask, held: Held, prompted: Prompted) -> Iterator[tuple[str, Any, Mask, Mask]]:
    outcome, over, level = held.y == 1, held.over, row["level"]
    everyone = np.ones(len(outcome), dtype=bool)
    yield f"{level} cases", row["cases"] and row["cases"] / len(outcome), inside, everyone
    yield f"{level} events", row["events"] and row["events"] / int(inside.sum()), inside & outcome, inside
    yield f"{level} selected", row["selection_rate"], inside & over, inside
    yield f"{level} found", row["sensitivity"], inside & over & outcome, inside & outcome
    yield f"{level} false", row["false_positive_rate"], inside & over & ~outcome, inside & ~outcome
    yield f"{level} right", row["precision"], inside & over & outcome, inside & over
    for number, name in enumerate(LEVELS):
        yield f"{level} {name}", (row["prompts"] or {}).get(name), inside & (prompted.level == number), inside
    bands = parts_of(held, 20)
    assert not any((row["bands"] or [])[len(bands) :])
    for number, (share, band) in enumerate(zip(row["bands"] or (), bands, strict=False)):
        yield f"{level} band {number}", share, inside & band, inside


def parts_of(held: Held, number: int) -> list[Mask]:
    """The cases cut by rank into so many parts, fewer where scores are alike."""
    cuts = sorted({-np.inf, np.inf, *(threshold_for(held.margin, part / number) for part in range(1, number))})
    return [(held.margin >= low) & (held.margin < high) for low, high in pairwise(cuts)]


def shown_of(held: Held, prompted: Prompted, judgement: Judgement) -> list[Shown]:
    found = []
    for name, figure, part, whole in rows_of(held, prompted, judgement):
        value = value_of(figure)
        if value is not None:
            assert value == pytest.approx(part.sum() / whole.sum(), abs=1e-4), name  # else the attack looks elsewhere
            found.append(Shown(name, value, part, whole))
    return found


def counts_of(shown: list[Shown], of: int) -> dict[bytes, Mask]:
    """Each set of people whose count is had, rates times cases, as long as the rates say something new."""
    found: dict[bytes, Mask] = {}
    for mask in (np.ones(of, dtype=bool), *(m for one in shown for m in (one.part, one.whole, one.whole & ~one.part))):
        found[mask.tobytes()] = mask
    return found


def given_back(shown: list[Shown], guarded: list[tuple[str, Mask]], of: int) -> list[str]:
    """What comes out: small counts, differences and sums of two, and small sets among sums of many."""
    masks = list(counts_of(shown, of).values())
    small = [f"{int(mask.sum())} people at once" for mask in masks if 0 < mask.sum() < DISCLOSURE_THRESHOLD]
    for one, other in combinations(masks, 2):
        for outer, inner in ((one, other), (other, one)):
            if not (inner & ~outer).any() and 0 < (outer & ~inner).sum() < DISCLOSURE_THRESHOLD:
                small.append(f"{int((outer & ~inner).sum())} by taking one from another")
    sums = np.array(masks, dtype=np.float64)
    for name, mask in guarded:
        if 0 < mask.sum() < DISCLOSURE_THRESHOLD:
            factors = np.linalg.lstsq(sums.T, mask.astype(np.float64), rcond=None)[0]
            if np.abs(sums.T @ factors - mask).max() < 1e-6:
                small.append(f"{name}: {int(mask.sum())} by adding and taking away")
    return small


def drawn(held: Held, seed: int) -> Held:
    """Some 500 of the cases, outcomes rare enough that figures are small, and groups from a handful to most."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(held.y), 500, replace=False))
    y = np.where(rng.random(500) < 0.5, 0, held.y[rows]).astype(np.int8)
    margin = held.margin[rows]
    sexes = rng.choice(["f", "m", "x", ""], 500, p=[0.6, 0.3, 0.04, 0.06])
    return Held(
        dictionary=held.dictionary,
        table=held.table,
        X=held.X[rows],
        y=y,
        groups=held.groups[rows],
        margin=margin,
        threshold=threshold_for(margin, 0.1),
        monitored=held.monitored.iloc[rows].assign(sex=sexes),
        draws=held.draws.only(rows),
        seed=seed,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_no_count_of_few_comes_out(judged: AdditiveModel, held: Held, seed: int) -> None:
    few = drawn(held, seed)
    at = replace(judged, threshold=few.threshold)
    prompted = put_to_the_rules(at, few)
    judgement = judge_quality(at, few)
    guarded = [
        (name, mask)
        for name, _, part, whole in rows_of(few, prompted, judgement)
        for mask in (part, whole, whole & ~part)
    ]
    shown = shown_of(few, prompted, judgement)
    assert len(shown) > 30
    assert given_back(shown, guarded, len(few.y)) == []
    assert any(row["level"] == NOT_RECORDED for row in judgement.fairness["characteristics"][0]["levels"])


def test_the_attack_finds_what_is_not_guarded(judged: AdditiveModel, held: Held) -> None:
    """The same figures with one more that ought to be withheld: each way in which a count came out before."""
    few = drawn(held, 1)
    at = replace(judged, threshold=few.threshold)
    shown = shown_of(few, put_to_the_rules(at, few), judge_quality(at, few))
    outcome, everyone = few.y == 1, np.ones(len(few.y), dtype=bool)
    assert given_back(shown, [], len(outcome)) == []
    three, others = np.flatnonzero(outcome)[:3], np.flatnonzero(~outcome)[:26]
    group, part = np.zeros_like(everyone), np.zeros_like(everyone)
    group[[*three, *others]], part[three] = True, True
    assert "3 people at once" in given_back([*shown, Shown("3 of 29", 3 / 29, part, group)], [], len(outcome))
    assert given_back([*shown, Shown("all but 3", 0.9, ~part, everyone)], [], len(outcome))
    halves = [Shown("one half", 0.5, group & ~part, everyone), Shown("the other", 0.5, ~group, everyone)]
    assert "three: 3 by adding and taking away" in given_back([*shown, *halves], [("three", part)], len(outcome))


def test_facts_are_plain_and_say_what_is_withheld_by_null(judged: AdditiveModel, held: Held) -> None:
    evaluation, _, threshold = judge_quality(judged, drawn(held, 2))
    assert "null" in json.dumps(evaluation, allow_nan=False)
    assert all(value is None or value == float(f"{value:.5g}") for value in threshold.values())
