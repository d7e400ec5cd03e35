"""The commands of `python -m service learn`: check training cases, and list the ones that visitors see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from model.dictionary import Dictionary, load_dictionary, shipped_dictionary
from service.learning.language import vignette_reading_age
from service.learning.reader import SHIPPED, Read, read_folder, read_shelf, read_vignette, taken_codes
from service.model_files import ACTIVE, load_active
from service.settings import Settings

_DICTIONARY = click.option(
    "--dictionary",
    "dictionary_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check against this data dictionary. Without, the active model's; where none is active, the shipped one.",
)


def learn_commands(settings_of: Callable[[], Settings]) -> click.Group:
    """The group `learn`."""

    @click.group()
    def learn() -> None:
        """Training cases (vignettes): check a file or a folder, list what is on the shelf."""

    @learn.command("check")
    @click.argument("path", type=click.Path(exists=True, path_type=Path))
    @_DICTIONARY
    def check(path: Path, dictionary_file: Path | None) -> None:
        """Check a training case, or a folder of them: facts, words, length. One line a fault; exit code 1 if any."""
        dictionary = _dictionary(settings_of(), dictionary_file)
        shipped = path.resolve() in (SHIPPED.resolve(), *(file.resolve() for file in SHIPPED.iterdir()))
        taken = frozenset() if shipped else taken_codes()
        found = read_folder(path, dictionary, taken) if path.is_dir() else [read_vignette(path, dictionary, taken)]
        if not found:
            raise click.ClickException(f"{path}: holds no training case; their names end in .toml")
        _report(found)

    @learn.command("list")
    @_DICTIONARY
    def list_command(dictionary_file: Path | None) -> None:
        """List the training cases that visitors see, shipped and own (GROUNDS_VIGNETTES), and what keeps one out."""
        settings = settings_of()
        found = read_shelf(settings.vignettes, _dictionary(settings, dictionary_file))
        for read in found:
            if read.vignette:
                where = "shipped" if read.path.parent == SHIPPED else "own"
                click.echo(f"{read.vignette.code}  {where}  {read.vignette.title}: {read.vignette.theme}")
        _faults(found)

    return learn


def _dictionary(settings: Settings, given: Path | None) -> Dictionary:
    if given is not None:
        return load_dictionary(given)
    if (settings.models / ACTIVE).exists():
        return load_active(settings.models, settings.keys).model.dictionary
    return shipped_dictionary()


def _report(found: list[Read]) -> None:
    for read in found:
        if read.vignette:
            click.echo(f"{read.path.name}: in order; reading age {vignette_reading_age(read.vignette):.0f}")
    _faults(found)


def _faults(found: list[Read]) -> None:
    faults = [fault for read in found for fault in read.faults]
    for fault in faults:
        click.echo(f"error: {fault}", err=True)
    if faults:
        sys.exit(1)
