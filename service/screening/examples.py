"""Examples for the contract, made by the code that answers: nothing in them is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask_smorest import Api
from marshmallow import Schema, ValidationError

from model.dictionary import Dictionary
from service.errors import PROBLEMS, Problem, problem
from service.log.merkle import leaf_hash
from service.log.store import Receipt
from service.records import with_record
from service.sandbox.cases import NOBODY, CannedCase
from service.screening.many import shown
from service.screening.reading import field_errors, request_names
from service.summary.facts import Summary, summarise

AT = "2026-04-01T09:30:00.000000Z"
"""When the examples say that they were recorded."""


def examples_of(status: int) -> dict[str, Any]:
    """References to the examples of every problem with that status."""
    return {
        code: {"$ref": f"#/components/examples/problem_{code}"}
        for code, (its_status, *_) in PROBLEMS.items()
        if its_status == status
    }


class _Uncopied(list[Any]):
    """A list of which a deep copy is the list itself."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> _Uncopied:
        return self


def uncopied(example: Any) -> Any:
    """An example that is not copied where the contract is put together.

    flask-smorest and apispec copy each operation deeply, several times, before they change theirs. An example is the
    greatest part of most operations, and nobody changes one; copying them was half of the time that an app takes to
    make. Lists are kept alone: flask-smorest makes each dict anew by itself.
    """
    if isinstance(example, Mapping):
        return {name: uncopied(value) for name, value in example.items()}
    return _Uncopied(example) if isinstance(example, list) else example


def screening_examples(cases: Sequence[CannedCase], origin: str) -> dict[str, Any]:
    """An answer for each prompt that the model in use can show, by what it shows."""
    examples = {}
    for index, case in enumerate(cases):
        value = orjson.loads(with_record(case.answer, receipt_of(case.answer, index), origin))
        examples[case.expected] = {"summary": case.expected, "value": uncopied(value)}
    return examples


def many_example(cases: Sequence[CannedCase], origin: str) -> dict[str, Any]:
    """An answer to all the cases, sent at once."""
    receipts = [receipt_of(case.answer, index) for index, case in enumerate(cases)]
    together = shown([orjson.loads(case.answer) for case in cases], receipts, origin)
    return dict(orjson.loads(together))


def summary_example(case: CannedCase, dictionary: Dictionary, origin: str) -> Summary:
    """The referral summary of a case."""
    payload = {"answer": orjson.loads(case.answer), "asked": case.request}
    return summarise(receipt_of(case.answer), payload, dictionary, origin)


def receipt_of(content: bytes, index: int = 0) -> Receipt:
    """A receipt as one that content would have had, had it been recorded."""
    return Receipt(index, NOBODY, leaf_hash(content).hex(), AT, "")


def describe_problems(api: Api, schema: Schema) -> None:
    """Adds an example of every problem to the contract's components; `schema` is that of screenings."""
    for code in PROBLEMS:
        body = problem_example(code, schema)
        api.spec.components.example(f"problem_{code}", {"summary": body["title"], "value": body})


def problem_example(code: str, schema: Schema) -> dict[str, Any]:
    """The body of that problem. Of a refused screening it has the errors of one that holds nothing."""
    return dict(orjson.loads(_raised(code, schema).response().get_data()))


def _raised(code: str, schema: Schema) -> Problem:
    if code != "refused":
        return problem(code)
    try:
        schema.load({})
    except ValidationError as error:
        return problem(code, field_errors(error.normalized_messages(), request_names(schema)))
    raise AssertionError("an empty request was accepted")
