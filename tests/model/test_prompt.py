import pytest

from model.case import Case
from model.explanation import explain
from model.gaps import find_gaps
from model.grounds import find_grounds
from model.prompt import decide_prompt
from tests.builders import built_model, plain_dictionary, yes_no_term

INJURY = {
    "code": "injury",
    "label": "Injury in a baby who is not mobile",
    "when": {"all": ["injury = yes", "mobile = no"]},
    "text": "An injury needs a referral today.",
    "action": "call",
    "source": "Local procedures",
}


def model(**policy):
    names = ("injury", "mobile", "history", "second_parent")
    raw = plain_dictionary(
        *[{"name": name, "kind": "yes_no", "essential": name == "injury", "held_by": ["police"]} for name in names],
        ground=[INJURY],
        policy={"capacity": 0.05, **policy},
    )
    terms = [yes_no_term(name, 0.0, 0.1, gain) for name, gain in zip(names, (0.2, 0.1, 1.5, 0.8), strict=True)]
    return built_model(raw, terms)  # intercept -3, threshold -1


def prompt(model, **values):
    case = Case.of(model.dictionary, values)
    explanation = explain(model, case)
    return decide_prompt(model, case, explanation, find_gaps(model, explanation), find_grounds(model.dictionary, case))


KNOWN = {"injury": "no", "mobile": "yes", "history": "no", "second_parent": "no"}


@pytest.mark.parametrize(
    ("values", "level", "reason", "ask"),
    [
        (KNOWN, "no_prompt", "No ground is met", ()),
        ({**KNOWN, "injury": "yes", "mobile": "no"}, "consider_referral", "Injury in a baby who is not mobile", ()),
        ({**KNOWN, "history": "yes", "second_parent": "yes"}, "consider_referral", "at or above the level", ()),
        (
            {**KNOWN, "injury": "yes", "mobile": None},
            "seek_information",
            "One answer would decide a ground",
            ("mobile",),
        ),
        ({**KNOWN, "history": "yes", "second_parent": None}, "seek_information", "could carry", ("second_parent",)),
        (
            {**KNOWN, "history": None, "second_parent": None},
            "seek_information",
            "could carry",
            ("history", "second_parent"),
        ),
        ({**KNOWN, "injury": None}, "seek_information", "questions for every contact", ("injury",)),
        ({**KNOWN, "second_parent": None}, "no_prompt", "No ground is met", ()),
    ],
)
def test_the_level_and_its_reason(values, level, reason, ask):
    shown = prompt(model(), **values)
    assert shown.level == level
    assert any(reason in text for text in shown.reasons)
    assert shown.ask == ask


def test_three_answers_are_too_many_to_prompt_on():
    limited = prompt(model(answers=1), **{**KNOWN, "history": None, "second_parent": None})
    assert limited.level == "no_prompt"


def test_too_little_known_is_never_no_prompt():
    shown = prompt(model(minimum_known=4, answers=0), injury="no", mobile="yes", history="no")
    assert shown.level == "seek_information"
    assert "Only 3 answers are known; at least 4" in shown.reasons[0]


def test_reasons_say_whom_to_ask():
    shown = prompt(model(), **{**KNOWN, "history": "yes", "second_parent": None})
    assert "may be held by Police" in shown.reasons[0]


def test_a_ground_that_calls_for_a_call_says_so():
    shown = prompt(model(), **{**KNOWN, "injury": "yes", "mobile": "no"})
    assert "one working day" in shown.text
    assert "999" in shown.text
