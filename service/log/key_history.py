"""Which key signs the log from which entry on: every change of keys is an entry, proved by the key before it.

A change at index n is a `key_created` entry with the payload {"previous", "purpose": "log", "statement",
"verifier_key"}. The statement is a checkpoint of the n entries before it with one extension line, `next-key` and the
new verifier key. The previous key signs it, which hands the log over; the new key signs it too, so that nobody can
hand a log to a key whose holder does not know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from service.log.canonical import canonical_bytes
from service.log.checkpoint import Checkpoint, CheckpointError, SigningKey, SigningKeyError, VerifierKey

PURPOSE = "log"
_NEXT_KEY = "next-key "
_PAYLOAD_KEYS = {"previous", "purpose", "statement", "verifier_key"}


class KeyChangeError(ValueError):
    """An entry that says that the log's key changed and does not prove it; the message follows "entry n: "."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """From the entry after `index` on, `following` signs; until then `previous` did."""

    index: int
    previous: VerifierKey
    following: VerifierKey


def change_payload(previous: SigningKey, following: SigningKey, size: int, root: bytes) -> bytes:
    """The payload of the entry, to stand at index `size` of a log whose entries before it have that root."""
    body = Checkpoint(previous.name, size, root, (_NEXT_KEY + following.verifier.text,)).body()
    statement = f"{body}\n{previous.signature_line(body)}{following.signature_line(body)}"
    return canonical_bytes(
        {
            "previous": previous.verifier.text,
            "purpose": PURPOSE,
            "statement": statement,
            "verifier_key": following.verifier.text,
        }
    )


def read_change(payload: bytes | str, index: int, root: bytes) -> KeyChange | None:
    """The change that the `key_created` entry at `index` proves; None where it is about another kind of key.

    `root` is over the entries before it. Raises `KeyChangeError` where it is about the log's key and proves nothing.
    """
    said = _parsed(payload)
    if said is None or said.get("purpose") != PURPOSE:
        return None
    if said.keys() != _PAYLOAD_KEYS or not all(isinstance(text, str) for text in said.values()):
        raise KeyChangeError("says that the log's key changed, in a form that this version does not know")
    try:
        change = KeyChange(index, VerifierKey.parse(said["previous"]), VerifierKey.parse(said["verifier_key"]))
    except SigningKeyError:
        raise KeyChangeError("says that the log's key changed, and does not name both keys") from None
    expected = Checkpoint(change.previous.name, index, root, (_NEXT_KEY + change.following.text,))
    for whose, key in (("the key before", change.previous), ("the new key", change.following)):
        try:
            stated = key.open(said["statement"])
        except CheckpointError as error:
            raise KeyChangeError(f"the change of the log's key is not signed by {whose} ({error})") from None
        if stated != expected:
            raise KeyChangeError("the signed change of the log's key is of another key, or of another place or log")
    return change


def _parsed(payload: bytes | str) -> dict[str, Any] | None:
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


class KeyHistory:
    """The chain of keys of one log, followed from a key that is trusted: forward to its successors, and back."""

    def __init__(self, trusted: VerifierKey) -> None:
        self.trusted = trusted
        self.changes: list[KeyChange] = []

    def add(self, change: KeyChange) -> None:
        """Follows a change. Raises `KeyChangeError` unless it begins where the one before it ended."""
        if self.changes and self.changes[-1].following.text != change.previous.text:
            raise KeyChangeError("the log's key changes here from a key that did not sign the log before")
        self.changes.append(change)

    def in_force(self, size: int) -> VerifierKey:
        """The key that signs the checkpoint of that many entries."""
        key = self.changes[0].previous if self.changes else self.trusted
        for change in self.changes:
            if change.index < size:
                key = change.following
        return key

    def untrusted_from(self) -> int | None:
        """The index of the first change where no key of the chain is the trusted one, else None."""
        if not self.changes:
            return None
        chain = {self.changes[0].previous.text, *(change.following.text for change in self.changes)}
        return None if self.trusted.text in chain else self.changes[0].index
