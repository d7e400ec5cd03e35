"""Gates on what was measured: what was not measured has not passed."""

from __future__ import annotations

from typing import Any

import pytest

from model.overrides import OVERRIDABLE
from tests.builders import built_model, plain_dictionary, yes_no_term
from training.release.gate import Gate
from training.release.gates_quality import quality_gates

GOOD = {"value": 1.0, "low": 0.9, "high": 1.1}
NONE = {"value": 0.0, "low": -0.1, "high": 0.1}
NAMES = ("calibration", "anonymity", "fairness_gaps")


def figure(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def fairness(**gaps: dict[str, float] | None) -> dict[str, Any]:
    levels = [{"level": "a", "gap": None}, {"level": "b", "gap": gaps}]
    return {"judged": True, "characteristics": [{"name": "group", "reference": "a", "levels": levels}]}


def judged(slope: Any = GOOD, intercept: Any = NONE, synthetic: bool = False, **facts: Any) -> dict[str, Gate]:
    """The gates by code, of a model with these facts."""
    raw = plain_dictionary({"name": "history", "kind": "yes_no", "direction": "raises"})
    evaluation = {"grounds": {"calibration_slope": slope, "calibration_intercept": intercept}}
    terms = [yes_no_term("history", -0.2, 0.1, 0.9)]
    found = quality_gates(built_model(raw, terms, synthetic=synthetic, evaluation=evaluation, **facts))
    names = {name: code for code, name in OVERRIDABLE.items()}
    return {names[gate.name]: gate for gate in found}


@pytest.mark.parametrize(
    ("slope", "intercept", "passed"),
    [
        (GOOD, NONE, True),
        (figure(0.7, 0.5, 0.8), NONE, True),
        (figure(0.7, 0.5, 0.79), NONE, False),
        (figure(1.4, 1.21, 1.6), NONE, False),
        (GOOD, figure(0.4, 0.21, 0.6), False),
        (GOOD, figure(-0.4, -0.6, -0.2), True),
        (figure(1.0, 0.9, 1.1) | {"value": None}, NONE, False),
        ({}, NONE, False),
    ],
)
def test_calibration_fails_where_an_interval_misses_its_limits(slope: Any, intercept: Any, passed: bool) -> None:
    assert judged(slope, intercept)["calibration"].passed is passed


def test_what_was_not_measured_has_not_passed_unless_no_row_is_a_person() -> None:
    for code in NAMES[1:]:
        assert (judged()[code].figure, judged()[code].passed) == ("not measured", False)
        assert judged(synthetic=True)[code].passed
        assert "synthetic" in judged(synthetic=True)[code].figure
    for synthetic in (False, True):
        withheld = judged(synthetic=synthetic, fairness=fairness(sensitivity=None))["fairness_gaps"]
        assert (withheld.figure, withheld.passed) == ("not measured: group; 1 of 1 groups too small to judge", False)


def test_where_nothing_is_marked_to_be_measured_the_gate_passes_and_says_so() -> None:
    gate = judged(fairness={"judged": False, "why": "no group"})["fairness_gaps"]
    assert (gate.figure, gate.passed) == ("not judged: no group", True)
    gate = judged(anonymity={"why": "the dictionary marks no quasi-identifier"})["anonymity"]
    assert (gate.figure, gate.passed) == ("the dictionary marks no quasi-identifier", True)


@pytest.mark.parametrize(("rows", "passed"), [(0, True), (1, False)])
def test_anonymity_is_read_from_the_facts(rows: int, passed: bool) -> None:
    gate = judged(anonymity={"counted": "families", "k": 5, "rows_below_k": rows})["anonymity"]
    assert gate.passed is passed
    assert gate.figure == f"{rows} rows, k = 5 families"
    older = judged(anonymity={"k": 5, "rows_below_k": rows})["anonymity"]
    assert older.figure == f"{rows} rows, k = 5 cases"


@pytest.mark.parametrize(
    ("gap", "passed"),
    [
        (figure(0.3, 0.09, 0.5), True),
        (figure(0.3, 0.11, 0.5), False),
        (figure(-0.3, -0.5, -0.11), False),
        (figure(-0.3, -0.5, -0.09), True),
    ],
)
def test_a_gap_fails_where_its_whole_interval_is_beyond_the_limit(gap: dict[str, float], passed: bool) -> None:
    gate = judged(fairness=fairness(sensitivity=gap, false_positive_rate=NONE))["fairness_gaps"]
    assert gate.passed is passed
    assert "group b, sensitivity" in gate.figure
    assert gate.figure.startswith(f"{0 if passed else 1} of 2 beyond")


def test_a_synthetic_model_with_measured_gaps_is_judged_on_them() -> None:
    beyond = fairness(sensitivity=figure(0.3, 0.2, 0.4))
    assert not judged(synthetic=True, fairness=beyond)["fairness_gaps"].passed


def test_groups_that_were_too_small_are_counted_and_a_characteristic_of_such_alone_has_not_passed() -> None:
    beside = fairness(sensitivity=NONE)
    levels = beside["characteristics"][0]["levels"]
    levels += [{"level": "c", "gap": {"sensitivity": None}}, {"level": "d", "gap": None}]
    gate = judged(fairness=beside)["fairness_gaps"]
    assert gate.passed
    assert gate.figure.endswith("; 2 of 3 groups too small to judge")
    levels = [{"level": "x", "gap": None}, {"level": "y", "gap": {"sensitivity": None, "false_positive_rate": None}}]
    beside["characteristics"].append({"name": "faith", "reference": "x", "levels": levels})
    gate = judged(fairness=beside)["fairness_gaps"]
    assert not gate.passed
    assert gate.figure.startswith("not measured: faith; 0 of 1 beyond")
    assert gate.figure.endswith("; 3 of 4 groups too small to judge")
