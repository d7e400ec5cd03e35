"""A CSV or Parquet file is read as the table that it is, or refused in clear lines; it is never bent into shape."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.dictionary import Dictionary
from tests.builders import built_dictionary
from tests.training.cases.test_file import FEATURES, GOOD, NOT_KNOWN, cells, refused, written
from training.cases.file import read_cases


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return built_dictionary(*FEATURES)


def test_gz_and_parquet_and_csv_say_the_same(tmp_path: Path, dictionary: Dictionary) -> None:
    rows = [cells(weight="not_applicable"), cells(visits="", source="dentist"), cells(seen="?", Place_of_birth="")]
    plain = written(tmp_path, *rows)
    packed = tmp_path / "cases.CSV.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    columnar = tmp_path / "cases.parquet"
    pd.read_csv(plain, dtype=str, keep_default_na=False).to_parquet(columnar)
    expected = read_cases(plain, dictionary)
    for path in (packed, columnar):
        found = read_cases(path, dictionary)
        np.testing.assert_array_equal(found.X, expected.X)
        np.testing.assert_array_equal(found.y, expected.y)


def test_typed_parquet_and_the_csv_that_a_data_frame_writes_say_the_same(
    tmp_path: Path, dictionary: Dictionary
) -> None:
    frame = pd.DataFrame(
        {
            "seen": [True, None, False],
            "visits": [3, None, -9],  # beside an empty cell pandas keeps numbers as 3.0 and -9.0
            "weight": [3200.5, float("nan"), 800.0],
            "concern": pd.Categorical(["low", None, "high"], ["low", "high"]),
            "source": [3.0, None, 7.0],
            "Place of birth": ["north", None, "south"],
            "outcome": [1, 0, 0],
        }
    ).set_index("seen")  # a named index is a column of the file
    frame.to_parquet(tmp_path / "cases.parquet")
    frame.to_csv(tmp_path / "cases.csv")
    expected = [
        [1, 3, 3200.5, 0, 2, 0],
        [NOT_KNOWN] * 6,
        [0, NOT_KNOWN, 800, 1, 1, 1],
    ]
    for name in ("cases.csv", "cases.parquet"):
        np.testing.assert_array_equal(read_cases(tmp_path / name, dictionary).X, expected, err_msg=name)


def test_whole_numbers_stay_whole_in_parquet(tmp_path: Path) -> None:
    coded = built_dictionary({"name": "code", "kind": "category", "levels": ["1", "2"]})
    path = tmp_path / "cases.parquet"
    pd.DataFrame({"code": pd.array([1, None, 2], dtype="Int64"), "outcome": [True, False, False]}).to_parquet(path)
    positive = built_dictionary(*coded.raw["feature"], outcome={**coded.raw["outcome"], "positive": ["True"]})
    np.testing.assert_array_equal(read_cases(path, positive).X[:, 0], [0, NOT_KNOWN, 1])
    wrong = tmp_path / "wrong.parquet"
    pd.DataFrame({"code": [1, 9], "outcome": [True, False]}).to_parquet(wrong)
    assert refused(wrong, positive) == ["line 3, column code: put 1, 2, or not_known, or leave it empty"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("cases.csv", b"", "is empty; the first line must name the columns"),
        ("cases.csv", b"\n\n", "is empty; the first line must name the columns"),
        ("cases.csv", b"seen,outcome\n", "has no rows below the header"),
        ("cases.csv", "seen,outcome\né,1\n".encode("latin-1"), "is not UTF-8 text; save it again as CSV UTF-8"),
        ("cases.csv", "seen,outcome\nyes,1\n".encode("utf-16"), "is not UTF-8 text; save it again as CSV UTF-8"),
        ("cases.csv", b"seen;outcome\nyes;1\n", "line 1: cells are not separated by commas; save the file with commas"),
        ("cases.xlsx", b"PK", "give a file that ends in .csv, .csv.gz or .parquet"),
        ("cases", b"seen,outcome\n", "give a file that ends in .csv, .csv.gz or .parquet"),
        ("cases.gz", b"seen,outcome\n", "give a file that ends in .csv, .csv.gz or .parquet"),
        ("cases.csv.gz", b"seen,outcome\n", "cannot be read: Not a gzipped file (b'se')"),
        ("cases.parquet", b"seen,outcome\n", "cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, error: str) -> None:
    small = built_dictionary({"name": "seen", "kind": "yes_no"})
    (tmp_path / name).write_bytes(content)
    found = refused(tmp_path / name, small)
    assert len(found) == 1
    assert found[0].startswith(error)


def test_a_file_that_is_not_there_or_broken_off_says_so(tmp_path: Path, dictionary: Dictionary) -> None:
    assert refused(tmp_path / "none.csv", dictionary) == ["cannot be read: No such file or directory"]
    (tmp_path / "folder.csv").mkdir()
    assert refused(tmp_path / "folder.csv", dictionary) == ["cannot be read: Is a directory"]
    packed = tmp_path / "cases.csv.gz"
    packed.write_bytes(gzip.compress(written(tmp_path, *[GOOD] * 500).read_bytes())[:-20])
    assert refused(packed, dictionary)[0].startswith("cannot be read: ")


def small(folder: Path, text: str) -> tuple[Path, Dictionary]:
    path = folder / "cases.csv"
    path.write_bytes(text.encode())
    return path, built_dictionary({"name": "a", "kind": "category", "levels": ["x", "y\nz"]})


def test_rows_with_too_many_or_too_few_cells_are_listed_by_line(tmp_path: Path) -> None:
    path, dictionary = small(tmp_path, 'a,b,outcome\nx,1,1\nx,1,0,9\n\n"y\nz",1,0\nx,1\nx\n')
    assert refused(path, dictionary) == [
        "line 3: has 4 cells for 3 columns; check commas and quotes",
        "line 7: has 2 cells for 3 columns; check commas and quotes",
        "line 8: has 1 cell for 3 columns; check commas and quotes",
    ]


def test_a_first_row_that_is_too_long_does_not_shift_the_others(tmp_path: Path) -> None:
    """pandas alone takes the first column for row names here, and every value lands one column to the left."""
    path, dictionary = small(tmp_path, "a,outcome\nx,1,0\nx,0,1\n")
    assert refused(path, dictionary)[0] == "line 2: has 3 cells for 2 columns; check commas and quotes"


def test_lines_are_counted_through_quoted_line_breaks_and_empty_lines(tmp_path: Path) -> None:
    path, dictionary = small(tmp_path, '\na,outcome\n"y\nz",1\n\nx,0\n\nwrong,1\n')
    assert refused(path, dictionary) == ["line 8, column a: put x, y z, or not_known, or leave it empty"]
    path, dictionary = small(tmp_path, 'a,wording,outcome\nx,"one\ntwo",1\n\nx,"say ""hi"", then",0\n')
    cases = read_cases(path, dictionary)
    assert cases.y.tolist() == [1, 0]
    assert cases.ignored == ("wording",)


def test_the_same_name_twice_is_refused_by_position(tmp_path: Path) -> None:
    path, dictionary = small(tmp_path, "a,b,a ,outcome,b\nx,1,x,1,2\n")
    assert refused(path, dictionary) == [
        "line 1: columns 1 and 3 have the same name; rename one",
        "line 1: columns 2 and 5 have the same name; rename one",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa,outcome\nx,1\nx,0\n",
        '\ufeff"a","outcome"\r\n"x","1"\r\nx,0\r\n',
        " a , outcome\nx,1\nx,0",
        "a,outcome,,\nx,1,,\nx,0,,\n",
        "a,outcome\rx,1\rx,0\r",
    ],
)
def test_a_byte_order_mark_line_ends_spaces_and_nameless_columns_do_no_harm(tmp_path: Path, text: str) -> None:
    path, dictionary = small(tmp_path, text)
    cases = read_cases(path, dictionary)
    np.testing.assert_array_equal(cases.X, [[0], [0]])
    assert cases.y.tolist() == [1, 0]


@pytest.mark.parametrize("row", ['"x,1', '"x"y,1'])
def test_quotes_that_do_not_close_are_named_by_the_line_where_they_begin(tmp_path: Path, row: str) -> None:
    path, dictionary = small(tmp_path, f"a,outcome\nx,1\n{row}\nx,0\n")
    errors = refused(path, dictionary)
    assert len(errors) == 1
    assert errors[0].startswith("line 3: cannot be read as CSV (")
    assert errors[0].endswith("); check its quotes")
