"""Verifies an export of a part of the log with the public key alone; never imports the writer.

The header names the roots of what the part leaves out. The part's own leaves between them must give the signed root, so
none of them can be altered, removed, inserted or moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from service.log.checkpoint import CheckpointError, VerifierKey
from service.log.entry import EntryError, commitment, read_leaf
from service.log.merkle import Frontier, full_subtrees, leaf_hash
from service.log.verifier import EXPORT_FORMAT, Report

_HEADER_KEYS = {"after", "before", "format", "from", "origin", "size", "to"}
_ENTRY_KEYS = {"index", "leaf", "payload", "salt"}
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


class _NoPart(ValueError):
    """What makes the rest unreadable as a part of a log."""


def is_part(first_line: bytes) -> bool:
    """Whether an export that begins with this line is of a part."""
    try:
        header = orjson.loads(first_line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(header, dict) and "from" in header


def verify_part(lines: Iterable[bytes], key: VerifierKey) -> Report:
    """Verifies a part, line by line; `Report.size` is the number of its entries."""
    report = Report()
    try:
        _verify(iter(lines), key, report)
    except _NoPart as error:
        report.add(None, str(error))
    if report.erased:
        report.caveats.append(f"{report.erased} of these {report.size} entries have no payload")
    report.caveats.append(
        "this is a part of the log: whether an entry without payload was erased in good order, and whether times run "
        "on from the entry before, only the whole log tells"
    )
    report.caveats.append("earlier checkpoints are not compared with a part; a consistency proof does that")
    return report


def _verify(lines: Iterator[bytes], key: VerifierKey, report: Report) -> None:
    header = _header(_parsed(next(lines, b"")), key)
    start, stop, size = header["from"], header["to"], header["size"]
    frontier = Frontier(start, b"".join(_hashes(header["before"])))
    last_at = ""
    for index in range(start, stop):
        entry = _parsed(next(lines, b""))
        if entry.keys() != _ENTRY_KEYS or not isinstance(entry["leaf"], str) or type(entry["index"]) is not int:
            raise _NoPart(f"where entry {index} should stand is no entry of format 1; the part may be cut short")
        if entry["index"] != index:
            report.add(index, "its line has another index; entries are missing, added or out of order")
        frontier.append(leaf_hash(entry["leaf"].encode()))
        last_at = _check_entry(index, entry, last_at, report)
        report.size += 1
    for (_, level), node in zip(full_subtrees(stop, size), _hashes(header["after"]), strict=True):
        frontier.append_subtree(node, level)
    _check_root(_parsed(next(lines, b"")), frontier, key, report)
    if next(lines, None) is not None:
        report.add(None, "there is more after the checkpoint")


def _header(header: dict[str, Any], key: VerifierKey) -> dict[str, Any]:
    numbers = [header.get(name) for name in ("from", "to", "size", "format")]
    if header.keys() != _HEADER_KEYS or any(type(number) is not int for number in numbers):
        raise _NoPart("line 1: is not the header of a part of format 1")
    start, stop, size = header["from"], header["to"], header["size"]
    if header["format"] != EXPORT_FORMAT or not 0 <= start <= stop <= size:
        raise _NoPart("line 1: is not the header of a part of format 1")
    if (start, stop) == (0, size):
        raise _NoPart("line 1: a part that leaves nothing out is no part: the whole log has another header")
    if header["origin"] != key.name:
        raise _NoPart("line 1: the export is of a log of another name than the key")
    for name, covered in (("before", (0, start)), ("after", (stop, size))):
        if len(_hashes(header[name])) != sum(1 for _ in full_subtrees(*covered)):
            raise _NoPart(f"line 1: {name} does not name the roots over the entries that the part leaves out")
    return header


def _check_entry(index: int, entry: dict[str, Any], last_at: str, report: Report) -> str:
    """Checks leaf and payload. Returns the entry's time."""
    try:
        leaf = read_leaf(entry["leaf"].encode())
    except EntryError as error:
        report.add(index, f"its leaf {error}")
        return last_at
    if leaf.at < last_at:
        report.add(index, "its time is before that of the entry before it")
    payload, salt = entry["payload"], entry["salt"]
    if payload is None and salt is None:
        report.erased += 1
    elif not isinstance(payload, str) or not isinstance(salt, str):
        report.add(index, "only one of its payload and salt is there")
    elif not _HEX.fullmatch(salt) or commitment(bytes.fromhex(salt), payload.encode()) != leaf.commitment:
        report.add(index, "its payload is not the one that its leaf commits to")
    return leaf.at


def _check_root(last: dict[str, Any], frontier: Frontier, key: VerifierKey, report: Report) -> None:
    if last.keys() != {"checkpoint"} or not isinstance(last["checkpoint"], str):
        raise _NoPart("the export ends without a checkpoint: it was cut short, or holds more than its header says")
    try:
        report.checkpoint = key.open(last["checkpoint"])
    except CheckpointError as error:
        report.add(None, str(error))
        return
    if (report.checkpoint.size, report.checkpoint.root) != (frontier.size, frontier.root()):
        report.add(
            None, "the root is not the signed one: these entries are not those that were signed, or not in that order"
        )


def _hashes(nodes: object) -> list[bytes]:
    if not isinstance(nodes, list) or not all(
        isinstance(node, str) and len(node) == 64 and _HEX.fullmatch(node) for node in nodes
    ):
        raise _NoPart("line 1: before and after must be lists of hexadecimal hashes")
    return [bytes.fromhex(node) for node in nodes]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        content = None
    return content if isinstance(content, dict) else {}
