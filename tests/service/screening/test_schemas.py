"""The request's shape, built from a dictionary."""

import pytest
from marshmallow import ValidationError

from service.screening.schemas import UNSEEN, request_schema
from tests.builders import built_dictionary

SCHEMA = request_schema(
    built_dictionary(
        {"name": "kind", "kind": "category", "levels": ["a", "b"]},
        {"name": "open_kind", "kind": "category", "levels": ["a", "other"]},
        monitored=[{"name": "sex", "label": "Sex", "levels": ["female", "male"]}],
    )
)


def load(**features):
    return SCHEMA.load({"case_ref": "r-1", "agency": "gp", "features": features})["features"]


def test_an_unlisted_level_counts_as_not_known_and_its_value_is_dropped():
    assert load(kind="c") == {"kind": UNSEEN}
    assert load(open_kind="c") == {"open_kind": UNSEEN}
    assert load(open_kind="unknown") == {"open_kind": UNSEEN}


@pytest.mark.parametrize("value", ["two words", "SW1A 1AA", "x" * 41, "someone@example.org", 7, True, []])
def test_text_and_other_kinds_are_refused(value):
    with pytest.raises(ValidationError):
        load(kind=value)
    with pytest.raises(ValidationError):
        load(open_kind=value)


def test_monitoring_is_apart_from_features():
    request = {"case_ref": "r-1", "agency": "gp", "features": {}, "monitoring": {"sex": "female"}}
    assert SCHEMA.load(request)["monitoring"] == {"sex": "female"}
    with pytest.raises(ValidationError):
        SCHEMA.load({**request, "monitoring": {"sex": "blue"}})
    with pytest.raises(ValidationError):
        load(sex="female")
