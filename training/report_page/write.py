"""`card.html`, `card.md`, `card.json` and `atrs.md`, from a model's file and the comparison beside it: the same model,
released the same way, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from training.report_page.against import against_section, read_against
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
    judged, compared = _at_release(folder / JSON_FILE, digest(data))
    against = read_against(folder, digest(data)) or compared
    files = card_files(read_model(data, str(path)), digest(data), overrides, judged, against)
    for name, content in files.items():
        write_whole(out / name, content)
        written.append(out / name)
    return written


def _at_release(card: Path, sha256: str) -> tuple[list[Gate] | None, Mapping[str, Any] | None]:
    """The gates and the comparison in the card of a released model; None where it has none, or is of another model."""
    if not card.exists():
        return None, None
    try:
        said = json.loads(card.read_bytes())
        if said["sha256"] != sha256:
            return None, None
        return gates_from(said.get(RELEASE_GATES)), said.get("against")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ArtefactError(f"{card}: not a card of Grounds; take it away, or release the model again") from None


def card_files(
    model: AdditiveModel,
    sha256: str,
    overrides: tuple[Override, ...] = (),
    at_release: Sequence[Gate] | None = None,
    against: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """The files' bytes by name; `at_release` are the gates as its release judged them, `against` is how the model
    stands beside the one released before, as training wrote it.

    Raises `ArtefactError` where the model says too little of its making.
    """
    try:
        sections = gates_section(model, overrides, at_release), against_section(against)
        page = account(model, sha256, overrides, sections)
        content = {**card_data(model, sha256, overrides), RELEASE_GATES: gates_data(at_release), "against": against}
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
