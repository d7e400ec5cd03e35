"""Each group that is watched: rates with intervals, gaps, and how much is not known about its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.account.figures import cases, listed, mark, number, percent, words
from model.account.page import Dots, Figure, Section, Table

Facts = Mapping[str, Any]

GAPS: Mapping[str, float] = {"sensitivity": 0.10, "false_positive_rate": 0.05, "observed_to_expected": 0.25}
"""Largest gap of a group to the reference group, by rate. Our own choice, to be changed in the open: no figure
makes a gap fair. Selection rate has no limit, as groups may differ in need."""
RATES = ("selection_rate", "sensitivity", "false_positive_rate", "precision")
LEVELS = ("consider_referral", "seek_information", "no_prompt")


def fairness(facts: Facts | None) -> Section:
    """Figures by group, at the referral threshold on held-out cases."""
    title = "Fairness"
    if not facts:
        return Section(title, ("Not measured for this model. Nothing is known of how it treats different groups.",))
    if not facts["judged"]:
        return Section(title, (f"Not judged: {facts['why']}.",))
    absent = facts.get("not_in_the_data") or []
    intro = [
        "Nothing watched here is ever scored. Groups too small to show are named. No figure shows a model to be fair: "
        "an outcome that is itself a decision may carry unequal practice into every figure below.",
    ]
    intro += [f"In the dictionary and not in the data: {listed(absent)}."] if absent else []
    return Section(title, tuple(intro), tuple(_characteristic(one) for one in facts["characteristics"]))


def _characteristic(facts: Facts) -> Section:
    levels, label = facts["levels"], facts["label"]
    title = f"{label}: sensitivity by group"
    marks = tuple(mark(one["level"], one["sensitivity"], percent(one["sensitivity"])) for one in levels)
    rates = Table(
        f"{label}: rates at the referral threshold",
        ("Group", "Cases", "Outcomes", *map(words, RATES), "Observed / expected"),
        tuple(
            (
                one["level"],
                cases(one["cases"]),
                "withheld" if one["events"] is None else f"{one['events']:,}",
                *(percent(one[rate]) for rate in RATES),
                number(one["observed_to_expected"], 2),
            )
            for one in levels
        ),
    )
    gaps = Table(
        f"{label}: gaps to {facts['reference']}",
        ("Group", *map(words, GAPS)),
        tuple(
            (one["level"], *(number((one["gap"] or {}).get(rate), 3) for rate in GAPS))
            for one in levels
            if one["level"] != facts["reference"]
        ),
    )
    shown = Table(
        f"{label}: what is not known, and prompts shown",
        ("Group", "Answers not known", *map(words, LEVELS)),
        tuple(
            (
                one["level"],
                percent((one["not_known"] or {}).get("all")),
                *(percent((one["prompts"] or {}).get(level)) for level in LEVELS),
            )
            for one in levels
        ),
    )
    return Section(label, (Figure(Dots(title, "sensitivity", marks), rates), gaps, shown))
