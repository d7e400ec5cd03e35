"""The disk as it may be after a power cut: what was synced is there, of the rest any part, whole or torn.

What is not assumed: that a file system keeps the order of writes or of names, writes more than whole sectors at once,
or keeps a name before its folder was synced. What is: that a completed sync is true, and that a sector is written
whole or not at all.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.service.log.system_calls import Call

_SECTORS = (512, 4096)


def acknowledged(calls: Iterable[Call], cut: int) -> dict[str, int]:
    """Entry id to index of what the process had begun to acknowledge before line `cut`."""
    said = b"".join(call.data for call in calls if call.kind == "said" and call.began < cut).decode()
    return {line.split()[0]: int(line.split()[1]) for line in said.splitlines()}


def disk_after(calls: list[Call], cut: int, chance: random.Random, folder: Path) -> None:
    """Writes into `folder`, which is empty, what a cut before line `cut` may leave."""
    before = [call for call in calls if call.began < cut]
    keeps = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
    files, linked = _inodes(before)
    synced: dict[object, list[Call]] = defaultdict(list)
    for call, inode in files:
        if call.kind == "sync" and call.ended < cut:
            synced[inode].append(call)
    contents: dict[int, bytearray] = defaultdict(bytearray)
    for call, inode in files:
        if inode is not None and call.kind in ("write", "truncate"):
            lasting = any(call.ended < sync.began for sync in synced[inode])
            _apply(contents[inode], call, 1.0 if lasting else keeps, chance)
    for name, history in linked.items():
        lasts = [number for number, (call, _) in enumerate(history) if _named(call, synced[None])]
        here = chance.randint(max(lasts, default=-1), len(history) - 1) if keeps < 1 else len(history) - 1
        inode = history[here][1] if here >= 0 else None
        if inode is not None:
            (folder / name).write_bytes(contents[inode])


def _named(call: Call, folder_syncs: list[Call]) -> bool:
    return any(call.ended < sync.began for sync in folder_syncs)


def _inodes(calls: list[Call]) -> tuple[list[tuple[Call, int | None]], dict[str, list[tuple[Call, int | None]]]]:
    """Each call with its file (None for the folder); and for each name what it came to stand for, None for nothing."""
    current: dict[str, int | None] = {}
    linked: dict[str, list[tuple[Call, int | None]]] = defaultdict(list)
    files: list[tuple[Call, int | None]] = []
    for number, call in enumerate(calls):
        if call.kind == "create" and current.get(call.name) is None:
            current[call.name] = number
            linked[call.name].append((call, number))
        elif call.kind == "unlink":
            current[call.name] = None
            linked[call.name].append((call, None))
        elif call.kind in ("write", "truncate", "sync"):
            if call.name and current.get(call.name) is None:
                raise ValueError(f"{call.name} was there before the trace began")
            files.append((call, current.get(call.name)))
    return files, linked


def _apply(content: bytearray, call: Call, keeps: float, chance: random.Random) -> None:
    if call.kind == "truncate":
        if chance.random() < keeps:
            del content[call.offset :]
            content.extend(bytes(call.offset - len(content)))
        return
    sector = chance.choice(_SECTORS) if keeps < 1 and chance.random() < 0.5 else 0
    first, last = call.offset, call.offset + len(call.data)
    while first < last:
        end = min(last, (first // sector + 1) * sector) if sector else last
        if chance.random() < keeps:
            content.extend(bytes(max(0, end - len(content))))
            content[first:end] = call.data[first - call.offset : end - call.offset]
        first = end
