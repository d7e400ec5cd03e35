"""The case that Grounds exists for: a newborn, a parent's mental-health history held by health alone, nothing known of
the father, nothing else remarkable. Health's own view must show the ground and ask about the second parent."""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "worked_case.json"
SECOND_PARENT = {
    "second_parent_identified",
    "second_parent_mental_health_history",
    "second_parent_substance_misuse",
    "second_parent_violence_history",
}


@pytest.fixture
def request_body():
    return json.loads(GOLDEN.read_text())


@pytest.fixture
def answer(service, request_body):
    response = service.client.post("/v1/screenings", json=request_body, headers=service.practitioner)
    assert response.status_code == 201, response.text
    return response.get_json()


def test_the_ground_is_shown(answer):
    assert [ground["code"] for ground in answer["grounds"]] == ["mental_ill_health_and_baby"]
    assert answer["grounds"][0]["source"]


def test_the_second_parent_is_what_to_ask_about_first(answer):
    assert set(answer["prompt"]["ask"][: len(SECOND_PARENT)]) == SECOND_PARENT


def test_it_is_never_no_prompt(answer):
    assert answer["prompt"]["level"] == "consider_referral"
    assert "Consider a referral" in answer["prompt"]["text"]
    assert "your professional judgement comes first" in answer["prompt"]["text"]


def test_the_second_parent_is_not_known_with_whom_to_ask(answer):
    gaps = {gap["feature"]: gap for gap in answer["not_known"]}
    assert set(gaps) >= SECOND_PARENT
    assert "police" in gaps["second_parent_violence_history"]["held_by"]
    for name in SECOND_PARENT:
        assert gaps[name]["held_by"]
        assert gaps[name]["score_if_highest"] >= answer["score"]


def test_the_prompt_does_not_hang_on_the_score(service, request_body):
    """Without the second parent's gap being total, the ground is no longer met, and still there is no false comfort."""
    known = {**request_body["features"], "second_parent_identified": "yes", "second_parent_violence_history": "no"}
    answer = service.screen(known).get_json()
    assert answer["grounds"] == []
    assert (
        "not a finding that the child is safe" in answer["prompt"]["text"] or answer["prompt"]["level"] != "no_prompt"
    )


@pytest.mark.parametrize("forgotten", sorted(SECOND_PARENT))
def test_leaving_the_second_parent_out_changes_nothing(service, request_body, forgotten):
    features = {name: value for name, value in request_body["features"].items() if name != forgotten}
    assert service.screen(features).get_json()["prompt"]["level"] == "consider_referral"


def test_a_single_missing_answer_that_decides_is_asked_for(service, request_body):
    features = {**request_body["features"], "child_stage": "not_known"}
    prompt = service.screen(features).get_json()["prompt"]
    assert prompt["level"] == "seek_information"
    assert "child_stage" in prompt["ask"]
