"""From a score, its gaps and its grounds to a prompt: a level and words. Never a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_KNOWN, Ground
from model.explanation import Explanation
from model.gaps import Gaps, fewest_answers
from model.grounds import Grounds

CONSIDER_REFERRAL = "consider_referral"
SEEK_INFORMATION = "seek_information"
NO_PROMPT = "no_prompt"
LEVELS = (CONSIDER_REFERRAL, SEEK_INFORMATION, NO_PROMPT)


class Prompt(NamedTuple):
    """What the practitioner is asked to consider.

    `reasons` say which rule gave the level; `ask` names the features whose answers would change it, or the ground.
    """

    level: str
    text: str
    reasons: tuple[str, ...]
    ask: tuple[str, ...]


def decide_prompt(model: AdditiveModel, case: Case, explanation: Explanation, gaps: Gaps, grounds: Grounds) -> Prompt:
    """The prompt of a case.

    `consider_referral` where a ground is met or the score is at or above the threshold; else `seek_information` where
    a ground hangs on an answer, few answers would carry the score over the threshold, or too little is known;
    else `no_prompt`, whose words say that it is not a finding that the child is safe.
    """
    words = model.words["prompt"]
    referral = _referral_reasons(model, explanation, grounds)
    if referral:
        actions = {ground.action for ground in grounds.met}
        text = words["consider_referral_call" if "call" in actions else CONSIDER_REFERRAL]
        undecided, asked = _undecided_reasons(model, grounds)
        unknown = [feature for ground in grounds.met for feature in _rests_on_unknown(ground, case)]
        return Prompt(CONSIDER_REFERRAL, text, (*referral, *undecided), tuple(dict.fromkeys([*unknown, *asked])))
    seek, ask = _seek_reasons(model, case, explanation, gaps, grounds)
    if seek:
        return Prompt(SEEK_INFORMATION, words[SEEK_INFORMATION], tuple(seek), tuple(dict.fromkeys(ask)))
    return Prompt(NO_PROMPT, words[NO_PROMPT], (words["no_reason"],), ())


def _rests_on_unknown(ground: Ground, case: Case) -> list[str]:
    """The features whose not being known is part of a ground that is met: to be asked about first."""
    return [name for name in ground.not_known_asked if case.values[name] == NOT_KNOWN]


def _referral_reasons(model: AdditiveModel, explanation: Explanation, grounds: Grounds) -> list[str]:
    words = model.words["prompt"]
    reasons = [words["ground_met"].format(ground=ground.label) for ground in grounds.met]
    if explanation.margin >= model.threshold:
        reasons.append(words["score_over_threshold"])
    return reasons


def _seek_reasons(
    model: AdditiveModel, case: Case, explanation: Explanation, gaps: Gaps, grounds: Grounds
) -> tuple[list[str], list[str]]:
    words, policy = model.words["prompt"], model.dictionary.policy
    reasons, ask = _undecided_reasons(model, grounds)
    answers = fewest_answers(model, explanation, gaps)
    if answers is not None and len(answers) <= policy.answers:
        names = [term.feature.name for term in answers]
        reasons.append(words["answers_would_change"].format(ask=_whom_to_ask(model, names)))
        ask += names
    values = case.values
    missing = [name for name in model.dictionary.essential if values[name] == NOT_KNOWN and name not in ask]
    if missing:
        reasons.append(words["essential_not_known"].format(ask=_whom_to_ask(model, missing)))
        ask += missing
    known = case.known()
    if known < policy.minimum_known:
        reasons.append(words["too_little_known"].format(known=known, minimum=policy.minimum_known))
    return reasons, ask


def _undecided_reasons(model: AdditiveModel, grounds: Grounds) -> tuple[list[str], list[str]]:
    reasons: list[str] = []
    ask: list[str] = []
    for undecided in grounds.undecided:
        asked = _whom_to_ask(model, undecided.features)
        reasons.append(model.words["prompt"]["ground_undecided"].format(ground=undecided.ground.label, ask=asked))
        ask += undecided.features
    return reasons, ask


def _whom_to_ask(model: AdditiveModel, names: Sequence[str]) -> str:
    return "; ".join([model.asks[name] for name in names])
