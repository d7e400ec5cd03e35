"""Table regression on rows that no memory holds at once: sums over chunks of fixed rows, each made where a worker is.

Twice each part is read: once for the distinct numbers, from which bins follow, and once for the codes, one byte an
answer, which are kept in a folder that all workers see. Then each step of the fit sums a few hundred numbers over
chunks. These hold the same rows in the same order as in memory (`objective.CHUNK_ROWS`), so the
fit is the same to the byte.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from training.fit import objective
from training.fit.binning import Binner, Distinct, distinct
from training.fit.objective import Chunk, Layout, LogisticLoss
from training.fit.table_regression import TableRegression
from training.fit.terms import Codes, Floats, TermSpec

MOST_DISTINCT = 1_000_000
"""Distinct numbers of a feature that are counted exactly. Of a feature with more, numbers count as rounded to
`ROUNDED_TO` significant digits while its edges are found; then, and only then, bins may differ from those in memory."""
ROUNDED_TO = 4
CODES, OUTCOMES = ".codes.npy", ".outcomes.npy"


class OneOutcome(ValueError):
    """All rows have the outcome, or none has."""


Read = Callable[[Any], tuple[Floats, NDArray[np.int8]]]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows `start` to `stop` of a part whose codes and outcomes are stored under `path`."""

    path: Path
    start: int
    stop: int


class StoredLoss(LogisticLoss):
    """`LogisticLoss` over stored chunks; sums are made by joblib's workers, wherever these are, and added in order."""

    def __init__(self, chunks: Sequence[Sequence[StoredRows]], layout: Layout, jobs: int | None) -> None:
        self._stored, self._layout, self._jobs = chunks, layout, jobs
        self._weigh()

    def _of_each_chunk(self, what: str, *at: Any) -> Iterator[tuple[Any, ...]]:
        yield from Parallel(n_jobs=self._jobs, return_as="generator")(
            delayed(_sum_stored)(rows, self._layout, what, at) for rows in self._stored
        )


def fit_partitions(
    model: TableRegression, parts: Sequence[Any], read: Read, folder: Path, jobs: int | None = None
) -> TableRegression:
    """Fits `model`, which must have its specs, on all rows of `parts` in order.

    `read` gives the encoded rows (rows, features) of a part and their outcomes 0 or 1, (rows,); it runs on the workers
    of `training.fit.engine`, which must see `folder`. One part and one chunk at a time are in a worker's memory.
    Raises OneOutcome, and what `read` raises.
    """
    if model.specs is None:
        raise ValueError("the specs of the features are needed beforehand")
    binner = Binner(model.specs, model.max_bins)
    found = Parallel(n_jobs=jobs, return_as="generator")(delayed(_numbers)(read, part, model.specs) for part in parts)
    binner.set_edges(_merged(found, len(model.specs)))
    stored = Parallel(n_jobs=jobs)(
        delayed(_store)(read, part, binner, folder / f"part-{number:06}") for number, part in enumerate(parts)
    )
    binner.set_counts([np.add.reduce(columns) for columns in zip(*(counts for _, _, counts in stored), strict=True)])
    rows, events = (sum(each[place] for each in stored) for place in (0, 1))
    if not 0 < events < rows:
        raise OneOutcome("the outcome has one class only; two are needed")
    sizes = [bins + 2 for bins in binner.bins_]
    chunks = chunks_of([each[0] for each in stored], objective.CHUNK_ROWS, folder)
    model.classes_, model.n_features_in_ = np.array([0, 1]), len(model.specs)
    model.fit_sums(binner, StoredLoss(chunks, Layout.of(sizes, rows), jobs))
    return model


def chunks_of(part_rows: Sequence[int], size: int, folder: Path) -> list[list[StoredRows]]:
    """Which rows of which stored parts each chunk of `size` rows holds, in order; the last may be smaller."""
    chunks: list[list[StoredRows]] = []
    room = 0
    for number, rows in enumerate(part_rows):
        start = 0
        while start < rows:
            if not room:
                chunks.append([])
                room = size
            stop = min(rows, start + room)
            chunks[-1].append(StoredRows(folder / f"part-{number:06}", start, stop))
            room -= stop - start
            start = stop
    return chunks


def _numbers(read: Read, part: Any, specs: Sequence[TermSpec]) -> list[Distinct | None]:
    X, _ = read(part)
    return [distinct(X[:, j]) if spec.numeric else None for j, spec in enumerate(specs)]


def _merged(found: Iterator[list[Distinct | None]], features: int) -> list[Distinct | None]:
    """Distinct numbers of all parts; the same however rows are parted."""
    total: list[Distinct | None] = [None] * features
    rounded = [False] * features
    for each in found:
        for j, one in enumerate(each):
            if one is None:
                continue
            values, counts = total[j] or (np.empty(0), np.empty(0, dtype=np.intp))
            values, counts = np.concatenate([values, one[0]]), np.concatenate([counts, one[1]])
            values, counts = _once(_rounded(values) if rounded[j] else values, counts)
            if not rounded[j] and len(values) > MOST_DISTINCT:
                rounded[j] = True
                values, counts = _once(_rounded(values), counts)
            total[j] = values, counts
    return total


def _once(values: Floats, counts: Codes) -> Distinct:
    """Each number once, with all its counts."""
    once, place = np.unique(values, return_inverse=True)
    return once, np.bincount(place, counts, minlength=len(once)).astype(np.intp)


def _rounded(values: Floats) -> Floats:
    """The same rounded number for the same number always, so that rounding again changes nothing."""
    return np.array([float(f"{value:.{ROUNDED_TO}g}") for value in values.tolist()])


def _store(read: Read, part: Any, binner: Binner, path: Path) -> tuple[int, int, list[Codes]]:
    """Keeps the codes and outcomes of a part; rows, events, and rows by code."""
    X, y = read(part)
    codes = binner.transform(X)
    # Written whole or not at all: a worker may be lost here, and another then writes the same again.
    for suffix, array in ((CODES, codes), (OUTCOMES, y.astype(np.uint8))):
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.save(file, array)
        Path(file.name).replace(path.with_suffix(suffix))
    return len(y), int(y.sum()), binner.counts_of(codes)


def _sum_stored(rows: Sequence[StoredRows], layout: Layout, what: str, at: Sequence[Any]) -> tuple[Any, ...]:
    """What a method of `Chunk` gives for stored rows."""
    codes = np.concatenate([_stored(each, CODES) for each in rows])
    y = np.concatenate([_stored(each, OUTCOMES) for each in rows]).astype(np.float64)
    result: tuple[Any, ...] = getattr(Chunk(layout, codes, y, np.ones(len(y))), what)(*at)
    return result


def _stored(rows: StoredRows, suffix: str) -> NDArray[np.uint8]:
    return np.asarray(np.load(rows.path.with_suffix(suffix), mmap_mode="r")[rows.start : rows.stop])
