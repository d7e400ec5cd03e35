"""That a log of one size is how the log of a later size begins: made from the log, checked with the key alone."""

from __future__ import annotations

import re
from typing import Any

import orjson

from service.log.checkpoint import VerifierKey
from service.log.merkle import verify_consistency
from service.log.reader import LogReader
from service.log.schema import LogError

_HASH = re.compile(r"[0-9a-f]{64}")


class ConsistencyError(LogError):
    """The proof does not hold, or is none; one line."""


def consistency_of(log: LogReader, earlier: int, later: int | None = None) -> dict[str, Any]:
    """The proof and the checkpoints of both sizes, null where none was signed. Raises `LogError` out of range."""
    newest = log.verifier_key.open(log.latest_checkpoint()).size
    later = newest if later is None else later
    if not earlier <= later <= newest:
        raise LogError(f"the log has {newest} entries; name an earlier size and a later one that are in it")
    return {
        "from": earlier,
        "to": later,
        "proof": [node.hex() for node in log.consistency_proof(earlier, later)],
        "from_checkpoint": log.checkpoint_at(earlier),
        "to_checkpoint": log.checkpoint_at(later),
    }


def check_consistency(text: bytes | str, key: VerifierKey, kept: str | None = None) -> tuple[int, int]:
    """The two sizes that a proof joins, once it holds. `kept` is a checkpoint that must be one of the two.

    Raises `ConsistencyError`, or `CheckpointError` where the key did not sign.
    """
    said = _parsed(text)
    earlier, later = (key.open(said[name]) for name in ("from_checkpoint", "to_checkpoint"))
    path = [bytes.fromhex(node) for node in said["proof"]]
    if not verify_consistency(earlier.size, later.size, path, earlier.root, later.root):
        raise ConsistencyError(
            f"the log of {earlier.size} entries is not how the log of {later.size} begins: it was rewritten, or the "
            "proof is of other sizes; keep both checkpoints"
        )
    if kept is not None and key.open(kept) not in (earlier, later):
        raise ConsistencyError("the checkpoint that you kept is none of the proof's two; ask for a proof from its size")
    return earlier.size, later.size


def _parsed(text: bytes | str) -> dict[str, Any]:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("proof"), list):
        raise ConsistencyError("not a consistency proof; make one with: python -m service log prove-consistency")
    if not all(isinstance(node, str) and _HASH.fullmatch(node) for node in said["proof"]):
        raise ConsistencyError("the proof's hashes are not hexadecimal")
    for name in ("from_checkpoint", "to_checkpoint"):
        if not isinstance(said.get(name), str):
            raise ConsistencyError(f"the proof has no {name}: none was signed at that size; ask for a signed one")
    return said
