"""Discovery, CORS, and the file of issuers."""

from dataclasses import replace

import jsonschema
import pytest
from openapi_spec_validator import validate

from service.cds_hooks.plan import cds_plan
from service.cds_hooks.services import SERVICES
from service.fhir.terms import questionnaire_url
from service.sandbox.cases import EXPECTED
from service.settings import SettingsError
from tests.service.cds_hooks.conftest import ORIGIN, URL, VIEW, hook_call


def test_discovery_names_each_service_its_hook_and_what_to_prefetch(client):
    services = client.service.client.get("/cds-services").get_json()["services"]
    assert [service["hook"] for service in services] == ["patient-view", "order-sign"]
    for service in services:
        query = service["prefetch"]["answers"]
        assert questionnaire_url(client.service.released.model.dictionary) in query
        assert "{{context.patientId}}" in query
        assert service["title"]
        assert "never a decision" in service["description"]


def test_the_contract_holds_the_services_and_what_they_answer(client):
    spec = client.service.client.get("/openapi.json").get_json()
    validate(spec)
    assert {path for path in spec["paths"] if path.startswith("/cds-services")} == {
        "/cds-services",
        *(f"/cds-services/{service}{more}" for service in SERVICES for more in ("", "/feedback")),
    }
    for answered, name in (
        (client.service.client.get("/cds-services"), "CdsServices"),
        (client.call(), "CdsCards"),
    ):
        shape = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        jsonschema.Draft202012Validator(shape).validate(answered.get_json())
    body = spec["paths"][VIEW]["post"]["requestBody"]["content"]["application/json"]["schema"]
    shape = {**body, "components": spec["components"]}
    jsonschema.Draft202012Validator(shape).validate(hook_call())
    examples = spec["paths"][VIEW]["post"]["responses"]["200"]["content"]["application/json"]["examples"]
    assert tuple(examples) == EXPECTED
    cases = client.service.client.get("/v1/sandbox/cases", headers=client.key).get_json()["cases"]
    for case in cases:
        (shown,), (example,) = (
            client.call(case["request"]["features"]).get_json()["cards"],
            examples[case["expected"]]["value"]["cards"],
        )
        for part in ("summary", "indicator", "detail", "overrideReasons", "source"):
            assert shown[part] == example[part]
    unanswered = spec["paths"][VIEW]["post"]["responses"]["412"]["content"]["application/problem+json"]["examples"]
    assert set(unanswered) == {"no_answers"}


def test_there_is_no_cds_hooks_without_issuers(settings):
    assert cds_plan(settings) is None


def test_a_browser_may_call_from_the_origins_that_are_named_alone(client):
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://elsewhere.example", None), (f"{ORIGIN}.evil.example", None)):
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = client.service.client.options(VIEW, headers=asks)
        assert preflight.status_code == 200
        refused = client.service.client.post(VIEW, json={}, headers={"Origin": origin})
        assert refused.status_code == 401
        for answer in (preflight, refused):
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert ("authorization" in answer.headers.get("Access-Control-Allow-Headers", "").lower()) == bool(allowed)
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "Origin" in answer.headers["Vary"]
    elsewhere = client.service.client.get("/v1/responses", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


WRONG = [
    ("", "names no"),
    ("[[issuer]]\nkey = 'a'\njwks_url = 'https://a.example/k'", "iss is missing"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'", "jwks_file or as jwks_url"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'\njwks_url = 'http://a.example/k'", "https://"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'\njwks_file = 'none.json'", "is no file"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'\njwks_url = 'https://a.example/k'\norigins = ['*']", "origins takes"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'\nsecret = 'a'", "nothing else"),
    ("[[issuer]]\niss = 'a'\nkey = 'a'\njwks_url = 'https://a.example/k'\n" * 2, "two issuers"),
    ("issuer = ", "cannot be read"),
]


@pytest.mark.parametrize(("text", "fix"), WRONG)
def test_a_file_of_issuers_that_cannot_be_used_is_one_line_with_the_fix(settings, tmp_path, text, fix):
    path = tmp_path / "issuers.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="GROUNDS_CDS_ISSUERS") as refused:
        cds_plan(replace(settings, public_url=URL, cds_issuers=path))
    assert fix in str(refused.value)
    assert "\n" not in str(refused.value)


def test_issuers_need_the_service_s_own_address(settings, tmp_path):
    with pytest.raises(SettingsError, match="GROUNDS_PUBLIC_URL"):
        cds_plan(replace(settings, cds_issuers=tmp_path / "issuers.toml"))
