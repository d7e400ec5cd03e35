"""What `log verify EXPORT --manifest` says of a manifest."""

from __future__ import annotations

from pathlib import Path

import click

from service.log.checkpoint import VerifierKey
from service.log.manifest import check_manifest


def show_manifest(export: Path, key: VerifierKey) -> bool:
    """Checks an export's manifest and says so; whether the file is one that is then verified itself.

    Raises `ManifestError` and what else `check_manifest` raises.
    """
    manifest = check_manifest(export, key)
    counts = ", ".join(f"{kind} {count}" for kind, count in manifest.kinds.items()) or "none"
    click.echo(f"manifest: {manifest.entries} entries of {manifest.size} ({counts}); the file is the one that it names")
    if manifest.recorded_at is None:
        click.echo("note: whoever writes a file can write a manifest; no entry of the log tells of this export")
    else:
        click.echo(
            f"note: whoever writes a file can write a manifest; the log's entry {manifest.recorded_at} (kind export) "
            "names the file's SHA-256 too"
        )
    if manifest.format == "jsonl":
        return True
    click.echo(f"note: {manifest.format} is for analysis and proves nothing by itself; JSON Lines does")
    return False
