"""Liveness and readiness: `/healthz` says that the process runs, `/readyz` whether it could answer and record."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from service.log.store import LogStore
from service.model_files import ReleasedModel


def status(released: ReleasedModel, log: LogStore) -> Blueprint:
    """The blueprint of the two status addresses; both are public and hold no case data."""
    blueprint = Blueprint("status", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return Response(b'{"status":"running"}', mimetype="application/json")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        fault = log.fault()
        body = {
            "status": "ready" if fault is None else "not_ready",
            "log": "writable" if fault is None else fault,
            "model": {"version": released.model.version, "synthetic": released.model.synthetic},
        }
        return Response(orjson.dumps(body), 200 if fault is None else 503, mimetype="application/json")

    return blueprint
