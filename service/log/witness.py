"""A second party that keeps, cosigns and compares a log's checkpoints, and raises the alarm where they contradict.

In its folder: `state.json`, the log's key and newest checkpoint; `checkpoint`, the same with the witness's cosignature;
`checkpoints`, each that was kept, for `log verify --since`; `alarm-*.json`, the evidence.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from service.log.checkpoint import CheckpointError, SigningKeyError, VerifierKey
from service.log.cosignature import Cosigner
from service.log.witness_source import Inconsistent, Shown, Source, SourceError

_STATE, _NEWEST, _KEPT, _LOCK = "state.json", "checkpoint", "checkpoints", ".lock"


class Alarm(RuntimeError):
    """The log shows what it must not; one line. The evidence is kept at `evidence`."""

    def __init__(self, what: str, evidence: Path) -> None:
        super().__init__(f"{what}; evidence kept at {evidence}")
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that was verified and kept; `before` is the size kept before, None at the first time."""

    size: int
    before: int | None
    cosigned: bool
    key_changed: bool


@dataclass(frozen=True, slots=True)
class _State:
    """One file, so that key and checkpoint always belong together: `first` is the key that the folder began with."""

    first: str
    key: str
    checkpoint: str


def witness(
    source: Source,
    key: VerifierKey,
    folder: Path,
    cosigner: Cosigner | None = None,
    clock: Callable[[], float] = time.time,
) -> Witnessed:
    """Fetches, verifies, cosigns and keeps the newest checkpoint. `clock` gives seconds since 1970.

    Raises `Alarm` with the kept state untouched, and `SourceError` where nothing could be checked.
    """
    with _alone(folder):
        kept, trusted, before = _kept(folder, key)
        note = source.note()
        seconds = int(clock())
        try:
            shown = source.check(note, trusted, kept.checkpoint if kept else None)
        except (Inconsistent, CheckpointError) as error:
            evidence = {
                "at": seconds,
                "what": str(error),
                "offending": note,
                "kept": kept.checkpoint if kept else None,
                "proof": error.proof if isinstance(error, Inconsistent) else [],
                "key": trusted.text,
            }
            raise Alarm(str(error), _keep_evidence(folder, evidence)) from None
        cosigned = note if cosigner is None else note + cosigner.line(note, seconds)
        _keep(folder, shown, cosigned, kept.first if kept else key.text, shown.checkpoint.size != before)
        return Witnessed(shown.checkpoint.size, before, cosigner is not None, shown.key.text != trusted.text)


def _kept(folder: Path, given: VerifierKey) -> tuple[_State | None, VerifierKey, int | None]:
    """What was kept, the log's key as last seen, and the size. Raises `SourceError` for another log or key."""
    path = folder / _STATE
    if not path.exists():
        return None, given, None
    try:
        state = _State(**orjson.loads(path.read_bytes()))
        trusted = VerifierKey.parse(state.key)
        size = trusted.open(state.checkpoint).size
    except (orjson.JSONDecodeError, TypeError, AttributeError, SigningKeyError, CheckpointError) as error:
        raise SourceError(f"{path}: damaged ({type(error).__name__}); restore it, or begin a new folder") from None
    if given.text not in (state.key, state.first):
        raise SourceError(f"{folder}: was begun with another key than the one given; use a folder a log")
    return state, trusted, size


def _keep(folder: Path, shown: Shown, note: str, first: str, grew: bool) -> None:
    if grew:
        with (folder / _KEPT).open("ab") as file:
            file.write(orjson.dumps({"checkpoint": note}, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
    _write(folder / _STATE, orjson.dumps(asdict(_State(first, shown.key.text, note))).decode() + "\n")
    _write(folder / _NEWEST, note)


def _keep_evidence(folder: Path, evidence: dict[str, object]) -> Path:
    path = folder / f"alarm-{time.time_ns()}.json"
    _write(path, orjson.dumps(evidence, option=orjson.OPT_INDENT_2).decode() + "\n")
    return path


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One witness at a time in a folder: a run that overtakes another would take its newer state for a rollback."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
