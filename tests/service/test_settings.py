"""Every setting is documented, and one that cannot be used is a line that names it."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from service import settings as module
from service.settings import Settings, SettingsError, read_settings

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "operator.md"
NAMED = re.compile(r"`(GROUNDS_[A-Z_]+)`")


def test_every_setting_is_in_the_operator_s_guide_and_nothing_else_is():
    documented = {
        found
        for line in GUIDE.read_text().splitlines()
        if line.startswith("| `GROUNDS_")
        for found in NAMED.findall(line.split("|")[1])
    }
    source = inspect.getsource(module)
    said = set(re.findall(r'"""(GROUNDS_[A-Z_]+):', source))
    assert documented == said
    assert len(said) == len(dataclasses.fields(Settings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "x"),
        ("WORKERS", "0"),
        ("THREADS", "0"),
        ("BODY_LIMIT", "1"),
        ("BODY_SECONDS", "1"),
        ("AUDIT_RATE", "often"),
        ("SCREENING_RATE", "0/minute"),
        ("LOG_DATABASE", "postgresql://user:secret@host/name"),
        ("OIDC_ISSUER", "http://issuer.example"),
        ("VIGNETTES", "/no/such/folder"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"GROUNDS_{name}", value)
    with pytest.raises(SettingsError, match=name) as refused:
        read_settings()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("cores", "workers"), [(1, 2), (2, 2), (6, 6)])
def test_there_are_two_workers_at_least_unless_one_is_asked_for(monkeypatch, cores, workers):
    monkeypatch.delenv("GROUNDS_WORKERS", raising=False)
    monkeypatch.setattr(module, "usable_cores", lambda: cores)
    assert read_settings().workers == workers
    monkeypatch.setenv("GROUNDS_WORKERS", "1")
    assert read_settings().workers == 1


def test_an_issuer_needs_an_audience(monkeypatch):
    monkeypatch.setenv("GROUNDS_OIDC_ISSUER", "https://issuer.example")
    with pytest.raises(SettingsError, match="GROUNDS_OIDC_AUDIENCE"):
        read_settings()
