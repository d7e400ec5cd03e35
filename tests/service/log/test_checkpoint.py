from __future__ import annotations

import stat
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from service.log.checkpoint import (
    BadSignature,
    Checkpoint,
    CheckpointError,
    MalformedCheckpoint,
    SigningKey,
    SigningKeyError,
    UnsignedCheckpoint,
    VerifierKey,
    WrongOrigin,
    create_signing_key,
    load_signing_key,
)

ORIGIN = "test.invalid/log"
ROOT = bytes(range(32))
KEY_TEXT = "test.invalid/log+16bd1189+AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return create_signing_key(tmp_path_factory.mktemp("key") / "log.pem", ORIGIN)


def test_a_checkpoint_has_the_published_form(signing: SigningKey) -> None:
    note = signing.sign(42, ROOT)
    body, _, signatures = note.partition("\n\n")
    assert body.split("\n") == [ORIGIN, "42", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    dash, name, encoded = signatures.rstrip("\n").split(" ")
    assert (dash, name) == ("\u2014", ORIGIN)
    assert b64decode(encoded)[:4] == signing.verifier.key_id
    assert len(b64decode(encoded)) == 4 + 64


def test_signed_opens_as_what_was_signed(signing: SigningKey) -> None:
    assert signing.verifier.open(signing.sign(42, ROOT)) == Checkpoint(ORIGIN, 42, ROOT)


def test_the_key_id_is_that_of_the_signed_note_format(signing: SigningKey) -> None:
    assert VerifierKey.parse(KEY_TEXT).text == KEY_TEXT
    name, key_id, encoded = signing.verifier.text.split("+", 2)
    assert key_id == sha256(f"{name}\n".encode() + b64decode(encoded)).hexdigest()[:8]


@given(st.data())
def test_any_change_of_a_note_is_refused(signing: SigningKey, data) -> None:
    note = signing.sign(1234, ROOT)
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != note[at]))
    way = data.draw(st.sampled_from(["change", "remove", "insert", "cut"]))
    changed = {
        "change": note[:at] + other + note[at + 1 :],
        "remove": note[:at] + note[at + 1 :],
        "insert": note[:at] + other + note[at:],
        "cut": note[:at],
    }[way]
    if changed != note:
        with pytest.raises(CheckpointError):
            signing.verifier.open(changed)


def test_each_refusal_has_a_name(signing: SigningKey, tmp_path: Path) -> None:
    note = signing.sign(42, ROOT)
    other_key = create_signing_key(tmp_path / "other.pem", ORIGIN)
    other_log = create_signing_key(tmp_path / "log.pem", "other.invalid/log")
    with pytest.raises(UnsignedCheckpoint):
        other_key.verifier.open(note)
    with pytest.raises(WrongOrigin):
        other_log.verifier.open(note)
    with pytest.raises(BadSignature):
        signing.verifier.open(note.replace("\n42\n", "\n43\n"))
    for malformed in ("", "\n\n", ORIGIN, note.replace("\n42\n", "\n042\n"), note.replace("42", "-1"), note[:-1]):
        with pytest.raises(MalformedCheckpoint):
            signing.verifier.open(malformed)


def test_signatures_of_witnesses_do_not_disturb(signing: SigningKey, tmp_path: Path) -> None:
    witness = create_signing_key(tmp_path / "witness.pem", "witness.invalid")
    line = witness.sign(42, ROOT).split("\n\n")[1]
    note = signing.sign(42, ROOT)
    assert signing.verifier.open(note + line).size == 42
    body, own = note.split("\n\n")
    assert signing.verifier.open(f"{body}\n\n{line}{own}").size == 42


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.pem"
    made = create_signing_key(path, ORIGIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (tmp_path / "keys" / "log.pub").read_text() == made.verifier.text + "\n"
    assert sorted(file.name for file in path.parent.iterdir()) == ["log.pem", "log.pub"]
    loaded = load_signing_key(path, ORIGIN)
    assert made.verifier.open(loaded.sign(1, ROOT)).size == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    create_signing_key(tmp_path / "log.pem", ORIGIN)
    (tmp_path / "log.pem").chmod(mode)
    with pytest.raises(SigningKeyError, match="chmod 600"):
        load_signing_key(tmp_path / "log.pem", ORIGIN)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "log.pem", ORIGIN)
    kept = (tmp_path / "log.pem").read_bytes(), (tmp_path / "log.pub").read_bytes()
    with pytest.raises(FileExistsError):
        create_signing_key(tmp_path / "log.pem", ORIGIN)
    assert ((tmp_path / "log.pem").read_bytes(), (tmp_path / "log.pub").read_bytes()) == kept
    assert len(list(tmp_path.iterdir())) == 2


def test_another_kind_of_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.pem"
    path.touch(mode=0o600)
    path.write_text("no key")
    with pytest.raises(SigningKeyError, match="PEM"):
        load_signing_key(path, ORIGIN)
    curve = generate_private_key(SECP256R1())
    path.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SigningKeyError, match="Ed25519"):
        load_signing_key(path, ORIGIN)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "nbsp\u00a0here"])
def test_a_name_that_cannot_stand_in_a_note_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SigningKeyError, match="name"):
        create_signing_key(tmp_path / "log.pem", name)
    assert not (tmp_path / "log.pem").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AA==",
        KEY_TEXT.replace("log+", "log+0"),
        KEY_TEXT.replace("test", "text"),
        KEY_TEXT[:-2],
    ],
)
def test_a_damaged_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(SigningKeyError):
        VerifierKey.parse(text)
