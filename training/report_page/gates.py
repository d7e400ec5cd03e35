"""The gates of a release as a section of the card, and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from model.account.page import Section, Table
from model.additive import AdditiveModel
from model.overrides import OVERRIDABLE, REASONS, ROLES, Override
from training.release.gate import Gate
from training.release.gates import ReleaseError, gates

AT_RELEASE = "As judged when this model was released, beside the model that was active then."
BEFORE = (
    "What a release checks on this model, apart from the comparison with the active model. A release writes a card of "
    "its own beside the released model, with every gate as it was judged then and what was overridden."
)


def gates_section(model: AdditiveModel, overrides: Sequence[Override], at_release: Sequence[Gate] | None) -> Section:
    """Each gate with its figure, limit and result; one line where the model does not say what they need."""
    try:
        found = gates(model) if at_release is None else at_release
    except ReleaseError as error:
        return Section("Gates", (str(error),))
    lifted = {OVERRIDABLE[one.gate]: one for one in overrides}
    rows = tuple((one.name, one.figure, one.limit, _result(one, lifted.get(one.name))) for one in found)
    said = BEFORE if at_release is None else AT_RELEASE
    return Section("Gates", (said, Table("Gates", ("Gate", "Figure", "Limit", "Result"), rows)))


def gates_data(at_release: Sequence[Gate] | None) -> list[dict[str, Any]] | None:
    """The gates as judged at the release, for the card as JSON; None before one."""
    return None if at_release is None else [asdict(gate) for gate in at_release]


def gates_from(data: Any) -> list[Gate] | None:
    """What `gates_data` gave. Raises TypeError where it is of another shape."""
    return None if data is None else [Gate(**one) for one in data]


def _result(gate: Gate, lifted: Override | None) -> str:
    if gate.passed:
        return "pass"
    return f"OVERRIDDEN. {REASONS[lifted.reason]}. By: {ROLES[lifted.by].lower()}" if lifted else "FAIL"
