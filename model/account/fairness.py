"""Each group that is watched: rates with intervals, gaps to the largest group, and what practitioners are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model.account.figures import counted, listed, mark, number, percent, words
from model.account.groups import bands, unknown
from model.account.page import Block, Dots, Figure, Section, Table

Facts = Mapping[str, Any]

GAPS: Mapping[str, float] = {"sensitivity": 0.10, "false_positive_rate": 0.05, "observed_to_expected": 0.25}
"""Largest gap of a group to the reference group, by rate. Our own choice, to be changed in the open: no figure
makes a gap fair. Selection rate has no limit, as groups may differ in need."""
RATES = ("selection_rate", "sensitivity", "false_positive_rate", "precision")
ALL_RATES = (*RATES, "observed_to_expected")
LEVELS = ("consider_referral", "seek_information", "no_prompt")


def fairness(facts: Facts | None, agency_label: Callable[[str], str]) -> Section:
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
    parts = tuple(_characteristic(one, agency_label) for one in facts["characteristics"])
    return Section(title, tuple(intro), parts)


def _characteristic(facts: Facts, agency_label: Callable[[str], str]) -> Section:
    levels, label = facts["levels"], facts["label"]
    title = f"{label}: sensitivity by group"
    marks = tuple(mark(one["level"], one["sensitivity"], percent(one["sensitivity"])) for one in levels)
    rates = Table(
        f"{label}: rates at the referral threshold",
        ("Group", "Cases", "Outcomes", *map(words, RATES), "Observed / expected"),
        tuple(
            (
                one["level"],
                counted(one["cases"]),
                counted(one["events"]),
                *(percent(one[rate]) for rate in RATES),
                number(one["observed_to_expected"], 2),
            )
            for one in levels
        ),
    )
    shown = Table(
        f"{label}: prompts shown",
        ("Group", *map(words, LEVELS)),
        tuple((one["level"], *(percent((one["prompts"] or {}).get(level)) for level in LEVELS)) for one in levels),
    )
    blocks: tuple[Block, ...] = (Figure(Dots(title, "sensitivity", marks), rates), *_gaps(facts), shown)
    return Section(label, (*blocks, *bands(label, levels), *unknown(label, levels, agency_label)))


def _gaps(facts: Facts) -> tuple[Figure, ...]:
    """Each rate less that of the reference group, drawn for the selection rate. None where there is one group only."""
    others = [one for one in facts["levels"] if one["level"] != facts["reference"]]
    if not others:
        return ()
    title = f"{facts['label']}: gaps to {facts['reference']}"
    gaps = [(one["level"], one["gap"] or {}) for one in others]
    rows = tuple((level, *(number(gap.get(rate), 3) for rate in ALL_RATES)) for level, gap in gaps)
    marks = tuple(mark(level, gap.get("selection_rate"), number(gap.get("selection_rate"), 3)) for level, gap in gaps)
    drawn = Dots(f"{title}, in selection rate", "selection rate less that of the largest group", marks)
    return (Figure(drawn, Table(title, ("Group", *map(words, ALL_RATES)), rows)),)
