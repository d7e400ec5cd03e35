"""The closed list of what a practitioner may answer to a prompt (`responses.toml`): actions and reasons."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ACCEPTED_DRAFT = "accepted_draft"
NOT_GIVEN = "not_given"
"""The action and the reason that only a card's feedback (CDS Hooks) gives."""
LIST_FILE = Path(__file__).parent / "responses.toml"


@dataclass(frozen=True, slots=True)
class Action:
    """What a practitioner did. With `needs_reason`, at least one reason goes with it."""

    code: str
    label: str
    needs_reason: bool = False
    by_card: bool = False
    """Recorded out of a card's feedback (CDS Hooks) alone, so nobody is offered it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and the research or standard that the reason comes from. A retired one is read in old entries only."""

    code: str
    label: str
    source: str
    retired: bool = False
    by_card: bool = False
    """As an action's."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Every action and reason, in the order in which they are to be shown."""

    actions: tuple[Action, ...]
    reasons: tuple[Reason, ...]

    def offered(self) -> list[str]:
        """The codes of the reasons that may be sent."""
        return [reason.code for reason in self.reasons if not (reason.retired or reason.by_card)]

    def offered_actions(self) -> list[Action]:
        """The actions that may be sent."""
        return [action for action in self.actions if not action.by_card]

    def needing_reason(self) -> frozenset[str]:
        """The actions that are refused without a reason."""
        return frozenset(action.code for action in self.actions if action.needs_reason)

    def shown(self) -> dict[str, Any]:
        """The list as `GET /v1/responses` answers it."""
        offered = set(self.offered())
        return {
            "actions": [
                {"code": action.code, "label": action.label, "needs_reason": action.needs_reason}
                for action in self.offered_actions()
            ],
            "reasons": [
                {"code": reason.code, "label": reason.label, "source": reason.source}
                for reason in self.reasons
                if reason.code in offered
            ],
        }


@cache
def choices() -> Choices:
    """The shipped list; its shape is held by a test, so nothing is checked here."""
    raw = tomllib.loads(LIST_FILE.read_text(encoding="utf-8"))
    return Choices(tuple(Action(**row) for row in raw["action"]), tuple(Reason(**row) for row in raw["reason"]))
