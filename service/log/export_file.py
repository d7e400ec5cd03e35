"""Writes an export with its manifest. The export is an entry in the log before the file has its name.

Whoever may only read the log cannot make that entry: their manifest names none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from service.log.canonical import canonical_bytes
from service.log.export import Span, export_lines, span_of
from service.log.manifest import VERSION, Form, Manifest, file_digest, manifest_path, manifest_text, tally
from service.log.reader import LogReader
from service.log.schema import LogError
from service.log.store import LogStore, NotDurable
from service.log.table import records, write_csv, write_parquet

BY = "command_line"


def export_to_file(log: LogReader, out: Path, form: Form, start: int = 0, stop: int | None = None) -> Manifest:
    """Writes entries `start` to `stop` (exclusive; the newest by default) and the manifest; both for this user alone.

    Raises `LogError` where the span is not in the log, an entry is damaged (tables only), pyarrow is missing, or the
    export cannot be recorded; then there is no file.
    """
    span = _span(log, start, stop)
    fresh, fresh_manifest = (path.with_name(f".{path.name}.part") for path in (out, manifest_path(out)))
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _write(log, span, form, fresh)
        counted, digest = tally(fresh, form), file_digest(fresh)
        manifest = Manifest(
            manifest=VERSION,
            format=form,
            origin=log.verifier_key.name,
            start=span.start,
            stop=span.stop,
            size=span.size,
            checkpoint=span.note,
            entries=sum(counted.kinds.values()),
            kinds=counted.kinds,
            models=counted.models,
            sha256=digest,
            bytes=fresh.stat().st_size,
            recorded_at=_record(log, span, form, digest),
        )
        with os.fdopen(os.open(fresh_manifest, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(manifest_text(manifest))
        fresh_manifest.replace(manifest_path(out))
        fresh.replace(out)
    finally:
        for path in (fresh, fresh_manifest):
            path.unlink(missing_ok=True)
    return manifest


def export_to_stream(log: LogReader, out: BinaryIO, start: int = 0, stop: int | None = None) -> None:
    """Writes JSON Lines without a manifest. Raises `LogError`."""
    span = _span(log, start, stop)
    _record(log, span, "jsonl", None)
    for line in export_lines(log, span=span):
        out.write(line)


def _span(log: LogReader, start: int, stop: int | None) -> Span:
    try:
        return span_of(log, start, stop)
    except ValueError as error:
        raise LogError(str(error)) from None


def _write(log: LogReader, span: Span, form: Form, path: Path) -> None:
    if form == "csv":
        write_csv(path, records(log, span))
    elif form == "parquet":
        write_parquet(path, records(log, span))
    else:
        with path.open("wb") as file:
            file.writelines(export_lines(log, span=span))


def _record(log: LogReader, span: Span, form: Form, digest: str | None) -> int | None:
    if not isinstance(log, LogStore):
        return None
    said: dict[str, object] = {"by": BY, "format": form, "from": span.start, "to": span.stop, "size": span.size}
    if digest is not None:
        said["sha256"] = digest
    try:
        return log.append("export", canonical_bytes(said)).index
    except NotDurable as error:
        raise LogError(f"no export was made, for it could not be recorded: {error}") from None
