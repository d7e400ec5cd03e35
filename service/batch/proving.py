"""Proves one row of a screened file: the row, its path to the job's root, the job's entry, and that one's own proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from service.batch.problems import BatchError
from service.batch.recorded import JobEntry, blocks, hashes_in, job_of
from service.batch.row_leaf import RowError, row_leaf
from service.batch.tree import PARTITION_LEVEL, PARTITION_ROWS, path_to
from service.log.commands import proof_of
from service.log.merkle import leaf_hash, verify_inclusion
from service.log.reader import LogReader

FORMAT = 1


def prove_row(path: Path, number: int, log: LogReader) -> dict[str, Any]:
    """The proof of row `number` (from 1, the first case), for `check_row_proof`.

    It holds that row's case and no other: of the others, salted hashes alone. Raises `BatchError`.
    """
    job = job_of(path, log)
    if not 1 <= number <= job.rows:
        raise BatchError(f"{path}: ROW: give a number from 1 to {job.rows}, 1 for the first case")
    place = number - 1
    row, hashes = _row_and_partition(path, place, job)
    try:
        leaf = row_leaf(row, job.features, job.grounds)
    except RowError as error:
        raise BatchError(f"{path}: row {number}: {error}") from None
    roots = [bytes.fromhex(root) for root in job.partition_roots]
    try:
        proof = [*path_to(hashes, place % PARTITION_ROWS), *path_to(roots, place >> PARTITION_LEVEL)]
    except IndexError:
        raise BatchError(
            f"{path}: has fewer rows than the log says; python -m service screen verify says more"
        ) from None
    if not verify_inclusion(leaf_hash(leaf), place, job.rows, proof, bytes.fromhex(job.root)):
        raise BatchError(f"{path}: row {number} is not what the log has; python -m service screen verify says more")
    stored = log.row(job.entry.entry_id)
    assert stored is not None
    return {
        "entry": {
            **proof_of(log, job.entry.entry_id),
            "payload": job.payload.decode(),
            "salt": bytes(stored.salt).hex(),
        },
        "format": FORMAT,
        "proof": [node.hex() for node in proof],
        "row": row,
        "row_number": number,
    }


def _row_and_partition(path: Path, place: int, job: JobEntry) -> tuple[Mapping[str, Any], list[bytes]]:
    """The row's cells, and the leaf hashes that the rows of its partition state."""
    start = place & ~(PARTITION_ROWS - 1)
    row: dict[str, Any] = {}
    hashes: list[bytes] = []
    seen = 0
    for block in blocks(path, job.columns):
        first, seen = seen, seen + block.num_rows
        if seen <= start:
            continue
        try:
            stated = hashes_in(block)
        except ValueError:
            raise BatchError(
                f"{path}: column leaf_hash: holds something else; give the file as it was written"
            ) from None
        hashes += [bytes(one) for one in stated[max(start - first, 0) : start + PARTITION_ROWS - first]]
        if first <= place < seen:
            cells = block.slice(place - first, 1).to_pylist()[0]
            row = {name: cell.hex() if isinstance(cell, bytes) else cell for name, cell in cells.items()}
        if seen >= start + PARTITION_ROWS:
            break
    wanted = [name for name in job.columns if name not in ("leaf_hash", "record")]
    return {name: "" if row.get(name) is None else row[name] for name in wanted}, hashes


def proof_bytes(proof: Mapping[str, Any]) -> bytes:
    """The proof as it is printed: JSON, indented."""
    return orjson.dumps(proof, option=orjson.OPT_INDENT_2)
