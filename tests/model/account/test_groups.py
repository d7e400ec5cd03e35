"""Where each group's scores lie and whose answers are missing, as tiles with the same numbers in a table."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from model.account.fairness import ALL_RATES, fairness
from model.account.page import Dots, Figure, Section, Tiles
from model.account.svg import svg


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def level(name: str, bands: list[float | None] | None, **more: Any) -> dict[str, Any]:
    return {
        "level": name,
        "cases": None if bands is None else 400,
        "events": None,
        **dict.fromkeys(ALL_RATES),
        "gap": {"selection_rate": figure(0.02), "precision": figure(-0.1)},
        "prompts": None,
        "not_known": None if bands is None else {"all": figure(0.2), "by_agency": {"gp": figure(0.3), "police": None}},
        "bands": bands,
        **more,
    }


FACTS = {
    "judged": True,
    "characteristics": [
        {
            "label": "Sex",
            "reference": "f",
            "levels": [level("f", [0.3, 0.7], gap=None), level("m", [None, 0.5]), level("x", None)],
        }
    ],
}


def section() -> Section:
    (found,) = fairness(FACTS, {"gp": "General practice", "police": "Police"}.__getitem__).parts
    return found


def figures() -> list[Figure]:
    return [block for block in section().blocks if isinstance(block, Figure)]


def test_the_distribution_of_scores_and_what_is_not_known_are_drawn_and_stand_in_tables() -> None:
    scores, missing = (one for one in figures() if isinstance(one.plot, Tiles))
    assert scores.table.columns == ("Twentieth of the scores", "f", "m")
    assert scores.table.rows == (("1", "30.0 %", "withheld"), ("2", "70.0 %", "50.0 %"))
    assert missing.table.rows == (
        ("All features", "20.0 % (19.0 to 21.0)", "20.0 % (19.0 to 21.0)"),
        ("General practice", "30.0 % (29.0 to 31.0)", "30.0 % (29.0 to 31.0)"),
        ("Police", "withheld", "withheld"),
    )


def test_gaps_in_selection_rate_and_precision_are_shown() -> None:
    (gaps,) = (one for one in figures() if isinstance(one.plot, Dots) and "gaps" in one.plot.title)
    assert gaps.table.columns[1:5] == ("Selection rate", "Sensitivity", "False positive rate", "Precision")
    assert gaps.table.rows[0][1] == "0.020 (0.010 to 0.030)"
    assert gaps.table.rows[0][4] == "-0.100 (-0.110 to -0.090)"
    assert [mark.said for mark in gaps.plot.marks] == ["0.020 (0.010 to 0.030)"] * 2


def test_every_tile_has_its_number_in_the_table_and_what_is_withheld_is_crossed() -> None:
    for one in figures():
        if isinstance(one.plot, Tiles):
            text = svg(one.plot, "p1")
            drawn = [unescape(said) for said in re.findall(r'data-value="([^"]*)"', text)]
            cells = {cell for row in one.table.rows for cell in row}
            assert drawn
            assert set(drawn) <= cells
            withheld = sum(mark.value is None for _, row in one.plot.rows for mark in row)
            assert text.count(">×</text>") == withheld > 0
            assert re.search(r"<title>[^<]+: withheld</title>", text)


def test_the_larger_share_is_the_darker_tile() -> None:
    text = svg(next(one.plot for one in figures() if isinstance(one.plot, Tiles)), "p1")
    shade = dict(re.findall(r'fill-opacity="([^"]*)" data-value="([^"]*)"', text))
    assert {said: float(opacity) for opacity, said in shade.items()} == {"30.0 %": 0.32, "70.0 %": 0.75, "50.0 %": 0.54}


def test_a_model_that_holds_neither_shows_neither() -> None:
    levels = [{**one, "bands": None, "not_known": None} for one in FACTS["characteristics"][0]["levels"]]
    (found,) = fairness(
        {"judged": True, "characteristics": [{"label": "Sex", "reference": "f", "levels": levels}]}, str
    ).parts
    assert not [block for block in found.blocks if isinstance(block, Figure) and isinstance(block.plot, Tiles)]
