"""The story of up to a thousand screenings asked for at once: all are recorded in one commit, or none is answered.

Each case has its own entry, the same as if it had been sent alone: it is looked up, responded to, summarised and erased
by its own id. All or nothing, as a sender that overlooks one refusal among a thousand answers would take that case for
screened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.access.keys import Caller
from service.errors import problem
from service.log.canonical import canonical_bytes
from service.log.entry import uuid7
from service.log.store import AlreadyRecorded, LogStore, Receipt, StoredEntry
from service.model_files import ReleasedModel
from service.records import recorded, recorded_screening
from service.screening.answer import AnswerWriter
from service.screening.idempotency import Once
from service.screening.story import compose, screening_payload

MOST_CASES = 1000
_AS_THEY_ARE = (
    "band", "case_ref", "not_recognised", "prompt", "score", "score_interval", "score_range", "screening_id",
)  # fmt: skip
_OF_ALL = ("model", "not_considered", "score_meaning")


def screen_many(
    asked: Sequence[Mapping[str, Any]],
    released: ReleasedModel,
    writer: AnswerWriter,
    log: LogStore,
    caller: Caller,
    once: Once | None,
    origin: str,
) -> tuple[bytes, list[str], bool]:
    """Screens the cases; the answer's bytes once all are durable, their levels, and whether it was given before.

    `asked` are validated requests. Raises `Problem` where the key was used for other cases, `ExplanationError`, and
    `NotDurable`; in all of them nothing may be shown.
    """
    if once is not None and once.earlier and recorded(lambda: once.numbered(0).found_earlier(log)) is not None:
        return _repeated(asked, log, once, origin), [], True
    ids = [uuid7() for _ in asked]
    answers = [compose(one, released, writer, one_id, released.kernel) for one, one_id in zip(asked, ids, strict=True)]
    entries = []
    for number, (one_id, answer, one) in enumerate(zip(ids, answers, asked, strict=True)):
        numbered = None if once is None else once.numbered(number)
        payload = screening_payload(answer, one, released, caller, numbered)
        entries.append((one_id, payload, None if numbered is None else numbered.text))
    try:
        receipts = log.append_whole("screening", entries)
    except AlreadyRecorded:
        if once is None:
            raise
        return _repeated(asked, log, once, origin), [], True
    read = [orjson.loads(answer) for answer in answers]
    return shown(read, receipts, origin), [answer["prompt"]["level"] for answer in read], False


def shown(answers: Sequence[Mapping[str, Any]], receipts: Sequence[Receipt | StoredEntry], origin: str) -> bytes:
    """The answer to all, out of the answers that the log keeps whole: what is alike in all of them stands once."""
    return canonical_bytes(
        {
            **{name: answers[0][name] for name in _OF_ALL},
            "base_value": answers[0]["explanation"]["base_value"],
            "record": {"at": receipts[0].at, "checkpoint": receipts[-1].checkpoint, "log": origin},
            "screenings": [_compact(*pair) for pair in zip(answers, receipts, strict=True)],
            "units": answers[0]["explanation"]["units"],
        }
    )


def _compact(answer: Mapping[str, Any], receipt: Receipt | StoredEntry) -> dict[str, Any]:
    return {
        **{name: answer[name] for name in _AS_THEY_ARE},
        "contributions": {said["feature"]: said["contribution"] for said in answer["explanation"]["contributions"]},
        "grounds": [ground["code"] for ground in answer["grounds"]],
        "not_known": [{"feature": gap["feature"], "held_by": gap["held_by"]} for gap in answer["not_known"]],
        "record": {"index": receipt.index, "leaf_hash": receipt.leaf_hash},
    }


def _repeated(asked: Sequence[Mapping[str, Any]], log: LogStore, once: Once, origin: str) -> bytes:
    """The answer that this key's request was given before, from its records."""
    answers, receipts = [], []
    for number, one in enumerate(asked):
        entry, payload = _recorded_as(once.numbered(number), log)
        if not once.numbered(number).is_of(payload, one):
            raise problem("key_reused")
        answers.append(payload["answer"])
        receipts.append(entry)
    if recorded(lambda: once.numbered(len(asked)).found(log)) is not None:
        raise problem("key_reused")  # there were more cases then
    return shown(answers, receipts, origin)


def _recorded_as(once: Once, log: LogStore) -> tuple[StoredEntry, dict[str, Any]]:
    found = recorded(lambda: once.found(log))
    if found is None:
        raise problem("key_reused")
    return recorded_screening(found.entry_id, log)
