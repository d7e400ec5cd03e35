"""How the model stands beside the one that was active when it was trained, as a section of the card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.account.figures import number
from model.account.page import Section, Table
from model.artefact import ArtefactError
from training.compare.against import AGAINST_FILE

TITLE = "Beside the model released before"
NOT_THERE = (
    "No comparison stands beside this model's file: no model was active when it was trained, the two could not be "
    "compared, or it was not asked for."
)
SAME_DATA = (
    "Both come from the same file and are taken as released, fitted on all of it: neither saw less than the other."
)
OTHER_DATA = (
    "The new model is taken as judged, on cases that it never saw. The released one may have learned from some of "
    "these cases, which flatters it."
)
DIGITS = 5


def read_against(folder: Path, sha256: str) -> Mapping[str, Any] | None:
    """What stands beside the model of this digest in `folder`; None where there is nothing, or it is of another model.

    Raises `ArtefactError` where the file is not what training writes.
    """
    path = folder / AGAINST_FILE
    if not path.exists():
        return None
    try:
        found: Mapping[str, Any] = json.loads(path.read_bytes())
        return found if found["model_sha256"] == sha256 else None
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{path}: not a comparison that training wrote ({error}); train again") from None


def against_section(found: Mapping[str, Any] | None) -> Section:
    """The mean log loss of both on the same held-out cases, or that there is no comparison."""
    if found is None:
        return Section(TITLE, (NOT_THERE,))
    difference, before = found["log_loss_difference"], found["released_log_loss"]
    rows = (
        ("Released model", found["released_version"]),
        ("Its log loss on these cases", number({"value": before}, DIGITS)),
        ("Log loss of this model less that of the released one", number(difference, DIGITS)),
        ("The same, as a share of the released one's", f"{difference['value'] / before:+.2%}"),
    )
    said = (
        f"On {found['cases']:,} held-out cases. Below 0, this model is the better. "
        f"{SAME_DATA if found['same_data'] else OTHER_DATA}"
    )
    return Section(TITLE, (said, Table(TITLE, ("What", "Is"), rows)))
