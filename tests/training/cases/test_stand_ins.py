"""A feature that nearly is a column which may not be scored is refused; what is alike by chance or rarity passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.dictionary import shipped_dictionary
from tests.builders import built_dictionary
from training.cases.cohort import make_cohort, write_cohort
from training.cases.file import CaseFile, read_cases
from training.cases.table import CaseFileError

ROWS = 3000
RNG = np.random.default_rng(8)
ETHNICITY = RNG.choice(["A", "B", "C", "D"], ROWS, p=[0.7, 0.2, 0.09, 0.01])
INCOME = RNG.gamma(3, 9000, ROWS).round(-1)
FAMILY = np.repeat(np.arange(ROWS // 2), 2)
MONITORED = {"monitored": [{"name": "ethnicity", "label": "Ethnicity", "levels": ["A", "B", "C", "D"]}]}
EXCLUDED = {"excluded": [{"name": "income", "reason": "poverty"}]}
LEVELS = {"kind": "category", "levels": ["1", "2", "3", "4"]}


def recoded(cells: np.ndarray, **names: str) -> np.ndarray:
    return np.array([names[cell] for cell in cells])


def changed(cells: np.ndarray, rows: int) -> np.ndarray:
    """The same with another level in so many rows, each the first of its family."""
    copy, where = cells.copy(), 2 * np.random.default_rng(9).choice(len(cells) // 2, rows, replace=False)
    levels = list(np.unique(cells))
    copy[where] = [levels[(levels.index(cell) + 1) % len(levels)] for cell in cells[where]]
    return copy


def read(folder: Path, kind: dict[str, Any], cells: Any, *, family: bool = True, **beside: Any) -> CaseFile:
    """Reads a file in which one feature, `asked`, stands beside ethnicity, income and what else is given."""
    luck = np.random.default_rng(11)
    frame = pd.DataFrame({"visits": luck.poisson(3, ROWS), "ethnicity": ETHNICITY, "income": INCOME, "family": FAMILY})
    frame = frame.assign(**beside, asked=cells, outcome=luck.integers(0, 2, ROWS))
    frame.to_csv(folder / "cases.csv", index=False)
    excluded = {"excluded": [*EXCLUDED["excluded"], *({"name": name, "reason": "place"} for name in beside)]}
    group = {"group": {"column": "family"}} if family else {}
    asked = {"name": "asked", **kind}
    dictionary = built_dictionary({"name": "visits", "kind": "count"}, asked, **MONITORED, **excluded, **group)
    return read_cases(folder / "cases.csv", dictionary)


COPY = recoded(ETHNICITY, A="3", B="1", C="4", D="2")
MERGED = recoded(ETHNICITY, A="1", B="2", C="2", D="2")


@pytest.mark.parametrize(
    ("kind", "cells", "said"),
    [
        (LEVELS, changed(COPY, 1), "nearly gives away column ethnicity, which is monitored"),
        (LEVELS, changed(COPY, 12), "nearly gives away column ethnicity, which is monitored"),
        (LEVELS, MERGED, "nearly follows from column ethnicity, which is monitored"),
        (LEVELS, changed(MERGED, 3), "nearly follows from column ethnicity, which is monitored"),
        ({"kind": "yes_no"}, np.where(ETHNICITY == "C", "yes", "no"), "nearly follows from column ethnicity"),
        ({"kind": "number"}, (INCOME / 12 + RNG.normal(0, 1, ROWS)).round(1), "nearly gives away column income"),
        (
            {"kind": "count"},
            np.digitize(INCOME, [1e4, 2e4, 3e4]),
            "nearly follows from column income, which is excluded",
        ),
    ],
    ids=["one row changed", "some rows changed", "merged", "merged and changed", "one level", "a number", "in bands"],
)
def test_a_near_copy_of_what_may_not_be_scored_is_refused(
    tmp_path: Path, kind: dict[str, Any], cells: Any, said: str
) -> None:
    with pytest.raises(CaseFileError) as caught:
        read(tmp_path, kind, cells)
    assert len(caught.value.errors) == 1
    assert caught.value.errors[0].startswith(f"column asked: {said}")
    assert "; take it out of the dictionary, or accept it there with accepted" in caught.value.errors[0]
    taken = read(tmp_path, {**kind, "accepted": "needed: see note 3"}, cells).accepted
    assert [(column, reason) for column, _, reason in taken] == [("asked", "needed: see note 3")]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (LEVELS, changed(COPY, 900)),
        ({"kind": "yes_no"}, np.where(np.arange(ROWS) < 4, "yes", "no")),
        ({"kind": "yes_no"}, ["no"] * ROWS),
        ({"kind": "yes_no"}, np.where(np.arange(ROWS) == 5, "yes", "")),
        ({"kind": "count"}, np.arange(ROWS) // 4),
        ({"kind": "number"}, (INCOME + RNG.normal(0, 9000, ROWS)).round(1)),
        ({"kind": "yes_no"}, np.where(RNG.random(ROWS) < np.where(ETHNICITY == "A", 0.1, 0.6), "yes", "no")),
    ],
    ids=["much changed", "four rows", "constant", "one row known", "a value a few rows", "related", "associated"],
)
def test_what_is_alike_by_chance_or_rarity_or_is_only_related_passes(
    tmp_path: Path, kind: dict[str, Any], cells: Any
) -> None:
    assert read(tmp_path, kind, cells).accepted == ()


@pytest.mark.parametrize("family", [True, False])
def test_that_answers_of_a_family_follow_from_its_postcode_is_no_alarm(tmp_path: Path, family: bool) -> None:
    postcode, crowded = np.array([f"P{number}" for number in FAMILY]), RNG.integers(0, 2, ROWS)[FAMILY]
    cells = np.where(crowded == 1, "yes", "no")
    assert read(tmp_path, {"kind": "yes_no"}, cells, family=family, place=postcode).accepted == ()


def test_an_age_follows_from_an_excluded_date_of_birth_as_it_should(tmp_path: Path) -> None:
    born = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 40, ROWS) * 30, unit="D")
    assert read(tmp_path, {"kind": "count"}, 2024 - born.year, born=born.strftime("%Y-%m-%d")).accepted == ()


def test_the_synthetic_cohort_and_its_dictionary_give_no_alarm(tmp_path: Path) -> None:
    shipped = shipped_dictionary()
    write_cohort(make_cohort(3000, 1, shipped), tmp_path)
    assert read_cases(tmp_path / "cohort.csv", shipped).accepted == ()
