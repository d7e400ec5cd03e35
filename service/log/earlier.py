"""Earlier checkpoints, kept outside the log's own system, against which a log is compared while it streams by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.log.checkpoint import Checkpoint, CheckpointError, read_unverified
from service.log.key_history import KeyHistory
from service.log.merkle import Frontier


@dataclass(slots=True)
class _Kept:
    checkpoint: Checkpoint
    note: str | None
    agrees: bool | None = None  # None until as many entries have passed


class EarlierCheckpoints:
    """Notes, whose signatures are checked at the end, when the log's keys are known; or checkpoints opened before."""

    def __init__(self, kept: Sequence[Checkpoint | str]) -> None:
        """Raises `MalformedCheckpoint` where a note is none."""
        opened = [_Kept(read_unverified(each), each) if isinstance(each, str) else _Kept(each, None) for each in kept]
        self._kept = sorted(opened, key=lambda each: each.checkpoint.size)
        self._next = 0
        self.agreed = 0
        """Entries before this one are those of a signed earlier checkpoint; known after `problems`."""

    @property
    def next_size(self) -> int:
        """The size at which `compare` is due, -1 where it is no more."""
        return self._kept[self._next].checkpoint.size if self._next < len(self._kept) else -1

    def compare(self, frontier: Frontier) -> None:
        """Compares every checkpoint of as many entries as have passed."""
        while self.next_size == frontier.size:
            kept = self._kept[self._next]
            kept.agrees = kept.checkpoint.root == frontier.root()
            self._next += 1

    def problems(self, history: KeyHistory, whole: bool, size: int) -> Iterator[tuple[int | None, str]]:
        """What is wrong: (index of the first entry concerned, text). `size` is the number of entries that passed.

        `whole` is False where a line was no entry, so that roots after it say nothing.
        """
        for kept in self._kept:
            count = kept.checkpoint.size
            refused = _refused(kept, history)
            if refused is not None:
                yield None, f"the earlier checkpoint of {count} entries proves nothing: {refused}"
            elif kept.agrees:
                self.agreed = count
            elif kept.agrees is None:
                yield (
                    size,
                    f"the log is shorter than the earlier checkpoint of {count} entries (an export made before that "
                    "checkpoint is: then export again)",
                )
            elif whole:
                yield (
                    self.agreed,
                    f"entries {self.agreed} to {count - 1} are not those of the earlier checkpoint of {count} "
                    "entries: one or more of them was changed, removed or added since",
                )


def _refused(kept: _Kept, history: KeyHistory) -> str | None:
    if kept.note is None:
        return None
    try:
        history.in_force(kept.checkpoint.size).open(kept.note)
    except CheckpointError as error:
        return str(error)
    return None
