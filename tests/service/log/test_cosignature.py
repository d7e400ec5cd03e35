"""Cosignatures are those of C2SP tlog-cosignature, version 1."""

from __future__ import annotations

import struct
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.log.checkpoint import BadSignature, SigningKey, SigningKeyError, UnsignedCheckpoint, create_signing_key
from service.log.cosignature import CosignatureVerifier, Cosigner, open_cosigner

NAME = "witness.example.com/w1"
SECONDS = 1_679_315_147


@pytest.fixture
def note(key: SigningKey) -> str:
    return key.sign(20_852_163, bytes(range(32)))


def test_a_cosignature_is_spelt_out_as_the_specification_has_it(note: str, tmp_path: Path) -> None:
    cosigner = open_cosigner(tmp_path / "witness.pem", NAME)
    dash, name, encoded = cosigner.line(note, SECONDS).rstrip("\n").split(" ")
    raw = b64decode(encoded)
    key_id, seconds, signature = struct.unpack(">4sQ64s", raw)
    assert (dash, name, seconds) == ("—", NAME, SECONDS)
    bare = b64decode((tmp_path / "witness.pub").read_text().split("+", 2)[2])[1:]
    assert key_id == sha256(NAME.encode() + b"\n\x04" + bare).digest()[:4]
    body = note.partition("\n\n")[0] + "\n"
    Ed25519PublicKey.from_public_bytes(bare).verify(signature, f"cosignature/v1\ntime {SECONDS}\n{body}".encode())


def test_key_ids_of_published_witnesses() -> None:
    """A witness's verifier key that is published as an example of the format in transparency-dev/formats."""
    name, key_id, encoded = ["remora.n621.de", "da77ade7", "BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"]
    raw = b64decode(encoded)
    assert raw[:1] == b"\x04"
    assert CosignatureVerifier(name, Ed25519PublicKey.from_public_bytes(raw[1:])).key_id.hex() == key_id


def test_the_log_key_and_the_witness_key_both_open_the_note(note: str, key: SigningKey, tmp_path: Path) -> None:
    cosigner = open_cosigner(tmp_path / "witness.pem", NAME)
    cosigned = note + cosigner.line(note, SECONDS)
    assert cosigner.verifier.time_of(cosigned) == SECONDS
    assert key.verifier.open(cosigned) == key.verifier.open(note)
    again = open_cosigner(tmp_path / "witness.pem", "ignored.invalid")
    assert again.verifier.time_of(cosigned) == SECONDS
    other = open_cosigner(tmp_path / "other.pem", NAME)
    with pytest.raises(UnsignedCheckpoint):
        other.verifier.time_of(cosigned)
    with pytest.raises(UnsignedCheckpoint):
        cosigner.verifier.time_of(note)


def test_neither_time_nor_text_can_be_changed(note: str, tmp_path: Path) -> None:
    cosigner = open_cosigner(tmp_path / "witness.pem", NAME)
    line = cosigner.line(note, SECONDS)
    with pytest.raises(BadSignature):
        cosigner.verifier.time_of(note.replace("\n20852163\n", "\n20852164\n") + line)
    later = cosigner.line(note, SECONDS + 1)
    first, second = (b64decode(each.split(" ")[2]) for each in (line, later))
    forged = Cosigner(create_signing_key(tmp_path / "forge.pem", NAME))
    assert first[12:] != second[12:]
    with pytest.raises(UnsignedCheckpoint):
        cosigner.verifier.time_of(note + forged.line(note, SECONDS))


def test_a_key_without_its_name_is_refused(tmp_path: Path) -> None:
    open_cosigner(tmp_path / "witness.pem", NAME)
    (tmp_path / "witness.pub").unlink()
    with pytest.raises(SigningKeyError, match="name"):
        open_cosigner(tmp_path / "witness.pem", NAME)
