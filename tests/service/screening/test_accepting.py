"""The short way in takes only what marshmallow takes, with the same result, and takes all that is plainly right."""

import json

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, shipped_dictionary
from service.screening.accepting import Acceptor, UnderivableSchema
from service.screening.schemas import UNSEEN, request_schema
from tests.builders import models

DICTIONARY = shipped_dictionary()
ODD = st.sampled_from(
    [None, True, False, 0, -1, 1.5, 1e300, 2**53, -(2**60), [], {}, [1], {"a": 1}]  # noqa: RUF005 (one a line is worse)
    + ["", "yes", "other", "Yes", "3", NOT_KNOWN, NOT_APPLICABLE, UNSEEN, "a b", "1999-01-01"]
)
REFERENCES = st.sampled_from(["case-0001", "x", "a b", "1999-01-01", "", 7, None, "9434765919", "ref_12:3"]) | st.text()


def _values(feature):
    levels = st.sampled_from([*feature.levels, NOT_KNOWN, NOT_APPLICABLE])
    return st.integers(-5, 6000) | st.floats(-5, 6000) | levels | ODD if feature.is_numeric else levels | ODD


def _requests(dictionary):
    features = st.fixed_dictionaries({}, optional={f.name: _values(f) for f in dictionary.features})
    unknown = st.dictionaries(st.text(max_size=3), ODD, max_size=1)
    agencies = st.sampled_from([*(agency.id for agency in dictionary.agencies), "nobody", "", None, 3])
    monitored = {m.name: st.sampled_from([*m.levels, NOT_KNOWN, "?", None, 4]) for m in dictionary.monitored}
    return st.fixed_dictionaries(
        {"case_ref": REFERENCES, "agency": agencies, "features": st.builds(lambda a, b: {**a, **b}, features, unknown)},
        optional={
            "monitoring": st.fixed_dictionaries({}, optional=monitored) | ODD,
            "observations": ODD
            | st.lists(st.fixed_dictionaries({"agency": agencies, "features": features}), max_size=2),
            "more": ODD,
        },
    )


@given(_requests(DICTIONARY))
def test_it_is_never_laxer_than_the_schema_and_never_differs(asked):
    _agree(asked, request_schema(DICTIONARY))


@given(data=st.data())
def test_nor_over_any_dictionary(data):
    dictionary = data.draw(models()).dictionary
    _agree(data.draw(_requests(dictionary)), request_schema(dictionary))


def _agree(asked, schema):
    asked = json.loads(json.dumps(asked))
    accepted = Acceptor(schema).accept(asked)
    try:
        loaded = schema.load(asked)
    except marshmallow.ValidationError:
        assert accepted is None
        return
    if accepted is None:
        assert UNSEEN in loaded["features"].values() or loaded["features"] != asked["features"]
    else:
        assert accepted == loaded
        types = {name: type(value) for name, value in loaded["features"].items()}
        assert types == {name: type(value) for name, value in accepted["features"].items()}


def test_a_request_out_of_the_dictionary_takes_the_short_way():
    features = {feature.name: NOT_KNOWN for feature in DICTIONARY.features}
    asked = {"case_ref": "case-1", "agency": DICTIONARY.agencies[0].id, "features": features}
    schema = request_schema(DICTIONARY)
    assert Acceptor(schema).accept(asked) == schema.load(asked)
    assert Acceptor(schema).accept({**asked, "monitoring": {}}) == schema.load({**asked, "monitoring": {}})


@pytest.mark.parametrize(
    "change",
    [
        {"more": fields.String()},
        {"case_ref": fields.String()},
        {"agency": fields.Integer()},
        {"agency": fields.String()},
        {"agency": fields.String(validate=marshmallow.validate.Length(max=3))},
    ],
)
def test_a_schema_that_it_does_not_know_is_refused(change):
    known = request_schema(DICTIONARY).fields
    schema = Schema.from_dict({**known, **change})()
    with pytest.raises(UnderivableSchema):
        Acceptor(schema)
