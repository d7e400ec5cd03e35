"""A model that cannot be trusted is not served."""

import json

import pytest

from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError
from service.model_files import RELEASE_PUBLIC_KEY, load_active
from tests.service.conftest import VERSION
from training.release.story import sign, signing_key


def test_a_released_model_is_loaded(settings):
    released = load_active(settings.models, settings.keys)
    assert released.model.version == VERSION
    assert len(released.sha256) == 64


def test_one_changed_byte_is_refused(settings):
    path = settings.models / VERSION / MODEL_FILE
    path.write_bytes(path.read_bytes().replace(b'"intercept": -3.0', b'"intercept": -4.0'))
    with pytest.raises(ArtefactError, match="signature does not fit"):
        load_active(settings.models, settings.keys)


def test_a_signature_by_another_key_is_refused(settings, tmp_path):
    folder = settings.models / VERSION
    (folder / SIGNATURE_FILE).write_bytes(sign((folder / MODEL_FILE).read_bytes(), signing_key(tmp_path / "other")))
    with pytest.raises(ArtefactError, match="signed by another key"):
        load_active(settings.models, settings.keys)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", json.dumps({"key_id": "x", "signature": "?"}).encode()]
)
def test_what_is_no_signature_is_refused(settings, content):
    (settings.models / VERSION / SIGNATURE_FILE).write_bytes(content)
    with pytest.raises(ArtefactError, match="not a model signature"):
        load_active(settings.models, settings.keys)


def test_a_missing_part_is_named(settings):
    (settings.keys / RELEASE_PUBLIC_KEY).unlink()
    with pytest.raises(ArtefactError, match="cannot read the release key"):
        load_active(settings.models, settings.keys)
    (settings.models / VERSION / SIGNATURE_FILE).unlink()
    with pytest.raises(ArtefactError, match="cannot read the model"):
        load_active(settings.models, settings.keys)
    (settings.models / "active").unlink()
    with pytest.raises(ArtefactError, match="no model is active"):
        load_active(settings.models, settings.keys)


def test_a_pickle_is_never_loaded(settings):
    (settings.models / VERSION / MODEL_FILE).write_bytes(b"\x80\x04\x95")
    with pytest.raises(ArtefactError):
        load_active(settings.models, settings.keys)


def test_a_released_model_has_the_compiled_kernel(settings):
    released = load_active(settings.models, settings.keys)
    assert (released.kernel is not None, released.kernel_state) == (True, "compiled")
