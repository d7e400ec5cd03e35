"""One shape for every error: RFC 9457 problem details. No traceback, no value that was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from service.running.telemetry import logger

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field, and the fix."""

    field: str
    fix: str


@dataclass(slots=True)
class Problem(Exception):
    """A refusal. `code` is stable and documented; `errors` name fields, never values."""

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The refusal as an HTTP answer."""
        body: dict[str, object] = {
            "type": f"/docs#{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [{"field": error.field, "fix": error.fix} for error in self.errors]
        return Response(orjson.dumps(body), self.status, dict(self.headers), mimetype=PROBLEM_TYPE)


PROBLEMS: dict[str, tuple[int, str, str]] = {
    "malformed_json": (400, "The body is not JSON", "Send one JSON object in UTF-8, without repeated keys."),
    "no_key": (401, "No key", "Send the header Authorization: Bearer <key>."),
    "unknown_key": (
        401,
        "Key not accepted",
        "The key is unknown, revoked or expired. Ask your operator for a new one.",
    ),
    "token_refused": (
        401,
        "Token not accepted",
        "The token is not one that this service trusts for this address. Get a new one.",
    ),
    "no_role": (403, "No role", "The token gives no role in this service. Ask whoever runs your identity provider."),
    "no_token": (401, "No token", "Send the header Authorization: Bearer <token>, a JSON Web Token for this address."),
    "issuer_keys_unavailable": (503, "Token not checked", "The keys of its issuer cannot be read. Try again."),
    "no_answers": (
        412,
        "No answers came with the call",
        "Send a QuestionnaireResponse to GET /v1/questionnaire as the prefetch answers. No screening was made.",
    ),
    "wrong_role": (403, "Not for this role", "The key's role may not do this."),
    "wrong_agency": (403, "Not for this agency", "The key belongs to another agency than the request names."),
    "form_refused": (
        403,
        "The form was not sent from this page",
        "Nothing was recorded. Open the page again, fill in the form and send it.",
    ),
    "not_found": (404, "Not found", "There is nothing at this address, or it is not for this key."),
    "erased": (410, "Erased", "What was recorded here was erased. The log still proves that it was, and when."),
    "method_not_allowed": (405, "Method not allowed", "The address exists; the method is wrong. See /docs."),
    "no_pooled_words": (
        409,
        "This model has no pooled view",
        "It was released before there was one. Ask your operator to train and release it again.",
    ),
    "not_acceptable": (406, "Not in that form", "What the header Accept asks for is not offered here."),
    "corrects_another": (
        409,
        "Not the newest response",
        "Another response to this screening was recorded since. Look again, then correct that one.",
    ),
    "too_many_responses": (409, "Too many responses", "This screening was answered too often; stop the sender's loop."),
    "body_too_large": (413, "The body is too large", "Send one case a request."),
    "body_encoded": (415, "The body is encoded", "Send it as it is, without the header Content-Encoding."),
    "not_json": (415, "Not JSON", "Send the header Content-Type: application/json."),
    "refused": (422, "The request was refused", "Each entry in errors names a field and the fix. Nothing was scored."),
    "key_reused": (
        422,
        "The Idempotency-Key was used for another request",
        "Send each new request with a new key; repeat a key only with the very same request.",
    ),
    "bad_parameter": (400, "A parameter cannot be used", "Each entry in errors names a parameter and the fix."),
    "too_many_guesses": (
        429,
        "Too many keys that are not accepted",
        "Wait for as long as Retry-After says; check the key.",
    ),
    "rate_limited": (429, "Too many requests with this key", "Wait for as long as Retry-After says."),
    "search_unavailable": (503, "The search index cannot be used", "Try again; the log itself is not touched by this."),
    "bad_request": (400, "Bad request", "The request cannot be read. See /docs."),
    "model_unreadable": (
        500,
        "The model cannot be shown",
        "Its files or its signature are not in order. It is not in use. The operator has been told.",
    ),
    "internal": (500, "Something went wrong", "Nothing was answered that is not recorded. The operator has been told."),
    "record_damaged": (
        500,
        "The record is damaged",
        "Its bytes do not fit its leaf, so it is not shown. Verify the log.",
    ),
    "issuer_unavailable": (503, "The identity provider does not answer", "Try again as Retry-After says."),
    "overloaded": (503, "Too busy", "More requests came at once than can be served. Try again as Retry-After says."),
    "sandbox_unavailable": (
        503,
        "The sandbox cannot be opened",
        "Its log does not open. The operator has been told.",
    ),
    "log_unavailable": (503, "The log cannot be read", "Its database does not answer. Try again."),
    "not_recorded": (503, "Not recorded, so not answered", "The log cannot be written. Try again: no score was given."),
}
"""Every problem that the service answers with: status, title, detail. `/docs` lists them."""


def problem(code: str, errors: Sequence[FieldError] = (), detail: str = "", **headers: str) -> Problem:
    """The problem of that code, ready to be raised."""
    status, title, usual = PROBLEMS[code]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Problem(status, code, title, detail or usual, errors, named)


def told_once(errors: Iterable[FieldError]) -> list[FieldError]:
    """Errors of the same words as one with their number.

    Names that are not shown cannot be told apart: any sign of them (a letter, a length, a hash) would tell of a name,
    and the fields of a JSON object have no order by which a sender could count.
    """
    return [
        error if count == 1 else FieldError(error.field, f"{error.fix} (there are {count} of these)")
        for error, count in Counter(errors).items()
    ]


_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "not_json"}


def problem_of(error: Exception) -> Problem:
    """What an error of any kind is answered with. One that nobody foresaw is logged: its type and place alone."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        code = _BY_STATUS.get(error.code or 500, "bad_request" if (error.code or 500) < 500 else "internal")
        answer = problem(code)
        if error.code == 405 and getattr(error, "valid_methods", None):
            answer.headers = {"Allow": ", ".join(error.valid_methods)}  # type: ignore[attr-defined]  # MethodNotAllowed
        return answer
    if isinstance(error, SQLAlchemyError):
        logger().error("log_cannot_be_read", error=type(error).__name__)
        return problem("log_unavailable", Retry_After="1")
    # The message of an unknown exception may hold case data, so only its type and place are logged.
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
    logger().error("unexpected_error", error=type(error).__name__, place=place)
    return problem("internal")


def register_errors(
    app: Flask, look: Callable[[Problem, str | None], Problem], shape: Callable[[Problem], Response]
) -> None:
    """Makes every error of the app an answer of that shape. `look` sees each with the sender's address first."""

    @app.errorhandler(Exception)
    def _answer(error: Exception) -> Response:
        return shape(look(problem_of(error), request.remote_addr))
