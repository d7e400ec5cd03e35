"""The contract as data and as a page."""

import html
import json
import re

import jsonschema
from openapi_spec_validator import validate

from model.dictionary import shipped_dictionary
from service.access.keys import ROLES
from service.errors import PROBLEMS
from service.pages.security import PAGE_HEADERS
from service.sandbox.cases import EXPECTED


def test_openapi_is_valid_and_complete(service):
    spec = service.client.get("/openapi.json").get_json()
    validate(spec)
    assert spec["openapi"] == "3.1.0"
    paths = {path for path in spec["paths"] if not path.startswith("/v1/log/")}  # held by audit/test_addresses.py
    assert paths == {
        "/v1/screenings",
        "/v1/screenings/batch",
        "/v1/screenings/{screening_id}",
        "/v1/screenings/{screening_id}/response",
        "/v1/screenings/{screening_id}/summary",
        "/v1/drift",
        "/v1/responses",
        "/v1/dictionary",
        "/v1/questionnaire",
        "/v1/sandbox/cases",
        "/v1/fhir/QuestionnaireResponse",
        "/v1/fhir/RiskAssessment/{screening_id}",
        "/v1/model",
    }
    features = spec["components"]["schemas"]["ScreeningRequest"]["properties"]["features"]
    assert set(features["properties"]) == {feature.name for feature in shipped_dictionary().features}
    assert features["additionalProperties"] is False


def test_the_examples_in_the_contract_are_accepted(service):
    spec = service.client.get("/openapi.json").get_json()
    content = spec["paths"]["/v1/screenings"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == {"one_agency", "pooled"}
    for example in content["examples"].values():
        response = service.client.post("/v1/screenings", json=example["value"], headers=service.practitioner)
        assert response.status_code == 201


def test_the_page_has_every_problem_feature_and_nothing_from_elsewhere(service):
    page = service.client.get("/docs").text
    for code in PROBLEMS:
        assert f'id="{code}"' in page
    for feature in shipped_dictionary().features:
        assert feature.name in page
    assert "must not be used about a real child" in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!/|#)', page)
    with service.client.get("/static/docs.css") as sheet:
        assert sheet.status_code == 200
    assert "style=" not in page and "<style" not in page  # the policy would stop it
    headers = service.client.get("/docs").headers
    assert {name: headers.get(name) for name in PAGE_HEADERS} == PAGE_HEADERS


def test_the_page_names_every_role(service):
    access = service.client.get("/docs").text.partition('id="access"')[2].partition("<h2")[0]
    assert re.findall(r'<th scope="row"><code>(\w+)</code>', access) == list(ROLES)


def test_each_example_on_the_page_is_json_under_a_caption_of_its_own(service):
    page = service.client.get("/docs").text
    screening = page.partition("<h3>POST /v1/screenings</h3>")[2].partition("</section>")[0]
    shown = re.findall(r'<p>(Example[^<]*)</p><pre[^>]*aria-label="([^"]*)"><code>(.*?)</code></pre>', screening, re.S)
    assert [caption for caption, _, _ in shown] == [label for _, label, _ in shown]
    assert len({caption for caption, _, _ in shown}) == len(shown) == 2
    for _, _, example in shown:
        assert "features" in example
        json.loads(html.unescape(example))


def test_dictionary_and_model_are_those_that_are_served(service):
    dictionary = service.client.get("/v1/dictionary", headers=service.practitioner).get_json()
    assert [f["name"] for f in dictionary["feature"]] == [f.name for f in shipped_dictionary().features]
    card = service.client.get("/v1/model", headers=service.auditor).get_json()
    assert card["version"] == service.released.model.version
    assert card["sha256"] == service.released.sha256
    assert card["synthetic"] is True


def test_status_needs_no_key_and_holds_no_case_data(service):
    assert service.client.get("/healthz").get_json() == {"status": "running"}
    ready = service.client.get("/readyz").get_json()
    assert ready["status"] == "ready"
    assert ready["model"]["version"] == service.released.model.version


def test_no_page_is_kept_by_a_cache_or_guessed_at(service):
    for address in ("/docs", "/openapi.json", "/healthz"):
        headers = service.client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_there_is_an_example_for_every_prompt_and_it_is_what_is_answered(service):
    spec = service.client.get("/openapi.json").get_json()
    content = spec["paths"]["/v1/screenings"]["post"]["responses"]["201"]["content"]["application/json"]
    assert tuple(content["examples"]) == EXPECTED
    cases = service.client.get("/v1/sandbox/cases", headers=service.practitioner).get_json()["cases"]
    own = ("screening_id", "record")
    for case in cases:
        answered = service.client.post("/v1/screenings", json=case["request"], headers=service.practitioner).get_json()
        example = content["examples"][case["expected"]]["value"]
        shape = {"$ref": "#/components/schemas/Screening", "components": spec["components"]}
        jsonschema.Draft202012Validator(shape).validate(example)
        assert {k: v for k, v in example.items() if k not in own} == {k: v for k, v in answered.items() if k not in own}
        assert example["record"].keys() == answered["record"].keys()


def test_there_is_an_example_for_every_problem_and_it_is_what_is_answered(service):
    spec = service.client.get("/openapi.json").get_json()
    examples = spec["components"]["examples"]
    assert set(examples) == {f"problem_{code}" for code in PROBLEMS}
    shape = {"$ref": "#/components/schemas/Problem", "components": spec["components"]}
    for code, (status, title, _) in PROBLEMS.items():
        value = examples[f"problem_{code}"]["value"]
        jsonschema.Draft202012Validator(shape).validate(value)
        assert (value["code"], value["status"], value["title"]) == (code, status, title)
    real = service.client.post("/v1/screenings", json={}, headers=service.practitioner).get_json()
    assert examples["problem_refused"]["value"] == real
    assert examples["problem_no_key"]["value"] == service.client.get("/v1/model").get_json()


def test_every_problem_that_an_operation_documents_is_of_that_status(service):
    spec = service.client.get("/openapi.json").get_json()
    named = set()
    for methods in spec["paths"].values():
        for operation in methods.values():
            for status, answer in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                for example in (
                    answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).values()
                ):
                    code = example["$ref"].rpartition("problem_")[2]
                    assert PROBLEMS[code][0] == int(status)
                    named.add(code)
    elsewhere = {"no_answers", "method_not_allowed"}  # of CDS Hooks, which is not configured here; of every address
    assert named >= set(PROBLEMS) - elsewhere
