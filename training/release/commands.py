"""`compare`, `rollback` and `card`: what a person does around a release."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
PLACE = click.Path(path_type=Path)
TO_SERVE = "to serve it: python -m service reload, or restart the service; the log then has an entry of its activation"
SYNTHETIC_ACTIVE = "warning: the model was learned from synthetic cases; it must not be used about a real child"


@click.command()
@click.argument("old", type=PLACE)
@click.argument("new", type=PLACE)
@click.option("--cases", type=FILE, help="Cases as for training. Default: a synthetic cohort with a fixed seed.")
@click.option("--dictionary", type=FILE, help="Dictionary of the cases. Default: the one in NEW.")
def compare(old: Path, new: Path, cases: Path | None, dictionary: Path | None) -> None:
    """Show which tables moved from OLD to NEW, whose prompt level would change, and what moved it.

    OLD and NEW are folders of models or model.json files.
    """
    from training.compare.command import load_model, run_compare

    run_compare(Console(), load_model(old), load_model(new), cases, dictionary)


@click.command()
@click.argument("version", required=False)
@click.option("--models", type=FOLDER, required=True, help="Folder of released models.")
@click.option("--keys", type=FOLDER, required=True, help="Folder of the release key.")
def rollback(version: str | None, models: Path, keys: Path) -> None:
    """Make VERSION active again. Default: the version released before the active one."""
    from training.release.rollback import rollback as go_back

    left, live = go_back(models, keys, version)
    click.echo(f"left: {left}")
    for override in live.overrides:
        click.echo(f"warning: was released in spite of {override.gate} ({override.reason})", err=True)
    if live.model.synthetic:
        click.echo(SYNTHETIC_ACTIVE, err=True)
    click.echo(f"active: {live.model.version} (sha256 {live.sha256}), signature checked")
    click.echo(TO_SERVE)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FOLDER, help="Where to write. Default: FOLDER itself.")
def card(folder: Path, out: Path | None) -> None:
    """Write the card of the model in FOLDER: card.html, card.md, card.json and atrs.md."""
    from training.report_page.write import write_card

    for path in write_card(folder, out or folder):
        click.echo(str(path))
