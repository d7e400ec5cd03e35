"""The tables of two features together, to read: what each combination of answers adds, and in how many cases."""

from __future__ import annotations

from model.account.figures import WITHHELD, counted, disclosure_threshold
from model.account.page import Section, Table
from model.account.shapes import slot_labels
from model.additive import AdditiveModel, Term
from model.pairs.table import Groups, PairTerm

INTRO = (
    "A few features count together: on top of what each says alone, two answers may say something only as a pair. A "
    "cell is what that combination of answers adds to or takes off a score, in log-odds, against the mean of the "
    "training cases, and the number of training cases with it. Half of it stands in the contribution of either "
    "feature. Cells with fewer than {threshold} training cases are withheld, and so are as many others as keep them "
    "from being worked out."
)


def pairs_section(model: AdditiveModel) -> Section:
    """Every pair of a model as a table. Only for a model with pairs."""
    intro = INTRO.format(threshold=disclosure_threshold(model.facts))
    return Section("Features that count together", (intro, *(_table(model, pair) for pair in model.pairs)))


def _table(model: AdditiveModel, pair: PairTerm) -> Table:
    rows, columns = model.terms[pair.first], model.terms[pair.second]
    counts = pair.counts or tuple((None,) * len(row) for row in pair.values)
    heads = _group_labels(columns, pair.groups[1])
    body = [
        (label, *(_cell(value - pair.mean, count) for value, count in zip(values, row, strict=True)))
        for label, values, row in zip(_group_labels(rows, pair.groups[0]), pair.values, counts, strict=True)
    ]
    caption = f"{rows.feature.label} (down) with {columns.feature.label} (across)"
    return Table(caption, (rows.feature.label, *heads), tuple(body))


def _cell(adds: float, count: int | None) -> str:
    return WITHHELD if count is None else f"{round(adds, 3) + 0.0:+.3f} ({counted(count)})"


def _group_labels(term: Term, groups: Groups) -> list[str]:
    """The answers of each group: listed, or for numbers from the first bin's start to the last one's end."""
    labels, known = slot_labels(term), len(term.values)
    found = []
    for group in range(max(groups) + 1):
        slots = [slot for slot, of in enumerate(groups) if of == group]
        first, last = slots[0], slots[-1]
        if term.feature.is_numeric and last < known and last - first == len(slots) - 1 and first != last:
            found.append(_span(term, first, last))
        else:
            found.append(", ".join(labels[slot] for slot in slots))
    return found


def _span(term: Term, first: int, last: int) -> str:
    unit = f" {term.feature.unit}" if term.feature.unit else ""
    if first == 0:
        return f"below {term.edges[last]:g}{unit}" if last < len(term.edges) else "any number"
    start = f"{term.edges[first - 1]:g}"
    return f"{start} to below {term.edges[last]:g}{unit}" if last < len(term.edges) else f"{start}{unit} or more"
