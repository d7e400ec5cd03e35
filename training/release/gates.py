"""What must hold before a release, and what a person may lift: gates of quality, never one that holds a promise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.additive import AdditiveModel
from model.artefact import promises_broken
from model.overrides import ONLY_FOR, OVERRIDABLE, REASONS, ROLES, Override
from training.release.gate import Gate
from training.release.gates_figures import figure_gates
from training.release.gates_quality import quality_gates

SHAP_TOLERANCE = 1e-6
COMPILE_TOLERANCE = 1e-9


class ReleaseError(RuntimeError):
    """A release that must not happen; one line."""


@dataclass(frozen=True, slots=True)
class AskedOverrides:
    """What a person asks to release in spite of: codes of gates, one reason and the role that answers for it."""

    gates: tuple[str, ...] = ()
    reason: str | None = None
    by: str | None = None


NO_OVERRIDES = AskedOverrides()


def override(checked: list[Gate], asked: AskedOverrides) -> tuple[list[Gate], list[Override]]:
    """The gates with the failed ones that `asked` lifts marked, and these overrides. Raises `ReleaseError`.

    A gate that holds a promise cannot be lifted, and one that passed need not be.
    """
    if not asked.gates:
        if asked.reason is not None or asked.by is not None:
            raise ReleaseError(
                "not released: --reason and --by go with --override GATE; name the gate or leave them out"
            )
        return checked, []
    reason, by = asked.reason, asked.by
    if reason is None or by is None or reason not in REASONS or by not in ROLES:
        raise ReleaseError(
            f"not released: --override needs --reason ({', '.join(REASONS)}) and --by ({', '.join(ROLES)})"
        )
    overrides = []
    for code in dict.fromkeys(asked.gates):
        if code not in OVERRIDABLE:
            raise ReleaseError(
                f"not released: only gates of quality can be overridden, which are {', '.join(OVERRIDABLE)}"
            )
        gate = next((gate for gate in checked if gate.name == OVERRIDABLE[code]), None)
        if gate is None:
            raise ReleaseError(f"not released: the gate {code} was not judged; leave out --override {code}")
        if gate.passed:
            raise ReleaseError(f"not released: the gate {code} passed; leave out --override {code}")
        if reason != ONLY_FOR.get(code, reason):
            raise ReleaseError(f"not released: the gate {code} can be overridden for {ONLY_FOR[code]} alone")
        overrides.append(Override(code, gate.figure, gate.limit, reason, by))
    lifted = {OVERRIDABLE[one.gate] for one in overrides}
    return [replace(gate, overridden=gate.name in lifted) for gate in checked], overrides


def gates(model: AdditiveModel) -> list[Gate]:
    """Every gate for a model, from what its own artefact says. Raises `ReleaseError` where that is too little."""
    try:
        return _gates(model)
    except (KeyError, TypeError) as error:
        raise ReleaseError(
            f"not released: the model does not say what the gates need ({error}); train it again"
        ) from None


def _gates(model: AdditiveModel) -> list[Gate]:
    training = model.facts["training"]
    broken = promises_broken(model)
    return [
        Gate("promises hold on the table", f"{len(broken)} broken", "0 broken", not broken),
        _at_most("contributions equal shap's", training["shap"]["largest_difference"], SHAP_TOLERANCE),
        _at_most("table equals the fitted estimators", training["compile_difference"], COMPILE_TOLERANCE),
        *figure_gates(model),
        *quality_gates(model),
    ]


def _at_most(name: str, figure: float, limit: float) -> Gate:
    return Gate(name, f"{figure:.1e}", f"<= {limit:.0e}", figure <= limit)
