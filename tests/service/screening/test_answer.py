"""The answer is canonical to the byte, and says what the model found."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from model.grounds import GroundRules
from model.view import view
from model.wording import contribution_text, together_with
from service.screening.answer import AnswerWriter, numbers
from tests.builders import cases, models


@given(st.data())
def test_the_joined_parts_are_canonical_json_of_what_was_found(data):
    model = data.draw(models(pairs=4))
    found = view(model, GroundRules(model.dictionary), data.draw(cases(model)))
    case, explanation, gaps, prompt = found.case, found.explanation, found.gaps, found.prompt
    writer = AnswerWriter(model)
    written = writer.write("an-id", "ref-1", ["feature_0"], found)
    assert writer.write("an-id", "ref-1", ["feature_0"], found) == written  # from what is kept of the first time
    answer = json.loads(written)
    assert rfc8785.dumps(answer) == written
    shown = {row["feature"]: row for row in answer["explanation"]["contributions"]}
    assert len(shown) == len(model.terms)
    for place, (term, contribution) in enumerate(zip(model.terms, explanation.contributions, strict=True)):
        together = together_with(model, place, explanation.slots)
        value = case.values[term.feature.name]
        assert shown[term.feature.name] == {
            "feature": term.feature.name,
            "label": term.feature.label,
            "value": value,
            "contribution": contribution,
            "text": contribution_text(model, term.feature, value, contribution, together),
        }
    sizes = [abs(row["contribution"]) for row in answer["explanation"]["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert [gap["feature"] for gap in answer["not_known"]] == [gap.term.feature.name for gap in gaps.gaps]
    assert (answer["score"], tuple(answer["score_range"])) == (explanation.score, gaps.score_range)
    assert tuple(answer["score_interval"]) == explanation.score_interval
    assert answer["prompt"]["level"] == prompt.level


EDGES = [0.0, 1.0, 1e-4, 9.999999e-5, 1e-6, 1e-7, 5e-324, 0.1 + 0.2, 1 - 2**-53, 0.00010000000000000002]


@given(st.lists(st.floats(0, 1) | st.floats(1e-4, 1) | st.sampled_from(EDGES), min_size=1))
def test_numbers_are_spelled_as_rfc_8785_has_it(probabilities):
    assert numbers(probabilities) == [rfc8785.dumps(probability) for probability in probabilities]


@pytest.mark.parametrize("edge", EDGES)
def test_numbers_at_the_edges(edge):
    assert numbers([edge]) == [rfc8785.dumps(edge)]
