import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.case import Case, ValueRefused, admit, bounds
from tests.builders import built_dictionary

DICTIONARY = built_dictionary(
    {"name": "flag", "kind": "yes_no", "not_applicable": True},
    {"name": "stage", "kind": "ordinal", "levels": ["low", "high"]},
    {"name": "visits", "kind": "count", "maximum": 40},
    {"name": "weight", "kind": "number", "minimum": 300, "maximum": 6500, "unit": "g"},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [("flag", "yes"), ("flag", "not_applicable"), ("flag", None), ("stage", "low"), ("visits", 0), ("weight", 300.5)],
)
def test_allowed_values_pass_unchanged(name, value):
    assert admit(DICTIONARY.feature(name), value) == value


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("flag", True, 'send "no", "yes"'),
        ("flag", "Yes", 'send "no", "yes"'),
        ("flag", 1, 'send "no", "yes"'),
        ("stage", "not_applicable", "cannot be not_applicable"),
        ("visits", "3", "whole number from 0 to 40 without quotes"),
        ("visits", 2.5, "whole number"),
        ("visits", True, "whole number"),
        ("visits", -1, "from 0"),
        ("visits", 41, "to 40"),
        ("weight", float("nan"), "number from 300 to 6500 (g)"),
        ("weight", float("inf"), "number"),
        ("weight", [3000], "number"),
        ("weight", 10**400, "number"),
    ],
)
def test_a_refusal_names_the_fix_and_never_the_value(name, value, fix):
    with pytest.raises(ValueRefused) as refused:
        admit(DICTIONARY.feature(name), value)
    assert fix in str(refused.value)


@given(st.sampled_from(DICTIONARY.features), st.text(min_size=8) | st.integers() | st.floats() | st.booleans())
def test_whatever_is_sent_is_admitted_within_bounds_or_refused(feature, value):
    try:
        admitted = admit(feature, value)
    except ValueRefused as refused:
        assert str(value) not in str(refused) or len(str(value)) < 4
        return
    if feature.is_numeric:
        low, high = bounds(feature)
        assert low <= admitted <= high
    else:
        assert admitted in feature.levels


def test_a_case_has_every_feature_in_order():
    case = Case.of(DICTIONARY, {"visits": 2, "flag": None})
    assert list(case.values) == ["flag", "stage", "visits", "weight"]
    assert case.not_known() == ("flag", "stage", "weight")
    assert case.known() == 1
