"""`/healthz` says that the process runs, `/readyz` whether it could answer and record, `/metrics` how it does."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from service.access.keys import Keys, require_role
from service.model_files import ReleasedModel
from service.running.metrics import Metrics, State
from service.running.readiness import Readiness


def status(
    released: ReleasedModel, readiness: Readiness, keys: Keys, metrics: Metrics | None, state: State
) -> Blueprint:
    """The blueprint of the status addresses; none holds case data. `/metrics` is for operators, the others public."""
    blueprint = Blueprint("status", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return Response(b'{"status":"running"}', mimetype="application/json")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        checks = readiness.checks()
        well = all(said == "ok" for said in checks.values())
        body = {
            "status": "ready" if well else "not_ready",
            "checks": checks,
            "model": {"version": released.model.version, "synthetic": released.model.synthetic},
        }
        return Response(orjson.dumps(body), 200 if well else 503, mimetype="application/json")

    if metrics is not None:

        @blueprint.get("/metrics")
        def page() -> Response:
            require_role(keys.caller(request.headers.get("Authorization")), "operator")
            return Response(metrics.page(state), content_type="text/plain; version=0.0.4; charset=utf-8")

    return blueprint
