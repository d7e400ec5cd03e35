"""`GET /v1/log/proof/inclusion` and `GET /v1/log/proof/consistency`: every receipt can be proved, at any later size."""

from __future__ import annotations

import orjson
from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from service.access.keys import Caller
from service.audit.desk import Desk
from service.audit.parameters import Parameters, entry_id, hexadecimal_hash, number
from service.audit.shapes import ConsistencySchema, InclusionSchema, example, parameter
from service.errors import problem
from service.log.consistency import consistency_of
from service.log.search import index_of_leaf
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.screening.api import documented
from service.screening.reading import JSON

ONE_OF = ("entry", "index", "leaf_hash")


def proofs(desk: Desk, log: LogStore, index: SearchIndex) -> Blueprint:
    """The blueprint of the proofs of one log."""
    blueprint = Blueprint("log_proofs", __name__, url_prefix="/v1/log/proof", description="Prove receipts and sizes.")

    @blueprint.route("/inclusion")
    class Inclusion(MethodView):
        @blueprint.doc(
            summary="Prove that an entry is in the log: name its index, its id or its leaf hash",
            parameters=[
                parameter("index", "The entry's index.", "integer"),
                parameter("entry", "The entry's id."),
                parameter("leaf_hash", "The entry's leaf hash, hexadecimal."),
                parameter("size", "Size of the tree to prove it in; the newest checkpoint's by default.", "integer"),
            ],
            responses=documented(
                200,
                "Leaf, path and checkpoint",
                InclusionSchema,
                *(400, 401, 403, 404, 429, 500, 503),
                example=example("proof/inclusion"),
            ),
        )
        def get(self) -> Response:
            return desk.serve(lambda caller: _inclusion(desk, log, index, caller))

    @blueprint.route("/consistency")
    class Consistency(MethodView):
        @blueprint.doc(
            summary="Prove that the log of one size is how the log of a later size begins",
            parameters=[
                parameter("from", "The earlier size.", "integer"),
                parameter("to", "The later size; the newest checkpoint's by default.", "integer"),
            ],
            responses=documented(
                200,
                "The path and the checkpoints",
                ConsistencySchema,
                *(400, 401, 403, 429, 500, 503),
                example=example("proof/consistency"),
            ),
        )
        def get(self) -> Response:
            return desk.serve(lambda caller: _consistency(desk, log, caller))

    return blueprint


def newest_size(log: LogStore) -> int:
    """The size that the newest checkpoint signs."""
    return log.verifier_key.open(log.latest_checkpoint()).size


def inclusion_of(log: LogStore, at: int, size: int) -> dict[str, object]:
    """The proof that entry `at` is among the first `size`; `service.log.commands` prints the same.

    The leaf is shown as it is stored: damage shows in the proof, which then does not hold.
    """
    row = next(log.rows(at, at + 1))
    return {
        "index": at,
        "leaf": row.leaf.decode(errors="replace"),
        "leaf_hash": row.leaf_hash.hex(),
        "proof": [node.hex() for node in log.inclusion_proof(at, size)],
        "size": size,
        "checkpoint": log.checkpoint_at(size),
        "key": log.verifier_key.text,
    }


def _inclusion(desk: Desk, log: LogStore, index: SearchIndex, caller: Caller) -> Response:
    newest = newest_size(log)
    given = Parameters({*ONE_OF, "size"})
    size = given.read("size", number(1, newest)) or newest
    place = given.read("index", number(0, max(size - 1, 0)))
    named = given.read("entry", entry_id)
    hashed = given.read("leaf_hash", hexadecimal_hash)
    by = [name for name in ONE_OF if name in given.names()]
    if len(by) != 1:
        given.refuse(by[-1] if by else "index", "send exactly one of index, entry and leaf_hash")
    given.check()
    if named is not None:
        place = log.index_of(named)
    elif hashed is not None:
        place = index_of_leaf(index, hashed, size)
    if place is None or place >= size:
        raise problem("not_found")
    proved = inclusion_of(log, place, size)
    desk.record("lookup", caller, {"looked_at": "inclusion_proof", "by": by[0], "index": place, "size": size})
    return Response(orjson.dumps(proved), mimetype=JSON)


def _consistency(desk: Desk, log: LogStore, caller: Caller) -> Response:
    newest = newest_size(log)
    given = Parameters({"from", "to"})
    later = given.read("to", number(0, newest))
    earlier = given.read("from", number(0, newest))
    if "from" not in given.names():
        given.refuse("from", "is missing; send the earlier size")
    given.check()
    later = newest if later is None else later
    if earlier is None or earlier > later:
        given.refuse("from", "must not be larger than to")
        given.check()
    assert earlier is not None
    proved = consistency_of(log, earlier, later)
    desk.record("lookup", caller, {"looked_at": "consistency_proof", "from": earlier, "to": later})
    return Response(orjson.dumps(proved), mimetype=JSON)
