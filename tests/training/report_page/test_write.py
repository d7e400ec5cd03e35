"""The card: every number drawn stands in a table, nothing comes from elsewhere, and markup stays text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from model.account.whole import SYNTHETIC
from model.additive import AdditiveModel
from model.artefact import digest, read_model
from model.overrides import Override
from tests.builders import built_model, plain_dictionary, yes_no_term
from tests.training.conftest import Run
from training.report_page.atrs import GAP
from training.report_page.write import ATRS_FILE, HTML_FILE, JSON_FILE, MARKDOWN_FILE, card_files, write_card
from training.writing import write_trained

EVIL = '<script>alert(1)</script> | **x** & "q"'
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Read(HTMLParser):
    """What a browser would see, and each tag left open or closed without need."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: set[str] = set()
        self.headings: list[int] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.add(data)

    def having(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


MEASURED = {name: figure(0.8) for name in ("auc", "average_precision", "log_loss", "brier")}
MEASURED |= {"calibration_slope": figure(1.0), "calibration_intercept": figure(0.0)}
ROBUST = {"auc": figure(0.7), "log_loss": figure(0.1), "share_over_threshold": figure(0.05)}
SHARES = {"share": figure(0.06), "outcome_share": None, "share_of_outcomes": figure(0.5)}
GROUP = {
    **{rate: figure(0.5) for rate in ("selection_rate", "sensitivity", "false_positive_rate", "precision")},
    "observed_to_expected": figure(1.1),
    "not_known": {"all": figure(0.2), "by_agency": {"gp": figure(0.25)}},
    "bands": [0.5, None],
    "prompts": {level: figure(0.3) for level in ("consider_referral", "seek_information", "no_prompt")},
}
SMALL = dict.fromkeys(GROUP)
EVALUATION: dict[str, Any] = {
    "held_out_rows": 1234,
    "held_out_families": 1001,
    "grounds": MEASURED,
    "logistic regression": MEASURED,
    "method": {"resamples": 200},
    "prompts": {
        "cases": 1234,
        "levels": [{"level": "consider_referral", **SHARES}, {"level": "no_prompt", **SHARES}],
        "consider_referral": [{"rule": "score_only", **SHARES}],
        "seek_information": [{"rule": "too_little_known", **SHARES}],
        "grounds": [{"ground": "bruise", "share": None, "outcome_share": None, "share_of_outcomes": None}],
    },
    "calibration": {
        "bins": [
            {"cases": 500, "mean_score": 0.01, "outcome_share": figure(0.012)},
            {"cases": None, "mean_score": None, "outcome_share": None},
            {"cases": 500, "mean_score": 0.1, "outcome_share": figure(0.11)},
        ],
        "ece": figure(0.01),
    },
    "workload": [
        {
            "capacity": capacity,
            "threshold_score": 0.2,
            "share_prompted": figure(capacity),
            "precision": figure(0.4),
            "sensitivity": figure(0.3),
            "prompts_for_each_outcome_found": figure(2.5),
        }
        for capacity in (0.01, 0.05)
    ],
    "decision_curve": [
        {
            "threshold": threshold,
            "net_benefit": net,
            "treat_all": figure(-0.2),
            "treat_none": 0.0,
            "gain_over_best_of_both": net,
        }
        for threshold, net in ((0.02, figure(0.01)), (0.5, None))
    ],
    "robustness": {
        "as_recorded": ROBUST,
        "without_agency": [{"agency": "gp", "label": EVIL, **ROBUST}],
        "at_random": [{"share": 0.3, **ROBUST}],
    },
    "shift": {
        "features": ["history"],
        "share_of_answers_lost": 0.5,
        "cases": 600,
        "as_recorded": ROBUST,
        "recorded_less": ROBUST,
        "change": {"auc": figure(-0.1)},
    },
    "newest_period": {"judged": True, "fitted_rows": 900, "rows": 200, **MEASURED},
}
FAIRNESS = {
    "judged": True,
    "not_in_the_data": [],
    "characteristics": [
        {
            "name": "group",
            "label": EVIL,
            "reference": "a",
            "levels": [
                {"level": "a", "suppressed": None, "cases": 900, "events": 50, "gap": None, **GROUP},
                {"level": EVIL, "suppressed": None, "cases": 300, "events": None, "gap": GROUP, **GROUP},
                {"level": "c", "suppressed": "cases", "cases": None, "events": None, "gap": SMALL, **SMALL},
            ],
        }
    ],
}


def judged_model(**top: Any) -> AdditiveModel:
    """A model with every figure there can be, whose dictionary does its best to break out of the page."""
    raw = plain_dictionary(
        {"name": "history", "kind": "yes_no", "direction": "raises", "label": EVIL, "source": EVIL},
        {"name": "rare", "kind": "yes_no", "direction": "raises"},
        excluded=[{"name": "postcode", "reason": EVIL}],
    )
    terms = [
        yes_no_term("history", 0.0, 0.1, 1.0, deviations=[[0.1, -0.1], [0.0, 0.0], [0.2, -0.3]]),
        yes_no_term("rare", 0.0, 0.1, 7.654, counts=[990, None]),
    ]
    training = {"rows": 1000, "families": 800, "events": 150, "compile_difference": 0.0, "data_sha256": "ab" * 32}
    training["shap"] = {"largest_difference": 0.0}
    facts = {"training": training, "evaluation": EVALUATION, "fairness": FAIRNESS}
    return built_model(raw, terms, **{"synthetic": True, **facts, **top})


@pytest.fixture(scope="module", params=["every figure", "as trained"])
def files(request: pytest.FixtureRequest, run: Run) -> dict[str, str]:
    model = judged_model() if request.param == "every figure" else read_model(run.trained.data)
    return {name: content.decode() for name, content in card_files(model, "0" * 64).items()}


def test_the_page_is_whole_and_has_one_first_heading(files: dict[str, str]) -> None:
    page = Read(files[HTML_FILE])
    assert page.wrong == []
    assert page.headings.count(1) == 1
    assert page.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.tags}
    assert ("html", {"lang": "en-GB"}) in page.tags


