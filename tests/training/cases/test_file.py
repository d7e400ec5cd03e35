"""A file is read right or refused in clear lines: where, what and the fix, and never a value."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.dictionary import Dictionary
from tests.builders import built_dictionary
from training.cases.file import CaseFile, read_cases
from training.cases.table import CaseFileError

FEATURES = (
    {"name": "seen", "kind": "yes_no", "direction": "raises", "missing": ["?"]},
    {"name": "visits", "kind": "count", "missing": ["-9"]},
    {"name": "weight", "kind": "number", "minimum": 200, "maximum": 7000, "unit": "g", "not_applicable": True},
    {"name": "concern", "kind": "ordinal", "levels": ["low", "high"]},
    {"name": "source", "kind": "category", "levels": ["gp", "other", "3"]},
    {"name": "place", "kind": "category", "levels": ["north", "south"], "column": "Place of birth"},
)
COLUMNS = ["seen", "visits", "weight", "concern", "source", "Place of birth", "outcome"]
GOOD = ["yes", "3", "3200.5", "low", "gp", "north", "1"]
OTHER_OUTCOME = ["no", "0", "", "high", "other", "south", "0"]
NOT_KNOWN, NOT_APPLICABLE = float("nan"), float("-inf")


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return built_dictionary(*FEATURES)


def written(folder: Path, *rows: list[str], columns: list[str] = COLUMNS, name: str = "cases.csv") -> Path:
    """A CSV file of plain cells, ending in two good rows with both outcomes."""
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in [columns, *rows, GOOD, OTHER_OUTCOME]) + "\n", encoding="utf-8")
    return path


def cells(**changes: str) -> list[str]:
    """A good row with some cells changed."""
    return [changes.get(column.replace(" ", "_"), cell) for column, cell in zip(COLUMNS, GOOD, strict=True)]


def read(path: Path, dictionary: Dictionary) -> CaseFile:
    return read_cases(path, dictionary)


def refused(path: Path, dictionary: Dictionary) -> list[str]:
    """The errors of a file that must be refused; each is one line and names the file once shown."""
    with pytest.raises(CaseFileError) as caught:
        read_cases(path, dictionary)
    assert all("\n" not in error for error in caught.value.errors)
    assert str(caught.value).splitlines()[0] == f"{path}: {caught.value.errors[0]}"
    return caught.value.errors


def first_value(folder: Path, dictionary: Dictionary, column: str, cell: str) -> float:
    """How one cell is read."""
    X = read_cases(written(folder, cells(**{column: cell})), dictionary).X
    return float(X[0, [feature["name"] for feature in FEATURES].index(column.replace("Place_of_birth", "place"))])


def test_every_kind_is_read_in_the_dictionarys_order(tmp_path: Path, dictionary: Dictionary) -> None:
    cases = read(written(tmp_path), dictionary)
    np.testing.assert_array_equal(cases.X, [[1, 3, 3200.5, 0, 0, 0], [0, 0, NOT_KNOWN, 1, 1, 1]])
    assert cases.X.dtype == np.float64
    np.testing.assert_array_equal(cases.y, [1, 0])
    np.testing.assert_array_equal(cases.groups, [0, 1])


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        *[("seen", cell, 1.0) for cell in ("yes", "Yes", "Y", "TRUE", "True", "t", "1", "1.0", " yes ")],
        *[("seen", cell, 0.0) for cell in ("no", "No", "N", "FALSE", "False", "f", "0", "0.0")],
        *[("seen", cell, NOT_KNOWN) for cell in ("", "  ", "not_known", "?", " ? ")],
        *[("visits", cell, 3.0) for cell in ("3", "3.0", "3.00", " 3 ", "03", "3e0")],
        *[("visits", cell, NOT_KNOWN) for cell in ("", "-9", "-9.0", "not_known")],
        ("weight", "200", 200.0),
        ("weight", "7e3", 7000.0),
        ("weight", "not_applicable", NOT_APPLICABLE),
        ("concern", "high", 1.0),
        ("source", "dentist", 1.0),
        ("source", "3", 2.0),
        ("source", "3.0", 2.0),
        ("Place_of_birth", "south", 1.0),
        ("Place_of_birth", "not_known", NOT_KNOWN),
    ],
)
def test_a_cell_is_read_as(tmp_path: Path, dictionary: Dictionary, column: str, cell: str, value: float) -> None:
    np.testing.assert_equal(first_value(tmp_path, dictionary, column, cell), value)


@pytest.mark.parametrize(
    ("column", "cell", "fix"),
    [
        ("seen", "maybe", "put no, yes, or not_known, or leave it empty"),
        ("seen", "2", "put no, yes, or not_known, or leave it empty"),
        ("seen", "not_applicable", "put no, yes, or not_known, or leave it empty"),
        *[
            ("visits", cell, "put a whole number from 0, or not_known, or leave it empty")
            for cell in ("3.5", "-1", "many", "1_000", "inf", "nan", "1e300", "not_applicable")
        ],
        *[
            ("weight", cell, "put a number from 200 to 7000 (g), or not_known or not_applicable, or leave it empty")
            for cell in ("199.9", "7001", "3,2", "-inf")
        ],
        ("concern", "LOW", "put low, high, or not_known, or leave it empty"),
        ("Place_of_birth", "east", "put north, south, or not_known, or leave it empty"),
    ],
)
def test_a_cell_is_refused_with_the_fix(
    tmp_path: Path, dictionary: Dictionary, column: str, cell: str, fix: str
) -> None:
    path = written(tmp_path, GOOD, cells(**{column: f'"{cell}"'}))
    assert refused(path, dictionary) == [f"line 3, column {column.replace('_', ' ')}: {fix}"]


def test_every_problem_is_listed_at_once_by_line_and_column_and_no_value_is_repeated(
    tmp_path: Path, dictionary: Dictionary
) -> None:
    secret = "zebra77"
    path = written(
        tmp_path,
        cells(seen=secret),
        cells(visits=secret, concern=secret),
        cells(visits=secret, Place_of_birth=secret),
        cells(weight=secret, outcome=""),
        cells(seen="943 476 5919"),
        cells(concern="someone@example.org"),
        cells(weight="12/03/2019", outcome="NA"),
    )
    errors = refused(path, dictionary)
    assert [error.split(":")[0] for error in errors] == [
        "line 2, column seen",
        "line 6, column seen",
        "lines 3, 4, column visits",
        "line 5, column weight",
        "line 8, column weight",
        "line 3, column concern",
        "line 7, column concern",
        "line 4, column Place of birth",
        "lines 5, 8, column outcome",
    ]
    assert errors[1].endswith("holds what looks like an NHS number; remove the column")
    assert errors[-1].endswith("the outcome is not known; remove the row")
    text = "\n".join(errors)
    for value in (secret, "943", "5919", "example", "2019"):
        assert value not in text


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("943 476 5919", "an NHS number"), ("someone@example.org", "an e-mail address"), ("2019-03-12", "a date")],
)
def test_what_looks_like_an_identifier_is_named_and_not_repeated(
    tmp_path: Path, dictionary: Dictionary, cell: str, kind: str
) -> None:
    errors = refused(written(tmp_path, cells(concern=cell)), dictionary)
    assert errors == [f"line 2, column concern: holds what looks like {kind}; remove the column"]


def test_only_a_hundred_problems_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(105)]
    many = built_dictionary(*({"name": name, "kind": "count"} for name in names))
    path = tmp_path / "cases.csv"
    path.write_text("\n".join([",".join([*names, "outcome"]), ",".join(["x"] * 105 + ["1"]), "1," * 105 + "0"]))
    with pytest.raises(CaseFileError) as caught:
        read_cases(path, many)
    assert len(caught.value.errors) == 105
    assert len(str(caught.value).splitlines()) == 101
    assert str(caught.value).endswith("and 5 more")


def test_missing_columns_are_all_named_and_others_ignored(tmp_path: Path, dictionary: Dictionary) -> None:
    path = written(tmp_path, columns=["seen", "visits", "weight", "Concern", "source", "place", "result"])
    assert refused(path, dictionary) == [
        f"column {column}: is missing; the dictionary needs it" for column in ("concern", "Place of birth", "outcome")
    ]
    extra = tmp_path / "extra.csv"
    pd.DataFrame([GOOD, OTHER_OUTCOME], columns=COLUMNS).assign(shoe="5").to_csv(extra, index=False)
    assert read(extra, dictionary).ignored == ("shoe",)


def test_a_column_that_may_not_be_scored_is_refused_under_any_feature_name(tmp_path: Path) -> None:
    features = [
        {"name": "seen", "kind": "yes_no", "column": "outcome"},
        {"name": "visits", "kind": "count", "column": "ethnicity"},
        {"name": "weight", "kind": "number", "column": "imd"},
    ]
    leaking = built_dictionary(
        *features,
        monitored=[{"name": "ethnicity", "label": "Ethnicity", "levels": ["1", "2"]}],
        excluded=[{"name": "imd", "reason": "a proxy for poverty"}],
    )
    path = tmp_path / "cases.csv"
    path.write_text("outcome,ethnicity,imd\n1,2,3\n0,1,3\n")
    errors = refused(path, leaking)
    assert [error.split(" and cannot")[0] for error in errors] == [
        "column outcome: is the outcome",
        "column ethnicity: is monitored",
        "column imd: is excluded",
    ]


def test_monitored_columns_and_time_travel_beside_the_features(tmp_path: Path) -> None:
    watched = built_dictionary(
        {"name": "seen", "kind": "yes_no"},
        monitored=[{"name": "sex", "label": "Sex", "levels": ["f", "m"]}, {"name": "x", "label": "X", "levels": ["1"]}],
        time={"column": "month"},
    )
    path = tmp_path / "cases.csv"
    path.write_text("seen,sex,month,outcome\nyes,f,7,1\nno,m,8,0\n")
    cases = read_cases(path, watched)
    assert cases.X.shape == (2, 1)
    assert cases.monitored.to_dict("list") == {"sex": ["f", "m"]}
    assert cases.time is not None
    assert cases.time.tolist() == ["7", "8"]
    assert cases.ignored == ()


@pytest.mark.parametrize("outcomes", [["1", "1"], ["0", "0"], ["no", "no"]])
def test_one_outcome_only_is_refused(tmp_path: Path, dictionary: Dictionary, outcomes: list[str]) -> None:
    path = tmp_path / "cases.csv"
    rows = [[*GOOD[:-1], outcome] for outcome in outcomes]
    path.write_text("\n".join(",".join(row) for row in [COLUMNS, *rows]))
    assert refused(path, dictionary) == ["column outcome: every row has the same outcome; positive is 1"]


@pytest.mark.parametrize("cell", ["", " ", "NA", "?", "nan", "not_known", "NULL"])
def test_an_outcome_that_is_not_known_never_counts_as_not_happened(
    tmp_path: Path, dictionary: Dictionary, cell: str
) -> None:
    errors = refused(written(tmp_path, GOOD, cells(outcome=cell), cells(outcome=cell)), dictionary)
    assert errors == ["lines 3, 4, column outcome: the outcome is not known; remove the row"]


def test_a_positive_outcome_may_be_written_loosely_and_may_even_be_na(tmp_path: Path, dictionary: Dictionary) -> None:
    path = written(tmp_path, cells(outcome=" 1 "), cells(outcome="1.0"), cells(outcome="0.0"))
    assert read(path, dictionary).y.tolist() == [1, 1, 0, 1, 0]
    namibia = built_dictionary(
        {"name": "seen", "kind": "yes_no"}, outcome={"column": "outcome", "meaning": "m", "positive": ["NA"]}
    )
    path.write_text("seen,outcome\nyes,NA\nno,ZA\n")
    assert read(path, namibia).y.tolist() == [1, 0]


def test_families_are_numbered_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    grouped = built_dictionary({"name": "seen", "kind": "yes_no"}, group={"column": "family"})
    path = tmp_path / "cases.csv"
    path.write_text("seen,family,outcome\nyes,B,1\nno,A,0\nyes, B ,0\n")
    assert read(path, grouped).groups.tolist() == [0, 1, 0]
    path.write_text("seen,family,outcome\nyes,B,1\nno,,0\nyes,  ,0\n")
    assert refused(path, grouped) == ["lines 3, 4, column family: the family is empty; fill it"]


def test_many_lines_with_one_problem_are_one_error_that_names_the_first_and_counts_the_rest(
    tmp_path: Path, dictionary: Dictionary
) -> None:
    rows = [cells(visits="many"), GOOD] * 8
    assert refused(written(tmp_path, *rows), dictionary) == [
        "lines 2, 4, 6, 8, 10 and 3 more, column visits: put a whole number from 0, or not_known, or leave it empty"
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_of_wrong_rows_is_counted_and_does_not_fill_the_memory(
    tmp_path: Path, dictionary: Dictionary, compressed: bool
) -> None:
    path = tmp_path / ("cases.csv.gz" if compressed else "cases.csv")
    content = (",".join(COLUMNS) + "\n" + "1,2\n" * 5000).encode()
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(CaseFileError) as caught:
        read_cases(path, dictionary)
    assert len(caught.value.errors) == 1000
    assert str(caught.value).endswith("and 4900 more")
