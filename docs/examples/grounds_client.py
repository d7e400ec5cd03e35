"""A client of Grounds, generated from its /openapi.json by `python -m service client`: change the contract, not this.

It needs nothing but Python 3.11. A screening with an idempotency key is sent again where no answer came, and is
recorded once. Errors are `GroundsError` with the stable `code`; show the practitioner then that no screening was made.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

API_VERSION = "1"
TRIES = 3
LONGEST_WAIT = 30.0


class GroundsError(Exception):
    """A refusal. `status` is 0 where the service was not reached; `errors` name fields and fixes."""

    def __init__(self, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors or []


class GroundsClient:
    """One service, by its address and a key. Safe to share between threads."""

    def __init__(self, address: str, key: str, timeout: float = 10.0) -> None:
        self._address = address.rstrip("/")
        self._key = key
        self._timeout = timeout

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = "application/json",
        query: dict[str, Any] | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> Any:
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        # What changes nothing, or is recorded once however often it comes, may be sent again.
        tries = TRIES if method == "GET" or "Idempotency-Key" in sent else 1
        sent |= {"Authorization": f"Bearer {self._key}", "Accept": "application/json, application/fhir+json, */*;q=0.1"}
        if body is not None:
            sent["Content-Type"] = kind
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        address = f"{self._address}{path}" + (f"?{urllib.parse.urlencode(asked)}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, sent, method=method)
        for left in reversed(range(tries)):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                    return _read(answer.headers.get_content_type(), answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    refusal = _refusal(error)
                if not left or error.code not in (429, 503):
                    raise refusal from None
                wait = float(error.headers.get("Retry-After") or 1)
            except OSError as error:
                if not left:
                    raise GroundsError(0, "not_reached", f"{type(error).__name__}; no screening was made") from None
                wait = 1.0
            time.sleep(min(wait, LONGEST_WAIT))
        raise AssertionError("every try returns or raises")

    def get_dictionary(self) -> Any:
        """The data dictionary: every feature, level, agency and ground."""
        return self._call("GET", "/v1/dictionary")

    def get_drift(self) -> Any:
        """How far the newest screenings differ from training, by feature and by agency."""
        return self._call("GET", "/v1/drift")

    def post_fhir_questionnaire_response(self, body: Any, *, idempotency_key: Any = None) -> Any:
        """Screen the answers to the Questionnaire."""
        return self._call(
            "POST",
            "/v1/fhir/QuestionnaireResponse",
            body=body,
            kind="application/fhir+json",
            headers={"Idempotency-Key": idempotency_key},
        )

    def get_fhir_risk_assessment(self, screening_id: str) -> Any:
        """A screening as it was recorded, as a RiskAssessment."""
        return self._call("GET", f"/v1/fhir/RiskAssessment/{_part(screening_id)}")

    def get_log_entries(
        self,
        *,
        from_: Any = None,
        to: Any = None,
        kind: Any = None,
        level: Any = None,
        band: Any = None,
        model: Any = None,
        agency: Any = None,
        feature: Any = None,
        ground: Any = None,
        response: Any = None,
        entry: Any = None,
        key_id: Any = None,
        order: Any = None,
        limit: Any = None,
        cursor: Any = None,
    ) -> Any:
        """Search the log; pages stay as they were begun while the log grows."""
        return self._call(
            "GET",
            "/v1/log/entries",
            query={
                "from": from_,
                "to": to,
                "kind": kind,
                "level": level,
                "band": band,
                "model": model,
                "agency": agency,
                "feature": feature,
                "ground": ground,
                "response": response,
                "entry": entry,
                "key_id": key_id,
                "order": order,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def get_log_entry(self, at: str) -> Any:
        """One entry whole: leaf, payload, salt, and the proof that it is in the log."""
        return self._call("GET", f"/v1/log/entries/{_part(at)}")

    def get_log_export(self, *, from_: Any = None, to: Any = None) -> Any:
        """Export the log, or the entries from one index or time to another, as JSON Lines."""
        return self._call("GET", "/v1/log/export", query={"from": from_, "to": to})

    def get_log_proof_consistency(self, *, from_: Any = None, to: Any = None) -> Any:
        """Prove that the log of one size is how the log of a later size begins."""
        return self._call("GET", "/v1/log/proof/consistency", query={"from": from_, "to": to})

    def get_log_proof_inclusion(
        self,
        *,
        index: Any = None,
        entry: Any = None,
        leaf_hash: Any = None,
        size: Any = None,
    ) -> Any:
        """Prove that an entry is in the log: name its index, its id or its leaf hash."""
        return self._call(
            "GET",
            "/v1/log/proof/inclusion",
            query={"index": index, "entry": entry, "leaf_hash": leaf_hash, "size": size},
        )

    def get_model(self) -> Any:
        """The active model: version, tables, threshold, evaluation."""
        return self._call("GET", "/v1/model")

    def get_questionnaire(self) -> Any:
        """The dictionary as a FHIR R4 Questionnaire; every question rests on not known."""
        return self._call("GET", "/v1/questionnaire")

    def get_responses(self) -> Any:
        """The actions and reasons that a response may name."""
        return self._call("GET", "/v1/responses")

    def get_sandbox_cases(self) -> Any:
        """Canned cases to try: one for each prompt."""
        return self._call("GET", "/v1/sandbox/cases")

    def post_screening(self, body: Any, *, idempotency_key: Any = None) -> Any:
        """Screen one anonymised case."""
        return self._call("POST", "/v1/screenings", body=body, headers={"Idempotency-Key": idempotency_key})

    def post_screenings_batch(self, body: Any, *, idempotency_key: Any = None) -> Any:
        """Screen up to 1,000 anonymised cases: all are recorded and answered, or none."""
        return self._call("POST", "/v1/screenings/batch", body=body, headers={"Idempotency-Key": idempotency_key})

    def get_screening(self, screening_id: str) -> Any:
        """A screening as it was shown, with its record."""
        return self._call("GET", f"/v1/screenings/{_part(screening_id)}")

    def post_screening_response(self, screening_id: str, body: Any, *, idempotency_key: Any = None) -> Any:
        """Record what was done about a screening."""
        return self._call(
            "POST",
            f"/v1/screenings/{_part(screening_id)}/response",
            body=body,
            headers={"Idempotency-Key": idempotency_key},
        )

    def get_screening_summary(self, screening_id: str, *, format: Any = None) -> Any:
        """The referral summary of a screening: facts, grounds and what is not known; no score."""
        return self._call("GET", f"/v1/screenings/{_part(screening_id)}/summary", query={"format": format})


def _read(kind: str, raw: bytes) -> Any:
    return json.loads(raw) if kind.endswith("json") else raw.decode()


def _refusal(error: urllib.error.HTTPError) -> GroundsError:
    try:
        told = json.loads(error.read())
    except ValueError:
        return GroundsError(error.code, "unreadable", "The answer is not from Grounds.")
    if told.get("resourceType") == "OperationOutcome":
        whole, *fields = told["issue"]
        code = whole["details"]["coding"][0]["code"]
        errors = [dict(zip(("field", "fix"), field["details"]["text"].split(": ", 1), strict=True)) for field in fields]
        return GroundsError(error.code, code, whole["diagnostics"], errors)
    return GroundsError(error.code, told.get("code", "unreadable"), told.get("detail", ""), told.get("errors"))


def _part(value: Any) -> str:
    return urllib.parse.quote(str(value), safe="")