def test_nothing_comes_from_elsewhere_and_nothing_runs(files: dict[str, str]) -> None:
    text = files[HTML_FILE]
    assert "://" not in text
    assert "url(" not in text
    page = Read(text)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    assert not any(name.startswith("on") or name in ("src", "style") for _, attrs in page.tags for name in attrs)
    assert all(address.startswith("#") and address[1:] in page.having("id") for address in page.having("href"))


def test_every_number_that_is_drawn_stands_in_a_table(files: dict[str, str]) -> None:
    page = Read(files[HTML_FILE])
    drawn = page.having("data-value")
    assert drawn
    assert set(drawn) <= page.cells
    for value in set(drawn):
        assert value in files[MARKDOWN_FILE], value


def test_plots_and_tables_are_named_for_those_who_do_not_see_them(files: dict[str, str]) -> None:
    page = Read(files[HTML_FILE])
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    plots = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert plots
    for attrs in plots:
        assert attrs["role"] == "img"
        assert set((attrs["aria-labelledby"] or "").split()) <= set(ids)
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
    tables, captions = (sum(tag == wanted for tag, _ in page.tags) for wanted in ("table", "caption"))
    assert tables == captions >= len(plots)
    sections = [attrs["aria-labelledby"] for tag, attrs in page.tags if tag == "section"]
    assert set(sections) <= set(ids)


def test_what_a_dictionary_says_stays_text() -> None:
    files = {name: content.decode() for name, content in card_files(judged_model(), "0" * 64).items()}
    page = Read(files[HTML_FILE])
    assert "<script" not in files[HTML_FILE]
    assert any(EVIL in text for text in page.text)
    for name in (MARKDOWN_FILE, ATRS_FILE):
        assert "<script" not in files[name].replace("\\<script", "")
        rows = [line for line in files[name].splitlines() if line.startswith("|")]
        widths = [len(re.findall(r"(?<!\\)\|", line)) for line in rows]
        assert all(width >= 3 for width in widths)
    assert "| postcode | \\<script\\>" in files[MARKDOWN_FILE]


