"""Checks a whole screened file against the log: every row's leaf, the roots over them, the file's digest, the entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.explanation import TOLERANCE
from service.batch.problems import HEADER_LINES, SHOWN, BatchError
from service.batch.progress import shown_progress
from service.batch.recorded import JobEntry, blocks, hashes_in, job_of, leaves_of, sums_hold
from service.batch.tree import PARTITION_ROWS, leaf_hashes, root_over
from service.batch.writing import RECORD
from service.log.checkpoint import CheckpointError
from service.log.merkle import HASH_BYTES, verify_inclusion
from service.log.reader import LogReader


def verify_file(path: Path, log: LogReader) -> str:
    """Verifies a screened file; returns what was found for a person. Raises `BatchError` naming what does not hold."""
    job = job_of(path, log)
    check_entry(job, log)
    found = _Found(path, job)
    with shown_progress(job.rows, "verifying") as at:
        for block in blocks(path, job.columns):
            found.add(block)
            at(found.rows)
    found.conclude(lambda: _digest(path))
    return (
        f"{path}: holds. {job.rows} rows are those of log entry {job.entry.index} ({job.entry.at}), each leaf "
        f"recomputed; every row's contributions sum to its score"
    )


def check_entry(job: JobEntry, log: LogReader) -> None:
    """That the job's entry is in the log that its newest checkpoint signs. Raises `BatchError`."""
    try:
        signed = log.verifier_key.open(log.latest_checkpoint())
        path = log.inclusion_proof(job.entry.index, signed.size)
    except (CheckpointError, ValueError) as error:
        raise BatchError(f"log entry {job.entry.index}: {error}; run python -m service log verify") from None
    if not verify_inclusion(bytes.fromhex(job.entry.leaf_hash), job.entry.index, signed.size, path, signed.root):
        raise BatchError(f"log entry {job.entry.index}: is not in the signed log; run python -m service log verify")


class _Found:
    """What the rows of a file are found to be, as far as they were read."""

    def __init__(self, path: Path, job: JobEntry) -> None:
        self.rows = 0
        self._path = path
        self._job = job
        self._faults: list[str] = []
        self._count = 0
        self._hashes: list[bytes] = []
        self._roots: list[bytes] = []

    def add(self, block: pa.RecordBatch) -> None:
        """Looks at some rows."""
        try:
            leaves, stated = leaves_of(block, self._job), hashes_in(block)
        except ValueError as error:
            raise BatchError(
                f"{self._path}: lines {self._line(0)} to {self._line(block.num_rows - 1)}: {error}"
            ) from None
        computed = leaf_hashes(leaves.tobytes(), self._job.form.dtype.itemsize)
        same = (np.frombuffer(b"".join(computed), dtype=np.uint8).reshape(-1, HASH_BYTES) == stated).all(axis=1)
        self._note(~same, "the row is not the one that its leaf hash was made from")
        self._note(~sums_hold(leaves, TOLERANCE), "the contributions do not sum to the score")
        other = [cell != self._job.entry.entry_id for cell in block.column(RECORD).to_pylist()]
        self._note(np.array(other, dtype=np.bool_), "the row is of another job")
        self._hashes += computed
        self.rows += block.num_rows
        while len(self._hashes) >= PARTITION_ROWS:
            self._roots.append(root_over(self._hashes[:PARTITION_ROWS]))
            self._hashes = self._hashes[PARTITION_ROWS:]

    def conclude(self, digest: Callable[[], str]) -> None:
        """Raises `BatchError` unless all holds."""
        if self._hashes:
            self._roots.append(root_over(self._hashes))
        if self.rows != self._job.rows:
            self._fault(f"{self._path}: has {self.rows} rows; the log says {self._job.rows}")
        for number, (root, recorded) in enumerate(zip(self._roots, self._job.partition_roots, strict=False)):
            if root.hex() != recorded:
                first, last = number * PARTITION_ROWS, min((number + 1) * PARTITION_ROWS, self.rows) - 1
                where = f"lines {first + 1 + HEADER_LINES} to {last + 1 + HEADER_LINES}"
                self._fault(f"{self._path}: {where}: are not the rows that the log has the root of")
        if root_over(self._roots).hex() != self._job.root:
            self._fault(f"{self._path}: its rows do not give the root in log entry {self._job.entry.index}")
        if digest() != self._job.output_sha256:
            self._fault(f"{self._path}: its bytes are not those of the file that the job wrote")
        if self._faults:
            more = [f"{self._path}: and {self._count - len(self._faults)} more"] * (self._count > len(self._faults))
            raise BatchError("\n".join([*self._faults, *more]))

    def _line(self, row: int) -> int:
        return self.rows + row + 1 + HEADER_LINES

    def _note(self, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> None:
        for row in np.flatnonzero(wrong).tolist():
            self._fault(f"{self._path}: line {self._line(row)}: {what}")

    def _fault(self, what: str) -> None:
        self._count += 1
        if len(self._faults) < SHOWN:
            self._faults.append(what)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
