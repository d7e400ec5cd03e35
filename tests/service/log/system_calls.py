"""What a process did to the files of one folder, in order, as `strace` saw it: the input of a power-cut simulation."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_SEEN = "openat,pwrite64,write,pwritev,pwritev2,writev,ftruncate,fallocate,fdatasync,fsync,unlink,unlinkat,mmap"
_RENAMES = "rename,renameat,renameat2,link,linkat,sync_file_range,copy_file_range"
_LONGEST = 70_000
_NO_STATE = ("-shm", ".lock")  # rebuilt at the next start; holds nothing


@dataclass(frozen=True)
class Call:
    """One system call: lines `began` and `ended` of the trace, `name` of the file in the folder ("" the folder)."""

    kind: str  # create, write, truncate, sync, unlink, said
    began: int
    ended: int
    name: str
    offset: int = 0
    data: bytes = b""


def trace(command: list[str], folder: Path, said: Path, environment: dict[str, str]) -> None:
    """Runs the command under strace, its output to `said`, and puts the trace beside that."""
    with said.open("w") as output:
        options = ["-f", "-y", "-xx", "-s", str(_LONGEST), "-e", f"trace={_SEEN},{_RENAMES}"]
        run = ["strace", *options, "-o", str(said.with_suffix(".trace")), *command]
        done = subprocess.run(run, stdout=output, stderr=subprocess.PIPE, env=environment, cwd=folder, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())


def read_trace(said: Path, folder: Path, start: int = 0) -> list[Call]:
    """The calls that `trace` saw, by their beginning; `start` is the number of the first line.

    Raises `ValueError` for what the simulation would get wrong if it passed over it.
    """
    begun: dict[str, tuple[int, str]] = {}
    calls = []
    with said.with_suffix(".trace").open() as lines:
        for number, line in enumerate(lines, start):
            process, _, text = line.rstrip("\n").partition(" ")
            text, began = text.lstrip(), number
            if text.endswith("<unfinished ...>"):
                begun[process] = number, text.removesuffix("<unfinished ...>")
                continue
            if text.startswith("<..."):
                began, head = begun.pop(process)
                text = head + text.partition("resumed>")[2]
            calls.extend(_calls(text, began, number, str(folder), str(said)))
    return sorted(calls, key=lambda call: call.began)


_HEX = r"((?:\\x[0-9a-f]{2})*)"
_ON_FILE = re.compile(rf"(\w+)\((\d+)<{_HEX}>(\(deleted\))?(.*)\)\s+= (-?\d+)", re.DOTALL)
_OPENED = re.compile(rf'openat\([^,]*, "{_HEX}", ([A-Z_|]+).*\)\s+= \d+<')
_UNLINKED = re.compile(rf'unlink\("{_HEX}"\)\s+= 0')
_DATA = re.compile(rf'^, "{_HEX}"(\.\.\.)?, \d+(?:, (\d+))?')


def _calls(text: str, began: int, ended: int, folder: str, said: str) -> Iterator[Call]:
    """The call in `text`, if it matters to the folder."""
    if opened := _OPENED.match(text):
        if "O_CREAT" in opened[2] and (name := _inside(opened[1], folder)):
            yield Call("create", began, ended, name)
    elif unlinked := _UNLINKED.match(text):
        if name := _inside(unlinked[1], folder):
            yield Call("unlink", began, ended, name)
    elif (on_file := _ON_FILE.match(text)) and on_file[4] is None and int(on_file[6]) >= 0:
        kind, rest, returned = on_file[1], on_file[5], int(on_file[6])
        if _bytes(on_file[3]).decode() == said:
            yield Call("said", began, ended, said, data=_data(rest, returned)[0])
        elif (inside := _inside(on_file[3], folder)) is not None:
            yield _on_file(kind, rest, returned, Call("", began, ended, inside))
    _check_seen(text, folder)


def _on_file(kind: str, rest: str, returned: int, call: Call) -> Call:
    if kind in ("fsync", "fdatasync"):
        return replace(call, kind="sync")
    if kind == "pwrite64":
        data, offset = _data(rest, returned)
        return replace(call, kind="write", offset=offset, data=data)
    if kind == "ftruncate":
        return replace(call, kind="truncate", offset=int(rest.removeprefix(", ")))
    raise ValueError(f"{kind} on {call.name}")


def _check_seen(text: str, folder: str) -> None:
    """Raises `ValueError` for ways to change a file that the simulation does not know."""
    changes = (
        text.startswith(("rename", "link", "unlinkat"))
        or "O_TRUNC" in text[:4096]
        or (text.startswith("mmap(") and "_SHARED" in text and "PROT_WRITE" in text)
    )
    paths = re.findall(rf'["<]{_HEX}[">]', text) if changes and not text.startswith("pwrite") else []
    if any(_inside(path, folder) for path in paths):
        raise ValueError(f"a file is changed by a call that is not simulated: {text.partition('(')[0]}")


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _inside(escaped: str, folder: str) -> str | None:
    """The name in the folder, "" for the folder, None for other files and for those that hold no lasting state."""
    path = _bytes(escaped).decode()
    if path == folder:
        return ""
    name = path.removeprefix(folder + "/")
    return None if name == path or "/" in name or name.endswith(_NO_STATE) else name


def _data(rest: str, returned: int) -> tuple[bytes, int]:
    found = _DATA.match(rest)
    if found is None or found[2]:
        raise ValueError("a write that is not seen whole")
    return _bytes(found[1])[:returned], int(found[3] or 0)
