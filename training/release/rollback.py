"""Back to a version that was released before, in one step: only the pointer moves, and only to a signed model."""

from __future__ import annotations

from pathlib import Path

from model.files import write_whole
from training.release.gates import ReleaseError
from training.release.released import (
    ACTIVE,
    Released,
    active_version,
    read_released,
    released_versions,
    standing_versions,
)


def rollback(models: Path, keys: Path, version: str | None = None) -> tuple[str | None, Released]:
    """Makes `version` active; returns what was active and what is now. Raises `ReleaseError` or `ArtefactError`.

    Without a version: the one released before the active one, so that going back twice goes further back and never
    returns to what was left, nor, once another was released, to what was left before that. Nothing is moved where the
    model's signature does not fit.
    """
    active, released = active_version(models), released_versions(models)
    if active is None:
        raise ReleaseError(f"{models}: no model is active, so there is nothing to go back from; run make release")
    target = _before(active, models) if version is None else version
    if version is not None and version not in {*released, active}:
        known = ", ".join(released) or active
        raise ReleaseError(f"not rolled back: {models} has no released version of that name; it has {known}")
    found = read_released(models / target, keys)
    if found.model.version != target:
        raise ReleaseError(f"not rolled back: the folder {target} holds version {found.model.version}")
    write_whole(models / ACTIVE, f"{target}\n".encode())
    return active, found


def _before(active: str, models: Path) -> str:
    released = released_versions(models)
    left = set(released) - set(standing_versions(models))
    earlier = [one for one in released[: released.index(active)] if one not in left] if active in released else []
    if not earlier:
        raise ReleaseError(
            f"not rolled back: no version was released into {models} before {active}; name the version to go to"
        )
    return earlier[-1]
