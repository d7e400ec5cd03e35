"""Reads a vignette's file, checks everything about it, and says each fault in one line with its fix."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from model.dictionary import Dictionary
from service.learning.facts import fact_faults, settled
from service.learning.language import language_faults
from service.learning.shape import ShapeRefused, shaped
from service.learning.vignette import Vignette

SHIPPED = Path(__file__).parent / "vignettes"
LARGEST = 65_536
"""Bytes of a file; the longest vignette that the other limits allow is well below."""


@dataclass(frozen=True, slots=True)
class Read:
    """One file: its vignette, or the faults for which there is none, a line each."""

    path: Path
    vignette: Vignette | None
    faults: tuple[str, ...] = ()


def read_vignette(path: Path, dictionary: Dictionary, taken: frozenset[str] = frozenset()) -> Read:
    """Reads and checks one file; `taken` are codes that it may not have. What is wrong is in `faults`."""
    try:
        data = path.read_bytes()
        if len(data) > LARGEST:
            return _refused(path, [f"file: larger than {LARGEST} bytes; shorten it"])
        vignette, wording = _told(data)
    except OSError as error:
        return _refused(path, [f"file: cannot be read: {error.strerror}"])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return _refused(path, [f"file: not valid TOML: {error}"])
    except ShapeRefused as refusal:
        return _refused(path, refusal.faults)
    faults = [*fact_faults(vignette, dictionary), *wording]
    if vignette.code != path.stem:
        faults.append(f"code: {vignette.code!r} is not the file's name; call the file {vignette.code}.toml")
    if vignette.code in taken:
        faults.append(f"code: {vignette.code!r} is a shipped training case; choose another, and call the file so")
    return _refused(path, faults) if faults else Read(path, settled(vignette, dictionary))


@lru_cache(maxsize=64)
def _told(data: bytes) -> tuple[Vignette, tuple[str, ...]]:
    """What a file's bytes tell, and the faults of its words. Raises `ShapeRefused` and what tomllib raises.

    Kept, since each app reads every file, and a reload makes a new app of files that have seldom changed. Facts are
    not in it: they go by the dictionary.
    """
    vignette = shaped(tomllib.loads(data.decode("utf-8")))
    return vignette, tuple(language_faults(vignette))


def _refused(path: Path, faults: list[str]) -> Read:
    return Read(path, None, tuple(f"{path.name}: {fault}" for fault in faults))


def read_folder(folder: Path, dictionary: Dictionary, taken: frozenset[str] = frozenset()) -> list[Read]:
    """Every `*.toml` of a folder, in the order of their names. Raises `OSError` where it is no folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    return [read_vignette(path, dictionary, taken) for path in files]


def taken_codes() -> frozenset[str]:
    """The codes of the shipped vignettes, which no other may have."""
    return frozenset(path.stem for path in SHIPPED.glob("*.toml"))


def read_shelf(own: Path | None, dictionary: Dictionary) -> list[Read]:
    """The shipped vignettes, then those of a facilitator's own folder, whose codes must be new. Raises `OSError`."""
    return read_folder(SHIPPED, dictionary) + ([] if own is None else read_folder(own, dictionary, taken_codes()))
