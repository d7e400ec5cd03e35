"""`card.html`, `card.md`, `card.json` and `atrs.md`: the same model, released the same way, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.account.shapes import importance
from model.account.whole import account
from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, ArtefactError, digest, read_model
from model.card import model_card
from model.files import write_whole
from model.overrides import OVERRIDES_FILE, Override, read_overrides
from training.release.gate import Gate
from training.report_page.atrs import atrs
from training.report_page.gates import gates_data, gates_from, gates_section
from training.report_page.html import html
from training.report_page.markdown import markdown

HTML_FILE, MARKDOWN_FILE, JSON_FILE, ATRS_FILE = "card.html", "card.md", "card.json", "atrs.md"
CARD_FILES = (HTML_FILE, MARKDOWN_FILE, JSON_FILE, ATRS_FILE)
RELEASE_GATES = "gates_at_release"


def write_card(folder: Path, out: Path) -> list[Path]:
    """Writes the four files for the model in `folder` into `out`; returns their paths. Raises `ArtefactError`.

    The gates of a released model are those of its release, as the card there has them: what it was compared with may
    be active no longer.
    """
    path = folder / MODEL_FILE
    if not path.exists():
        raise ArtefactError(f"{path}: no such file; name a folder with {MODEL_FILE}")
    data = path.read_bytes()
    lifted = folder / OVERRIDES_FILE
    overrides = read_overrides(lifted.read_bytes(), str(lifted)) if lifted.exists() else ()
    written = []
    judged = _at_release(folder / JSON_FILE, digest(data))
    for name, content in card_files(read_model(data, str(path)), digest(data), overrides, judged).items():
        write_whole(out / name, content)
        written.append(out / name)
    return written


def _at_release(card: Path, sha256: str) -> list[Gate] | None:
    """The gates in the card of a released model; None where there is no card, or it is of another model or before."""
    if not card.exists():
        return None
    try:
        said = json.loads(card.read_bytes())
        return gates_from(said.get(RELEASE_GATES)) if said["sha256"] == sha256 else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ArtefactError(f"{card}: not a card of Grounds; take it away, or release the model again") from None


def card_files(
    model: AdditiveModel,
    sha256: str,
    overrides: tuple[Override, ...] = (),
    at_release: Sequence[Gate] | None = None,
) -> dict[str, bytes]:
    """The files' bytes by name; `at_release` are the gates as its release judged them.

    Raises `ArtefactError` where the model says too little of its making.
    """
    try:
        page = account(model, sha256, overrides, (gates_section(model, overrides, at_release),))
        content = {**card_data(model, sha256, overrides), RELEASE_GATES: gates_data(at_release)}
        card = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        files = {HTML_FILE: html(page), MARKDOWN_FILE: markdown(page), JSON_FILE: card + "\n"}
        files[ATRS_FILE] = atrs(model, sha256)
    except (KeyError, TypeError) as error:
        raise ArtefactError(f"the model does not say what its card needs ({error}); train it again") from None
    return {name: content.encode() for name, content in files.items()}


def card_data(model: AdditiveModel, sha256: str, overrides: tuple[Override, ...] = ()) -> dict[str, Any]:
    """The card as JSON: what the service answers, with importance, and without values that rest on few cases."""
    card = model_card(model, sha256, overrides)
    for table in card["tables"]:
        counts = table["counts"]
        if counts:
            pairs = zip(table["values"], counts, strict=True)
            table["values"] = [None if count is None else value for value, count in pairs]
    sizes = [{"feature": term.feature.name, "mean_absolute_contribution": size} for term, size in importance(model)]
    return {**card, "importance": sizes}
