"""What an auditor's requests come back with."""

from __future__ import annotations

import json

from service.log.checkpoint import VerifierKey


def public_key(service):
    return VerifierKey.parse(service.client.get("/v1/log/key").text)


def newest(service, kind):
    entry = service.log.latest_of_kind(kind)
    return json.loads(entry.payload)


def refused(response, status, name):
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (status, "bad_parameter")
    assert response.mimetype == "application/problem+json"
    assert name in [error["field"] for error in problem["errors"]]
    return problem["errors"]
