"""Where a witness gets a log's checkpoint and the proof that it continues the one it kept: over HTTP or from files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.error import URLError
from urllib.request import Request, urlopen

import orjson

from service.log.checkpoint import Checkpoint, UnsignedCheckpoint, VerifierKey, read_unverified
from service.log.merkle import verify_consistency
from service.log.publisher import NEWEST
from service.log.verifier import verify

_MOST_BYTES = 65_536
_SECONDS = 30.0
_HASH = re.compile(r"[0-9a-f]{64}")


class SourceError(RuntimeError):
    """Nothing could be checked, which accuses nobody: unreachable, no answer, a file that is missing. One line."""


class Inconsistent(RuntimeError):
    """The log contradicts itself or what it showed before. `proof` holds what it offered instead of a proof."""

    def __init__(self, what: str, proof: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.proof = list(proof)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the log shows now: the note, what it says, and the key that signed it."""

    note: str
    checkpoint: Checkpoint
    key: VerifierKey


class Source(Protocol):
    """A place where a log shows itself."""

    def note(self) -> str:
        """The newest checkpoint, unverified. Raises `SourceError`."""
        ...

    def check(self, note: str, key: VerifierKey, kept: str | None) -> Shown:
        """Verifies the note by the key, and that it continues `kept`, a note that this key signed.

        Raises `Inconsistent` or `CheckpointError` (the alarm), or `SourceError`.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpSource:
    """The service's own HTTP: `/v1/log/checkpoint` and `/v1/log/proof/consistency`."""

    address: str
    api_key: str | None = field(default=None, repr=False)

    def note(self) -> str:
        """As `Source`."""
        raw = self._get("/v1/log/checkpoint")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise SourceError(f"{self.address}: /v1/log/checkpoint is not text; is this a Grounds service?") from None

    def check(self, note: str, key: VerifierKey, kept: str | None) -> Shown:
        """As `Source`. A change of the log's key cannot be followed here; an export shows it."""
        try:
            shown = Shown(note, key.open(note), key)
        except UnsignedCheckpoint:
            raise SourceError(
                f"{self.address}: the checkpoint is not signed by this key; where the log's key was changed, an export "
                "shows that the new one follows from it: run once with --from EXPORT"
            ) from None
        if kept is not None:
            self._check_continues(key.open(kept), shown.checkpoint)
        return shown

    def _check_continues(self, before: Checkpoint, now: Checkpoint) -> None:
        check_not_shorter(before, now)
        if before.size in (0, now.size):
            return
        proof = self._proof(before.size, now.size)
        if not verify_consistency(before.size, now.size, [bytes.fromhex(n) for n in proof], before.root, now.root):
            raise Inconsistent(
                f"the log of {now.size} entries does not continue the log of {before.size} entries kept here: a fork",
                proof,
            )

    def _proof(self, old: int, new: int) -> list[str]:
        raw = self._get(f"/v1/log/proof/consistency?from={old}&to={new}")
        try:
            proof = orjson.loads(raw)["proof"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            proof = None
        if not isinstance(proof, list) or not all(isinstance(n, str) and _HASH.fullmatch(n) for n in proof):
            raise SourceError(f"{self.address}: the consistency proof is not JSON with hexadecimal hashes in `proof`")
        return proof

    def _get(self, path: str) -> bytes:
        headers = {"Accept": "text/plain, application/json", "Cache-Control": "no-cache"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        try:
            with urlopen(Request(self.address.rstrip("/") + path, headers=headers), timeout=_SECONDS) as answer:
                raw: bytes = answer.read(_MOST_BYTES + 1)
        except (URLError, OSError, ValueError) as error:
            raise SourceError(f"{self.address}: {path.partition('?')[0]} could not be read ({error})") from None
        if len(raw) > _MOST_BYTES:
            raise SourceError(f"{self.address}: {path.partition('?')[0]} is larger than {_MOST_BYTES} bytes")
        return raw


@dataclass(frozen=True, slots=True)
class FileSource:
    """An export, or a published checkpoint that an export proves; the export shows changes of the log's key too."""

    export: Path | None
    published: Path | None = None

    def note(self) -> str:
        """As `Source`."""
        path = self.published or self.export
        assert path is not None
        try:
            if self.published is not None:
                return self.published.read_text(encoding="utf-8")
            return _last_note(path)
        except (OSError, UnicodeDecodeError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise SourceError(f"{path}: no checkpoint could be read from it ({type(error).__name__})") from None

    def check(self, note: str, key: VerifierKey, kept: str | None) -> Shown:
        """As `Source`."""
        if self.export is None:
            return self._check_alone(note, key, kept)
        since = [text for text in (note if self.published else None, kept) if text is not None]
        try:
            with self.export.open("rb") as lines:
                report = verify(lines, key, since)
        except OSError as error:
            raise SourceError(f"{self.export}: {error.strerror}") from None
        size = read_unverified(note).size
        if self.published is not None and report.size < size:
            raise SourceError(f"{self.export}: holds {report.size} of {size} entries; make a newer export")
        if not report.ok or report.keys is None:
            raise Inconsistent(str(report.problems[0]))
        signer = report.keys.in_force(size)
        shown = signer.open(note)
        if kept is not None:
            check_not_shorter(read_unverified(kept), shown)  # an older note than the one kept must not walk it back
        return Shown(note, shown, signer)

    def _check_alone(self, note: str, key: VerifierKey, kept: str | None) -> Shown:
        shown = Shown(note, key.open(note), key)
        if kept is not None:
            before = key.open(kept)
            check_not_shorter(before, shown.checkpoint)
            if before.size not in (0, shown.checkpoint.size):
                raise SourceError(
                    f"{self.published}: a checkpoint alone does not show that it continues the one of {before.size} "
                    "entries kept here; add --export FILE"
                )
        return shown


def check_not_shorter(before: Checkpoint, now: Checkpoint) -> None:
    """Raises `Inconsistent` for a log that was rolled back, or that shows another history of the same size."""
    if now.size < before.size:
        raise Inconsistent(f"the log has {now.size} entries, and {before.size} were seen before: it was rolled back")
    if now.size == before.size and now.root != before.root:
        raise Inconsistent(f"the log of {now.size} entries is not the one kept here: a fork")


def source_of(where: str, export: Path | None, api_key: str | None) -> Source:
    """The source that `--from` names: an address, a folder of published checkpoints, a checkpoint or an export."""
    if where.startswith(("http://", "https://")):
        return HttpSource(where, api_key)
    path = Path(where)
    if path.is_dir():
        return FileSource(export, path / NEWEST)
    if not path.exists():
        raise SourceError(f"{where}: no such file; give an address (https://...), a folder, a checkpoint or an export")
    with path.open("rb") as file:
        is_export = file.read(1) == b"{"
    return FileSource(path) if is_export else FileSource(export, path)


def _last_note(export: Path) -> str:
    with export.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - _MOST_BYTES))
        return str(orjson.loads(file.read().splitlines()[-1])["checkpoint"])
