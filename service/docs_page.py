"""`/docs` and `/openapi.json`: the contract as a page (no JavaScript, no other host) and as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, render_template

from model.additive import AdditiveModel
from service.errors import PROBLEMS
from service.pages.security import HTTPS_ONLY, PAGE_HEADERS

_MAY = {
    "practitioner": "screens, sees its holder's screenings again, says what was done; if of an agency, for it alone",
    "auditor": "reads screenings and the log, and sees drift; every look at either is itself recorded",
    "operator": "reads /metrics and sees drift; neither holds any case",
    "sandbox": "works as a practitioner's, with made-up cases over a log of its own",
}
"""What a key of each role may do."""


def docs_page(contract: Callable[[], dict[str, Any]], model: AdditiveModel, https: bool) -> Blueprint:
    """The blueprint of the two addresses; both are public and are made once.

    The page is held to what every other page is: nothing inline, nothing from elsewhere, in no frame.
    """
    headers = {**PAGE_HEADERS, **(HTTPS_ONLY if https else {})}
    blueprint = Blueprint(
        "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    made: dict[str, bytes] = {}

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        if "openapi" not in made:
            made["openapi"] = orjson.dumps(contract())
        return Response(made["openapi"], mimetype="application/json")

    @blueprint.get("/docs")
    def docs() -> Response:
        if "docs" not in made:
            made["docs"] = _page(contract(), model).encode()
        return Response(made["docs"], mimetype="text/html", headers=headers)

    return blueprint


def _page(spec: dict[str, Any], model: AdditiveModel) -> str:
    operations = [
        {
            "address": address,
            "method": method.upper(),
            "summary": operation.get("summary", ""),
            "responses": operation.get("responses", {}),
            "examples": _examples(operation),
        }
        for address, methods in spec["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    ]
    return render_template(
        "docs.html",
        operations=operations,
        schemas=spec["components"]["schemas"],
        model=model,
        problems=PROBLEMS,
        roles=_MAY,
    )


def _examples(operation: dict[str, Any]) -> list[tuple[str, str]]:
    """Each example body under its caption."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shown = [("Example body", content["example"])] if "example" in content else []
    shown += [(f"Example body: {one['summary']}", one["value"]) for one in content.get("examples", {}).values()]
    return [(caption, json.dumps(example, indent=1)) for caption, example in shown]
