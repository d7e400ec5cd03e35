import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.condition import ConditionError, answers_that_meet, operands, read_condition


@pytest.mark.parametrize(
    ("raw", "values", "decided"),
    [
        ("injury = yes", {"injury": "yes"}, True),
        ("injury = yes", {"injury": "no"}, False),
        ("injury = yes", {"injury": "not_known"}, None),
        ("injury = yes", {}, None),
        ("injury = yes", {"injury": "not_applicable"}, False),
        ("injury is not_known", {"injury": "not_known"}, True),
        ("injury is not_known", {"injury": "no"}, False),
        ("injury is not_applicable", {"injury": "not_known"}, None),
        ("injury is not_applicable", {"injury": "no"}, False),
        ("age < 12", {"age": 11}, True),
        ("age < 12", {"age": 12}, False),
        ("age >= 12", {"age": 12}, True),
        ("age <= 12", {"age": "not_known"}, None),
        ({"all": ["a = yes", "b = yes"]}, {"a": "yes", "b": "yes"}, True),
        ({"all": ["a = yes", "b = yes"]}, {"a": "yes"}, None),
        ({"all": ["a = yes", "b = yes"]}, {"a": "no"}, False),
        ({"any": ["a = yes", "b = yes"]}, {"a": "yes"}, True),
        ({"any": ["a = yes", "b = yes"]}, {"a": "no"}, None),
        ({"any": ["a = yes", "b = yes"]}, {"a": "no", "b": "no"}, False),
    ],
)
def test_three_valued_logic(raw, values, decided):
    assert read_condition(raw).decide(values) is decided


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("injury", "not of the form"),
        ("age > old", "compares with a number"),
        ("injury is yes", "after"),
        ({"all": []}, "expected"),
        ({"none": ["a = yes"]}, "expected"),
        ({"all": ["a = yes"], "any": ["b = yes"]}, "expected"),
        (7, "expected"),
    ],
)
def test_what_cannot_be_read_says_what_was_expected(raw, message):
    with pytest.raises(ConditionError, match=message):
        read_condition(raw)


@pytest.mark.parametrize(
    ("raw", "values", "answers"),
    [
        ("a = yes", {"a": "yes"}, ()),
        ("a = yes", {"a": "no"}, None),
        ({"all": ["a = yes", "b = yes"]}, {"a": "yes"}, ("b",)),
        ({"all": ["a = yes", "b = yes"]}, {}, ("a", "b")),
        ({"any": [{"all": ["a = yes", "b = yes"]}, "c = yes"]}, {}, ("c",)),
        ({"all": ["a = yes", {"any": ["b = yes", "b = no"]}]}, {"a": "yes"}, ("b",)),
        ({"all": [{"any": ["a = yes", "b = yes"]}, {"any": ["b = yes", "c = yes"]}]}, {}, ("b",)),
    ],
)
def test_fewest_answers(raw, values, answers):
    assert answers_that_meet(read_condition(raw), values) == answers


names = st.sampled_from("abcd")
conditions = st.recursive(
    names.map(lambda name: f"{name} = yes") | names.map(lambda name: f"{name} is not_known"),
    lambda inner: st.tuples(st.sampled_from(("all", "any")), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=8,
)


@given(conditions, st.dictionaries(names, st.sampled_from(("yes", "no", "not_known"))))
def test_an_undecided_condition_hangs_on_unknowns_and_a_decided_one_on_none(raw, values):
    condition = read_condition(raw)
    answers = answers_that_meet(condition, values)
    assert (answers == ()) == (condition.decide(values) is True)
    if condition.decide(values) is False:
        assert answers is None
    for name in answers or ():
        assert values.get(name, "not_known") == "not_known"
        assert name in {operand.feature for operand in operands(condition)}
