"""Remembered answers change nothing: asked once or again, in any order, the grounds are what the condition says."""

from hypothesis import given
from hypothesis import strategies as st

from model import grounds as grounds_module
from model.case import Case
from model.condition import answers_that_meet
from model.dictionary import shipped_dictionary
from model.grounds import GroundRules, find_grounds
from tests.builders import cases, models


@given(st.data())
def test_rules_that_remember_find_what_the_conditions_say(data):
    model = data.draw(models())
    rules = GroundRules(model.dictionary)
    several = data.draw(st.lists(cases(model), min_size=1, max_size=5))
    for case in [*several, *several]:
        found = rules.find(case)
        assert found == find_grounds(model.dictionary, case)
        answers = {ground.code: answers_that_meet(ground.when, case.values) for ground in model.dictionary.grounds}
        assert [ground.code for ground in found.met] == [code for code, those in answers.items() if those == ()]
        for undecided in found.undecided:
            assert undecided.features == answers[undecided.ground.code]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(grounds_module, "REMEMBERED", 3)
    dictionary = shipped_dictionary()
    rules = GroundRules(dictionary)
    numeric = next(feature for feature in dictionary.features if feature.is_numeric)
    for value in range(20):
        case = Case.of(dictionary, {numeric.name: value})
        assert rules.find(case) == find_grounds(dictionary, case)
    assert all(len(remembered) <= 3 for _, _, remembered in rules._rules)
