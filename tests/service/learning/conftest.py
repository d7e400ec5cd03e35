"""A released model over the shipped dictionary, and the shipped vignettes read against it."""

from __future__ import annotations

import pytest

from model.dictionary import shipped_dictionary
from service.learning.lesson import Lessons
from service.learning.reader import SHIPPED, read_vignette
from service.model_files import load_active
from service.screening.answer import AnswerWriter
from tests.service.conftest import hand_made_model, release_into, settings_in

DICTIONARY = shipped_dictionary()
VIGNETTES = {path.stem: read_vignette(path, DICTIONARY).vignette for path in sorted(SHIPPED.glob("*.toml"))}


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    settings = settings_in(tmp_path_factory.mktemp("learning"))
    release_into(settings, hand_made_model(DICTIONARY))
    return load_active(settings.models, settings.keys)


@pytest.fixture(scope="session")
def writer(released):
    return AnswerWriter(released.model)


@pytest.fixture(scope="session")
def lessons(released, writer):
    return Lessons(released, writer)


@pytest.fixture
def vignette_file(tmp_path):
    """Writes a shipped vignette's file with one passage replaced, and says where."""

    def write(old: str = "", new: str = "", of: str = "half-a-picture", name: str = "") -> object:
        text = (SHIPPED / f"{of}.toml").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / f"{name or of}.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write
