"""Signed checkpoints: C2SP tlog-checkpoint text in a C2SP signed note, by Ed25519.

A checkpoint says: the log of this name had this many entries, and this root over them.
"""

from __future__ import annotations

import binascii
import os
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from model.files import write_whole
from service.log.merkle import HASH_BYTES

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]{1,255}")
_SIGNATURE_MARK = "— "  # U+2014 and a space, as the signed-note format has it


class CheckpointError(ValueError):
    """A checkpoint that proves nothing; one of the errors below."""


class MalformedCheckpoint(CheckpointError):
    """Not a checkpoint in C2SP form."""


class WrongOrigin(CheckpointError):
    """A checkpoint of another log."""


class UnsignedCheckpoint(CheckpointError):
    """No signature by the key asked for."""


class BadSignature(CheckpointError):
    """The signature does not belong to the text."""


class SigningKeyError(ValueError):
    """A key file that cannot be used; one line with the fix."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log's name, its number of entries and the 32-byte root over their leaves."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further signed lines. Only the statement of a change of keys has one (service/log/key_history.py)."""

    def body(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


class VerifierKey:
    """The public half of a log's key. `text` is the signed-note form `name+keyid+base64`."""

    def __init__(self, name: str, public: Ed25519PublicKey) -> None:
        """Raises `SigningKeyError` where the name cannot stand in a signed note."""
        if not _NAME.fullmatch(name):
            raise SigningKeyError("a log's name (origin) must be without spaces and plus signs, and not empty")
        encoded = _ED25519 + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = name
        self.key_id = sha256(name.encode() + b"\n" + encoded).digest()[:_KEY_ID_BYTES]
        self.text = f"{name}+{self.key_id.hex()}+{b64encode(encoded).decode()}"
        self._public = public

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Reads the signed-note form. Raises `SigningKeyError`."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if raw[:1] != _ED25519 or len(raw) != 1 + HASH_BYTES:
            raise SigningKeyError("not a verifier key; it is one line: name+keyid+base64, with an Ed25519 key")
        key = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        if key.key_id.hex() != key_id:
            raise SigningKeyError("the verifier key's id does not belong to its name and key; copy the line again")
        return key

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a signed note. Raises a `CheckpointError` unless this key signed it for this log."""
        body, signatures = split_note(note)
        checkpoint = _read_body(body)
        if checkpoint.origin != self.name:
            raise WrongOrigin("the checkpoint is of a log of another name than the key")
        for name, signature in signatures:
            if name == self.name and signature[:_KEY_ID_BYTES] == self.key_id:
                try:
                    self._public.verify(signature[_KEY_ID_BYTES:], body.encode())
                except InvalidSignature:
                    raise BadSignature("the checkpoint's signature does not belong to its text") from None
                return checkpoint
        raise UnsignedCheckpoint("the checkpoint is not signed by this key")


class SigningKey:
    """The private half. `verifier` is the public one."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._verifier = VerifierKey(name, private.public_key())
        self._private = private

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return self._verifier

    @property
    def name(self) -> str:
        """The log's name, which is the checkpoints' origin."""
        return self.verifier.name

    def sign(self, size: int, root: bytes) -> str:
        """The signed note that this log had this size and root."""
        body = Checkpoint(self.name, size, root).body()
        return f"{body}\n{self.signature_line(body)}"

    def signature_line(self, body: str) -> str:
        """The line, with its newline, by which this key signs a note of that body; a note may hold several."""
        return note_line(self.name, self.verifier.key_id + self.sign_bytes(body.encode()))

    @property
    def public(self) -> Ed25519PublicKey:
        """The bare public key."""
        return self._private.public_key()

    def sign_bytes(self, message: bytes) -> bytes:
        """The bare 64-byte signature."""
        return self._private.sign(message)


def note_line(name: str, signature: bytes) -> str:
    """A signature line of a note, with its newline; `signature` begins with the four bytes of the key's id."""
    return f"{_SIGNATURE_MARK}{name} {b64encode(signature).decode()}\n"


def signs(key: VerifierKey, note: str) -> bool:
    """Whether the log goes on under that key after this checkpoint: its last signature line. Checks no signature.

    At a change of keys there are two lines, and the second is that of the key that takes over.
    """
    # Four bytes of id and two of signature are eight digits; the first five of them are of the id alone.
    start = f"{_SIGNATURE_MARK}{key.name} {b64encode(key.key_id).decode()[:5]}"
    return note.rstrip("\n").rpartition("\n")[2].startswith(start)


def create_signing_key(path: Path, origin: str) -> SigningKey:
    """Makes a key: `path` (PEM, mode 0600) and, beside it with the ending .pub, the verifier key as one line.

    The file appears whole or not at all. Raises `FileExistsError` where there is one already.
    """
    key = SigningKey(origin, Ed25519PrivateKey.generate())
    pem = key._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    finally:
        fresh.unlink()
    write_whole(path.with_suffix(".pub"), f"{key.verifier.text}\n".encode())
    return key


def load_signing_key(path: Path, origin: str) -> SigningKey:
    """Reads a private key file. Raises `SigningKeyError` (readable by others, not Ed25519) or `OSError`."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise SigningKeyError(f"{path}: others may read this private key; chmod 600 it, or make a new one")
        pem = file.read()
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise SigningKeyError(f"{path}: not an unencrypted PEM private key; restore it from your backup") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path}: not an Ed25519 key; restore it from your backup")
    return SigningKey(origin, private)


def read_unverified(note: str) -> Checkpoint:
    """What a note says, whoever signed it, if anyone. Raises `MalformedCheckpoint`."""
    return _read_body(split_note(note)[0])


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's body and its signatures: (name, key id and signature). Raises `MalformedCheckpoint`."""
    body, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise MalformedCheckpoint("not a signed note: a text, an empty line and signature lines are needed")
    return body + "\n", [_read_signature(line) for line in tail[:-1].split("\n")]


def _read_signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    signature = _strict_base64(encoded)
    if not line.startswith(_SIGNATURE_MARK) or not _NAME.fullmatch(name) or len(signature) <= _KEY_ID_BYTES:
        raise MalformedCheckpoint("a signature line of the note is malformed")
    return name, signature


def _read_body(body: str) -> Checkpoint:
    lines = body[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise MalformedCheckpoint("not a checkpoint: name, size and root, a line each, are needed")
    root = _strict_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise MalformedCheckpoint("the checkpoint's root is not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def _strict_base64(text: str) -> bytes:
    # Python's decoder lets unused bits differ, so one value would have several spellings.
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedCheckpoint("the note's base64 is malformed") from None
    if b64encode(raw).decode() != text:
        raise MalformedCheckpoint("the note's base64 is not in its one canonical spelling")
    return raw
