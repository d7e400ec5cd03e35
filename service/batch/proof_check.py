"""Checks the proof of one row with the log's public key alone: no file, no log and no model is needed."""

from __future__ import annotations

import re
from typing import Any

import orjson

from service.batch.row_leaf import RowError, row_leaf
from service.log.checkpoint import VerifierKey
from service.log.entry import EntryError, commitment, read_leaf
from service.log.merkle import leaf_hash, verify_inclusion
from service.log.proof_check import ProofError, check_proof

_HASH = re.compile(r"[0-9a-f]{64}")


def check_row_proof(text: bytes, key: VerifierKey) -> tuple[int, int, int]:
    """Row number, the job's rows and the index of its entry, as a proof by `prove_row` shows them.

    Raises `ProofError`, or `CheckpointError` where the key did not sign.
    """
    said = _parsed(text)
    entry = said["entry"]
    index, _ = check_proof(orjson.dumps(entry), key)
    try:
        leaf = read_leaf(entry["leaf"])
        committed = commitment(bytes.fromhex(entry["salt"]), entry["payload"].encode())
        job = orjson.loads(entry["payload"])
        rows, root = int(job["rows"]), bytes.fromhex(job["root"])
        leaf_of_row = row_leaf(said["row"], job["features"], job["grounds"])
    except (EntryError, RowError) as error:
        raise ProofError(str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ProofError("the proof's `entry` is not that of a batch") from None
    if leaf.kind != "batch" or leaf.commitment != committed:
        raise ProofError("the job that the proof tells of is not the one in the log")
    path = [bytes.fromhex(node) for node in said["proof"]]
    if not verify_inclusion(leaf_hash(leaf_of_row), said["row_number"] - 1, rows, path, root):
        raise ProofError(f"row {said['row_number']} with these cells is not in the job of log entry {index}")
    return said["row_number"], rows, index


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or said.get("format") != 1:
        raise ProofError("not the proof of a row; make one with: python -m service screen prove OUT ROW")
    proof = said.get("proof")
    if not isinstance(proof, list) or not all(isinstance(node, str) and _HASH.fullmatch(node) for node in proof):
        raise ProofError("the proof's `proof` is not hexadecimal hashes")
    if type(said.get("row_number")) is not int or not isinstance(said.get("row"), dict):
        raise ProofError("the proof's `row` or `row_number` is missing or of another type")
    if not isinstance(said.get("entry"), dict):
        raise ProofError("the proof's `entry` is missing")
    return said
