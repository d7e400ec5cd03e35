"""The archive of fitted estimators, one folder a released version: for `python -m training replay`, never the service.

`joblib.load` runs whatever code a file holds. So only a file is loaded that the release key signed, together with the
digest of the model that it was compiled to; and the bytes that are loaded are the very bytes that were checked, not a
file read a second time. `model.json` cannot hold the digest itself: its bytes are the same for the same data and seed,
and those of a pickle are not.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from model.artefact import digest

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and a release does not need it
    from training.fit.ensemble import AdditiveEnsemble

ESTIMATORS_FILE = "estimators.joblib"
STATEMENT_FILE = "estimators.sig.json"
ARCHIVE = "estimators"


class ArchiveError(ValueError):
    """Archived estimators that are not there or must not be loaded. One line with the fix."""


def archive_beside(models: Path) -> Path:
    """Where the estimators of the models in a folder are kept unless another place is given: beside that folder."""
    return models.resolve().parent / ARCHIVE


def archive_files(estimators: bytes, model: bytes, key: Ed25519PrivateKey) -> Mapping[str, bytes]:
    """The files of one version: the estimators as they are, and the signed statement of what they belong to."""
    stated = {
        "format": 1,
        "algorithm": "Ed25519",
        "model_sha256": digest(model),
        "estimators_sha256": digest(estimators),
    }
    signature = key.sign(_message(digest(model), digest(estimators)))
    content = {**stated, "signature": base64.b64encode(signature).decode()}
    return {ESTIMATORS_FILE: estimators, STATEMENT_FILE: (json.dumps(content, indent=1) + "\n").encode()}


def load_estimators(folder: Path, model_sha256: str, public_key: Path) -> AdditiveEnsemble:
    """The estimators of the model with that digest. Raises `ArchiveError`; what fails a check is not unpickled."""
    data = _checked(folder, model_sha256, public_key)
    import joblib

    from training.fit.ensemble import AdditiveEnsemble

    try:
        loaded = joblib.load(io.BytesIO(data))
    except Exception as error:  # a pickle of other versions may raise anything
        raise ArchiveError(
            f"{folder}: the estimators do not load with the versions installed ({type(error).__name__}); "
            "install those of the release's own requirements-train.lock"
        ) from None
    if not isinstance(loaded, AdditiveEnsemble):
        raise ArchiveError(f"{folder}: holds no ensemble of Grounds; release the model again")
    return loaded


def _checked(folder: Path, model_sha256: str, public_key: Path) -> bytes:
    try:
        data, statement = (folder / ESTIMATORS_FILE).read_bytes(), (folder / STATEMENT_FILE).read_bytes()
    except OSError as error:
        raise ArchiveError(
            f"{folder}: the model's estimators are not in the archive ({error.strerror}); release it with make release"
        ) from None
    try:
        key = load_pem_public_key(public_key.read_bytes())
        stated = json.loads(statement)
        signature = base64.b64decode(stated["signature"], validate=True)
        of_model, of_estimators = str(stated["model_sha256"]), str(stated["estimators_sha256"])
    except OSError as error:
        raise ArchiveError(f"{public_key}: cannot read the release key: {error.strerror}; give --keys") from None
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise ArchiveError(f"{folder / STATEMENT_FILE}: not a statement by the release key; release it again") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ArchiveError(f"{public_key}: not an Ed25519 public key; give the folder of the release key with --keys")
    try:
        key.verify(signature, _message(of_model, of_estimators))
    except InvalidSignature:
        raise ArchiveError(f"{folder}: the estimators' signature does not fit: not loaded") from None
    if digest(data) != of_estimators:
        raise ArchiveError(f"{folder}: the estimators are not those that were signed: not loaded")
    if of_model != model_sha256:
        raise ArchiveError(f"{folder}: the estimators belong to another model: not loaded")
    return data


def _message(model_sha256: str, estimators_sha256: str) -> bytes:
    return f"grounds estimators, format 1\n{model_sha256}\n{estimators_sha256}".encode()
