"""Released models on disk: one folder a version, a signature beside each, and a file that names the active one.

A model is loaded in three acts: read the bytes, check the signature and the content, construct. Nothing is unpickled.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError, digest, read_model, signed_message
from model.compiled import kernel_of
from model.grounds import GroundRules
from model.overrides import OVERRIDES_FILE, Override, read_overrides

if TYPE_CHECKING:
    from model.kernel import Kernel

ACTIVE = "active"
RELEASE_PUBLIC_KEY = "release.pub.pem"


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """A model whose signature was checked. `sha256` is the digest of its file, `key_id` of the key that signed.

    `overrides` are the gates that its release lifted, under the same signature.
    """

    model: AdditiveModel
    sha256: str
    key_id: str
    folder: Path
    overrides: tuple[Override, ...] = ()
    ground_rules: GroundRules = field(init=False, repr=False, compare=False)
    _kernel: list[tuple[Kernel | None, str]] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ground_rules", GroundRules(self.model.dictionary))

    @property
    def kernel(self) -> Kernel | None:
        """The compiled kernel, where there is one: made when first asked for, as most who load a model ask for none."""
        return self._made_kernel()[0]

    @property
    def kernel_state(self) -> str:
        """Why there is no kernel, or that there is one."""
        return self._made_kernel()[1]

    def _made_kernel(self) -> tuple[Kernel | None, str]:
        if not self._kernel:
            self._kernel.append(kernel_of(self.model))
        return self._kernel[0]


def load_active(models: Path, keys: Path) -> ReleasedModel:
    """The active model. Raises `ArtefactError` with one line where there is none or it cannot be trusted."""
    pointer = models / ACTIVE
    if not pointer.exists():
        raise ArtefactError(f"{pointer}: no model is active; run make train and make release, or make run")
    try:
        version = pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ArtefactError(f"{pointer}: cannot be read; release the model again with make release") from None
    return load_released(models / version, keys)


def released_versions(models: Path) -> tuple[str, ...]:
    """The versions in a folder of released models, the one released last first."""
    # Folders whose names begin with a dot are a release that was cut off.
    found = [path for path in models.glob(f"*/{MODEL_FILE}") if not path.parent.name.startswith(".")]
    return tuple(path.parent.name for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True))


def load_released(folder: Path, keys: Path) -> ReleasedModel:
    """The released model in a folder, its signature checked before anything is constructed. Raises `ArtefactError`."""
    path = folder / MODEL_FILE
    try:
        data, signature = path.read_bytes(), (folder / SIGNATURE_FILE).read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"{folder}: cannot read the model: {error.strerror}; release it with make release"
        ) from None
    overridden = _overrides(folder)
    key_id = _check_signature(signed_message(data, overridden), signature, keys / RELEASE_PUBLIC_KEY, folder)
    overrides = () if overridden is None else read_overrides(overridden, str(folder / OVERRIDES_FILE))
    return ReleasedModel(read_model(data, str(path)), digest(data), key_id, folder, overrides)


def _overrides(folder: Path) -> bytes | None:
    path = folder / OVERRIDES_FILE
    try:
        return path.read_bytes() if path.exists() else None
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read: {error.strerror}; release the model again") from None


def _check_signature(message: bytes, signature: bytes, public_key: Path, folder: Path) -> str:
    try:
        key = load_pem_public_key(public_key.read_bytes())
        stated = json.loads(signature)
        key_id, signed = str(stated["key_id"]), base64.b64decode(stated["signature"], validate=True)
    except OSError as error:
        raise ArtefactError(f"{public_key}: cannot read the release key: {error.strerror}") from None
    except UnsupportedAlgorithm:
        raise ArtefactError(f"{public_key}: not an Ed25519 public key") from None
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise ArtefactError(f"{folder / SIGNATURE_FILE}: not a model signature; release the model again") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ArtefactError(f"{public_key}: not an Ed25519 public key")
    try:
        key.verify(signed, message)
    except InvalidSignature:
        raise ArtefactError(
            f"{folder}: the model's signature does not fit; it was altered, or signed by another key"
        ) from None
    return key_id
