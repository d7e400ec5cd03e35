"""The gates of a release as a section of the card."""

from __future__ import annotations

from model.account.page import Section, Table
from model.additive import AdditiveModel
from training.release.gates import ReleaseError, gates


def gates_section(model: AdditiveModel) -> Section:
    """Each gate with its figure and limit; one line where the model does not say what they need."""
    try:
        found = gates(model)
    except ReleaseError as error:
        return Section("Gates", (str(error),))
    rows = tuple((one.name, one.figure, one.limit, "pass" if one.passed else "FAIL") for one in found)
    said = "What a release checks on this model, apart from the comparison with the model released before."
    return Section("Gates", (said, Table("Gates", ("Gate", "Figure", "Limit", "Result"), rows)))
