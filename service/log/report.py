"""What verification found, and in what words."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.log.checkpoint import Checkpoint
from service.log.key_history import KeyHistory

MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong; `index` is that of the first entry concerned, None where it concerns the log as a whole."""

    index: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.index is None else f"entry {self.index}: {self.text}"


@dataclass(slots=True)
class Report:
    """What verification found. `ok` means no problem; `caveats` say what it could not exclude or did not know.

    `erased` and `records` count payloads that an entry says were erased, and receipts that are of an entry; `keys` says
    which key signed the log when.
    """

    size: int = 0
    problems: list[Problem] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    erased: int = 0
    unlisted: int = 0
    records: int = 0
    keys: KeyHistory | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, index: int | None, text: str) -> None:
        """Notes a problem; beyond the first hundred they are only counted."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(index, text))
        else:
            self.unlisted += 1
