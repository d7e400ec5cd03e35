"""Everything that is shown about one case: explanation, gaps, grounds and prompt, in the order of the domain."""

from __future__ import annotations

from typing import NamedTuple

from model.additive import AdditiveModel
from model.case import Case
from model.explanation import Explanation, explain
from model.gaps import Gaps, find_gaps
from model.grounds import GroundRules, Grounds
from model.prompt import Prompt, decide_prompt


class View(NamedTuple):
    """What somebody who knows just this case would be shown."""

    case: Case
    explanation: Explanation
    gaps: Gaps
    grounds: Grounds
    prompt: Prompt


def view(model: AdditiveModel, rules: GroundRules, case: Case) -> View:
    """The view of a case. Raises `ExplanationError` where the contributions do not sum to the score."""
    explanation = explain(model, case)
    gaps = find_gaps(model, explanation)
    grounds = rules.find(case)
    return View(case, explanation, gaps, grounds, decide_prompt(model, case, explanation, gaps, grounds))
