"""Everything that is shown about one case: explanation, gaps, grounds and prompt, in the order of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from model.additive import AdditiveModel
from model.case import Case
from model.compiled import look
from model.explanation import Explanation, explain
from model.gaps import Gaps, find_gaps
from model.grounds import GroundRules, Grounds
from model.prompt import Prompt, decide_prompt

if TYPE_CHECKING:
    from model.kernel import Kernel


class View(NamedTuple):
    """What somebody who knows just this case would be shown."""

    case: Case
    explanation: Explanation
    gaps: Gaps
    grounds: Grounds
    prompt: Prompt


def view(model: AdditiveModel, rules: GroundRules, case: Case, kernel: Kernel | None = None) -> View:
    """The view of a case; with the model's `kernel` the same in less time.

    Raises `ExplanationError` where the contributions do not sum to the score.
    """
    if kernel is None:
        explanation = explain(model, case)
        gaps = find_gaps(model, explanation)
    else:
        explanation, gaps = look(kernel, model, case)
    grounds = rules.find(case)
    return View(case, explanation, gaps, grounds, decide_prompt(model, case, explanation, gaps, grounds))
