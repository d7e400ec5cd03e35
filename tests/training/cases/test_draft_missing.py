"""Whatever a system writes for *not known* is drafted as that, or asked about; what is an answer stays one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.cases.drafts import ROWS, drawn, one


def often(*answers: object, rest: int, rare: object) -> list[object]:
    """The answers in turn, and a rare one in so many rows."""
    return [rare] * rest + [answers[row % len(answers)] for row in range(ROWS - rest)]


@pytest.mark.parametrize(
    ("column", "kind", "missing", "asked"),
    [
        (drawn("Yes", "No", "Not known"), "yes_no", ["Not known"], ""),
        (drawn("Y", "N", "NK"), "yes_no", ["NK"], ""),
        (drawn("yes", "no", "N/K", "not_recorded"), "yes_no", ["N/K", "not_recorded"], ""),
        (drawn("YES", "NO", "Don't know", "-"), "yes_no", ["Don't know", "-"], ""),
        (drawn("Yes", "No", "Suspected"), "yes_no", ["Suspected"], '# "Suspected" counts as not known: check'),
        (drawn("Yes", "No", "9"), "yes_no", ["9"], '# "9" counts as not known: check'),
        (drawn("Yes", "No", "Refused"), "yes_no", ["Refused"], '# "Refused" counts as not known: check'),
        (drawn("Yes", "No", "N/A"), "yes_no", ["N/A"], "where it means *does not apply*, write not_applicable"),
        (drawn("1", "0", "Not asked"), "yes_no", ["Not asked"], ""),
        (drawn("1", "0", "U"), "yes_no", ["U"], '# "U" counts as not known: check'),
        (
            [*drawn(*range(20)), *["lost"] * 10, *["gone"] * 10][20:],
            "count",
            ["lost", "gone"],
            '# "gone" counts as not',
        ),
        (often(0, 1, 2, rest=10, rare="NK"), "count", ["NK"], ""),
        (often(0, 1, 2, rest=10, rare="none"), "count", ["none"], '# "none" counts as not known: check'),
        (often(0, 1, 2, rest=10, rare="lots"), "count", ["lots"], '# "lots" counts as not known: check'),
        ([*drawn(*range(20), "NK")[:-9], *["lost"] * 9], "count", ["NK"], "a few cells hold another word"),
        (drawn(0, 1, 2, 3, 99), "count", ["99"], '# "99" counts as not known, so far from the other numbers'),
        (drawn(0, 1, 2, 3, 99.0), "count", ["99.0"], '# "99.0" counts as not known'),
        (drawn(0, 1, 2, "UNK", 999), "count", ["UNK", "999"], '# "999" counts as not known'),
        (drawn(0, 1, 9), "yes_no", ["9"], '# "9" counts as not known, so far'),
        (drawn(0, 1, 2, 3, -1), "count", ["-1"], '# "-1" counts as not known'),
        (drawn(0, 1, 2, 3, 88, 99), "count", ["88", "99"], '# "88" counts as not known'),
        (drawn(0.5, 1.5, 2.5, 999), "number", ["999"], '# "999" counts as not known'),
        (drawn("low", "high", "Not Stated", "declined"), "category", ["Not Stated", "declined"], '# "declined" counts'),
    ],
)
def test_what_may_well_mean_not_known_is_drafted_so(
    tmp_path: Path, column: list[object], kind: str, missing: list[str], asked: str
) -> None:
    found, draft = one(tmp_path, column), (tmp_path / "draft.toml").read_text()
    assert sorted(found["missing"]) == sorted(missing)
    assert asked in draft
    assert bool(asked) == ("counts as not known" in draft or "few cells hold" in draft)
    if "few cells" not in asked:
        assert found["kind"] == kind
        assert "levels" not in found or not {*missing} & {*found["levels"]}


@pytest.mark.parametrize(
    ("column", "kind", "asked"),
    [
        (drawn(*range(15, 45), *[99] * 10), "count", "# 99 lies far from the other numbers: a code for *not known*?"),
        (often(0, 1, 2, 3, rest=9, rare=99), "count", 'then missing = ["99"]'),
        (drawn(1, 2, 3, 9), "count", 'then missing = ["9"]'),
        (drawn(-1, 0, 1), "count", 'then missing = ["-1"]'),
        (often(1, 2, "NK", rest=5, rare=99), "count", 'then missing = ["NK", "99"]'),
        (often("Yes", "No", rest=9, rare="Sarah"), "category", "# a few cells hold another word than the rest"),
        (drawn("Yes", "No", "Partly", "Planned"), "category", "# more than one kind of answer: name under missing"),
        (drawn(1, 2, "some", "many"), "category", "# more than one kind of answer: name under missing"),
    ],
)
def test_what_is_doubtful_is_asked_and_not_decided(tmp_path: Path, column: list[object], kind: str, asked: str) -> None:
    found, draft = one(tmp_path, column), (tmp_path / "draft.toml").read_text()
    assert asked in draft
    assert "Sarah" not in draft
    assert {*found.get("missing", [])} <= {"NK"}
    assert found["kind"] == kind or (found["kind"], kind) == ("number", "count")


@pytest.mark.parametrize(
    "column",
    [
        drawn(*range(100)),
        drawn(*range(8), 8, 9),
        drawn(-3, -2, -1, 0, 1, 2),
        drawn("none", "some"),
        drawn("accepted", "declined"),
        drawn("0-1", "2-5", "6+"),
        drawn(1, 2, "3 or more"),
        drawn("missing", "found", ""),
    ],
)
def test_an_answer_stays_an_answer_without_a_word(tmp_path: Path, column: list[Any]) -> None:
    found, draft = one(tmp_path, column), (tmp_path / "draft.toml").read_text()
    assert "missing" not in found
    assert not any(said in draft for said in ("counts as not known", "lies far", "few cells", "more than one kind"))
