"""A column that gives the outcome away is refused by name, and accepted only by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.builders import built_dictionary
from training.cases.file import CaseFile, read_cases
from training.cases.leakage import single_auc
from training.cases.table import CaseFileError

ROWS = 1000
OUTCOME = np.random.default_rng(3).random(ROWS) < 0.2
ORDINARY = {"name": "visits", "kind": "count"}
MONTH = np.random.default_rng(4).integers(1, 25, ROWS)
LATER = np.random.default_rng(5).integers(0, 6, ROWS)


@pytest.fixture
def luck() -> np.random.Generator:
    """A test's own, so that what it draws does not hang on the tests before it."""
    return np.random.default_rng(6)


def read(folder: Path, feature: dict[str, Any], cells: Any, accept: tuple[str, ...] = (), **top: Any) -> CaseFile:
    """Reads a file of an ordinary count, one column more and the outcome."""
    frame = pd.DataFrame({"visits": np.arange(ROWS) % 7, "outcome": OUTCOME.astype(int), "month": MONTH})
    frame[feature["name"]] = cells
    frame.to_csv(folder / "cases.csv", index=False)
    return read_cases(folder / "cases.csv", built_dictionary(ORDINARY, feature, **top), accept)


def refused(*arguments: Any, **top: Any) -> list[str]:
    with pytest.raises(CaseFileError) as caught:
        read(*arguments, **top)
    return caught.value.errors


def noisy(flips: int) -> np.ndarray:
    """The outcome, wrong in so many rows of each kind."""
    wrong = OUTCOME.copy()
    for kind in (True, False):
        wrong[np.flatnonzero(kind == OUTCOME)[:flips]] ^= True
    return wrong


YES_NO = {"name": "closed", "kind": "yes_no"}


@pytest.mark.parametrize(
    ("feature", "cells"),
    [
        (YES_NO, np.where(OUTCOME, "yes", "no")),
        (YES_NO, np.where(OUTCOME, "no", "yes")),
        ({"name": "closed", "kind": "category", "levels": ["a", "b"]}, np.where(OUTCOME, "b", "a")),
        ({"name": "closed", "kind": "number"}, np.where(OUTCOME, "7.5", "")),
    ],
    ids=["copy", "turned round", "renamed", "known only where it happened"],
)
def test_the_outcome_under_another_name_is_refused(tmp_path: Path, feature: dict[str, Any], cells: Any) -> None:
    errors = refused(tmp_path, feature, cells)
    assert errors[0].startswith("column closed: is the outcome under another name or turned round; take it out")
    assert errors[0].endswith('accept it there with accepted = "reason" or by --accept-leakage closed')


def test_a_feature_that_alone_is_too_good_is_refused_in_any_shape(tmp_path: Path, luck: np.random.Generator) -> None:
    rest = luck.choice([-20, 20], ROWS) + luck.normal(0, 1, ROWS)
    hump = np.where(noisy(1), luck.normal(0, 1, ROWS), rest).round(2)
    errors = refused(tmp_path, {"name": "days", "kind": "number"}, hump)
    assert len(errors) == 1
    assert errors[0].startswith("column days: alone tells the outcome with AUC 0.9")


def test_a_strong_honest_feature_passes(tmp_path: Path, luck: np.random.Generator) -> None:
    strong = (OUTCOME * 2.0 + luck.normal(0, 1, ROWS)).round(3)
    assert 0.85 < single_auc(strong, OUTCOME.astype(np.int8)) < 0.97
    assert read(tmp_path, {"name": "days", "kind": "number"}, strong).accepted == ()


def test_noise_in_many_answers_is_not_taken_for_a_leak(luck: np.random.Generator) -> None:
    """Answers are ordered on one half and judged on the other: a value in each row teaches nothing."""
    for codes in (np.arange(ROWS, dtype=float), luck.integers(0, 30, ROWS).astype(float)):
        assert single_auc(codes, OUTCOME.astype(np.int8)) == pytest.approx(0.5, abs=0.08)


def test_few_events_are_no_ground_for_refusing_on_a_single_auc(tmp_path: Path) -> None:
    frame = pd.DataFrame({"days": [*range(100, 109), *([5] * 991)], "outcome": [1] * 9 + [0] * 991})
    frame.to_csv(tmp_path / "cases.csv", index=False)
    days = built_dictionary({"name": "days", "kind": "number"})
    assert read_cases(tmp_path / "cases.csv", days).accepted == ()


def test_what_is_accepted_by_name_is_read_and_recorded(tmp_path: Path) -> None:
    cells = np.where(OUTCOME, "yes", "no")
    by_command = read(tmp_path, YES_NO, cells, ("closed",))
    problem = by_command.accepted[0][1]
    assert by_command.accepted[0] == ("closed", problem, "accepted on the command line")
    assert problem == "is the outcome under another name or turned round"
    by_dictionary = read(tmp_path, {**YES_NO, "accepted": "known at the contact: see note 4"}, cells)
    assert by_dictionary.accepted == (("closed", problem, "known at the contact: see note 4"),)
    assert refused(tmp_path, YES_NO, cells, ("closd",)) == ["column closd: --accept-leakage names no feature's column"]


