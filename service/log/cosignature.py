"""A witness's cosignature (C2SP tlog-cosignature, Ed25519, version 1): who saw this checkpoint consistent, and when."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.log.checkpoint import (
    BadSignature,
    SigningKey,
    SigningKeyError,
    UnsignedCheckpoint,
    VerifierKey,
    create_signing_key,
    load_signing_key,
    note_line,
    split_note,
)

_COSIGNATURE = b"\x04"
_KEY_ID_BYTES, _TIME_BYTES, _SIGNATURE_BYTES = 4, 8, 64


class CosignatureVerifier:
    """Checks the cosignatures of one witness, by its name and Ed25519 key."""

    def __init__(self, name: str, public: Ed25519PublicKey) -> None:
        encoded = _COSIGNATURE + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = name
        self.key_id = sha256(name.encode() + b"\n" + encoded).digest()[:_KEY_ID_BYTES]
        self._public = public

    def time_of(self, note: str) -> int:
        """When the witness saw the note's checkpoint, in seconds since 1970.

        Raises `UnsignedCheckpoint` where it did not cosign it, `BadSignature`, or `MalformedCheckpoint`.
        """
        body, signatures = split_note(note)
        for name, signature in signatures:
            if name == self.name and signature[:_KEY_ID_BYTES] == self.key_id:
                stamped, signed = signature[_KEY_ID_BYTES:][:_TIME_BYTES], signature[_KEY_ID_BYTES + _TIME_BYTES :]
                seconds = int.from_bytes(stamped)
                try:
                    self._public.verify(signed, _message(seconds, body))
                except InvalidSignature:
                    raise BadSignature("the witness's cosignature does not belong to the checkpoint") from None
                return seconds
        raise UnsignedCheckpoint("the checkpoint is not cosigned by this witness")


class Cosigner:
    """A witness's key. Never the key of a log: what each signs begins differently, and so does each's key id."""

    def __init__(self, key: SigningKey) -> None:
        """The key's name is the witness's."""
        self._key = key
        self.verifier = CosignatureVerifier(key.name, key.public)

    def line(self, note: str, seconds: int) -> str:
        """The signature line, with its newline, to be added to a note; `seconds` since 1970."""
        body, _ = split_note(note)
        signed = self._key.sign_bytes(_message(seconds, body))
        return note_line(self._key.name, self.verifier.key_id + seconds.to_bytes(_TIME_BYTES) + signed)


def open_cosigner(path: Path, name: str) -> Cosigner:
    """The witness's key in a PEM file, made on first use; the name is kept in the .pub file beside it.

    Raises `SigningKeyError` or `OSError`.
    """
    if not path.exists():
        return Cosigner(create_signing_key(path, name))
    public = path.with_suffix(".pub")
    if not public.exists():
        raise SigningKeyError(f"{public}: the witness's name is kept here, and the file is gone; restore it")
    return Cosigner(load_signing_key(path, VerifierKey.parse(public.read_text(encoding="utf-8")).name))


def _message(seconds: int, body: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()
