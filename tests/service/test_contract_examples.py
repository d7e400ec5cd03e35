"""The contract's examples of good answers: one at each address, and what real requests are answered with."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import jsonschema
import orjson
import pytest

from model.dictionary import shipped_dictionary
from service.errors import PROBLEMS
from service.screening.examples import uncopied
from tests.service.cds_hooks.conftest import SIGN, VIEW
from tests.service.cds_hooks.conftest import client as cds_client  # noqa: F401  # a fixture
from tests.service.fhir.forms import FHIR, response_of
from tests.service.fhir.validated import valid

JSON, PROBLEM = "application/json", "application/problem+json"
WHOLE_AT_THE_ADDRESS = {"/v1/dictionary", "/v1/model", "/v1/questionnaire", "/v1/drift"}
"""What these answer is too large to repeat, or nothing but figures."""
OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids of entries
    r"|[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids made from them
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9a-f]{64}"
)


def contract(service):
    return service.client.get("/openapi.json").get_json()


def operations(spec):
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict):
                yield path, method, operation


def good(spec, path, method, kind=JSON):
    """What the contract says of the good answer of an operation: its one example, or the first."""
    answers = spec["paths"][path][method]["responses"]
    (status,) = (status for status in answers if status.startswith("2"))
    content = answers[status]["content"][kind]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]


def without_own(told):
    """An answer without what is of the one record: ids, times, hashes, checkpoints and places in the log."""
    if isinstance(told, dict):
        kept = {name: without_own(value) for name, value in told.items()}
        return {**kept, **{name: type(told[name]).__name__ for name in ("index", "checkpoint") if name in told}}
    if isinstance(told, list):
        checkpoints = {"checkpoint"}  # of a receipt, in FHIR's form
        return [
            without_own(one)
            for one in told
            if not (isinstance(one, dict) and one.get("url") in {"index", *checkpoints})
        ]
    return OWN.sub("own", told) if isinstance(told, str) else told


def asked_of(spec, service):
    """The request that the examples answer: that of the first canned case."""
    return good(spec, "/v1/sandbox/cases", "get")["cases"][0]["request"]


@pytest.fixture(params=["the log's addresses", "CDS Hooks"])
def spec(request, service):
    """The contract of a service with auditors, and of one with CDS Hooks."""
    return contract(service if request.param != "CDS Hooks" else request.getfixturevalue("cds_client").service)


def test_there_is_an_example_of_every_good_answer_and_it_is_of_its_shape(spec):
    for path, method, operation in operations(spec):
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items() if status.startswith("2") else ():
                if path in WHOLE_AT_THE_ADDRESS or kind == "text/html":
                    continue
                shown = [one["value"] for one in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                assert shown, (path, method, kind)
                for example in shown:
                    shape = {**content["schema"], "components": spec["components"]}
                    jsonschema.Draft202012Validator(shape).validate(example)


def test_many_cases_at_once_are_answered_so(service):
    spec = contract(service)
    cases = [one["request"] for one in good(spec, "/v1/sandbox/cases", "get")["cases"]]
    answered = service.client.post("/v1/screenings/batch", json={"cases": cases}, headers=service.practitioner)
    assert answered.status_code == 201
    assert without_own(answered.get_json()) == without_own(good(spec, "/v1/screenings/batch", "post"))


def test_a_screening_is_shown_again_so(service):
    spec = contract(service)
    made = service.client.post("/v1/screenings", json=asked_of(spec, service), headers=service.practitioner).get_json()
    address = f"/v1/screenings/{made['screening_id']}"
    shown = service.client.get(address, headers=service.practitioner).get_json()
    assert without_own(shown) == without_own(good(spec, "/v1/screenings/{screening_id}", "get"))


def test_a_response_is_answered_so(service):
    spec, path = contract(service), "/v1/screenings/{screening_id}/response"
    sent = spec["paths"][path]["post"]["requestBody"]["content"][JSON]["example"]
    address = path.format(screening_id=service.screen().get_json()["screening_id"])
    answered = service.client.post(address, json=sent, headers=service.practitioner)
    assert answered.status_code == 201
    assert without_own(answered.get_json()) == without_own(good(spec, path, "post"))
    assert good(spec, "/v1/responses", "get") == (
        service.client.get("/v1/responses", headers=service.practitioner).get_json()
    )


def test_fhir_and_the_summary_are_answered_so(service):
    spec = contract(service)
    asked = asked_of(spec, service)
    sent = response_of(shipped_dictionary(), asked["features"], asked["agency"], asked["case_ref"])
    made = service.client.post(
        "/v1/fhir/QuestionnaireResponse",
        data=json.dumps(sent),
        content_type=FHIR,
        headers=service.practitioner,
    )
    shown = good(spec, "/v1/fhir/QuestionnaireResponse", "post", FHIR)
    valid(shown, "RiskAssessment")
    assert without_own(made.get_json()) == without_own(shown)
    again = service.client.get(made.headers["Location"], headers=service.practitioner).get_json()
    assert without_own(again) == without_own(good(spec, "/v1/fhir/RiskAssessment/{screening_id}", "get", FHIR))
    path = "/v1/screenings/{screening_id}/summary"
    for form, kind in (("json", JSON), ("fhir", FHIR)):
        address = f"{path.format(screening_id=made.get_json()['id'])}?format={form}"
        told = service.client.get(address, headers=service.practitioner).get_json()
        assert without_own(told) == without_own(good(spec, path, "get", kind))
    valid(good(spec, path, "get", FHIR), "Bundle")


@pytest.mark.parametrize("path", [VIEW, SIGN])
def test_discovery_and_feedback_are_answered_so(cds_client, path):  # noqa: F811
    spec = contract(cds_client.service)
    discovered = cds_client.service.client.get("/cds-services").get_json()
    assert discovered == good(spec, "/cds-services", "get")
    card = cds_client.call(path=path).get_json()["cards"][0]["uuid"]
    sent = spec["paths"][f"{path}/feedback"]["post"]["requestBody"]["content"][JSON]["example"]["feedback"]
    answered = cds_client.feedback([{**one, "card": card} for one in sent], path)
    assert answered.status_code == 200
    assert without_own(answered.get_json()) == without_own(good(spec, f"{path}/feedback", "post"))


def test_every_address_says_that_it_may_be_too_busy_and_what_an_error_looks_like(spec):
    default = spec["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(default) == [PROBLEM]
    for path, _, operation in operations(spec):
        below_fhir = path.startswith("/v1/fhir/")
        busy = operation["responses"]["503"]["content"]
        assert list(busy) == [FHIR if below_fhir else PROBLEM], path
        assert "overloaded" in next(iter(busy.values()))["examples"]
        other = operation["responses"]["default"]
        if below_fhir:
            assert list(other["content"]) == [FHIR]
        else:
            assert other == {"$ref": "#/components/responses/DEFAULT_ERROR"}
    assert PROBLEMS["overloaded"][0] == 503


def test_what_is_not_copied_is_the_same_to_read():
    example = {"reasons": [{"text": "one", "of": [1, 2]}], "level": {"name": "no_prompt"}}
    left = uncopied(example)
    assert left == example
    assert orjson.dumps(left) == orjson.dumps(example)
    copied = deepcopy(left)
    assert copied["reasons"] is left["reasons"]
    assert copied["level"] is not left["level"]


def test_the_contract_is_made_once_however_many_ask_at_once(service):
    def asked(_number):
        return service.client.get("/openapi.json").data

    with ThreadPoolExecutor(4) as threads:
        (whole,) = set(threads.map(asked, range(4)))
    assert {"/v1/screenings", "/v1/fhir/RiskAssessment/{screening_id}"} <= json.loads(whole)["paths"].keys()