@pytest.mark.parametrize("role", ["feature", "excluded", "monitored"])
def test_a_column_that_repeats_another_is_refused_though_its_answers_are_renamed(
    tmp_path: Path, role: str, luck: np.random.Generator
) -> None:
    first = luck.choice(["a", "b", "c"], ROWS)
    frame = pd.DataFrame({"one": first, "outcome": OUTCOME.astype(int)})
    frame["again"] = frame["one"].map({"a": "3", "b": "1", "c": "2"})
    frame.to_csv(tmp_path / "cases.csv", index=False)
    one = {"name": "one", "kind": "category", "levels": ["a", "b", "c"]}
    again = {"name": "again", "kind": "count"}
    dictionary = {
        "feature": built_dictionary(one, again),
        "excluded": built_dictionary(again, excluded=[{"name": "one", "reason": "a proxy"}]),
        "monitored": built_dictionary(again, monitored=[{"name": "one", "label": "One", "levels": ["a", "b", "c"]}]),
    }[role]
    with pytest.raises(CaseFileError) as caught:
        read_cases(tmp_path / "cases.csv", dictionary)
    said = "column one, renamed" if role == "feature" else f"column one, which is {role}"
    assert caught.value.errors[0].startswith(f"column again: holds the same in every row as {said}")
    assert len(caught.value.errors) == 1


@pytest.mark.parametrize(
    ("time", "later", "kind"),
    [
        (MONTH, MONTH + LATER, {"kind": "count"}),
        (
            [f"2024-{month % 12 + 1:02}" for month in MONTH],
            [f"2024-{min(month % 12 + 2, 12):02}" for month in MONTH],
            {"kind": "category", "levels": [f"2024-{month:02}" for month in range(2, 13)]},
        ),
        (
            [f"2024-{month % 12 + 1:02}" for month in MONTH],
            [f"2024Q{(month % 12) // 3 + 1}" if month % 2 else f"2025Q{(month % 12) // 3 + 1}" for month in MONTH],
            None,
        ),
    ],
    ids=["months counted", "months", "quarters that do not move with the contact"],
)
def test_a_column_dated_after_the_contact_is_refused(tmp_path: Path, time: Any, later: Any, kind: Any) -> None:
    frame = pd.DataFrame({"when": time, "assessed": later, "outcome": OUTCOME.astype(int)})
    frame.to_csv(tmp_path / "cases.csv", index=False)
    levels = {"kind": "category", "levels": sorted({str(each) for each in later})}
    dictionary = built_dictionary({"name": "assessed", **(kind or levels)}, time={"column": "when"})
    if kind is None:
        assert read_cases(tmp_path / "cases.csv", dictionary).accepted == ()
        return
    with pytest.raises(CaseFileError) as caught:
        read_cases(tmp_path / "cases.csv", dictionary)
    assert len(caught.value.errors) == 1
    assert caught.value.errors[0].startswith("column assessed: is dated after the contact in ")


def test_a_duration_on_the_scale_of_the_contact_passes(tmp_path: Path, luck: np.random.Generator) -> None:
    cases = read(tmp_path, {"name": "weeks", "kind": "count"}, luck.integers(20, 42, ROWS), time={"column": "month"})
    assert cases.accepted == ()


@pytest.mark.parametrize(
    ("excluded", "column", "found"),
    [
        ("postcode", "home_post_code_known", True),
        ("deprivation_index", "IMD decile", True),
        ("ethnicity", "motherEthnicGroup", True),
        ("means_tested_benefits", "universal_credit", True),
        ("parent_learning_disability", "parent_visits", False),
        ("first_language", "first_visit", False),
    ],
)
def test_an_excluded_proxy_under_a_like_name_is_refused(
    tmp_path: Path, excluded: str, column: str, found: bool
) -> None:
    feature = {"name": "asked", "column": column, "kind": "count"}
    frame = pd.DataFrame({column: np.arange(40) % 10, "outcome": np.arange(40) % 3 == 0})
    frame.assign(outcome=frame["outcome"].astype(int)).to_csv(tmp_path / "cases.csv", index=False)
    dictionary = built_dictionary(feature, excluded=[{"name": excluded, "reason": "a proxy"}])
    if not found:
        assert read_cases(tmp_path / "cases.csv", dictionary).accepted == ()
        return
    with pytest.raises(CaseFileError) as caught:
        read_cases(tmp_path / "cases.csv", dictionary)
    assert caught.value.errors[0].startswith(f"column {column}: is named like the excluded {excluded}; ")
