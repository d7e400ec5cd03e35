"""The contract's examples of the log's addresses: of the shape that real answers have, and true by their own key."""

from __future__ import annotations

from service.audit.shapes import ConsistencySchema, EntrySchema, InclusionSchema, PageSchema, example
from service.log.checkpoint import VerifierKey
from service.log.entry import commitment, read_leaf
from service.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from tests.service.audit.examples import ASKED, answered

AGAIN = "the answers changed: python -m tests.service.audit.examples records them anew"


def shape(told):
    """Names and kinds of an answer, whatever the values."""
    if isinstance(told, dict):
        return {name: shape(value) for name, value in told.items()}
    return [shape(one) for one in told] if isinstance(told, list) else type(told).__name__


def test_they_are_what_the_addresses_answer(service):
    real = answered(service.client, service.practitioner, service.auditor)
    for address in ASKED:
        assert shape(example(address)) == shape(real[address]), AGAIN
    assert [line[:12] for line in example("export").splitlines()] == [line[:12] for line in real["export"].splitlines()]
    for name in ("kind", "agency", "features", "level"):
        assert example("entries")["entries"][0][name] == real["entries"]["entries"][0][name]


def test_they_hold_by_their_own_key():
    key = VerifierKey.parse(example("key"))
    newest = key.open(example("checkpoint"))
    assert newest.size == example("entries")["size"]
    assert not PageSchema().validate(example("entries"))
    for address, kind in (("proof/inclusion", InclusionSchema), ("entries/{at}", EntrySchema)):
        proof = example(address)
        assert not kind().validate(proof)
        signed = key.open(proof["checkpoint"])
        assert leaf_hash(proof["leaf"].encode()).hex() == proof["leaf_hash"]
        path = [bytes.fromhex(node) for node in proof["proof"]]
        assert verify_inclusion(bytes.fromhex(proof["leaf_hash"]), proof["index"], signed.size, path, signed.root)
    entry = example("entries/{at}")
    assert commitment(bytes.fromhex(entry["salt"]), entry["payload"].encode()) == read_leaf(entry["leaf"]).commitment
    told = example("proof/consistency")
    assert not ConsistencySchema().validate(told)
    first, last = key.open(told["from_checkpoint"]), key.open(told["to_checkpoint"])
    path = [bytes.fromhex(node) for node in told["proof"]]
    assert verify_consistency(first.size, last.size, path, first.root, last.root)
