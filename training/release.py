"""Gates passed, then: write, sign, activate. A release is whole or not at all."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, SIGNATURE_FILE, digest, promises_broken, read_model, signed_message
from model.files import sync_folder, write_whole
from training.archive import ESTIMATORS_FILE, archive_beside, archive_files

ACTIVE = "active"
PRIVATE_KEY = "release.pem"
PUBLIC_KEY = "release.pub.pem"
KEY_ID_DIGITS = 8
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")

ENOUGH_EVENTS = 100
"""At least this many outcomes among the training rows: the figure below which Van Calster and others (2016) advise
against judging calibration."""
SHAP_TOLERANCE = 1e-6
COMPILE_TOLERANCE = 1e-9


class ReleaseError(RuntimeError):
    """A release that must not happen; one line."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One line of the gate table."""

    name: str
    figure: str
    limit: str
    passed: bool


def gates(model: AdditiveModel) -> list[Gate]:
    """Every gate for a model, from what its own artefact says. Raises `ReleaseError` where that is too little."""
    try:
        return _gates(model)
    except (KeyError, TypeError) as error:
        raise ReleaseError(
            f"not released: the model does not say what the gates need ({error}); train it again"
        ) from None


def _gates(model: AdditiveModel) -> list[Gate]:
    training, evaluation = model.facts["training"], model.facts["evaluation"]
    broken = promises_broken(model)
    auc, plain = evaluation["grounds"]["auc"], evaluation["logistic regression"]["auc"]
    return [
        Gate("promises hold on the table", f"{len(broken)} broken", "0 broken", not broken),
        _at_most("contributions equal shap's", training["shap"]["largest_difference"], SHAP_TOLERANCE),
        _at_most("table equals the fitted estimators", training["compile_difference"], COMPILE_TOLERANCE),
        Gate("enough events", str(training["events"]), f">= {ENOUGH_EVENTS}", training["events"] >= ENOUGH_EVENTS),
        Gate(
            "no worse than logistic regression",
            f"AUC {auc['value']:.4f} (to {auc['high']:.4f})",
            f"upper end >= {plain['value']:.4f}",
            auc["high"] >= plain["value"],
        ),
    ]


def _at_most(name: str, figure: float, limit: float) -> Gate:
    return Gate(name, f"{figure:.1e}", f"<= {limit:.0e}", figure <= limit)


def release(
    trained: Path, models: Path, keys: Path, tell: Callable[[list[Gate]], None], estimators: Path | None = None
) -> str:
    """Checks, signs and activates the model in `trained`; returns its version. Raises `ReleaseError`.

    The fitted estimators go to `estimators` (default: a folder beside `models`), where no service looks, so that the
    model's explanations can be judged again later. Nothing is changed when a gate fails. The pointer to the active
    model moves last, in one step. A version released before is left as it is, unless its files are not the ones that
    would be written now: then they are put right.
    """
    path = trained / MODEL_FILE
    if not path.exists():
        raise ReleaseError(f"{path}: no such file; run make train OUT={trained} first")
    data = path.read_bytes()
    model = read_model(data, str(path))
    checked = gates(model)
    tell(checked)
    if failed := [gate.name for gate in checked if not gate.passed]:
        raise ReleaseError(f"not released: {', '.join(failed)}")
    if not VERSION.fullmatch(model.version) or model.version == ACTIVE:
        raise ReleaseError(f"not released: version {model.version!r} cannot name a folder; train the model again")
    fitted = _fitted(trained)
    archive = archive_beside(models) if estimators is None else estimators
    _write_whole(archive / model.version, archive_files(fitted, data, signing_key(keys)))
    _write_whole(models / model.version, {MODEL_FILE: data, SIGNATURE_FILE: sign(data, signing_key(keys))})
    write_whole(models / ACTIVE, f"{model.version}\n".encode())
    return model.version


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


def sign(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature file for a model's bytes: Ed25519 (RFC 8032) over `model.artefact.signed_message`."""
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    content: Mapping[str, Any] = {
        "format": 1,
        "algorithm": "Ed25519",
        "key_id": digest(public)[:KEY_ID_DIGITS],
        "model_sha256": digest(data),
        "signature": base64.b64encode(key.sign(signed_message(data))).decode(),
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    if all((folder / name).is_file() and (folder / name).read_bytes() == data for name, data in files.items()):
        return
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for name, data in files.items():
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(fresh)
        if not folder.exists():
            fresh.rename(folder)
        else:
            for name in files:
                (fresh / name).replace(folder / name)
            sync_folder(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
