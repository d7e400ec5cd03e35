"""Who may call by CDS Hooks: a file of issuers, each bound to one of the service's own keys.

The key gives an issuer its role and agency. So an issuer is created, expires and is revoked as every key is, with its
entries in the log; and the key's holder can open what the issuer's calls made, on the pages and by the API. A key that
is rotated hands the issuer on to the new one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.settings import Settings, SettingsError, is_own_or_https

SETTING = "GROUNDS_CDS_ISSUERS"
_FIELDS = {"iss", "key", "jwks_file", "jwks_url", "origins"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """A system that calls. Its public keys come from a file or from an address, never from the call itself.

    `key_id` is the id of a practitioner's key, or of one whose place that took. `origins` are the browser origins that
    may call in its name (CORS).
    """

    iss: str
    key_id: str
    jwks_file: Path | None
    jwks_url: str | None
    origins: frozenset[str]


@dataclass(frozen=True, slots=True)
class CdsPlan:
    """The issuers, by `iss`; the address by which they reach the service; the folder of tokens that were seen."""

    issuers: Mapping[str, Issuer]
    url: str
    seen: Path


def cds_plan(settings: Settings) -> CdsPlan | None:
    """The plan of these settings; None where there are no issuers, and then no CDS Hooks. Raises `SettingsError`."""
    if settings.cds_issuers is None:
        return None
    if not settings.public_url:
        raise SettingsError(f"GROUNDS_PUBLIC_URL: set the service's own address; with {SETTING} it is what tokens name")
    issuers = read_issuers(settings.cds_issuers)
    return CdsPlan({one.iss: one for one in issuers}, settings.public_url, settings.run / "seen-tokens")


def read_issuers(path: Path) -> list[Issuer]:
    """The issuers of a TOML file. Raises `SettingsError`: one line with the fix."""
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("issuer", [])
    except (OSError, ValueError) as error:
        raise SettingsError(f"{SETTING}: {path} cannot be read: {error}") from None
    if not isinstance(listed, list) or not listed:
        raise SettingsError(f"{SETTING}: {path} names no [[issuer]]; add one, or leave the setting out")
    issuers = [_issuer(raw, f"{SETTING}: {path}: issuer {place}", path) for place, raw in enumerate(listed, 1)]
    if len({one.iss for one in issuers}) < len(issuers):
        raise SettingsError(f"{SETTING}: {path}: two issuers have the same iss; give each once")
    return issuers


def _issuer(raw: Any, where: str, path: Path) -> Issuer:
    if not isinstance(raw, dict) or raw.keys() - _FIELDS:
        raise SettingsError(f"{where}: takes {', '.join(sorted(_FIELDS))} and nothing else")
    for name in ("iss", "key"):
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise SettingsError(f"{where}: {name} is missing; add it")
    file, url = raw.get("jwks_file"), raw.get("jwks_url")
    if (file is None) == (url is None) or not isinstance(file or url, str):
        raise SettingsError(f"{where}: give its public keys as jwks_file or as jwks_url")
    if url is not None and not is_own_or_https(url):
        raise SettingsError(f"{where}: jwks_url must begin with https://")
    origins = raw.get("origins", [])
    if not isinstance(origins, list) or not all(_is_origin(one) for one in origins):
        raise SettingsError(f'{where}: origins takes a list such as ["https://ehr.example"]')
    found = None if file is None else (path.parent / file)
    if found is not None and not found.is_file():
        raise SettingsError(f"{where}: {found} is no file; put the issuer's public keys there")
    return Issuer(raw["iss"], raw["key"], found, url, frozenset(origins))


def _is_origin(value: object) -> bool:
    if not isinstance(value, str) or not is_own_or_https(value):
        return False
    parts = urlsplit(value)
    return value == f"{parts.scheme}://{parts.netloc}"
