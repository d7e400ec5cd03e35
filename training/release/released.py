"""Released models as training sees them: the versions there are, and one of them read with its signature checked.

The service has a reader of its own (`service.model_files`): neither package may import the other.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError, digest, read_model, signed_message
from model.files import write_whole
from model.overrides import OVERRIDES_FILE, Override, read_overrides

ACTIVE = "active"
RELEASES = "releases"
WITHDRAWN = "-"
"""Before a version in the list of releases; none begins with it."""
PUBLIC_KEY = "release.pub.pem"


@dataclass(frozen=True, slots=True)
class Released:
    """A model as it was released: what is in its folder, its signature checked."""

    model: AdditiveModel
    sha256: str
    overrides: tuple[Override, ...]


def active_folder(models: Path) -> Path | None:
    """The folder that the pointer names, or None where there is no pointer. Raises `ArtefactError`."""
    pointer = models / ACTIVE
    if not pointer.exists():
        return None
    return models / _lines(pointer)[0] if _lines(pointer) else None


def active_version(models: Path) -> str | None:
    """The version that is active, or None where none is. Raises `ArtefactError`.

    A release that was killed while it wrote the active version again leaves the pointer at a stand-in of that version,
    `.VERSION.NUMBER` (`training.release.folder`).
    """
    folder = active_folder(models)
    if folder is None:
        return None
    return folder.name[1:].rpartition(".")[0] if folder.name.startswith(".") else folder.name


def released_versions(models: Path) -> list[str]:
    """Every version released into a folder, in the order of its latest release."""
    return [line.removeprefix(WITHDRAWN) for line in _releases(models)]


def standing_versions(models: Path) -> list[str]:
    """The same without those that were withdrawn: left by a rollback when the next one was released."""
    return [line for line in _releases(models) if not line.startswith(WITHDRAWN)]


def record_release(models: Path, version: str) -> None:
    """Puts a version last in the order of releases. Before the pointer moves: what is active is always in the list.

    What stands behind the active one was left by a rollback, and from now on is withdrawn: no way back leads to it.
    """
    before, active = _releases(models), active_version(models)
    if not before and active is not None:
        before = [active]  # released by a version of Grounds that kept no list
    if before[-1:] == [version]:
        return
    behind = before[before.index(active) + 1 :] if active in before else []
    kept = [f"{WITHDRAWN}{line.removeprefix(WITHDRAWN)}" if line in behind else line for line in before]
    after = [*(line for line in kept if line.removeprefix(WITHDRAWN) != version), version]
    write_whole(models / RELEASES, "".join(f"{line}\n" for line in after).encode())


def _releases(models: Path) -> list[str]:
    path = models / RELEASES
    return _lines(path) if path.exists() else []


def read_released(folder: Path, keys: Path) -> Released:
    """The released model in a folder. Raises `ArtefactError` with one line where it cannot be trusted."""
    path = folder / MODEL_FILE
    try:
        data, signature = path.read_bytes(), (folder / SIGNATURE_FILE).read_bytes()
        lifted = (folder / OVERRIDES_FILE).read_bytes() if (folder / OVERRIDES_FILE).exists() else None
    except OSError as error:
        raise ArtefactError(f"{folder}: cannot read the model: {error.strerror}; release it again") from None
    _check(signed_message(data, lifted), signature, keys / PUBLIC_KEY, folder)
    overrides = () if lifted is None else read_overrides(lifted, str(folder / OVERRIDES_FILE))
    return Released(read_model(data, str(path)), digest(data), overrides)


def _check(message: bytes, signature: bytes, public_key: Path, folder: Path) -> None:
    try:
        key = load_pem_public_key(public_key.read_bytes())
        signed = base64.b64decode(json.loads(signature)["signature"], validate=True)
    except OSError as error:
        raise ArtefactError(f"{public_key}: cannot read the release key: {error.strerror}; give --keys") from None
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


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise ArtefactError(f"{path}: cannot be read; release the model again with make release") from None
