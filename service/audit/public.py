"""`GET /v1/log/checkpoint` and `GET /v1/log/key`: public, so that anybody may keep what the log once said of itself."""

from __future__ import annotations

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from service.audit.shapes import example
from service.log.store import LogStore
from service.screening.api import documented

TEXT = "text/plain; charset=utf-8"
CHECKPOINT_SECONDS = 1
"""How long a checkpoint may be kept by a cache: the time in which the next one is published."""
KEY_SECONDS = 60


def public(log: LogStore) -> Blueprint:
    """The blueprint of the two public addresses. Neither look makes an entry: they show no case data."""
    blueprint = Blueprint("log", __name__, url_prefix="/v1/log", description="Check the log without trusting us.")

    @blueprint.route("/checkpoint")
    class Checkpoint(MethodView):
        @blueprint.doc(
            summary="The newest signed checkpoint (C2SP tlog-checkpoint)",
            security=[],
            responses=_text("The log's name, size and root, signed", "checkpoint"),
        )
        def get(self) -> Response:
            return _cached(log.latest_checkpoint(), CHECKPOINT_SECONDS)

    @blueprint.route("/key")
    class Key(MethodView):
        @blueprint.doc(
            summary="The public key that verifies checkpoints, as one line (name+keyid+base64)",
            security=[],
            responses=_text("The verifier key. Compare it with one that you got another way", "key"),
        )
        def get(self) -> Response:
            return _cached(log.verifier_key.text + "\n", KEY_SECONDS)

    return blueprint


def _cached(text: str, seconds: int) -> Response:
    response = Response(text, content_type=TEXT)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response


def _text(description: str, address: str) -> dict[str, object]:
    content = {"text/plain": {"schema": {"type": "string"}, "example": example(address)}}
    return {
        **documented(200, "", {}, 500, 503),
        "200": {"description": description, "content": content},
        "304": {"description": "Not changed since If-None-Match"},
    }
