"""Verifies an export of the log with the public key alone. Never imports the writer; keeps only the frontier.

What it proves: the entries are those that the checkpoint's signer committed to, in that order, none missing, and each
payload is the one committed to. What it cannot prove alone it says in `Report.caveats`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from service.log.checkpoint import Checkpoint, CheckpointError, VerifierKey
from service.log.earlier import EarlierCheckpoints
from service.log.entry import KINDS, EntryError, Leaf, commitment, erased_ids, read_leaf
from service.log.key_history import KeyChangeError, KeyHistory, read_change
from service.log.merkle import Frontier, leaf_hash
from service.log.record import Record
from service.log.report import MOST_PROBLEMS, Problem, Report

__all__ = ["EXPORT_FORMAT", "MOST_PROBLEMS", "Problem", "Report", "verify"]

EXPORT_FORMAT = 1
_ENTRY_KEYS = {"index", "leaf", "payload", "salt"}


def verify(
    lines: Iterable[bytes | str],
    public_key: VerifierKey,
    since: Sequence[Checkpoint | str] = (),
    records: Sequence[Record] = (),
) -> Report:
    """Verifies an export, line by line.

    `public_key` is any key that the log ever had; changes of keys are followed from there. `since` are earlier
    checkpoints of the same log, as notes or opened already; with them, a log that was rewritten whole and signed anew
    is found out too. `records` are receipts: each must be of an entry, and its checkpoint counts as an earlier one.
    Raises `MalformedCheckpoint` where a note of `since` or a record is none.
    """
    run = _Verification(public_key, since, records)
    for number, line in enumerate(lines, 1):
        run.line(number, line)
    return run.finish()


class _Verification:
    def __init__(self, public_key: VerifierKey, since: Sequence[Checkpoint | str], records: Sequence[Record]) -> None:
        self.report = Report()
        self._name = public_key.name
        self._keys = KeyHistory(public_key)
        self._frontier = Frontier()
        self._header: dict[str, Any] | None = None
        self._note: str | None = None
        self._whole = True
        self._last_at = ""
        self._without_payload: dict[str, int] = {}
        self._unknown_kinds: dict[str, int] = {}
        self._earlier = EarlierCheckpoints([*since, *(record.checkpoint for record in records)])
        self._given_earlier = bool(since or records)
        self._records: dict[int, list[str]] = {}
        for record in records:
            self._records.setdefault(record.index, []).append(record.leaf_hash)
        self._earlier.compare(self._frontier)

    def line(self, number: int, line: bytes | str) -> None:
        content = self._parsed(number, line)
        if self._note is not None:
            self.report.add(None, f"line {number}: there is more after the checkpoint")
        elif number == 1:
            self._read_header(content)
        elif len(content) == 1 and isinstance(content.get("checkpoint"), str):
            self._note = content["checkpoint"]
        else:
            self._entry(number, content)

    def _parsed(self, number: int, line: bytes | str) -> dict[str, Any]:
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError:
            content = None
        if isinstance(content, dict):
            return content
        self.report.add(None, f"line {number}: is not a JSON object")
        return {}

    def _read_header(self, content: dict[str, Any]) -> None:
        self._header = content
        if content.keys() != {"format", "origin", "size"} or not _is_number(content["format"], EXPORT_FORMAT):
            self.report.add(None, "line 1: is not the header of an export of format 1")
        elif content["origin"] != self._name:
            self.report.add(None, "line 1: the export is of a log of another name than the key")

    def _entry(self, number: int, content: dict[str, Any]) -> None:
        index = self._frontier.size
        if content.keys() != _ENTRY_KEYS or not isinstance(content["leaf"], str):
            self.report.add(index, f"line {number} is not an entry of format 1")
            self._whole = False
            return
        if not _is_number(content["index"], index):
            self.report.add(index, f"line {number} has another index; entries are missing, added or out of order")
        leaf = content["leaf"]
        hashed = leaf_hash(leaf.encode())
        try:
            said = read_leaf(leaf)
        except EntryError as error:
            self.report.add(index, f"its leaf {error}")
        else:
            self._check_leaf(index, said)
            self._check_payload(index, said, content["payload"], content["salt"])
        self._frontier.append(hashed)
        if index in self._records:
            self._check_records(index, hashed)
        if self._earlier.next_size == index + 1:
            self._earlier.compare(self._frontier)

    def _check_leaf(self, index: int, said: Leaf) -> None:
        if said.at < self._last_at:
            self.report.add(index, "its time is before that of the entry before it")
        self._last_at = said.at
        if said.kind not in KINDS:
            self._unknown_kinds[said.kind] = self._unknown_kinds.get(said.kind, 0) + 1

    def _check_payload(self, index: int, said: Leaf, payload: object, salt: object) -> None:
        if payload is None and salt is None:
            self._without_payload[said.entry_id] = index
            return
        if not isinstance(payload, str) or not isinstance(salt, str):
            self.report.add(index, "only one of its payload and salt is there")
            return
        if _committed(salt, payload) != said.commitment:
            self.report.add(index, "its payload is not the one that its leaf commits to")
        elif said.kind == "erasure":
            for entry_id in erased_ids(payload):
                if self._without_payload.pop(entry_id, None) is not None:
                    self.report.erased += 1
        elif said.kind == "key_created":
            self._check_key_change(index, payload)

    def _check_key_change(self, index: int, payload: str) -> None:
        # The frontier is still that of the entries before this one, which the change is bound to.
        try:
            change = read_change(payload, index, self._frontier.root())
            if change is not None:
                self._keys.add(change)
        except KeyChangeError as error:
            self.report.add(index, str(error))

    def _check_records(self, index: int, hashed: bytes) -> None:
        for expected in self._records.pop(index):
            if expected == hashed.hex():
                self.report.records += 1
            else:
                self.report.add(index, "is not the entry that the record (receipt) was given for")

    def finish(self) -> Report:
        report = self.report
        report.size = self._frontier.size
        if self._header is None:
            report.add(None, "the export is empty")
        elif not _is_number(self._header.get("size"), report.size):
            report.add(None, f"the header does not name {report.size} entries, which is what the export holds")
        for index, text in self._earlier.problems(self._keys, self._whole, report.size):
            report.add(index, text)
        self._check_keys()
        self._check_checkpoint()
        for index in self._records:
            report.add(report.size, f"the log ends here, and there is a record (receipt) of its entry {index}")
        for index in self._without_payload.values():
            report.add(index, "its payload is gone, and no erasure entry names it")
        report.problems.sort(key=lambda problem: -1 if problem.index is None else problem.index)
        self._add_caveats()
        return report

    def _check_keys(self) -> None:
        self.report.keys = self._keys
        changed_from = self._keys.untrusted_from()
        if changed_from is not None:
            self.report.add(
                changed_from, "the log's key changes here, and the key given is none that this log ever had"
            )

    def _check_checkpoint(self) -> None:
        report = self.report
        if self._note is None:
            report.add(report.size, "the export ends here, without a checkpoint: it was cut short")
            return
        try:
            report.checkpoint = checkpoint = self._keys.in_force(report.size).open(self._note)
        except CheckpointError as error:
            report.add(None, str(error))
            return
        if checkpoint.size != report.size:
            report.add(
                min(checkpoint.size, report.size),
                f"the checkpoint covers {checkpoint.size} entries and the export holds {report.size}",
            )
        elif self._whole and checkpoint.root != self._frontier.root():
            agreed = self._earlier.agreed
            where = "the entries" if not agreed else f"entries {agreed} to {report.size - 1}"
            report.add(
                agreed or None,
                f"the root is not the signed one: {where} are not those that were signed, or not in that order",
            )

    def _add_caveats(self) -> None:
        caveats = self.report.caveats
        if not self._given_earlier:
            caveats.append(
                "without an earlier checkpoint, kept outside the log's own system, this cannot exclude that whoever "
                "holds the signing key rewrote the log whole, or cut off its newest entries"
            )
        if self._keys.changes:
            at = ", ".join(str(change.index) for change in self._keys.changes)
            caveats.append(f"the log's key changed at entry {at}, each time signed by the key before and the new one")
        if self._unknown_kinds:
            kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(self._unknown_kinds.items()))
            caveats.append(f"kinds of entries that this verifier does not know: {kinds}")
        if self.report.erased:
            caveats.append(f"{self.report.erased} payloads were erased and are not shown; their leaves are verified")
        if self.report.unlisted:
            caveats.append(f"{self.report.unlisted} more problems are not listed")


def _is_number(value: object, expected: int) -> bool:
    # In Python, true and 1.0 are equal to 1.
    return type(value) is int and value == expected


def _committed(salt: str, payload: str) -> str | None:
    try:
        raw = bytes.fromhex(salt)
        # fromhex also takes upper case and spaces: one value has one spelling.
        return commitment(raw, payload.encode()) if raw.hex() == salt else None
    except ValueError:
        return None
