"""The story of a screening, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from model.case import Case
from model.dictionary import NOT_KNOWN
from model.view import view
from service.access.keys import Caller
from service.log.canonical import canonical_bytes, fractionless_bytes
from service.log.entry import uuid7
from service.log.store import AlreadyRecorded, LogStore, Receipt
from service.model_files import ReleasedModel
from service.records import recorded
from service.screening.answer import AnswerWriter
from service.screening.idempotency import SENT_DIGEST, Once
from service.screening.pooled import pooled_view
from service.screening.schemas import UNSEEN

if TYPE_CHECKING:
    from model.kernel import Kernel

CDS_SERVICE = "cds_service"
"""In an entry: the CDS Hooks service whose card showed the screening."""


class Shown(NamedTuple):
    """A screening that is recorded and may be shown: the answer's exact bytes, its prompt level, and its receipt."""

    answer: bytes
    level: str
    receipt: Receipt


class Composed(NamedTuple):
    """A screening that is not recorded yet, and so not to be shown: its id, answer, prompt level and entry."""

    screening_id: str
    answer: bytes
    level: str
    payload: bytes


def screen(
    asked: Mapping[str, Any],
    released: ReleasedModel,
    writer: AnswerWriter,
    log: LogStore,
    caller: Caller,
    once: Once | None = None,
    cds_service: str | None = None,
) -> Shown:
    """Screens one case: score, explanation, gaps, grounds, prompt, words; then the record; and only then the answer.

    `asked` is the validated request; `once` by what the log takes it once; `cds_service` the CDS Hooks service whose
    card will show it. Raises `AlreadyRecorded` where the log has it, `Problem` where that record is damaged,
    `ExplanationError` where the contributions do not sum to the score, and `NotDurable` where the log cannot be
    written; in all of these nothing of this answer may be shown.
    """
    if once is not None and once.earlier and (found := recorded(lambda: once.found_earlier(log))) is not None:
        raise AlreadyRecorded(found.index)
    made = to_record(asked, released, writer, caller, once, cds_service)
    receipt = log.append("screening", made.payload, made.screening_id, None if once is None else once.text)
    return Shown(made.answer, made.level, receipt)


def to_record(
    asked: Mapping[str, Any],
    released: ReleasedModel,
    writer: AnswerWriter,
    caller: Caller,
    once: Once | None = None,
    cds_service: str | None = None,
) -> Composed:
    """All of `screen` but the record. Raises `ExplanationError`."""
    screening_id = uuid7()
    answer, level = composed(asked, released, writer, screening_id, released.kernel)
    payload = screening_payload(answer, asked, released, caller, once, cds_service)
    return Composed(screening_id, answer, level, payload)


def compose(
    asked: Mapping[str, Any],
    released: ReleasedModel,
    writer: AnswerWriter,
    screening_id: str,
    kernel: Kernel | None = None,
) -> bytes:
    """The answer to a validated request, not yet recorded and so not yet to be shown.

    Requests give the model's `kernel`; a replay gives none, so that each is worked out anew by the Python.
    """
    return composed(asked, released, writer, screening_id, kernel)[0]


def composed(
    asked: Mapping[str, Any],
    released: ReleasedModel,
    writer: AnswerWriter,
    screening_id: str,
    kernel: Kernel | None = None,
) -> tuple[bytes, str]:
    """As `compose`, with the level of the prompt."""
    model = released.model
    if "observations" in asked:
        found = pooled_view(asked["observations"], released, kernel)
        answer = writer.write(screening_id, asked["case_ref"], found.not_recognised, found.together, found.said)
        return answer, found.together.prompt.level
    features = asked["features"]
    # In an order of its own: the log keeps what was asked with its keys sorted, and must replay to the same bytes.
    unseen: list[str] = []
    if UNSEEN in features.values():
        unseen = sorted(name for name, value in features.items() if value == UNSEEN)
        features = {**features, **dict.fromkeys(unseen, NOT_KNOWN)}
    case = Case.of(model.dictionary, features)
    seen = view(model, released.ground_rules, case, kernel)
    return writer.write(screening_id, asked["case_ref"], unseen, seen), seen.prompt.level


def screening_payload(
    answer: bytes,
    asked: Mapping[str, Any],
    released: ReleasedModel,
    caller: Caller,
    once: Once | None = None,
    cds_service: str | None = None,
) -> bytes:
    """What the log keeps of a screening: the very bytes shown, what was asked as it was asked, the model, the caller.

    The keys stand in RFC 8785 order, so that splicing the shown bytes in leaves the whole canonical.
    """
    context = {
        "asked": dict(asked),
        "caller": {"key_id": caller.key_id, "role": caller.role},
        "model_sha256": released.sha256,
    }
    if once is not None and once.digest is not None:
        context[SENT_DIGEST] = once.digest
    if cds_service is not None:
        context[CDS_SERVICE] = cds_service
    # What a float may be spelled like is looked into only where there is one.
    plain = "features" in asked and float not in map(type, asked["features"].values())
    spelled = fractionless_bytes(context) if plain else canonical_bytes(context)
    return b"".join((b'{"answer":', answer, b",", spelled[1:]))


def sample_payload(released: ReleasedModel, writer: AnswerWriter) -> bytes:
    """What payloads of this model have in common, for the log to pack them against: a case of answers, one of none."""
    nobody = Caller("00000000", "practitioner")
    answers = {f.name: f.levels[-1] for f in released.model.dictionary.features if f.levels}
    samples = []
    for features in (answers, {}):
        asked = {"agency": "", "case_ref": "", "features": features}
        answer = compose(asked, released, writer, "00000000-0000-7000-8000-000000000000")
        samples.append(screening_payload(answer, asked, released, nobody))
    return b"".join(samples)
