"""Verifies an export of the log with the public key alone. Never imports the writer; keeps only the frontier.

What it proves: the entries are those that the checkpoint's signer committed to, in that order, none missing, and each
payload is the one committed to. What it cannot prove alone it says in `Report.caveats`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.log.checkpoint import Checkpoint, CheckpointError, VerifierKey
from service.log.entry import KINDS, EntryError, Leaf, commitment, erased_ids, read_leaf
from service.log.merkle import Frontier, leaf_hash

EXPORT_FORMAT = 1
MOST_PROBLEMS = 100
_ENTRY_KEYS = {"index", "leaf", "payload", "salt"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong; `index` is that of the first entry concerned, None where it concerns the log as a whole."""

    index: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.index is None else f"entry {self.index}: {self.text}"


@dataclass(slots=True)
class Report:
    """What verification found. `ok` means no problem; `caveats` say what it could not exclude or did not know."""

    size: int = 0
    problems: list[Problem] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    erased: int = 0
    unlisted: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, index: int | None, text: str) -> None:
        """Notes a problem; beyond the first hundred they are only counted."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(index, text))
        else:
            self.unlisted += 1


def verify(lines: Iterable[bytes | str], public_key: VerifierKey, since: Sequence[Checkpoint] = ()) -> Report:
    """Verifies an export, line by line.

    `since` are earlier checkpoints of the same log, each already opened with `public_key`; with them, a log that was
    rewritten whole and signed anew is found out too.
    """
    run = _Verification(public_key, since)
    for number, line in enumerate(lines, 1):
        run.line(number, line)
    return run.finish()


class _Verification:
    def __init__(self, public_key: VerifierKey, since: Sequence[Checkpoint]) -> None:
        self.report = Report()
        self._key = public_key
        self._frontier = Frontier()
        self._header: dict[str, Any] | None = None
        self._note: str | None = None
        self._whole = True
        self._last_at = ""
        self._without_payload: dict[str, int] = {}
        self._unknown_kinds: dict[str, int] = {}
        self._earlier = sorted(since, key=lambda checkpoint: checkpoint.size, reverse=True)
        self._given_earlier = bool(since)
        self._agreed = 0
        self._check_earlier()

    def line(self, number: int, line: bytes | str) -> None:
        content = self._parsed(number, line)
        if self._note is not None:
            self.report.add(None, f"line {number}: there is more after the checkpoint")
        elif number == 1:
            self._read_header(content)
        elif content.keys() == {"checkpoint"} and isinstance(content["checkpoint"], str):
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
        elif content["origin"] != self._key.name:
            self.report.add(None, "line 1: the export is of a log of another name than the key")

    def _entry(self, number: int, content: dict[str, Any]) -> None:
        index = self._frontier.size
        if content.keys() != _ENTRY_KEYS or not isinstance(content["leaf"], str):
            self.report.add(index, f"line {number} is not an entry of format 1")
            self._whole = False
            return
        if not _is_number(content["index"], index):
            self.report.add(index, f"line {number} has another index; entries are missing, added or out of order")
        leaf = content["leaf"].encode()
        self._frontier.append(leaf_hash(leaf))
        try:
            said = read_leaf(leaf)
        except EntryError as error:
            self.report.add(index, f"its leaf {error}")
        else:
            self._check_leaf(index, said)
            self._check_payload(index, said, content["payload"], content["salt"])
        self._check_earlier()

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

    def _check_earlier(self) -> None:
        """Compares with each earlier checkpoint when as many entries have passed as it covers."""
        while self._earlier and self._earlier[-1].size == self._frontier.size:
            earlier = self._earlier.pop()
            if earlier.root == self._frontier.root():
                self._agreed = earlier.size
            elif self._whole:
                self.report.add(
                    self._agreed,
                    f"entries {self._agreed} to {earlier.size - 1} are not those of the earlier checkpoint of "
                    f"{earlier.size} entries: one or more of them was changed, removed or added since",
                )

    def finish(self) -> Report:
        report = self.report
        report.size = self._frontier.size
        if self._header is None:
            report.add(None, "the export is empty")
        elif not _is_number(self._header.get("size"), report.size):
            report.add(None, f"the header does not name {report.size} entries, which is what the export holds")
        self._check_checkpoint()
        for earlier in self._earlier:
            report.add(report.size, f"the log is shorter than the earlier checkpoint of {earlier.size} entries")
        for index in self._without_payload.values():
            report.add(index, "its payload is gone, and no erasure entry names it")
        report.problems.sort(key=lambda problem: -1 if problem.index is None else problem.index)
        self._add_caveats()
        return report

    def _check_checkpoint(self) -> None:
        report = self.report
        if self._note is None:
            report.add(None, "the export ends without a checkpoint: it was cut short")
            return
        try:
            report.checkpoint = checkpoint = self._key.open(self._note)
        except CheckpointError as error:
            report.add(None, str(error))
            return
        if checkpoint.size != report.size:
            report.add(
                min(checkpoint.size, report.size),
                f"the checkpoint covers {checkpoint.size} entries and the export holds {report.size}",
            )
        elif self._whole and checkpoint.root != self._frontier.root():
            where = "the entries" if not self._agreed else f"entries {self._agreed} to {report.size - 1}"
            report.add(
                self._agreed or None,
                f"the root is not the signed one: {where} are not those that were signed, or not in that order",
            )

    def _add_caveats(self) -> None:
        caveats = self.report.caveats
        if not self._given_earlier:
            caveats.append(
                "without an earlier checkpoint, kept outside the log's own system, this cannot exclude that whoever "
                "holds the signing key rewrote the log whole, or cut off its newest entries"
            )
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