def test_a_line_that_falls_far_is_drawn_as_far_as_the_others_can_be_told_apart() -> None:
    falling = [
        {**row, "net_benefit": figure(0.1), "treat_all": figure(all_cases)}
        for row, all_cases in zip(EVALUATION["decision_curve"], (0.05, -0.9), strict=True)
    ]
    text = card_files(judged_model(evaluation={**EVALUATION, "decision_curve": falling}), "0" * 64)[HTML_FILE].decode()
    page = Read(text)
    assert "-0.90000 (-0.91000 to -0.89000)" in page.cells
    assert "-0.90000 (-0.91000 to -0.89000)" not in page.having("data-value")
    assert "0.05000 (0.04000 to 0.06000)" in page.having("data-value")


def test_few_cases_are_withheld_everywhere() -> None:
    files = {name: content.decode() for name, content in card_files(judged_model(), "0" * 64).items()}
    for name in (HTML_FILE, MARKDOWN_FILE, JSON_FILE):
        assert "7.654" not in files[name], name
    assert "fewer than 10" in files[HTML_FILE]
    assert json.loads(files[JSON_FILE])["tables"][1]["values"] == [0.0, None]


def test_synthetic_and_lifted_gates_are_said_first() -> None:
    lifted = Override("enough_events", "99", ">= 100", "silent_pilot", "data_scientist")
    files = card_files(judged_model(), "0" * 64, (lifted,))
    text = files[HTML_FILE].decode()
    assert text.index(SYNTHETIC) < text.index("<h1>")
    assert text.index("Released in spite of a failed gate: enough events") < text.index("<h1>")
    assert files[MARKDOWN_FILE].decode().startswith("> **Learned from synthetic data")
    assert "synthetic" in files[ATRS_FILE].decode().lower()
    assert SYNTHETIC not in card_files(judged_model(synthetic=False), "0" * 64)[HTML_FILE].decode()


def test_what_was_not_measured_says_so(run: Run) -> None:
    text = card_files(judged_model(fairness=None), "0" * 64)[MARKDOWN_FILE].decode()
    assert "Nothing is known of how it treats different groups" in text
    bare = {key: EVALUATION[key] for key in ("held_out_rows", "held_out_families", "grounds", "logistic regression")}
    assert card_files(judged_model(evaluation=bare), "0" * 64)[MARKDOWN_FILE].decode().count("Not measured") == 7


def test_the_record_shows_what_only_the_organisation_can_fill(files: dict[str, str]) -> None:
    text = files[ATRS_FILE]
    fields = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    said = {field.split(" ", 1)[0]: field for field in fields}
    for code in ("1.1", "1.3", "2.2", "3.3", "4.3.9", "5.1"):
        assert GAP in said[code], code
    for code in ("4.2.1", "4.2.2", "4.2.7", "4.3.3"):
        assert GAP not in said[code], code
    assert all(len(field.strip().splitlines()) >= 3 for field in fields)
    gaps = sum(GAP in field for field in fields)
    assert f"{gaps} of {len(fields)} fields wait" in text


def test_no_page_claims_what_a_model_cannot_know(files: dict[str, str]) -> None:
    for name, text in files.items():
        plain = text.replace("Saying that a child is safe", "").replace("safeguarding", "")
        assert not re.search(r"\b(because|safe|caused)\b", plain, re.IGNORECASE), name


def test_the_same_model_gives_the_same_bytes_and_files_are_replaced(run: Run, tmp_path: Path) -> None:
    write_trained(run.trained, tmp_path)
    first = {path.name: path.read_bytes() for path in write_card(tmp_path, tmp_path)}
    second = {path.name: path.read_bytes() for path in write_card(tmp_path, tmp_path)}
    assert first == second
    assert set(first) == {HTML_FILE, MARKDOWN_FILE, JSON_FILE, ATRS_FILE}
    assert json.loads(first[JSON_FILE])["sha256"] == digest(run.trained.data)
