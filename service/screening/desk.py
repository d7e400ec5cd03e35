"""The one path of every screening, by whichever door it comes in: read, score, durable record, and only then an answer.

The doors are `POST /v1/screenings`, FHIR (`service.fhir`) and CDS Hooks (`service.cds_hooks`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from service.access.keys import Caller, Keys, require_role
from service.access.rate import KeyRate
from service.errors import FieldError, Problem, problem
from service.log.canonical import canonical_bytes
from service.log.store import AlreadyRecorded, LogStore, NotDurable, Receipt, StoredEntry
from service.log.writer import Pending
from service.model_files import ReleasedModel
from service.records import not_recorded, record_refusal, recorded, recorded_screening
from service.running.metrics import Metrics
from service.screening.accepting import Acceptor
from service.screening.answer import AnswerWriter
from service.screening.idempotency import Once
from service.screening.many import screen_many
from service.screening.schemas import request_schema
from service.screening.story import Composed, screen, to_record

REPLAYED = ("Idempotent-Replayed", "true")

Read = Callable[[], tuple[dict[str, Any], Once | None]]
"""Gives the validated request and by what the log takes it once (None: as often as it comes)."""

Refuse = Callable[[dict[str, Any]], Problem | None]
"""Looks at a validated request; the refusal, or None."""


class Answered(NamedTuple):
    """A screening that is in the log: the answer's bytes as they were logged, and its record."""

    answer: bytes
    record: Receipt | StoredEntry
    model_sha256: str
    """Digest of the model that answered: of a retry, perhaps not the one in use."""
    headers: tuple[tuple[str, str], ...] = ()


class Begun(NamedTuple):
    """A screening on its way into the log."""

    caller: Caller
    asked: dict[str, Any]
    once: Once | None
    made: Composed
    pending: Pending


class ScreeningDesk:
    """What a screening needs: the model in use, the log, the keys, and the schema of the model's dictionary."""

    def __init__(
        self,
        released: ReleasedModel,
        writer: AnswerWriter,
        log: LogStore,
        keys: Keys,
        origin: str,
        rate: KeyRate,
        refuse: Refuse | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Takes screenings by one model.

        `rate` is how often a key may ask, by every door; `refuse` looks at each validated request (the sandbox does).
        """
        self.released = released
        self.log = log
        self.keys = keys
        self.origin = origin
        self.schema = request_schema(released.model.dictionary)
        self.acceptor = Acceptor(self.schema)
        self._writer = writer
        self.rate = rate
        self._refuse = refuse
        self._metrics = metrics

    @property
    def refuses_some(self) -> bool:
        """Whether each validated request is looked at once more."""
        return self._refuse is not None

    def take(self, caller: Caller, read: Read, cds_service: str | None = None) -> Answered:
        """Screens what `read` gives, or answers again what was answered before. A refusal is an entry too.

        `cds_service` is the CDS Hooks service that was called, where it was.
        Raises `Problem`: then there is no score.
        """
        self.rate.admit(caller.key_id)  # refused without an entry: a sender's loop would fill the log
        try:
            require_role(caller, "practitioner")
            asked, once = read()
            if self._refuse is not None and (refusal := self._refuse(asked)) is not None:
                raise refusal
            try:
                shown = screen(asked, self.released, self._writer, self.log, caller, once, cds_service)
            except AlreadyRecorded as earlier:
                return self._repeated(asked, once, earlier.index)
        except Problem as refusal:
            record_refusal(refusal, caller, self.log)
            raise
        except NotDurable:
            raise not_recorded() from None
        if self._metrics is not None:
            self._metrics.screened(shown.level)
        return Answered(shown.answer, shown.receipt, self.released.sha256)

    def begin(self, caller: Caller, asked: dict[str, Any], once: Once | None, settled: Callable[[], None]) -> Begun:
        """As `take`, of a request that is plainly right, without waiting for the record.

        `settled` is called, by another thread, when `end` may be. Raises `Problem` where there were too many, and
        nothing was done; `ExplanationError`.
        """
        self.rate.admit(caller.key_id)
        made = to_record(asked, self.released, self._writer, caller, once)
        text = None if once is None else once.text
        pending = self.log.append_soon("screening", made.payload, made.screening_id, text, settled)
        return Begun(caller, asked, once, made, pending)

    def end(self, begun: Begun) -> Answered | None:
        """What was begun, now that it is settled; None where it was recorded before. Raises `Problem`."""
        if begun.pending.receipt is None:
            if begun.pending.recorded_at is not None:
                return None
            raise not_recorded()
        if self._metrics is not None:
            self._metrics.screened(begun.made.level)
        return Answered(begun.made.answer, begun.pending.receipt, self.released.sha256)

    def repeated(self, begun: Begun) -> Answered:
        """The answer of what was recorded before; reads the log. A refusal is an entry too. Raises `Problem`."""
        assert begun.pending.recorded_at is not None
        try:
            return self._repeated(begun.asked, begun.once, begun.pending.recorded_at)
        except Problem as refusal:
            record_refusal(refusal, begun.caller, self.log)
            raise

    def take_many(
        self, caller: Caller, read: Callable[[], tuple[list[dict[str, Any]], Once | None]]
    ) -> tuple[bytes, bool]:
        """As `take`, of many cases at once: all are recorded and answered, or none.

        Gives the answer's bytes, and whether it is one that was given before. Each case counts for the key's rate.
        """
        self.rate.admit(caller.key_id)
        try:
            require_role(caller, "practitioner")
            asked, once = read()
            self._admit_all(caller, len(asked))
            for one in asked:
                if self._refuse is not None and (refusal := self._refuse(one)) is not None:
                    raise refusal
            answer, levels, repeated = screen_many(
                asked, self.released, self._writer, self.log, caller, once, self.origin
            )
        except Problem as refusal:
            if refusal.code != "rate_limited":
                record_refusal(refusal, caller, self.log)
            raise
        except NotDurable:
            raise not_recorded() from None
        if self._metrics is not None and not repeated:
            for level in levels:
                self._metrics.screened(level)
        return answer, repeated

    def _admit_all(self, caller: Caller, cases: int) -> None:
        """Counts the cases behind the first, which was counted before it was read. Raises `Problem`."""
        if self.rate.most is not None and cases > self.rate.most:
            fix = f"send {self.rate.most} cases at most; this service lets no key screen more in its time"
            raise problem("refused", [FieldError("cases", fix)])
        if cases > 1:
            self.rate.admit(caller.key_id, cases - 1)

    def _repeated(self, asked: dict[str, Any], once: Once | None, index: int) -> Answered:
        """The answer that this request was given before, from its record; a retry makes no second entry."""
        found = recorded(lambda: self.log.get_index(index))
        if found is None:
            raise problem("record_damaged")
        entry, payload = recorded_screening(found.entry_id, self.log)
        if once is None or not once.is_of(payload, asked):
            raise problem("key_reused")
        return Answered(canonical_bytes(payload["answer"]), entry, payload["model_sha256"], (REPLAYED,))
