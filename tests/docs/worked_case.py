"""Works out the figures of docs/worked-case.md and draws its chart: `python -m tests.docs.worked_case MODEL.json`.

The page's prose is a person's. What stands between two marks (`<!-- figures: name -->` and `<!-- end -->`) is written
here from a model and the golden case, and the chart is drawn from the page's own table, so that the two cannot differ.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from model.additive import AdditiveModel, probability
from model.artefact import read_model
from model.case import Case
from model.explanation import Explanation, explain
from model.gaps import Gap, Gaps, find_gaps
from model.wording import contribution_text
from tests.docs.chart import SCORE_NOW, THRESHOLD, TOGETHER, draw

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "worked-case.md"
CHART = ROOT / "docs" / "worked-case.svg"
GOLDEN = ROOT / "tests" / "golden" / "worked_case.json"
SECOND_PARENT = "second_parent"
SHOWN_CONTRIBUTIONS = 6


def percent(share: float) -> str:
    """A probability as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def tables(model: AdditiveModel) -> dict[str, str]:
    """The page's tables by the name in their marks, for the golden case under a model."""
    case = Case.of(model.dictionary, json.loads(GOLDEN.read_text())["features"])
    explanation = explain(model, case)
    gaps = find_gaps(model, explanation)
    return {
        "not known": _not_known(model, gaps),
        "score": _score(model, explanation, gaps),
        "contributions": _contributions(model, case, explanation),
    }


def _not_known(model: AdditiveModel, gaps: Gaps) -> str:
    second = [gap for gap in gaps.gaps if gap.term.feature.name.startswith(SECOND_PARENT)]
    others = [gap for gap in gaps.gaps if gap not in second]
    rows = [_gap_row(model, gap) for gap in (*second, *others)]
    return "\n".join(["| not known | may be held by | the score, were this alone known |", "|---|---|---|", *rows])


def _gap_row(model: AdditiveModel, gap: Gap) -> str:
    holders = "; ".join(model.dictionary.agency_label(agency) for agency in gap.term.feature.held_by)
    low, high = percent(gap.score_if_lowest), percent(gap.score_if_highest)
    return f"| {gap.term.feature.label} | {holders} | {low} to {high} |"


def _score(model: AdditiveModel, explanation: Explanation, gaps: Gaps) -> str:
    training = model.facts["training"]
    low, high = gaps.score_range
    refit_low, refit_high = explanation.score_interval
    rows = [
        f"| {SCORE_NOW} | {percent(explanation.score)} |",
        f"| {TOGETHER} | {percent(low)} to {percent(high)} |",
        f"| Refits of the model (too narrow to be called a confidence interval) "
        f"| {percent(refit_low)} to {percent(refit_high)} |",
        f"| Share of the whole synthetic cohort with the outcome | {percent(training['events'] / training['rows'])} |",
        f"| {THRESHOLD} | {percent(probability(model.threshold))} |",
        f"| Band (twentieths of the cohort, 20 the highest) | {explanation.band} |",
    ]
    return "\n".join(["| figure | value |", "|---|---|", *rows])


def _contributions(model: AdditiveModel, case: Case, explanation: Explanation) -> str:
    pairs = zip(model.terms, explanation.contributions, strict=True)
    largest = sorted(pairs, key=lambda pair: -abs(pair[1]))[:SHOWN_CONTRIBUTIONS]
    rows = [
        f"| {contribution_text(model, term.feature, case.values[term.feature.name], size)} | {size:+.2f} |"
        for term, size in largest
    ]
    return "\n".join(["| in words | contribution |", "|---|---|", *rows])


def with_figures(page: str, written: dict[str, str]) -> str:
    """The page with each marked table replaced. Raises `ValueError` where a mark is missing."""
    for name, table in written.items():
        marked = re.compile(rf"(<!-- figures: {name} -->\n\n).*?(\n\n<!-- end -->)", re.S)
        page, found = marked.subn(lambda match, table=table: match[1] + table + match[2], page)
        if found != 1:
            raise ValueError(f"{PAGE.name}: the marks of {name!r} stand {found} times, not once")
    return page


def main(model_file: Path) -> None:
    """Rewrites the figures of the page, and the chart."""
    model = read_model(model_file.read_bytes(), str(model_file))
    page = with_figures(PAGE.read_text(encoding="utf-8"), tables(model))
    PAGE.write_text(page, encoding="utf-8")
    CHART.write_text(draw(page), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
