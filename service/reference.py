"""What the service works with: `GET /v1/dictionary` and `GET /v1/model`."""

from __future__ import annotations

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from model.card import model_card
from service.access.keys import Keys
from service.model_files import ReleasedModel
from service.screening.api import documented
from service.screening.reading import JSON


def reference(released: ReleasedModel, keys: Keys) -> Blueprint:
    """The blueprint of dictionary and model; both are rendered once: neither changes while the model is active."""
    blueprint = Blueprint("reference", __name__, url_prefix="/v1", description="The dictionary and the model in use.")
    dictionary = orjson.dumps(dict(released.model.dictionary.raw))
    card = orjson.dumps(model_card(released.model, released.sha256, released.overrides))

    @blueprint.route("/dictionary")
    class DictionaryView(MethodView):
        @blueprint.doc(
            summary="The data dictionary: every feature, level, agency and ground",
            responses=documented(200, "The dictionary as embedded in the model", {"type": "object"}, 401, 503),
        )
        def get(self) -> Response:
            keys.caller(request.headers.get("Authorization"))
            return Response(dictionary, mimetype=JSON)

    @blueprint.route("/model")
    class ModelView(MethodView):
        @blueprint.doc(
            summary="The active model: version, tables, threshold, evaluation",
            responses=documented(200, "The model card as data", {"type": "object"}, 401, 503),
        )
        def get(self) -> Response:
            keys.caller(request.headers.get("Authorization"))
            return Response(card, mimetype=JSON)

    return blueprint
