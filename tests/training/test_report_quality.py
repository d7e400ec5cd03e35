"""The tables that `make train` prints hold the figures of the artefact, and name what is withheld."""

from __future__ import annotations

import copy
from io import StringIO

from rich.console import Console

from tests.training.conftest import Run
from tests.training.judge.conftest import held, judged, prompted, released
from training.judge.fairness import fairness
from training.judge.held import Held
from training.judge.prompt_levels import Prompted
from training.report_quality import LEGEND, number, percent, print_fairness, print_quality

FIGURE = {"value": 0.5, "low": 0.4, "high": 0.6}
__all__ = ["held", "judged", "prompted"]


def console() -> Console:
    return Console(file=StringIO(), width=160)


def text(shown: Console) -> str:
    assert isinstance(shown.file, StringIO)
    return shown.file.getvalue()


def test_the_tables_hold_the_figures(run: Run) -> None:
    shown, evaluation = console(), run.trained.facts["evaluation"]
    print_quality(shown, evaluation)
    for row in evaluation["prompts"]["levels"]:
        if row["share"] is not None:
            assert f"{row['share']['value'] * 100:.1f} % (" in text(shown)
    assert any(row["share"] for row in evaluation["prompts"]["levels"])
    for words in (
        "nothing from: General practice",
        "50% of answers lost",
        "another authority",
        "no [time] column",
        "ECE 0.",
    ):
        assert words in text(shown)


def test_groups_are_named_and_what_is_not_judged_is_said(run: Run, held: Held, prompted: Prompted) -> None:
    shown = console()
    print_fairness(shown, released(held, lambda disclosure: fairness(held, prompted, disclosure)))
    assert "│     - │" in next(line for line in text(shown).splitlines() if "│ x" in line)
    assert LEGEND in text(shown)
    print_fairness(shown, run.trained.facts["fairness"])
    assert "fairness not judged: the data hold no monitored characteristic" in text(shown)


def test_what_a_dash_stands_for_is_said_below_the_table_or_line_that_has_one(run: Run) -> None:
    shown, evaluation = console(), copy.deepcopy(run.trained.facts["evaluation"])
    workload = evaluation["workload"][0]
    for row in evaluation["workload"]:
        row.update(precision=FIGURE, sensitivity=FIGURE, prompts_for_each_outcome_found=FIGURE)
    evaluation["calibration"]["ece"] = FIGURE
    print_quality(shown, evaluation)
    assert LEGEND not in part(text(shown), "Workload", "When less")
    assert line(text(shown), "calibration: ").strip() == "calibration: ECE 0.5000 (0.4000 to 0.6000)"
    shown = console()
    workload["precision"] = evaluation["calibration"]["ece"] = None
    print_quality(shown, evaluation)
    assert LEGEND in part(text(shown), "Workload", "When less")
    assert line(text(shown), "calibration: ").strip() == f"calibration: ECE - ({LEGEND})"
    newest = line(text(shown), "newest part of the cases")
    assert "no [time] column" in newest
    assert LEGEND not in newest


def line(said: str, start: str) -> str:
    return next(one for one in said.splitlines() if one.startswith(start))


def part(said: str, start: str, end: str) -> str:
    return said.partition(start)[2].partition(end)[0]


def test_figures_in_words() -> None:
    assert percent({"value": 0.0487, "low": 0.04, "high": 0.06}) == "4.9 % (4.0 to 6.0)"
    assert number({"value": 0.81, "low": None, "high": None}, 2) == "0.81"
    assert percent(None) == number({"value": None, "low": None, "high": None}, 3) == "-"
