"""A draft of any reasonable file is a dictionary that reads that file as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from model.dictionary import load_dictionary, shipped_dictionary
from tests.training.cases.drafts import OUTCOME, RNG, ROWS, drafted, drawn, one
from training.cases.cohort import make_cohort, write_cohort
from training.cases.describe import describe
from training.cases.file import read_cases
from training.cases.table import CaseFileError


@pytest.fixture(autouse=True)
def the_same_luck_whatever_ran_before() -> None:
    RNG.bit_generator.state = np.random.default_rng(6).bit_generator.state


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (drawn("yes", "no", ""), {"kind": "yes_no"}),
        (drawn("Yes", "NO", "yes"), {"kind": "yes_no"}),
        (drawn(True, False), {"kind": "yes_no"}),
        (drawn(0, 1), {"kind": "yes_no"}),
        (drawn(0.0, 1.0, None), {"kind": "yes_no"}),
        (drawn("Y", "N", "U"), {"kind": "yes_no", "missing": ["U"]}),
        (drawn(1, 2, 3), {"kind": "count"}),
        (drawn(*range(50)), {"kind": "count"}),
        (drawn(1.0, 2.0, None), {"kind": "count"}),
        (drawn(-1, -2, 3), {"kind": "number"}),
        (drawn(0.5, float("nan"), 7), {"kind": "number"}),
        (drawn(0.5, "NA", 7), {"kind": "number", "missing": ["NA"]}),
        (drawn(1, 2, "?", "unknown"), {"kind": "count"}),
        (drawn("none", "some"), {"kind": "category", "levels": ["none", "some"]}),
        (drawn("1_000", "2_000"), {"kind": "category", "levels": ["1_000", "2_000"]}),
        (drawn("a", "inf"), {"kind": "category", "levels": ["a", "inf"]}),
        (drawn("low", "not_known", ""), {"kind": "category", "levels": ["low", "other"]}),
        (drawn("low", "high", "not_applicable"), {"kind": "category", "not_applicable": True}),
        (drawn(3, 4, "not_applicable", "not_known"), {"kind": "count", "not_applicable": True}),
        (drawn("a", "b", "other"), {"kind": "category", "levels": ["a", "b", "other"]}),
        (drawn("other", ""), {"kind": "category", "levels": ["other", "another"]}),
        (drawn("k", ""), {"kind": "category", "levels": ["k", "other"]}),
        (drawn(7, ""), {"kind": "count"}),
        (drawn("it's", 'a "q"', "b\\s", "t\tb", "n\nl", "ünï ☃", "😀", "\x7f"), {"kind": "category"}),
        (drawn("k"), {"reason": "has one value only"}),
        (drawn(""), {"reason": "is empty"}),
        (drawn("NA", ""), {"reason": "is empty"}),
        (drawn("not_known"), {"reason": "is empty"}),
        ([f"2020-01-{day:02}" for day in range(1, 29)] * 7 + ["2021-02-03"] * 4, {"reason": "looks like a date"}),
        (list(RNG.uniform(1e17, 1e18, ROWS)), {"reason": "holds numbers beyond 2^53"}),
        (
            [f"person {number}" for number in range(ROWS)],
            {"reason": "has another value in almost every row: an identifier or free text"},
        ),
    ],
)
def test_a_column_is_drafted_as(tmp_path: Path, column: list[object], expected: dict[str, Any]) -> None:
    found = one(tmp_path, column)
    assert set(expected) <= set(found)
    for key, value in expected.items():
        assert found[key].startswith(value) if key == "reason" else found[key] == value


@pytest.mark.parametrize("name", ["case_id", "caseId", "patientID", "Case ID", "encounter_nbr", "Unnamed: 0"])
def test_row_numbers_under_an_identifiers_name_are_left_out(tmp_path: Path, name: str) -> None:
    assert "identifier" in one(tmp_path, list(range(ROWS)), name)["reason"]


@pytest.mark.parametrize("name", ["paid", "hybrid", "age", "visits"])
def test_whole_numbers_under_another_name_stay(tmp_path: Path, name: str) -> None:
    assert one(tmp_path, list(range(ROWS)), name)["kind"] == "count"


def test_more_levels_than_a_feature_may_have_are_grouped_as_other(tmp_path: Path) -> None:
    common = [f"L{number:02}" for number in range(31)]
    column = [*(common * 10), *(f"rare {number}" for number in range(10)), "other", "", "", ""]
    dictionary, cases = drafted(pd.DataFrame({"level": column, "outcome": np.arange(len(column)) % 4 == 0}), tmp_path)
    assert dictionary.feature("level").levels == (*common, "other")
    counts = np.bincount(cases.X[~np.isnan(cases.X[:, 0]), 0].astype(int))
    assert counts.tolist() == [*[10] * 31, 11]
    assert "# 10 rarer values count as other" in (tmp_path / "draft.toml").read_text()


def test_any_name_becomes_a_feature_name_and_none_collides(tmp_path: Path) -> None:
    names = ["a b", "a_b", "a.b", "a!b", "1x", "é", "ü", "_", 'q"q', "b\\s", "x\ty", "outcome!", "Outcome", "fam ily"]
    frame = pd.DataFrame({name: drawn(1.5, 2.5, -3.5) for name in names}).assign(outcome=OUTCOME, family=range(ROWS))
    dictionary, cases = drafted(frame, tmp_path, group="family")
    assert [feature.file_column for feature in dictionary.features] == names
    assert dictionary.feature("a_b").file_column == "a_b"
    assert not {"outcome", "family"} & {feature.name for feature in dictionary.features}
    assert cases.X.shape == (ROWS, len(names))


def test_the_group_and_what_is_excluded_are_no_features(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": drawn(1, 2, 3), "b c": drawn(4, 5), "fam": np.arange(ROWS) // 2, "outcome": OUTCOME})
    dictionary, cases = drafted(frame, tmp_path, group="fam", exclude=["b c"])
    assert [feature.name for feature in dictionary.features] == ["a"]
    assert [(excluded.name, excluded.reason) for excluded in dictionary.excluded] == [("b c", "left out on request")]
    assert len(np.unique(cases.groups)) == ROWS // 2
    assert cases.ignored == ("b c",)


@pytest.mark.parametrize(
    ("outcome", "positive", "doubt"),
    [
        (drawn("yes", "no"), ["yes"], ""),
        (drawn(1, 0, 0, 0), ["1"], ""),
        (drawn(1.0, 0.0), ["1.0"], ""),
        (drawn(True, False), ["True"], ""),
        (drawn(1, 2, 2), ["1"], '# "2" counts as not happened'),
        (["lost"] * 3 + ["died"] * 20 + ["alive"] * (ROWS - 23), ["died"], "# the rarer value was taken"),
        (["😀"] * 20 + ["none"] * (ROWS - 20), ["😀"], "# the rarer value was taken"),
        ([" yes "] * 20 + ["-"] * (ROWS - 20), ["yes"], '# "-" counts as not happened'),
        (["y"] * 20 + ["t"] * (ROWS - 20), ["y"], "# the rarer value was taken"),
    ],
)
def test_the_outcome_may_be_written_in_any_way(
    tmp_path: Path, outcome: list[object], positive: list[str], doubt: str
) -> None:
    dictionary, cases = drafted(pd.DataFrame({"a": drawn(1, 2, 3), "outcome": outcome}), tmp_path)
    assert list(dictionary.outcome.positive) == positive
    assert cases.y.sum() == sum(str(value).strip() in positive for value in outcome)
    line = next(line for line in (tmp_path / "draft.toml").read_text().splitlines() if line.startswith("positive"))
    assert (doubt in line) if doubt else ("#" not in line)


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        ({"outcome": "result"}, ["column result: is not in the file"]),
        (
            {"outcome": "result", "group": "household", "exclude": ["shoe", "shoe"]},
            [f"column {name}: is not in the file" for name in ("result", "household", "shoe")],
        ),
        ({"outcome": "same"}, ["column same: has fewer than two values; it cannot be an outcome"]),
        ({"outcome": "gaps"}, ["column gaps: the outcome is not known in 100 rows; remove them"]),
        ({"group": "outcome"}, ["column outcome: cannot be the outcome and the family"]),
        ({"exclude": ["a", "gaps"]}, ["no column is left to be a feature"]),
    ],
)
def test_what_cannot_be_drafted_is_said_a_line_each(tmp_path: Path, options: dict[str, Any], errors: list[str]) -> None:
    gaps = ["NA", "1", "", "0"] * (ROWS // 4)
    frame = pd.DataFrame({"a": drawn(1, 2), "same": "k", "gaps": gaps, "outcome": OUTCOME})
    with pytest.raises(CaseFileError) as caught:
        drafted(frame, tmp_path, **options)
    assert caught.value.errors == errors


def test_what_training_would_refuse_is_left_out_with_the_reason(tmp_path: Path) -> None:
    """Leaks, repeated columns, identifiers and proxies: the draft trains, and the person reads why they are out."""
    first = drawn("a", "b", "c")
    people = [
        f"{given} {family}" for given in ("Sarah", "James", "Mary") for family in ("Jones", "Khan", "Ali", "Lee", "Fox")
    ]
    frame = pd.DataFrame(
        {
            "kept": first,
            "copied": [f"{value}{value}" for value in first],
            "closed": np.where(OUTCOME, "closed", "open"),
            "who": drawn(*people),
            "imd_decile": drawn(*range(1, 11)),
            "deprivation": drawn(1, 2, 3),
            "visits": drawn(1, 2, 3, 4),
            "outcome": OUTCOME,
        }
    )
    dictionary, _ = drafted(frame, tmp_path, exclude=["deprivation"])
    assert [feature.name for feature in dictionary.features] == ["kept", "visits"]
    reasons = {excluded.name: excluded.reason for excluded in dictionary.excluded}
    assert '# column "copied" is left out: it repeats column "kept"' in (tmp_path / "draft.toml").read_text()
    assert reasons["closed"] == "is the outcome under another name or turned round"
    assert reasons["who"] == "looks like names of people"
    assert reasons["imd_decile"] == "stands for poverty and ethnicity by place, by its name"


def test_likely_families_times_and_quasi_identifiers_are_pointed_out(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "household": [f"H{row // 2}" for row in range(ROWS)],
            "contact_month": drawn(*range(1, 13)),
            "mother_age": drawn(*range(18, 40)),
            "visits": drawn(1, 2, 3),
            "outcome": OUTCOME,
        }
    )
    dictionary, _ = drafted(frame, tmp_path)
    draft = (tmp_path / "draft.toml").read_text()
    assert '# column = "household"  # name the family column' in draft
    assert '# column = "contact_month"  # the time of the contact?' in draft
    marked = {feature.name for feature in dictionary.features if feature.quasi_identifier}
    assert marked == {"household", "mother_age"}


def test_a_level_that_few_cases_have_is_not_told_by_its_name(tmp_path: Path) -> None:
    column = ["common"] * 100 + ["usual"] * 91 + ["rare illness"] * 9
    found = one(tmp_path, column)
    assert found["levels"] == ["common", "usual", "other"]
    assert "rare illness" not in (tmp_path / "draft.toml").read_text()


def test_a_frame_of_measurements_with_spaces_in_its_names(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    dictionary, cases = drafted(frame.rename(columns={"target": "outcome"}), tmp_path)
    assert {feature.kind for feature in dictionary.features} == {"number"}
    np.testing.assert_allclose(cases.X, frame.drop(columns="target").to_numpy(), rtol=1e-15)
    np.testing.assert_array_equal(cases.y, frame["target"])


def test_the_synthetic_cohort_itself_can_be_drafted(tmp_path: Path) -> None:
    shipped = shipped_dictionary()
    write_cohort(make_cohort(300, 1, shipped), tmp_path)
    (tmp_path / "draft.toml").write_text(describe(tmp_path / "cohort.csv", shipped.outcome.column, shipped.group))
    drafted_dictionary = load_dictionary(tmp_path / "draft.toml")
    cases = read_cases(tmp_path / "cohort.csv", drafted_dictionary)
    expected = read_cases(tmp_path / "cohort.csv", shipped)
    np.testing.assert_array_equal(cases.y, expected.y)
    names = [feature.name for feature in shipped.features]
    both = [feature for feature in drafted_dictionary.features if feature.name in names]
    assert len(both) > 30
    for feature in both:
        mine = cases.X[:, drafted_dictionary.features.index(feature)]
        theirs = expected.X[:, names.index(feature.name)]
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs), err_msg=feature.name)
        np.testing.assert_array_equal(np.isneginf(mine), np.isneginf(theirs), err_msg=feature.name)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = TEXT.filter(lambda name: name.strip()) | st.sampled_from(["ethnicity", "IMD decile", "Sex", "Religion!"])
TOKENS = st.sampled_from(
    ["", "yes", "no", "1", "0", "-1", "2.5", "NA", "?", "nan", "other", "not_known", "1e400", "0x1", "99", "NK", "none"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique_by=str.strip),
    levels=st.lists(TEXT | TOKENS, min_size=1, max_size=6),
    seed=st.integers(0, 99),
)
def test_any_text_in_names_and_cells(tmp_path: Path, names: list[str], levels: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: [levels[pick] for pick in rng.integers(0, len(levels), 30)] for name in names})
    frame = frame.drop(columns=[name for name in names if name.strip() in ("outcome", "filler")])
    frame["filler"], frame["outcome"] = rng.normal(size=30), np.arange(30) % 3 == 0
    dictionary, cases = drafted(frame, tmp_path)
    assert cases.X.shape == (30, len(dictionary.features))
    drafted_columns = {feature.file_column for feature in dictionary.features}
    left_out = {table.name for table in (*dictionary.excluded, *dictionary.monitored)}
    assert drafted_columns | left_out == {name.strip() for name in frame.columns} - {"outcome"}
    assert tomllib.loads((tmp_path / "draft.toml").read_text(encoding="utf-8"))["format"] == 1
