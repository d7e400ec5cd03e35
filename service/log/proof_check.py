"""Checks one entry's inclusion proof with the public key alone: no export, so no case data, is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import orjson

from service.log.checkpoint import CheckpointError, SigningKeyError, VerifierKey
from service.log.merkle import leaf_hash, verify_inclusion
from service.log.record import Record, RecordError, read_record

_HASH = re.compile(r"[0-9a-f]{64}")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class ProofError(ValueError):
    """The proof does not hold, or is none; one line, without case data."""


def check_proof(text: bytes | str, key: VerifierKey, record: Record | None = None) -> tuple[int, int]:
    """The entry's index and the size of the log that a proof, as `log prove` prints it, shows it to be in.

    With `record`, the entry must be the one that the receipt was given for. Raises `ProofError`, or `CheckpointError`
    where the key did not sign.
    """
    said = _parsed(text)
    hashed = bytes.fromhex(said["leaf_hash"])
    if "leaf" in said and leaf_hash(str(said["leaf"]).encode()) != hashed:
        raise ProofError("the proof's leaf hash is not that of its leaf")
    signed = key.open(said["checkpoint"])
    path = [bytes.fromhex(node) for node in said["proof"]]
    if not verify_inclusion(hashed, said["index"], signed.size, path, signed.root):
        raise ProofError(f"entry {said['index']} with this leaf is not in the signed log of {signed.size} entries")
    if record is not None and (record.index, record.leaf_hash) != (said["index"], said["leaf_hash"]):
        raise ProofError("the proof is of another entry than the one that the record (receipt) was given for")
    return said["index"], signed.size


@click.command("check-proof")
@click.argument("proof", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="The log's public key (.pub).")
@click.option("--record", type=_FILE, help="The receipt: an answer as it was received, or its record.")
def check_proof_command(proof: Path, key: Path, record: Path | None) -> None:
    """Check a PROOF that an entry is in the log, offline; with the receipt, that it is the receipt's entry."""
    try:
        public = VerifierKey.parse(key.read_text(encoding="utf-8"))
        index, size = check_proof(proof.read_bytes(), public, None if record is None else _record(record, public))
    except (ProofError, RecordError, CheckpointError, SigningKeyError, OSError, UnicodeDecodeError) as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None
    click.echo(f"proved: entry {index} is in the signed log of {size} entries")


def _record(path: Path, key: VerifierKey) -> Record:
    record = read_record(path.read_bytes())
    if record.log != key.name:
        raise RecordError("the record is of a log of another name than the key")
    return record


def _parsed(text: bytes | str) -> dict[str, Any]:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        raise ProofError("not a proof; make one with: python -m service log prove ENTRY_ID")
    proof, hashed = said.get("proof"), said.get("leaf_hash")
    if type(said.get("index")) is not int or not isinstance(said.get("checkpoint"), str):
        raise ProofError("the proof's `index` or `checkpoint` is missing or of another type")
    if not isinstance(proof, list) or not all(isinstance(n, str) and _HASH.fullmatch(n) for n in [*proof, hashed]):
        raise ProofError("the proof's `proof` or `leaf_hash` is not hexadecimal hashes")
    return said
