"""The story of a replay: read an entry, find its model, work out the answer, compare the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from service.log.store import LogDamaged
from service.replay.archive import ModelArchive, NoModel
from service.replay.differences import Difference, differences, spelled
from service.replay.formats import Screening, Unreadable, format_of
from service.replay.source import Logged

NOT_CANONICAL = "the logged answer says the same in other bytes: it is not spelled as canonical JSON (RFC 8785)"


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not agree: an entry, and either its differences or the reason why it was not replayed."""

    index: int
    entry_id: str
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    def lines(self) -> list[str]:
        """A line each, as shown."""
        where = f"entry {self.index} ({self.entry_id})"
        if self.reason:
            return [f"{where}: {self.reason}"]
        return [f"{where}: {d.path}: logged {d.logged}, replayed {d.replayed}" for d in self.differences]


@dataclass(slots=True)
class Tally:
    """Counts of screenings: `agreed` to the byte, `differed`, `erased`, `without_model`, `unreadable`."""

    agreed: int = 0
    differed: int = 0
    erased: int = 0
    without_model: int = 0
    unreadable: int = 0
    models: set[str] = field(default_factory=set)

    @property
    def seen(self) -> int:
        """All screenings that were looked at."""
        return self.agreed + self.differed + self.erased + self.without_model + self.unreadable

    @property
    def ok(self) -> bool:
        """Whether every screening that still has its payload was replayed and agrees."""
        return not (self.differed or self.without_model or self.unreadable)


def replay(entries: Iterable[Logged], archive: ModelArchive, tally: Tally) -> Iterator[Finding]:
    """Replays the screenings among `entries` and yields what does not agree; counts all in `tally`. Streams."""
    for entry in entries:
        # An entry whose leaf says nothing may have been a screening.
        if entry.kind not in ("screening", ""):
            continue
        try:
            found = _replay(entry, archive, tally)
        except NoModel as error:
            tally.without_model += 1
            yield Finding(entry.index, entry.entry_id, reason=str(error))
        except Unreadable as error:
            tally.unreadable += 1
            yield Finding(entry.index, entry.entry_id, reason=str(error))
        else:
            if found is not None:
                tally.differed += 1
                yield found


def _replay(entry: Logged, archive: ModelArchive, tally: Tally) -> Finding | None:
    if not entry.kind:
        raise Unreadable("its leaf cannot be read; verify the log")
    try:
        payload = entry.payload()
    except LogDamaged:
        raise Unreadable("its payload cannot be read; verify the log") from None
    if payload is None:
        tally.erased += 1
        return None
    form = format_of(entry.format)
    screening = form.read(payload)
    ready = archive.find(screening.model_sha256)
    replayed = form.answer(ready, screening, entry.entry_id)
    tally.models.add(screening.model_sha256)
    if _same_bytes(payload, screening, replayed):
        tally.agreed += 1
        return None
    return _difference(entry, screening, payload, replayed)


def _same_bytes(payload: bytes, screening: Screening, replayed: bytes) -> bool:
    # The bytes stand in the payload, and there as the answer: neither alone would do.
    return b'"answer":' + replayed in payload and orjson.loads(replayed) == screening.answer


def _difference(entry: Logged, screening: Screening, payload: bytes, replayed: bytes) -> Finding:
    try:
        found = differences(spelled(payload)["answer"], spelled(replayed))
    except (ValueError, RecursionError):
        raise Unreadable("its logged answer cannot be compared: it is nested too deeply or not JSON") from None
    if found:
        return Finding(entry.index, entry.entry_id, tuple(found))
    return Finding(entry.index, entry.entry_id, reason=NOT_CANONICAL)
