"""A body that is packed is refused by name at every door; one that is said to be as it is is taken."""

import gzip
import json

import pytest

CASE = {"case_ref": "case-0001", "agency": "gp", "features": {}}
DOORS = [
    ("/v1/screenings", CASE, "application/json"),
    ("/v1/screenings", {**CASE, "features": {"contact_reason": "zzz1"}}, "application/json; charset=utf-8"),
    ("/v1/screenings/batch", {"cases": [CASE]}, "application/json"),
]


def post(service, path, data, kind, encoding):
    headers = {**service.practitioner, "Content-Type": kind, "Content-Encoding": encoding}
    return service.client.post(path, data=data, headers=headers)


@pytest.mark.parametrize(("path", "body", "kind"), DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "br", "x", "identity, gzip"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_packed_body_is_refused_whether_it_is_or_only_says_so(service, path, body, kind, encoding, packed):
    data = json.dumps(body).encode()
    refused = post(service, path, gzip.compress(data) if packed else data, kind, encoding)
    assert (refused.status_code, refused.get_json()["code"]) == (415, "body_encoded")
    assert refused.headers["Accept-Encoding"] == "identity"
    assert service.log.screenings() == 0
    assert service.log.latest_of_kind("refusal") is not None


@pytest.mark.parametrize(("path", "body", "kind"), DOORS)
def test_identity_is_as_it_is(service, path, body, kind):
    assert post(service, path, json.dumps(body), kind, "Identity").status_code == 201
