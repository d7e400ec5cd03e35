"""The manifest beside an export: what the file holds, under which checkpoint, and its digest.

The export's own entry in the log names the digest too, so that a manifest made up later is found out there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from service.log.checkpoint import VerifierKey
from service.log.entry import EntryError, read_leaf
from service.log.projection import facts_of
from service.log.schema import LogError
from service.log.stored import StoredEntry
from service.log.table import read_columns

Form = Literal["jsonl", "csv", "parquet"]
FORMS: tuple[str, ...] = get_args(Form)
VERSION = 1
SUFFIX = ".manifest.json"
UNREADABLE = "unreadable"
_BLOCK = 1 << 20


class ManifestError(LogError):
    """A manifest that does not fit its file, or is none; one line."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself.

    Entries `start` to `stop` (exclusive) of the log of `size` entries that `checkpoint` signs; how many of each kind;
    the versions of the models that they name; SHA-256 (hexadecimal) and length of the file in bytes. `recorded_at` is
    the index of the entry that tells of this export; None where it was made by one who may only read.
    """

    manifest: int
    format: str
    origin: str
    start: int
    stop: int
    size: int
    checkpoint: str
    entries: int
    kinds: dict[str, int]
    models: list[str]
    sha256: str
    bytes: int
    recorded_at: int | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in an export: entries by kind, and the versions of the models that they name."""

    kinds: dict[str, int]
    models: list[str]


def manifest_path(export: Path) -> Path:
    """Where the manifest of an export is."""
    return export.with_name(export.name + SUFFIX)


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    return orjson.dumps(_renamed(asdict(manifest)), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_manifest(export: Path) -> Manifest:
    """The manifest of an export. Raises `ManifestError`, or `OSError` where it is not there."""
    path = manifest_path(export)
    try:
        said = orjson.loads(path.read_bytes())
        manifest = Manifest(**{field.name: said.pop(_said_as(field.name)) for field in fields(Manifest)})
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise ManifestError(f"{path}: is not a manifest that this service wrote") from None
    if said or manifest.manifest != VERSION or manifest.format not in FORMS:
        raise ManifestError(f"{path}: is not a manifest of version {VERSION}")
    return manifest


def file_digest(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def tally(export: Path, form: str, start: int | None = None) -> Tally:
    """Counts what an export holds; with `start`, raises `ManifestError` where its indexes do not run on from there.

    What cannot be read is counted as kind "unreadable": a damaged log is exported as it is, for the verifier to name.
    """
    kinds: Counter[str] = Counter()
    models: set[str] = set()
    for number, (index, kind, model) in enumerate(_rows(export, form)):
        if start is not None and index != str(start + number):
            raise ManifestError(f"{export}: where entry {start + number} should stand is another, or none")
        kinds[kind] += 1
        models.add(model)
    return Tally(dict(sorted(kinds.items())), sorted(models - {""}))


def check_manifest(export: Path, key: VerifierKey) -> Manifest:
    """The manifest of an export, once it fits the file and its checkpoint is signed by the key.

    Raises `ManifestError`, naming the first thing that does not fit; `CheckpointError`; `LogError`; `OSError`.
    """
    manifest = read_manifest(export)
    if export.stat().st_size != manifest.bytes or file_digest(export) != manifest.sha256:
        raise ManifestError(f"{export}: is not the file that its manifest tells of: another length or SHA-256")
    signed = key.open(manifest.checkpoint)
    counted = tally(export, manifest.format, manifest.start)
    for name, said, true in (
        ("origin", manifest.origin, key.name),
        ("size", manifest.size, signed.size),
        ("entries", manifest.entries, sum(counted.kinds.values())),
        ("to", manifest.stop, manifest.start + manifest.entries),
        ("kinds", manifest.kinds, counted.kinds),
        ("models", manifest.models, counted.models),
    ):
        if said != true:
            raise ManifestError(f"{manifest_path(export)}: its {name} is not that of the file or its checkpoint")
    if not 0 <= manifest.start <= manifest.stop <= manifest.size:
        raise ManifestError(f"{manifest_path(export)}: from and to are not within size")
    if manifest.format == "jsonl" and _last_checkpoint(export) != manifest.checkpoint:
        raise ManifestError(f"{manifest_path(export)}: its checkpoint is not the one in the file")
    return manifest


def _rows(export: Path, form: str) -> Iterable[tuple[str, ...]]:
    return _entry_lines(export) if form == "jsonl" else read_columns(export, form, ("index", "kind", "model"))


def _entry_lines(export: Path) -> Iterator[tuple[str, str, str]]:
    with export.open("rb") as lines:
        for line in lines:
            said = _parsed(line)
            if "leaf" in said:
                yield str(said.get("index")), *_kind_and_model(said)


def _kind_and_model(said: dict[str, Any]) -> tuple[str, str]:
    try:
        leaf = read_leaf(said["leaf"].encode())
        payload = None if said["payload"] is None else said["payload"].encode()
        entry = StoredEntry(0, leaf.entry_id, leaf.kind, leaf.at, b"", "", payload, "")
        return leaf.kind, facts_of(entry).model or ""
    except (orjson.JSONDecodeError, KeyError, AttributeError, EntryError):
        return UNREADABLE, ""


def _last_checkpoint(export: Path) -> object:
    last = b""
    with export.open("rb") as lines:
        for line in lines:
            last = line
    return _parsed(last).get("checkpoint")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _renamed(content: dict[str, Any]) -> dict[str, Any]:
    return {_said_as(name): value for name, value in content.items()}


def _said_as(name: str) -> str:
    # `from` is a word of Python.
    return {"start": "from", "stop": "to"}.get(name, name)
