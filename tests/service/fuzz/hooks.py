"""What Schemathesis must know of Grounds: who may ask what, and which texts are a reference or a key of one use."""

from __future__ import annotations

import os
import time
import uuid

import jwt
import schemathesis
from hypothesis import strategies as st

from service.screening.schemas import CODE_FORMAT, REFERENCE_FORMAT

AUDITORS = ("/v1/log", "/v1/drift")
ONE_USE = "Idempotency-Key"

# Of texts that fit the pattern those that look like an identifier are refused (an NHS number has a check digit): no
# JSON Schema can say so. These look like none.
schemathesis.openapi.format(REFERENCE_FORMAT, st.from_regex(r"[a-d]{1,8}-[0-9]{1,4}", fullmatch=True))
schemathesis.openapi.format(CODE_FORMAT, st.from_regex(r"[a-d]{1,8}_[0-9]{1,3}", fullmatch=True))


@schemathesis.auth(refresh_interval=None)
class Keys:
    """A key by operation; a token of its own for each call of CDS Hooks."""

    def get(self, case, context):
        path = case.formatted_path
        if path.startswith("/cds-services"):
            return f"Bearer {_token(path)}"
        role = "AUDITOR" if path.startswith(AUDITORS) else "FHIR" if path.startswith("/v1/fhir/Q") else "PRACTITIONER"
        return f"Bearer {os.environ[f'FUZZ_{role}']}"

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": data}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes right data right where no JSON Schema can say how: what is of one use is new, and nothing is said twice."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return
    body = case.body if isinstance(case.body, dict) else {}
    prefetch = body.get("prefetch")
    for resource in (body, prefetch.get("answers") if isinstance(prefetch, dict) else None):
        if isinstance(resource, dict):
            _once(resource, "item", lambda item: str(item.get("linkId")).removesuffix(":state"))
    _once(body, "observations", lambda observation: str(observation.get("agency")))
    if "hookInstance" in body:
        body["hookInstance"] = str(uuid.uuid4())
    if ONE_USE in (case.headers or {}):
        case.headers[ONE_USE] = str(uuid.uuid4())


def _once(body, name, key_of):
    if isinstance(body.get(name), list):
        first = {}
        for one in body[name]:
            first.setdefault(key_of(one), one)
        body[name] = list(first.values())


def _token(path: str) -> str:
    now = int(time.time())
    said = {"iss": os.environ["FUZZ_ISS"], "aud": os.environ["FUZZ_URL"] + path, "iat": now, "exp": now + 120}
    return jwt.encode({**said, "jti": str(uuid.uuid4())}, os.environ["FUZZ_PRIVATE"], "ES384", {"kid": "key-1"})
