import json

import pytest

from model.artefact import ArtefactError, read_model, write_model
from model.card import model_card
from tests.builders import model_content, plain_dictionary, yes_no_term

RAW = plain_dictionary({"name": "a", "kind": "yes_no"}, {"name": "n", "kind": "number"})
NUMBER = {
    "feature": "n",
    "edges": [10, 20],
    "values": [0.0, 0.2, 0.4],
    "not_known": 0.1,
    "not_applicable": None,
    "mean": 0.1,
    "reference": 0,
    "counts": [500, 300, None],
}


def content(**changes):
    terms = [yes_no_term("a", 0.0, 0.1, 0.5, **changes.pop("yes_no", {})), {**NUMBER, **changes.pop("number", {})}]
    return model_content(RAW, terms, **changes)


def test_what_is_written_is_read_back():
    data = write_model(content())
    model = read_model(data, "m")
    assert model.terms[1].slot(9.9) == 0
    assert model.terms[1].slot(10) == 1
    assert model.terms[1].slot(20) == 2
    assert json.loads(data)["terms"][1]["edges"] == [10, 20]
    assert write_model(json.loads(data)) == data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 9}, "reads format 2 and 1"),
        ({"number": {"values": [0.0, 0.2]}}, "term n: has 2 values for 3 bins"),
        ({"number": {"edges": [20, 10]}}, "edges must rise"),
        ({"yes_no": {"edges": [20]}}, "term a: has edges, which are for counts and numbers"),
        ({"number": {"not_applicable": 0.1}}, "not_applicable must be there exactly when"),
        ({"number": {"reference": 7}}, "reference must be the bin"),
        ({"number": {"deviations": [[0.1]]}}, "deviations"),
        ({"number": {"feature": "b"}}, "terms: must be the dictionary's features"),
        ({"bands": [1, 0]}, "bands"),
        ({"threshold": {}}, "a part is missing"),
        ({"intercept": "much"}, "m: a part is missing or of the wrong kind"),
    ],
)
def test_a_model_that_is_not_whole_is_refused_on_one_line(changes, message):
    with pytest.raises(ArtefactError, match=message) as caught:
        read_model(write_model(content(**changes)), "m")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"format": 1}', b'{"format": 1, "intercept": NaN}', b"\x80\x04pickle"]
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(ArtefactError, match=r"^m: "):
        read_model(data, "m")


def test_not_a_number_is_refused_inside_a_table():
    data = write_model(content()).replace(b'"not_known": 0.1', b'"not_known": 1e999')
    with pytest.raises(ArtefactError, match="finite"):
        read_model(data, "m")


def test_the_card_says_what_the_model_is():
    model = read_model(write_model(content()), "m")
    card = model_card(model, "00")
    assert card["synthetic"] is True
    assert card["forbidden_use"]
    assert [table["feature"] for table in card["tables"]] == ["a", "n"]
    assert card["tables"][1]["counts"][-1] is None
