"""What changed between two versions: the threshold, what was measured, the dictionary, and each feature's table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.account.figures import number, words
from model.account.measured import MEASURES
from model.additive import AdditiveModel, Term, probability
from model.pairs.changes import pair_changes

ALIKE = 5e-4
"""Log-odds below which two table values are shown as the same; they are printed to three digits."""


@dataclass(frozen=True, slots=True)
class TableChange:
    """One feature whose table moved: the largest move in log-odds and where, and every slot before and after."""

    label: str
    largest: float
    slots: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs between two versions."""

    figures: tuple[tuple[str, str, str], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    redrawn: tuple[str, ...]
    pairs: tuple[str, ...]
    tables: tuple[TableChange, ...]
    same: int
    words_changed: tuple[str, ...]


def changes(old: AdditiveModel, new: AdditiveModel) -> Changes:
    """What `new` changed against `old`; tables of features that both have, those that moved most first."""
    before, after = ({term.feature.name: term for term in model.terms} for model in (old, new))
    both = [name for name in after if name in before]
    comparable = [name for name in both if _slots(before[name]) == _slots(after[name])]
    moved = [_moved(before[name], after[name]) for name in comparable]
    tables = sorted((one for one in moved if one.largest > ALIKE), key=lambda one: -one.largest)
    return Changes(
        figures=_figures(old, new),
        added=tuple(after[name].feature.label for name in after if name not in before),
        removed=tuple(before[name].feature.label for name in before if name not in after),
        redrawn=tuple(after[name].feature.label for name in both if name not in comparable),
        pairs=tuple(pair_changes(old, new)),
        tables=tuple(tables),
        same=len(comparable) - len(tables),
        words_changed=_changed_words(old.words, new.words),
    )


def _figures(old: AdditiveModel, new: AdditiveModel) -> tuple[tuple[str, str, str], ...]:
    both = (old, new)
    rows = [
        ("Score of an average case", [f"{100 * probability(model.base_value):.2f} %" for model in both]),
        ("Prompts from a score of", [f"{100 * probability(model.threshold):.2f} %" for model in both]),
        *((f"Training {fact}", [_count(model, fact) for model in both]) for fact in ("rows", "families", "events")),
        *((words(measure), [_measured(model, measure) for model in both]) for measure in MEASURES),
    ]
    return tuple((name, first, second) for name, (first, second) in rows)


def _count(model: AdditiveModel, fact: str) -> str:
    value = model.facts.get("training", {}).get(fact)
    return f"{value:,}" if isinstance(value, int) else "not stated"


def _measured(model: AdditiveModel, measure: str) -> str:
    figure = model.facts.get("evaluation", {}).get("grounds", {}).get(measure)
    return number(figure) if isinstance(figure, Mapping) else "not measured"


def _slots(term: Term) -> tuple[str, ...]:
    feature = term.feature
    known = [f"from {edge:g}" for edge in term.edges] if feature.is_numeric else list(feature.levels)
    first = ["lowest"] if feature.is_numeric else []
    apart = [] if term.not_applicable is None else ["not applicable"]
    return (*first, *known, "not known", *apart)


def _moved(old: Term, new: Term) -> TableChange:
    pairs = zip(_slots(new), old.contributions, new.contributions, strict=True)
    slots = tuple((name.replace("_", " "), first, second) for name, first, second in pairs)
    return TableChange(new.feature.label, max(abs(second - first) for _, first, second in slots), slots)


def _changed_words(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    changed = []
    for topic in sorted({*old, *new}):
        before, after = old.get(topic, {}), new.get(topic, {})
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            continue
        changed += [f"{topic}: {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return tuple(changed)
