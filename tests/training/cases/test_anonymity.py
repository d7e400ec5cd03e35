"""Cells are counted as by hand; what is written holds none that is too small, and still fits the dictionary."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.dictionary import Dictionary, shipped_dictionary
from tests.builders import built_dictionary
from training.cases.anonymity import (
    Column,
    anonymity_facts,
    answers,
    families_of,
    measure,
    quasi_identifiers,
    suppress,
)
from training.cases.file import read_cases
from training.cases.generalise import GeneraliseError, generalise, read_request
from training.cases.table import read_table

COLUMNS = (Column("stage", frozenset({"?"})), Column("age", frozenset()), Column("sex", frozenset()))
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", "?"]), st.sampled_from(["1", "2", "3"]), st.sampled_from(["f", "m", " f "])
    ),
    min_size=1,
    max_size=60,
)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return built_dictionary(
        {"name": "stage", "kind": "ordinal", "levels": ["unborn", "baby", "child"], "quasi_identifier": True},
        {"name": "age", "kind": "number", "column": "Age of mother", "quasi_identifier": True, "missing": ["-9"]},
        {"name": "visits", "kind": "count"},
        monitored=[{"name": "sex", "label": "Sex", "levels": ["f", "m"], "quasi_identifier": True}],
    )


def table(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["stage", "age", "sex"])


def by_hand(frame: pd.DataFrame) -> Counter[tuple[str, ...]]:
    known = [("not_known" if stage in ("", "?") else stage, age, sex.strip()) for stage, age, sex in frame.to_numpy()]
    return Counter(tuple(str(cell) or "not_known" for cell in row) for row in known)


def test_the_quasi_identifiers_are_those_that_the_dictionary_marks(dictionary: Dictionary) -> None:
    assert [column.name for column in quasi_identifiers(dictionary)] == ["stage", "Age of mother", "sex"]
    shipped = {column.name for column in quasi_identifiers(shipped_dictionary())}
    assert shipped >= {"child_stage", "mother_age_years", "children_in_household", "ethnicity_group", "child_sex"}
    assert {monitored.name for monitored in shipped_dictionary().monitored} <= shipped


@settings(max_examples=80, deadline=None)
@given(rows=TABLES, k=st.integers(2, 6))
def test_cells_are_counted_as_by_hand(rows: list[tuple[str, str, str]], k: int) -> None:
    found, cells = measure(table(rows), COLUMNS, None, k), by_hand(table(rows))
    assert (found.k, found.cells) == (min(cells.values()), len(cells))
    assert found.rows_below == sum(rows for rows in cells.values() if rows < k)
    assert set(found.smallest) <= {cell for cell, rows in cells.items() if rows < k}
    assert found.holds == (min(cells.values()) >= k)
    for column, answer in found.rare:
        place = found.columns.index(column)
        assert 0 < sum(rows for cell, rows in cells.items() if cell[place] == answer) < k
    for column, left in found.without:
        place = found.columns.index(column)
        fewer: Counter[tuple[str, ...]] = Counter()
        for cell, number in cells.items():
            fewer[cell[:place] + cell[place + 1 :]] += number
        assert left == sum(number for number in fewer.values() if number < k)


@settings(max_examples=80, deadline=None)
@given(rows=TABLES, k=st.integers(2, 6))
def test_suppression_leaves_no_small_cell_and_invents_nothing(rows: list[tuple[str, str, str]], k: int) -> None:
    before = table(rows)
    after, emptied, removed = suppress(before, COLUMNS, None, k)
    assert len(after) == len(before) - removed
    assert removed < k
    assert not after.empty or len(before) < k
    assert all(count >= k for count in by_hand(after).values())
    for name in before:
        changed = after[name] != before.loc[after.index, name]
        assert (after.loc[changed, name] == "").all()
        assert changed.sum() <= emptied.get(name, 0)
    big = measure(before, COLUMNS, None, k).rows_below == 0
    assert not big or after.equals(before)


@settings(max_examples=80, deadline=None)
@given(rows=TABLES, k=st.integers(2, 4), seed=st.integers(0, 9))
def test_with_a_family_cells_are_counted_in_families(rows: list[tuple[str, str, str]], k: int, seed: int) -> None:
    before = table(rows)
    families = np.random.default_rng(seed).integers(0, max(len(rows) // 2, 1), len(rows))
    found = measure(before, COLUMNS, families, k)
    in_cells: dict[tuple[str, ...], list[int]] = {}
    for family, (_, row) in zip(families, answers(before, COLUMNS).iterrows(), strict=True):
        in_cells.setdefault(tuple(row), []).append(int(family))
    assert (found.counted, found.cells) == ("families", len(in_cells))
    assert found.k == min(len(set(inside)) for inside in in_cells.values())
    assert found.rows_below == sum(len(inside) for inside in in_cells.values() if len(set(inside)) < k)
    after, _, removed = suppress(before, COLUMNS, families, k)
    assert len(after) == len(before) - removed
    left = families[np.isin(before.index, after.index)]
    assert after.empty or measure(after, COLUMNS, left, k).holds


def test_five_contacts_of_one_family_hide_nobody(dictionary: Dictionary) -> None:
    frame = pd.DataFrame({"stage": "baby", "Age of mother": "30", "sex": "f", "family": ["F1"] * 5 + [""] * 3})
    columns = quasi_identifiers(dictionary)
    by_family = replace(dictionary, group="family")
    assert anonymity_facts(dictionary, frame, 5)["rows_below_k"] == 0
    facts = anonymity_facts(by_family, frame, 5)
    assert (facts["counted"], facts["rows"], facts["rows_below_k"]) == ("families", 8, 8)
    # Three cases whose family is not known may be of one.
    assert measure(frame, columns, families_of(by_family, frame), 5).k == 2
    assert measure(frame, columns, None, 5).counted == "cases"
    assert families_of(by_family, frame.drop(columns="family")) is None


def test_a_generalised_and_suppressed_extract_still_fits_its_dictionary(tmp_path: Path, dictionary: Dictionary) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "stage": rng.choice(["unborn", "baby", "child", ""], 400),
            "Age of mother": rng.choice([*map(str, range(16, 45)), "-9", "not_known"], 400),
            "visits": rng.integers(0, 9, 400).astype(str),
            "sex": rng.choice(["f", "m"], 400),
            "outcome": rng.integers(0, 2, 400).astype(str),
        }
    )
    columns = quasi_identifiers(dictionary)
    assert not measure(frame, columns, None, 5).holds
    for text in ("age=0,20,30", "stage=unborn+baby:baby"):
        frame = generalise(frame, read_request(text, dictionary))
    assert set(frame["Age of mother"]) == {"0", "20", "30", "-9", "not_known"}
    assert set(frame["stage"]) == {"baby", "child", ""}
    frame, _, _ = suppress(frame, columns, None, 5)
    frame.to_parquet(tmp_path / "anonymous.parquet", index=False)
    assert measure(read_table(tmp_path / "anonymous.parquet"), columns, None, 5).holds
    assert read_cases(tmp_path / "anonymous.parquet", dictionary).X.shape == (len(frame), 3)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("shoe=1,2", "shoe: is no feature or monitored characteristic"),
        ("stage", "levels of the dictionary (unborn, baby, child)"),
        ("age", "give rising numbers, for instance age=0,20,30"),
        ("age=30,20", "give rising numbers"),
        ("age=a,b", "give rising numbers"),
        ("stage=unborn+toddler:baby", "levels of the dictionary (unborn, baby, child)"),
        ("stage=unborn:toddler", "levels of the dictionary (unborn, baby, child)"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_line(dictionary: Dictionary, text: str, fix: str) -> None:
    with pytest.raises(GeneraliseError) as caught:
        read_request(text, dictionary)
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_below_the_first_edge_is_refused_and_not_repeated(dictionary: Dictionary) -> None:
    frame = pd.DataFrame({"Age of mother": ["31", "13"]})
    with pytest.raises(GeneraliseError, match="begin with an edge at or below every value") as caught:
        generalise(frame, read_request("age=20,30", dictionary))
    assert "13" not in str(caught.value)
