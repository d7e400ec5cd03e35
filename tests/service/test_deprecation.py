"""An address that is to go says so in each answer, with the notice that the policy gives."""

from datetime import date

import pytest
from flask import Flask, Response

from service.deprecation import Deprecation


def test_each_answer_says_since_when_until_when_and_what_comes_instead():
    app = Flask("test")
    leaving = Deprecation(date(2027, 1, 1), date(2028, 1, 1), "/v2/screenings")

    @app.get("/v1/screenings")
    @leaving
    def view() -> Response:
        return Response("{}", headers={"Link": '</docs>; rel="help"'})

    headers = app.test_client().get("/v1/screenings").headers
    assert headers["Deprecation"] == "@1798761600"
    assert headers["Sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
    assert headers.getlist("Link") == ['</docs>; rel="help"', '</v2/screenings>; rel="successor-version"']
    assert leaving.documented(summary="x") == {"summary": "x", "deprecated": True}


def test_less_than_a_year_s_notice_cannot_be_given():
    with pytest.raises(ValueError, match="365 days"):
        Deprecation(date(2027, 1, 1), date(2027, 12, 31), "/v2/screenings")


def test_nothing_in_the_contract_is_deprecated_without_being_in_the_changelog(service):
    spec = service.client.get("/openapi.json").get_json()
    marked = [path for path, methods in spec["paths"].items() for one in methods.values() if "deprecated" in one]
    assert marked == []
