"""The story of a job: read, screen and write partition by partition; then the log's entry; and only then the output.

The output has no name while it is written, and gets it once the entry is durable: no score leaves without its record,
however a job ends.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.additive import AdditiveModel
from model.columns.codes import FeatureCodes, codes_of
from model.prompt import LEVELS
from service.batch import row_format
from service.batch.cases import CaseReader
from service.batch.job_model import JobModel
from service.batch.partition import Screener
from service.batch.problems import BatchError, Problems
from service.batch.progress import shown_progress
from service.batch.publishing import UnseenFile, unseen_file
from service.batch.reading import form_of, open_cases
from service.batch.tree import PARTITION_ROWS, root_over
from service.batch.workers import OwnCores, Workers
from service.batch.writing import OutputTable, row_writer
from service.log.canonical import canonical_bytes
from service.log.entry import uuid7
from service.log.store import LogStore
from service.running.lifetime import record_activation

OpenLog = Callable[[], LogStore]
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Job:
    """One run: the id that its entry in the log will have, and the key of its rows' salts, which nobody keeps.

    The same job over the same file gives the same bytes, whoever screens it.
    """

    entry_id: str = field(default_factory=uuid7)
    salt_key: bytes = field(default_factory=lambda: os.urandom(KEY_BYTES), repr=False)


@dataclass
class _Done:
    """What a job did so far."""

    rows: int = 0
    roots: list[bytes] = field(default_factory=list)
    prompts: Counter[str] = field(default_factory=Counter)


def screen_file(
    path: Path,
    by: JobModel,
    out: Path,
    open_log: OpenLog,
    workers: Workers | None = None,
    job: Job | None = None,
    overwrite: bool = False,
) -> str:
    """Screens `path` into `out` (forms by their extensions) and returns a report for a person.

    `open_log` is called once there is a job to record, and begins the log where there is none yet. Raises `BatchError`
    listing problems by line and column: then nothing is logged and nothing made. Raises `NotDurable` where the log
    cannot be written: then there is no output. An older output is replaced with `overwrite` alone.
    """
    check_output(path, out, overwrite)
    job = job or Job()
    model = by.model
    problems = Problems(path)
    with path.open("rb") as file, unseen_file(out) as unseen, ThreadPoolExecutor(1) as beside:
        input_digest = beside.submit(_digest, path)
        before = os.fstat(file.fileno())
        cases = CaseReader(path, opened := open_cases(path, file), _codes(model), problems)
        with shown_progress(opened.size) as at:
            done = _screen(cases, by, Screener(by.data, job.salt_key), unseen, form_of(out), job, workers, at)
        problems.check()
        if not done.rows:
            raise BatchError(f"{path}: has no cases below its header")
        entry = {
            **_entry(model, done),
            "input_sha256": input_digest.result(),
            "model": by.entry(),
            "output_sha256": unseen.settle(),
        }
        if _changed(before, path, file):
            raise BatchError(f"{path}: was changed while it was screened; nothing was written, screen it again")
        check_output(path, out, overwrite)  # another job may have been as long, and faster
        log = open_log()
        try:
            if by.active and by.released is not None:
                record_activation(by.released, log)  # this job may be the first that works with it
            receipt = log.append("batch", canonical_bytes(entry), job.entry_id)
        finally:
            log.close()
        unseen.publish()
    return _report(out, done, cases, by, receipt.index)


def check_output(path: Path, out: Path, overwrite: bool) -> None:
    """Raises `BatchError` where `out` cannot be the output of a job over `path`."""
    form_of(out)
    if out.exists() and out.samefile(path):
        raise BatchError(f"{out}: is the file of cases itself; name another file for the output")
    if not overwrite and os.path.lexists(out):
        raise BatchError(f"{out}: is there already; remove it, name another file, or replace it with --overwrite")


def _screen(
    cases: CaseReader,
    by: JobModel,
    screener: Screener,
    unseen: UnseenFile,
    form: str,
    job: Job,
    workers: Workers | None,
    at: Callable[[int], None],
) -> _Done:
    done = _Done()
    output = OutputTable(by.model, by.name, job.entry_id)
    writer = None
    try:
        for partition, found in (workers or OwnCores()).screen(screener, cases.partitions(at)):
            table = output.table(partition, found)
            writer = writer or row_writer(unseen.file, form, table.schema)
            writer.write_table(table)
            done.rows += partition.rows
            done.roots.append(found.root)
            for level, count in enumerate(np.bincount(found.columns["prompt"], minlength=len(LEVELS)).tolist()):
                done.prompts[LEVELS[level]] += count
    except BrokenProcessPool:
        raise BatchError("a worker process ended too early (out of memory?); nothing was logged or written") from None
    finally:
        if writer is not None:
            writer.close()
    return done


def _entry(model: AdditiveModel, done: _Done) -> dict[str, object]:
    """What the log keeps of the rows: their number, the roots over them, and what it takes to read a row's leaf."""
    return {
        "features": [term.feature.name for term in model.terms],
        "grounds": [ground.code for ground in model.dictionary.grounds],
        "partition_roots": [root.hex() for root in done.roots],
        "partition_rows": PARTITION_ROWS,
        "root": root_over(done.roots).hex(),
        "row_format": row_format.FORMAT,
        "rows": done.rows,
    }


def _codes(model: AdditiveModel) -> tuple[FeatureCodes, ...]:
    try:
        return codes_of(model)
    except ValueError as error:
        raise BatchError(f"the model's dictionary: {error}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(before: os.stat_result, path: Path, file: io.BufferedReader) -> bool:
    seen = [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in (before, os.fstat(file.fileno()), path.stat())]
    return len(set(seen)) > 1


def _report(out: Path, done: _Done, cases: CaseReader, by: JobModel, index: int) -> str:
    shown = ", ".join(f"{done.prompts[level]} {level}" for level in LEVELS)
    lines = [f"{out}: {done.rows} cases screened by {by.name}; log entry {index}", f"prompts: {shown}"]
    if by.released is None:
        lines.append("this model was not released: no gate has let it through; do not work by these scores")
    if cases.ignored:
        lines.append(f"columns not in the dictionary, ignored: {', '.join(cases.ignored)}")
    if cases.missing:
        lines.append(f"not in the file, so not known in every row: {', '.join(sorted(cases.missing))}")
    if cases.unseen:
        lines.append(f"counted as not known where the dictionary does not list the value: {', '.join(cases.unseen)}")
    if by.model.synthetic:
        lines.append(by.model.words["score"]["synthetic"])
    return "\n".join(lines)
