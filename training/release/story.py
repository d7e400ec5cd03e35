"""Gates passed, then: write, sign, activate. A release is whole or not at all."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from model.artefact import MODEL_FILE, SIGNATURE_FILE, digest, read_model, signed_message
from model.files import write_whole
from model.overrides import OVERRIDABLE, OVERRIDES_FILE, write_overrides
from training.release.archive import ESTIMATORS_FILE, archive_beside, archive_files
from training.release.folder import put_folder, put_version
from training.release.gate import Gate
from training.release.gates import NO_OVERRIDES, AskedOverrides, ReleaseError, gates, override
from training.release.gates_active import active_gates
from training.release.released import ACTIVE, PUBLIC_KEY, record_release
from training.report_page.against import read_against
from training.report_page.write import card_files

__all__ = ["ACTIVE", "PUBLIC_KEY", "AskedOverrides", "Gate", "ReleaseError", "gates", "release", "sign", "signing_key"]

PRIVATE_KEY = "release.pem"
KEY_ID_DIGITS = 8
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def release(
    trained: Path,
    models: Path,
    keys: Path,
    tell: Callable[[list[Gate]], None],
    asked: AskedOverrides = NO_OVERRIDES,
    estimators: Path | None = None,
) -> str:
    """Checks, signs and activates the model in `trained`; returns its version. Raises `ReleaseError`.

    The fitted estimators go to `estimators` (default: a folder beside `models`), where no service looks, so that the
    model's explanations can be judged again later. `asked` names gates of quality that may fail; which of them did
    lies in the released folder, under the signature, and on the card there, beside every gate as it was judged. Nothing
    is changed when a gate fails. The pointer to the active model moves last, in one step. A version released before is
    left as it is, unless its files are not the ones that would be written now: then they are put right.
    """
    path = trained / MODEL_FILE
    if not path.exists():
        raise ReleaseError(f"{path}: no such file; run make train OUT={trained} first")
    data = path.read_bytes()
    model = read_model(data, str(path))
    checked, overrides = override([*gates(model), *active_gates(trained, data, models)], asked)
    tell(checked)
    if failed := [gate.name for gate in checked if not (gate.passed or gate.overridden)]:
        raise ReleaseError(f"not released: {', '.join(failed)}; {_way_out(failed, trained)}")
    if not VERSION.fullmatch(model.version) or model.version == ACTIVE:
        raise ReleaseError(f"not released: version {model.version!r} cannot name a folder; train the model again")
    fitted = _fitted(trained)
    card = card_files(model, digest(data), tuple(overrides), checked, read_against(trained, digest(data)))
    key = signing_key(keys)
    lifted = write_overrides(overrides) if overrides else None
    signed = {MODEL_FILE: data, SIGNATURE_FILE: sign(data, key, lifted)}
    archive = archive_beside(models) if estimators is None else estimators
    put_folder(archive / model.version, archive_files(fitted, data, key))
    record_release(models, model.version)
    put_version(models, model.version, signed if lifted is None else {**signed, OVERRIDES_FILE: lifted}, card)
    return model.version


def _way_out(failed: list[str], trained: Path) -> str:
    """What may be done about gates that failed."""
    codes = [code for code, name in OVERRIDABLE.items() if name in failed]
    if len(codes) < len(failed):
        return f"the model stays in {trained}; nobody can lift all of these: train again"
    lifted = " ".join(f"--override {code}" for code in codes)
    return (
        f"the model stays in {trained}; more cases may help, or somebody answers for it: "
        f"python -m training release ... {lifted} --reason CODE --by ROLE (see --help)"
    )


def _fitted(trained: Path) -> bytes:
    path = trained / ESTIMATORS_FILE
    if not path.exists():
        raise ReleaseError(f"{path}: no such file; without it no explanation could be judged again: train the model")
    return path.read_bytes()


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """The release key, made on first use (mode 0600), its public half beside it. Raises `ReleaseError`."""
    private, public = keys / PRIVATE_KEY, keys / PUBLIC_KEY
    key = _read_key(private) if private.exists() else _make_key(private)
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if not public.exists() or public.read_bytes() != pem:
        write_whole(public, pem)
    return key


def _read_key(private: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(private.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(f"{private}: not an Ed25519 private key without a password; move it away to have one made")
    return key


def _make_key(private: Path) -> Ed25519PrivateKey:
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(private, pem, 0o600)
    return made


def sign(data: bytes, key: Ed25519PrivateKey, overrides: bytes | None = None) -> bytes:
    """The signature file for a model's bytes and its overridden gates.

    Ed25519 (RFC 8032) over `model.artefact.signed_message`.
    """
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    content: Mapping[str, Any] = {
        "format": 1,
        "algorithm": "Ed25519",
        "key_id": digest(public)[:KEY_ID_DIGITS],
        "model_sha256": digest(data),
        "signature": base64.b64encode(key.sign(signed_message(data, overrides))).decode(),
    }
    return (json.dumps(content, indent=1) + "\n").encode()
