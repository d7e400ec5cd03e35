"""Folders that appear whole, and the folder of a released version, which the active pointer may name meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from model.files import sync_folder, write_whole
from model.overrides import OVERRIDES_FILE
from training.release.released import ACTIVE, active_folder


def put_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `folder` hold these files, durably: there is the old folder, or the new one, or for a moment none.

    Nothing is written where it holds them already.
    """
    if not _holds(folder, files):
        _swap(folder, files)
    _clear(folder)


def put_version(models: Path, version: str, signed: Mapping[str, bytes], card: Mapping[str, bytes]) -> None:
    """Makes a version's folder hold what was signed and a card, and makes it active.

    At every instant the pointer names a folder whose signature fits, whatever ends this process: a folder cannot be
    replaced in one step, so where it is the active one, the pointer names another with the same new files meanwhile. A
    card is that of the release that made these files: where the signed ones are there already, it stays.
    """
    folder, pointer = models / version, models / ACTIVE
    lifted = OVERRIDES_FILE in signed
    kept = _holds(folder, signed) and (folder / OVERRIDES_FILE).exists() == lifted and _has(folder, card)
    if not kept:
        files = {**_others(folder, {*signed, *card, OVERRIDES_FILE}), **signed, **card}
        if active_folder(models) == folder:
            write_whole(pointer, f"{_written_aside(folder, files).name}\n".encode())
        _swap(folder, files)
    write_whole(pointer, f"{version}\n".encode())
    _clear(folder)


def _swap(folder: Path, files: Mapping[str, bytes]) -> None:
    fresh = _written_aside(folder, files)
    if folder.exists():
        folder.rename(_free_name(folder))
    fresh.rename(folder)
    sync_folder(folder.parent)


def _clear(folder: Path) -> None:
    """Removes what stood in for a folder, or was swapped for it, now or in a release that was cut off."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        if left.is_dir():
            shutil.rmtree(left)


def _others(folder: Path, ours: Collection[str]) -> dict[str, bytes]:
    """Files that somebody put beside a released model: they stay."""
    found = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in found if path.is_file() and path.name not in ours}


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    return all((folder / name).is_file() and (folder / name).read_bytes() == data for name, data in files.items())


def _has(folder: Path, names: Collection[str]) -> bool:
    return all((folder / name).is_file() for name in names)


def _written_aside(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A new folder beside `folder` with these files, on disk; nothing is left where they cannot be written."""
    fresh = _free_name(folder)
    fresh.mkdir(parents=True)
    try:
        for name, data in files.items():
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return fresh


def _free_name(folder: Path) -> Path:
    """A hidden name beside `folder` that nothing has: one that a killed release left may be what the pointer names."""
    number = os.getpid()
    while (free := folder.with_name(f".{folder.name}.{number}")).exists():
        number += 1
    return free
