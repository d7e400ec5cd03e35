"""Columns are read as single cells are; many distinct numbers, by another way, as well."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.columns.codes import codes_of
from model.tokens import ValueRefused, read_token
from service.batch import encoding
from service.batch.encoding import REFUSED, ColumnEncoder
from tests.builders import built_model, plain_dictionary

NUMBERS = [
    "0",
    "3",
    "3.0",
    "03",
    "-1",
    "9",
    "9.0",
    "9.00",
    "99",
    "1e1",
    "1_0",
    " 4 ",
    "4.5",
    "100",
    "101",
    "nan",
    "inf",
]
TEXTS = st.sampled_from([*NUMBERS, "", "not_known", "not_applicable", "yes", "-0", "9007199254740993", "1" * 30])


@pytest.fixture(params=["count", "number"], scope="module")
def codes(request):
    feature = {
        "name": "a",
        "kind": request.param,
        "minimum": 0,
        "maximum": 100,
        "missing": ["9", "99.0"],
        "not_applicable": True,
    }
    term = {
        "feature": "a",
        "edges": [2.0, 4.0],
        "values": [0.0, 0.5, 1.0],
        "not_known": 0.6,
        "not_applicable": 0.0,
        "mean": 0.1,
        "reference": 0,
        "counts": [100, 100, 100],
    }
    return codes_of(built_model(plain_dictionary(feature), [term]))[0]


def by_cell(codes, cell):
    try:
        return codes.code(read_token(codes.feature, "" if cell is None else str(cell)))
    except ValueRefused:
        return REFUSED


@pytest.mark.parametrize("many", [0, encoding._MANY])
@settings(deadline=None)
@given(st.data())
def test_texts_and_numbers(codes, many, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_MANY", many)
        cells = st.one_of(
            st.lists(TEXTS | st.none(), min_size=1),
            st.lists(st.integers(-5, 120) | st.none(), min_size=1),
            st.lists(st.floats(-5, 120).map(lambda x: round(x, 2)) | st.none() | st.sampled_from([9.0, 99.0, 3.0])),
        )
        drawn = data.draw(cells)
        column = pa.array(drawn)
        found = ColumnEncoder(codes).encode(column).tolist()
        assert found == [by_cell(codes, cell) for cell in drawn]


def test_what_is_no_cell_of_text_or_number_is_refused(codes):
    with pytest.raises(TypeError, match="and not text or numbers"):
        ColumnEncoder(codes).encode(pa.array([[1], [2]]))


def test_an_empty_column_is_not_known(codes):
    assert ColumnEncoder(codes).encode(pa.nulls(2)).tolist() == [codes.not_known] * 2


def test_what_was_read_is_forgotten_in_time(codes, monkeypatch):
    monkeypatch.setattr(encoding, "_REMEMBERED", 4)
    reader = ColumnEncoder(codes)
    reader.encode(pa.array([str(number) for number in range(50)]))
    assert len(reader._remembered) <= 4
