"""The canned cases: one for each prompt, for whatever dictionary, and each shows what it says."""

import json
from pathlib import Path

from hypothesis import given, settings

from service.model_files import ReleasedModel
from service.sandbox.cases import EXPECTED, PREFIX, canned_cases, expected_of
from service.screening.answer import AnswerWriter
from tests.builders import models


def test_the_shipped_dictionary_has_a_case_for_every_prompt(service):
    cases = service.client.get("/v1/sandbox/cases", headers=service.practitioner).get_json()["cases"]
    assert [case["expected"] for case in cases] == list(EXPECTED)
    for case in cases:
        assert case["description"]
        assert case["request"]["case_ref"].startswith(PREFIX)
        response = service.client.post("/v1/screenings", json=case["request"], headers=service.practitioner)
        assert response.status_code == 201
        assert expected_of(response.get_json()) == case["expected"]


@settings(max_examples=40)
@given(models())
def test_a_case_shows_what_it_says_for_any_model(model):
    released = ReleasedModel(model, "0" * 64, "0" * 8, Path())
    cases = canned_cases(released, AnswerWriter(model))
    assert cases
    assert len({case.request["case_ref"] for case in cases}) == len(cases)
    for case in cases:
        assert expected_of(json.loads(case.answer)) == case.expected
