"""`python -m service screen`: screen a file of cases; prove a row of the output, or verify all of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from service.batch.job_model import JobModel, active_model, job_model
from service.batch.problems import BatchError
from service.log.checkpoint import CheckpointError, SigningKeyError, VerifierKey
from service.log.proof_check import ProofError
from service.log.reader import LogReader
from service.log.store import LogStore
from service.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEEDED = "numpy and pyarrow are needed: pip install -r requirements-batch.lock"


class _ScreenGroup(click.Group):
    """`screen FILE` screens; only a word that names another of its commands is not a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["file", *args]
        return super().parse_args(ctx, args)


def screen_commands(
    settings: Callable[[], Settings],
    check_log: Callable[[], None],
    open_log: Callable[[], LogStore],
    read_log: Callable[[], LogReader],
) -> click.Group:
    """The group `screen`.

    `check_log` says before a job whether it could be recorded, `open_log` opens the log where it is, and `read_log`
    where one is looked up.
    """

    @click.group(cls=_ScreenGroup)
    def screen() -> None:
        """Screen a file of cases: python -m service screen CASES OUT (or: CASES --model DIR --out OUT)."""

    @screen.command("file")
    @click.argument("cases", type=_FILE)
    @click.argument("output", required=False, type=click.Path(dir_okay=False, path_type=Path))
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The same as the second argument.")
    @click.option(
        "--model",
        "model_folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A released model, or what `make train OUT=...` wrote, and then marked so; without it, the active model.",
    )
    @click.option("--scheduler", help="Address of a Dask scheduler whose workers screen, for instance tcp://host:8786.")
    @click.option("--overwrite", is_flag=True, help="Replace an output that is there already.")
    def file_command(
        cases: Path,
        output: Path | None,
        out: Path | None,
        model_folder: Path | None,
        scheduler: str | None,
        overwrite: bool,
    ) -> None:
        """Screen a CSV or Parquet file of CASES into a file; one log entry a job."""
        if (output is None) == (out is None):
            raise click.UsageError("name one file for the output: python -m service screen CASES OUT")
        written = output or out
        assert written is not None

        def work() -> str:
            from service.batch.job import check_output, screen_file
            from service.batch.workers import Cluster

            check_output(cases, written, overwrite)
            by = _model(settings(), model_folder)
            check_log()  # before hours of work
            workers = Cluster(scheduler) if scheduler else None
            return screen_file(cases, by, written, open_log, workers, overwrite=overwrite)

        click.echo(_run(work))

    @screen.command("prove")
    @click.argument("screened", type=_FILE)
    @click.argument("row", type=click.IntRange(1))
    def prove_command(screened: Path, row: int) -> None:
        """Print the proof (JSON) that ROW (1 for the first case) of a SCREENED file is what its job wrote."""
        click.echo(_run(lambda: _proved(screened, row, read_log)))

    @screen.command("check-proof")
    @click.argument("proof", type=_FILE)
    @click.option("--key", type=_FILE, required=True, help="The log's public key (.pub).")
    def check_proof_command(proof: Path, key: Path) -> None:
        """Check the PROOF of a row, offline: that it is in its job, and the job in the log."""
        click.echo(_run(lambda: _checked(proof, key)))

    @screen.command("verify")
    @click.argument("screened", type=_FILE)
    def verify_command(screened: Path) -> None:
        """Check every row of a SCREENED file against the log."""
        click.echo(_run(lambda: _verified(screened, read_log)))

    return screen


def _model(settings: Settings, folder: Path | None) -> JobModel:
    import pyarrow

    if "jemalloc" in pyarrow.supported_memory_backends():
        pyarrow.set_memory_pool(pyarrow.jemalloc_memory_pool())  # gives back what a block took; takes 50 MB less
    return active_model(settings.models, settings.keys) if folder is None else job_model(folder, settings.keys)


def _proved(screened: Path, row: int, read_log: Callable[[], LogReader]) -> str:
    from service.batch.proving import proof_bytes, prove_row

    with closing(read_log()) as log:
        return proof_bytes(prove_row(screened, row, log)).decode()


def _checked(proof: Path, key: Path) -> str:
    from service.batch.proof_check import check_row_proof

    try:
        public = VerifierKey.parse(key.read_text(encoding="utf-8"))
        row, rows, index = check_row_proof(proof.read_bytes(), public)
    except (ProofError, CheckpointError, SigningKeyError, UnicodeDecodeError) as error:
        raise BatchError(f"{proof}: {error}") from None
    return f"proved: row {row} of the {rows} that log entry {index} tells of"


def _verified(screened: Path, read_log: Callable[[], LogReader]) -> str:
    from service.batch.verifying import verify_file

    with closing(read_log()) as log:
        return verify_file(screened, log)


def _run(work: Callable[[], Any]) -> Any:
    """What `work` returns. What it takes and the service does not is named, where it is not there."""
    try:
        return work()
    except ModuleNotFoundError as error:
        if error.name not in ("numpy", "pyarrow"):
            raise
        raise BatchError(_NEEDED) from None
