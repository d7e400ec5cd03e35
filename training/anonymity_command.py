"""`python -m training anonymity`: counts the small cells of an extract, and on request writes one that has none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

from model.dictionary import Dictionary
from training.cases.anonymity import Anonymity, families_of, in_file, measure, suppress
from training.cases.generalise import GeneraliseError, generalise, read_request
from training.cases.table import CaseFileError, read_table


def run_anonymity(
    data: Path, dictionary: Dictionary, k: int, requests: Sequence[str], suppressing: bool, out: Path | None
) -> int:
    """Reports on DATA, after the changes asked for, and writes them to `out`, never in place.

    Returns the exit code: 0 where every cell holds k families (or cases), 1 where not.
    Raises `CaseFileError`, `GeneraliseError`.
    """
    if out is None and (requests or suppressing):
        raise GeneraliseError("--generalise and --suppress write a new file; name it with --out")
    if out is not None:
        _check_out(data, out)
    coarser = [read_request(text, dictionary) for text in requests]
    frame = read_table(data)
    columns = in_file(dictionary, frame, str(data))
    for request in coarser:
        frame = generalise(frame, request)
    if suppressing:
        frame, emptied, removed = suppress(frame, columns, families_of(dictionary, frame), k)
        for name, cases in emptied.items():
            click.echo(f"suppressed: {name} in {shown(cases, k)} cases")
        click.echo(f"taken out: {removed} cases")
    found = measure(frame, columns, families_of(dictionary, frame), k)
    for line in report(found):
        click.echo(line)
    if out is not None:
        _write(frame, out)
        click.echo(f"written: {out} ({len(frame)} cases)")
    return 0 if found.holds else 1


def report(found: Anonymity) -> list[str]:
    """The small-cell report in lines. A count from 1 to below k is shown as `<k`."""
    lines = [
        f"quasi-identifiers: {', '.join(found.columns)}",
        f"{found.rows} cases in {found.cells} cells; "
        + (
            f"every cell holds at least {found.k} {found.counted}"
            if found.holds
            else f"the smallest holds <{found.asked} {found.counted}"
        ),
    ]
    if found.holds:
        return [*lines, f"k-anonymous with k = {found.asked} {found.counted}"]
    share = f" ({found.rows_below / found.rows:.1%})" if found.rows_below >= found.asked else ""
    lines.append(
        f"NOT k-anonymous with k = {found.asked} {found.counted}: {shown(found.rows_below, found.asked)} cases{share} "
        f"in {found.cells_below} small cells"
    )
    lines += [f"rare answer: {name} = {answer}: <{found.asked}" for name, answer in found.rare]
    lines += [f"small cell: {', '.join(cell)}: <{found.asked}" for cell in found.smallest]
    if found.cells_below > len(found.smallest):
        lines.append(f"... and {found.cells_below - len(found.smallest)} more small cells")
    lines += [
        f"without {name}: {shown(cases, found.asked) if cases else 'no'} cases in small cells"
        for name, cases in found.without
    ]
    return lines


def shown(cases: int, k: int) -> str:
    """A count as the report may show it."""
    return str(cases) if cases >= k or cases == 0 else f"<{k}"


def _check_out(data: Path, out: Path) -> None:
    if out.exists():
        where = "is the data file itself" if data.exists() and out.samefile(data) else "exists"
        raise CaseFileError(out, [f"{where}; name a new file, nothing is changed in place"])
    if not out.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
        raise CaseFileError(out, ["give a file that ends in .csv, .csv.gz or .parquet"])


def _write(frame: pd.DataFrame, out: Path) -> None:
    """Appears whole or not at all."""
    fresh = out.with_name(f".{os.getpid()}.{out.name}")
    try:
        if out.name.lower().endswith(".parquet"):
            frame.to_parquet(fresh, index=False)
        else:
            frame.to_csv(fresh, index=False)
        fresh.replace(out)
    finally:
        fresh.unlink(missing_ok=True)
