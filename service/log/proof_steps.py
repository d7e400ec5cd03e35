"""The checks of one entry's proof one by one, for a reader who wants to see each: the same code as `check_proof`'s.

From the words to the signature: salt and payload hash to what the leaf commits to; the leaf hashes to the leaf hash;
with its siblings that climbs to a root; the root is the one in the checkpoint; and the key signed the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from service.log.checkpoint import Checkpoint, CheckpointError, MalformedCheckpoint, VerifierKey, read_unverified
from service.log.entry import EntryError, commitment, read_leaf
from service.log.merkle import Step, climb, leaf_hash
from service.log.proof_check import ProofError, check_proof

Name = Literal["payload", "leaf", "root", "signature"]


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `expected` is what is written down, `found` what was worked out; None: there was nothing.

    `holds` is None where there was nothing to compare: the payload of an entry that was erased.
    """

    name: Name
    expected: str | None
    found: str | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class ProofSteps:
    """What was checked. `fault` is the verifier's own sentence where the proof does not hold, else None."""

    checks: tuple[Check, ...]
    path: tuple[Step, ...]
    checkpoint: Checkpoint | None
    fault: str | None

    @property
    def holds(self) -> bool:
        """Whether every check holds, and the verifier says so too."""
        return self.fault is None and all(check.holds is not False for check in self.checks)


def proof_steps(proof: Mapping[str, Any], salt: bytes | None, payload: bytes | None, key: VerifierKey) -> ProofSteps:
    """Checks a proof as `log prove` writes it, and payload and salt (None once erased) against its leaf."""
    hashed = bytes.fromhex(proof["leaf_hash"])
    siblings = [bytes.fromhex(node) for node in proof["proof"]]
    leaf = str(proof["leaf"])
    stated = _stated(proof["checkpoint"])
    path, _ = climb(hashed, proof["index"], proof["size"], siblings)
    root = path[-1].result if path else hashed
    checks = (
        _payload_check(leaf, salt, payload),
        _check("leaf", proof["leaf_hash"], leaf_hash(leaf.encode()).hex()),
        _check("root", None if stated is None else stated.root.hex(), root.hex()),
        _signature_check(proof["checkpoint"], key),
    )
    return ProofSteps(checks, tuple(path), stated, _fault(proof, key))


def _check(name: Name, expected: str | None, found: str | None) -> Check:
    return Check(name, expected, found, expected is not None and expected == found)


def _payload_check(leaf: str, salt: bytes | None, payload: bytes | None) -> Check:
    try:
        committed: str | None = read_leaf(leaf).commitment
    except EntryError:
        committed = None
    if salt is None and payload is None:
        return Check("payload", committed, None, None)
    return _check("payload", committed, None if salt is None or payload is None else commitment(salt, payload))


def _signature_check(note: str | None, key: VerifierKey) -> Check:
    try:
        if note is None:
            raise MalformedCheckpoint("there is no checkpoint of that size")
        key.open(note)
    except CheckpointError as error:
        return Check("signature", key.text, str(error), False)
    return Check("signature", key.text, key.text, True)


def _stated(note: str | None) -> Checkpoint | None:
    try:
        return None if note is None else read_unverified(note)
    except MalformedCheckpoint:
        return None


def _fault(proof: Mapping[str, Any], key: VerifierKey) -> str | None:
    try:
        check_proof(orjson.dumps(proof), key)
    except (ProofError, CheckpointError) as error:
        return str(error)
    return None
